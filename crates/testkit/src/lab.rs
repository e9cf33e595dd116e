//! A lab to scan: one address where everything is wrong in known ways, one where nothing is, and
//! one that answers 200 to everything. What was planted is a list, so that a test can ask for all
//! of it, and for silence about everything else.

mod certificates;
mod hardened;
mod nginx;
mod services;
mod site;
mod weak;

use std::net::{IpAddr, Ipv4Addr};

use tempfile::TempDir;

use crate::process::Process;
use crate::servers::Redis;
use crate::{free_port, scratch};

/// One weakness that the lab has on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planted {
    /// The port where it is.
    pub port: u16,
    /// What is wrong.
    pub weakness: &'static str,
    /// How a check can see it.
    pub check: &'static str,
}

/// Real servers on one loopback address, gone when dropped.
pub struct Lab {
    address: IpAddr,
    http: u16,
    https: u16,
    redis: Option<Redis>,
    memcached: Option<u16>,
    ftp: Option<u16>,
    planted: Vec<Planted>,
    authority: Option<String>,
    processes: Vec<Process>,
    folder: TempDir,
}

impl Lab {
    /// On 127.0.0.2: an old web server with an expired certificate, old TLS versions, leaking files
    /// and missing headers; Redis and memcached without password; FTP for anonymous.
    pub fn weak() -> Self {
        let mut lab = Self::empty(Ipv4Addr::new(127, 0, 0, 2));
        weak::build(&mut lab);
        lab
    }

    /// On 127.0.0.3: a web server with modern TLS, a certificate of the lab's own authority and all
    /// headers; Redis with a password. Nothing here may be reported as a weakness.
    pub fn hardened() -> Self {
        let mut lab = Self::empty(Ipv4Addr::new(127, 0, 0, 3));
        hardened::build(&mut lab);
        lab
    }

    /// On 127.0.0.4: a web server that answers every path with status 200 and the same page. A check
    /// that looks at the status alone reports a hundred files that are not there.
    pub fn decoy() -> Self {
        let mut lab = Self::empty(Ipv4Addr::new(127, 0, 0, 4));
        hardened::build_decoy(&mut lab);
        lab
    }

    fn empty(address: Ipv4Addr) -> Self {
        let address = IpAddr::V4(address);
        Self {
            address,
            http: free_port(address),
            https: free_port(address),
            redis: None,
            memcached: None,
            ftp: None,
            planted: Vec::new(),
            authority: None,
            processes: Vec::new(),
            folder: scratch::folder("lab"),
        }
    }

    fn plant(&mut self, port: u16, weakness: &'static str, check: &'static str) {
        self.planted.push(Planted { port, weakness, check });
    }

    /// The address all its servers listen on.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The port of plain HTTP.
    pub fn http_port(&self) -> u16 {
        self.http
    }

    /// The port of HTTP over TLS.
    pub fn https_port(&self) -> u16 {
        self.https
    }

    /// URL of the plain site, without trailing slash.
    pub fn http_url(&self) -> String {
        format!("http://{}:{}", self.address, self.http)
    }

    /// URL of the TLS site, without trailing slash.
    pub fn https_url(&self) -> String {
        format!("https://{}:{}", self.address, self.https)
    }

    /// The port of Redis, where there is one.
    pub fn redis_port(&self) -> Option<u16> {
        self.redis.as_ref().map(|redis| redis.address().port())
    }

    /// The port of memcached, where there is one.
    pub fn memcached_port(&self) -> Option<u16> {
        self.memcached
    }

    /// The port of FTP, where there is one.
    pub fn ftp_port(&self) -> Option<u16> {
        self.ftp
    }

    /// Every open port, ascending.
    pub fn ports(&self) -> Vec<u16> {
        let optional = [self.redis_port(), self.memcached, self.ftp];
        let mut ports: Vec<u16> = optional.into_iter().flatten().chain([self.http, self.https]).collect();
        ports.sort_unstable();
        ports
    }

    /// What is wrong here on purpose; empty for the hardened lab and the decoy.
    pub fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// The certificate (PEM) of the authority that signed this lab's own, where one did.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }
}
