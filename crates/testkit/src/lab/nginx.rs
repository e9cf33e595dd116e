//! nginx for the lab: everything it writes stays in the lab's folder.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use nix::sys::signal::Signal;

use super::certificates::Identity;
use crate::process::{Process, Recipe, is_root, program};

/// Debian's OpenSSL refuses old versions and weak keys unless its own configuration file is replaced.
const PERMISSIVE: &str = "openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = weak
[weak]
MinProtocol = TLSv1
CipherString = ALL:aNULL:eNULL:@SECLEVEL=0
";

/// What this nginx shall be.
pub(super) struct Site<'a> {
    /// The folder of the lab.
    pub(super) folder: &'a Path,
    /// `server { … }` blocks.
    pub(super) servers: String,
    /// Certificate and key, stored as `certificate.pem` and `key.pem`.
    pub(super) identity: &'a Identity,
    /// Where it must answer before it counts as started.
    pub(super) addresses: [SocketAddr; 2],
    /// Whether old TLS versions are to work.
    pub(super) permissive: bool,
}

/// Starts nginx with `site`.
pub(super) fn start(site: &Site<'_>) -> Process {
    let folder = site.folder;
    write(&folder.join("certificate.pem"), &site.identity.chain);
    write(&folder.join("key.pem"), &site.identity.key);
    write(&folder.join("openssl.cnf"), PERMISSIVE);
    std::fs::create_dir_all(folder.join("temporary")).expect("a folder");
    let configuration = folder.join("nginx.conf");
    write(&configuration, &main_block(&site.servers));
    let environment =
        if site.permissive { vec![("OPENSSL_CONF", folder.join("openssl.cnf").to_string_lossy().into_owned())] } else { Vec::new() };
    let addresses = site.addresses;
    Process::start(Recipe {
        name: "nginx",
        line: vec![
            program("nginx"),
            "-p".to_owned(),
            folder.to_string_lossy().into_owned(),
            "-c".to_owned(),
            configuration.to_string_lossy().into_owned(),
            "-e".to_owned(),
            "stderr".to_owned(),
        ],
        environment,
        folder: folder.to_path_buf(),
        user: None,
        stop: Signal::SIGTERM,
        ready: Box::new(move || addresses.iter().all(|address| TcpStream::connect(address).is_ok())),
    })
}

/// Writes a file of the lab.
pub(super) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file of the lab");
}

fn main_block(servers: &str) -> String {
    // As root the workers would become nobody, who may not read the lab's folder.
    let user = if is_root() { "user root;" } else { "" };
    format!(
        "daemon off;
{user}
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path temporary/body;
  proxy_temp_path temporary/proxy;
  fastcgi_temp_path temporary/fastcgi;
  uwsgi_temp_path temporary/uwsgi;
  scgi_temp_path temporary/scgi;
  types {{ text/html html; text/plain txt; text/css css; application/javascript js; }}
  default_type application/octet-stream;
{servers}
}}
"
    )
}
