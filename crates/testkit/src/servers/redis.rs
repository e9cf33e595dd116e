//! Redis instances. Starting one takes some ten milliseconds, so own ones are the rule.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, Recipe, program};
use crate::{free_port, scratch};

/// How many logical databases a shared instance has; `./test` passes the same number.
const DATABASES: u32 = 1024;

/// A Redis of one's own, without persistence.
pub struct Redis {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Redis {
    /// Starts one on 127.0.0.1 without password.
    pub fn start() -> Self {
        Self::start_with(IpAddr::V4(Ipv4Addr::LOCALHOST), &[])
    }

    /// Starts one on `address` with further command-line settings, such as
    /// `["--requirepass", "secret"]`.
    pub fn start_with(address: IpAddr, settings: &[&str]) -> Self {
        let folder = scratch::folder("redis");
        let address = SocketAddr::new(address, free_port(address));
        let mut line = vec![program("redis-server")];
        let ip = address.ip().to_string();
        let port = address.port().to_string();
        let databases = DATABASES.to_string();
        let mut set = |key: &str, value: &str| line.extend([key.to_owned(), value.to_owned()]);
        set("--bind", &ip);
        set("--port", &port);
        set("--databases", &databases);
        set("--save", "");
        set("--appendonly", "no");
        set("--dir", &folder.path().to_string_lossy());
        line.extend(settings.iter().map(|&setting| setting.to_owned()));
        let process = Process::start(Recipe {
            name: "redis",
            line,
            environment: Vec::new(),
            folder: folder.path().to_path_buf(),
            user: None,
            stop: Signal::SIGTERM,
            ready: Box::new(move || {
                // A password makes it refuse the command, but it does answer.
                ask(address, "PING").is_some_and(|reply| reply.starts_with("+PONG") || reply.starts_with("-NOAUTH"))
            }),
        });
        Self { process, address, _folder: folder }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without password.
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops it if it runs and starts it again, empty, on the same port.
    pub fn restart(&mut self) {
        self.process.restart();
    }

    /// Freezes it: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Ends a `pause`.
    pub fn resume(&self) {
        self.process.resume();
    }
}

/// URL of an empty logical database in the Redis of this run: that of `TYRIAN_TEST_REDIS`, otherwise
/// one started by the first caller in this process. Channels are *not* separate: a test that
/// publishes starts its own [`Redis`].
pub fn fresh_redis() -> String {
    static OWN: OnceLock<Redis> = OnceLock::new();
    let url = std::env::var("TYRIAN_TEST_REDIS").unwrap_or_else(|_| OWN.get_or_init(Redis::start).url());
    let address = url.strip_prefix("redis://").map(|rest| rest.trim_end_matches('/'));
    let address: SocketAddr =
        address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("TYRIAN_TEST_REDIS is not redis://address:port: {url}"));
    let reply = ask(address, "INCR testkit:databases").unwrap_or_default();
    let count: u32 = reply.trim().trim_start_matches(':').parse().unwrap_or_else(|_| panic!("redis at {address} answered {reply:?}"));
    let database = 1 + count % (DATABASES - 1);
    let replies = ask(address, &format!("SELECT {database}\r\nFLUSHDB")).unwrap_or_default();
    assert!(replies.starts_with("+OK"), "redis at {address} answered {replies:?}");
    format!("{url}/{database}", url = url.trim_end_matches('/'))
}

/// Sends commands in the inline form and returns what came back until the server closed.
fn ask(address: SocketAddr, commands: &str) -> Option<String> {
    let limit = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, limit).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    stream.write_all(format!("{commands}\r\nQUIT\r\n").as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    Some(reply.lines().next().unwrap_or_default().to_owned())
}
