//! What to scan and how hard: the input of a run, checked before the first packet.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;
use url::Url;

use crate::PortSet;

/// One scan: a target, its ports, the stages to run and the limits to keep.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is scanned.
    pub target: Target,
    /// The ports to try; the port a URL names is always added.
    pub ports: PortSet,
    /// How much, how fast and how long.
    pub limits: Limits,
    /// Which stages run.
    pub stages: Stages,
    /// How far a probe may go.
    pub intrusiveness: Intrusiveness,
    /// The present moment in seconds since 1970 UTC; certificates are judged against it.
    pub now_unix: i64,
    /// The DNS server that a domain's addresses and records are asked of; the guard must permit it like every address.
    /// Without one the system gives the addresses, and the DNS servers that the scan itself finds the records.
    pub resolver: Option<SocketAddr>,
}

impl Plan {
    /// A plan with the hundred commonest ports, every stage, default limits and safe probes.
    pub fn new(target: Target, now_unix: i64) -> Self {
        Self {
            target,
            ports: PortSet::top(100),
            limits: Limits::default(),
            stages: Stages::default(),
            intrusiveness: Intrusiveness::Safe,
            now_unix,
            resolver: None,
        }
    }
}

/// What is scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A host name, resolved once and pinned, or an address in text.
    Host(String),
    /// Every host address of a network.
    Network(IpNet),
    /// A web origin or page; only `http` and `https`.
    Url(Url),
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(host) => formatter.write_str(host),
            Self::Network(network) => write!(formatter, "{network}"),
            Self::Url(url) => write!(formatter, "{url}"),
        }
    }
}

/// Bounds of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most connections in flight at once; never more than the process has descriptors for.
    pub concurrency: usize,
    /// Most connections opened per second over the whole run; `None` is unlimited.
    pub rate_per_second: Option<u32>,
    /// How long one connection attempt may take.
    pub connect_timeout: Duration,
    /// How long one reply may take.
    pub read_timeout: Duration,
    /// How long the whole run may take; what was found by then is kept.
    pub total: Duration,
    /// Further attempts after a connection attempt that timed out.
    pub retries: u8,
    /// Most addresses one target may expand to.
    pub addresses: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 1024,
            rate_per_second: None,
            connect_timeout: Duration::from_millis(1500),
            read_timeout: Duration::from_secs(4),
            total: Duration::from_secs(3600),
            retries: 1,
            addresses: 1024,
        }
    }
}

/// Which stages of a run are wanted; identification also runs when a later stage needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// Scan the whole port set; without it a URL target is tried on its own port only.
    pub ports: bool,
    /// Say which service and version answers on each open port.
    pub services: bool,
    /// Audit TLS versions, cipher suites and certificates.
    pub tls: bool,
    /// Audit web servers.
    pub http: bool,
    /// Look for services that answer without authentication, and at what DNS servers and domains give away.
    pub exposures: bool,
}

impl Default for Stages {
    fn default() -> Self {
        Self { ports: true, services: true, tls: true, http: true, exposures: true }
    }
}

/// How far a probe may go, from looking to trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Intrusiveness {
    /// Greetings, handshakes and the page a browser would load; nothing else.
    Passive,
    /// Harmless requests of each protocol; changes nothing on the target.
    Safe,
    /// Also tries empty credentials and mail relaying, which logs and alarms will show.
    Intrusive,
}
