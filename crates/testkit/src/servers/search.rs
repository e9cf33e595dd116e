//! Search servers. They start slowly, so one of each kind is shared by a run; tests keep apart by a prefix of their own.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, Recipe, program};
use crate::{free_port, scratch};

/// Which product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchProduct {
    /// OpenSearch 3.
    OpenSearch,
    /// Elasticsearch 8.
    Elasticsearch,
}

/// A search server of one's own.
pub struct SearchServer {
    process: Process,
    product: SearchProduct,
    address: SocketAddr,
    _folder: TempDir,
}

impl SearchProduct {
    fn name(self) -> &'static str {
        match self {
            Self::OpenSearch => "opensearch",
            Self::Elasticsearch => "elasticsearch",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::OpenSearch => "TYRIAN_TEST_OPENSEARCH",
            Self::Elasticsearch => "TYRIAN_TEST_ELASTICSEARCH",
        }
    }
}

impl SearchServer {
    /// Starts one on 127.0.0.1; fetches its program first when it was never used here.
    pub fn start(product: SearchProduct) -> Self {
        let folder = scratch::folder(product.name());
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), free_port(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/search-server.bash");
        let line = [
            program("bash"),
            script.to_string_lossy().into_owned(),
            product.name().to_owned(),
            folder.path().join("server").to_string_lossy().into_owned(),
            address.port().to_string(),
        ];
        let process = Process::start(Recipe {
            name: product.name(),
            line: line.to_vec(),
            environment: Vec::new(),
            folder: folder.path().to_path_buf(),
            user: None,
            stop: Signal::SIGTERM,
            ready: Box::new(move || is_ready(address)),
        });
        Self { process, product, address, _folder: folder }
    }

    /// Its URL as `backends.search` wants it.
    pub fn url(&self) -> String {
        url(self.product, &self.address.to_string())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, with what it had.
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

/// URL of the server of this run: that of `TYRIAN_TEST_OPENSEARCH` or `TYRIAN_TEST_ELASTICSEARCH` (`address:port`), otherwise one
/// started by the first caller in this process. Whoever uses it takes a prefix of index names nobody else has.
pub fn shared_search(product: SearchProduct) -> String {
    static OWN: [OnceLock<SearchServer>; 2] = [OnceLock::new(), OnceLock::new()];
    if let Ok(address) = std::env::var(product.variable()) {
        return url(product, &address);
    }
    let [opensearch, elasticsearch] = &OWN;
    let own = if product == SearchProduct::OpenSearch { opensearch } else { elasticsearch };
    own.get_or_init(|| SearchServer::start(product)).url()
}

fn url(product: SearchProduct, address: &str) -> String {
    format!("{}+http://{address}", product.name())
}

fn is_ready(address: SocketAddr) -> bool {
    let limit = Duration::from_secs(2);
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, limit).ok()?;
        stream.set_read_timeout(Some(limit)).ok()?;
        stream.write_all(b"GET /_cluster/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).ok()?;
        Some(reply.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
