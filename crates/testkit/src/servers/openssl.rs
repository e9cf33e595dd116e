//! TLS as administrators try it out: `openssl s_server`, which serves one client at a time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, Recipe, program};
use crate::{free_port, scratch};

/// A web server of one page on 127.0.0.1 with every cipher suite it knows, and patience for one client.
pub struct OneAtATime {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl OneAtATime {
    /// Starts it with a certificate of its own making.
    pub fn start() -> Self {
        let folder = scratch::folder("openssl");
        let path = folder.path().to_path_buf();
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).expect("a key");
        let parameters = rcgen::CertificateParams::new(vec!["one.lab.test".to_owned()]).expect("a name");
        std::fs::write(path.join("certificate.pem"), parameters.self_signed(&key).expect("a certificate").pem()).expect("a file");
        std::fs::write(path.join("key.pem"), key.serialize_pem()).expect("a file");
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let address = SocketAddr::new(localhost, free_port(localhost));
        let listen = address.to_string();
        let line = ["s_server", "-accept", &listen, "-cert", "certificate.pem", "-key", "key.pem", "-www", "-cipher", "ALL:@SECLEVEL=0"];
        let process = Process::start(Recipe {
            name: "openssl",
            line: std::iter::once(program("openssl")).chain(line.map(str::to_owned)).collect(),
            environment: Vec::new(),
            folder: path,
            user: None,
            stop: Signal::SIGTERM,
            ready: Box::new(move || TcpStream::connect(address).is_ok()),
        });
        Self { address, _process: process, _folder: folder }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
