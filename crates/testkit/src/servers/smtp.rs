//! A real SMTP server (Debian's aiosmtpd) that accepts every mail into a Maildir.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, Recipe, run};
use crate::{free_port, scratch};

/// Debian's interpreter: the package is not visible to any other Python in `PATH`.
const PYTHON: &str = "/usr/bin/python3";

/// An SMTP server of one's own, without TLS and without authentication.
pub struct Smtp {
    address: SocketAddr,
    maildir: PathBuf,
    _process: Process,
    _folder: TempDir,
}

impl Smtp {
    /// Starts one on 127.0.0.1.
    pub fn start() -> Self {
        let installed = PathBuf::from(PYTHON).exists()
            && !run(&[PYTHON, "-c", "import importlib.util as u; print(u.find_spec('aiosmtpd') or '')"], None).trim().is_empty();
        assert!(installed, "aiosmtpd is not installed: run ./test, it installs what tests need");
        let folder = scratch::folder("smtp");
        let maildir = folder.path().join("mail");
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let address = SocketAddr::new(localhost, free_port(localhost));
        let line = [
            PYTHON,
            "-m",
            "aiosmtpd",
            "--nosetuid",
            "--listen",
            &address.to_string(),
            "--class",
            "aiosmtpd.handlers.Mailbox",
            &maildir.to_string_lossy(),
        ];
        let process = Process::start(Recipe {
            name: "smtp",
            line: line.iter().map(|&part| part.to_owned()).collect(),
            environment: Vec::new(),
            folder: folder.path().to_path_buf(),
            user: None,
            stop: Signal::SIGTERM,
            ready: Box::new(move || TcpStream::connect(address).is_ok()),
        });
        Self { address, maildir, _process: process, _folder: folder }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every mail received so far as it came over the wire, oldest first.
    pub fn messages(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.maildir.join("new")).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        let text = files.iter().map(|file| std::fs::read(file).expect("a received mail"));
        text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }
}
