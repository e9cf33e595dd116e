//! Real servers that change to TLS on request: a database (MariaDB) and a directory (OpenLDAP).

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, Recipe, is_root, program, run};
use crate::{free_port, scratch};

/// A server of one's own on 127.0.0.1 with a certificate signed by itself, in TLS 1.2 and later.
pub struct Upgrading {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Upgrading {
    /// MariaDB that lets root in without a password.
    pub fn mariadb() -> Self {
        let folder = scratch::folder("mariadb");
        let path = folder.path().to_path_buf();
        let (key, certificate) = identity(&path);
        let data = path.join("data").to_string_lossy().into_owned();
        std::fs::create_dir_all(&data).expect("a folder");
        let address = address();
        let mut line = vec![
            program("mariadbd"),
            "--no-defaults".to_owned(),
            format!("--datadir={data}"),
            format!("--socket={}", path.join("socket").display()),
            format!("--pid-file={}", path.join("pid").display()),
            format!("--bind-address={}", address.ip()),
            format!("--port={}", address.port()),
            format!("--ssl-cert={certificate}"),
            format!("--ssl-key={key}"),
            "--tls-version=TLSv1.2,TLSv1.3".to_owned(),
            "--innodb-buffer-pool-size=8M".to_owned(),
            // Without its tables of users the server lets everybody in, and needs no installation.
            "--skip-grant-tables".to_owned(),
        ];
        if is_root() {
            line.push("--user=root".to_owned());
        }
        Self::start("mariadb", line, folder, address)
    }

    /// OpenLDAP with one entry that anybody may read.
    pub fn openldap() -> Self {
        let folder = scratch::folder("slapd");
        let path = folder.path().to_path_buf();
        let (key, certificate) = identity(&path);
        let data = path.join("data");
        std::fs::create_dir_all(&data).expect("a folder");
        let text = format!(
            "include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3
pidfile {folder}/pid
database mdb
maxsize 10485760
suffix \"dc=corp,dc=test\"
directory {folder}/data
access to * by * read
",
            folder = path.display()
        );
        let configuration = path.join("slapd.conf").to_string_lossy().into_owned();
        std::fs::write(&configuration, text).expect("a configuration");
        let entry = path.join("entry.ldif").to_string_lossy().into_owned();
        std::fs::write(&entry, "dn: dc=corp,dc=test\nobjectClass: dcObject\nobjectClass: organization\ndc: corp\no: Corp\n")
            .expect("an entry");
        run(&[&program("slapadd"), "-f", &configuration, "-l", &entry], None);
        let address = address();
        let line = vec![
            program("slapd"),
            "-f".to_owned(),
            configuration,
            "-h".to_owned(),
            format!("ldap://{address}"),
            "-d".to_owned(),
            "0".to_owned(),
        ];
        Self::start("slapd", line, folder, address)
    }

    fn start(name: &'static str, line: Vec<String>, folder: TempDir, address: SocketAddr) -> Self {
        let process = Process::start(Recipe {
            name,
            line,
            environment: Vec::new(),
            folder: folder.path().to_path_buf(),
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

fn address() -> SocketAddr {
    let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
    SocketAddr::new(localhost, free_port(localhost))
}

/// Paths of a key and of the certificate it signed for itself.
fn identity(folder: &Path) -> (String, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let parameters = rcgen::CertificateParams::new(vec!["db.corp.test".to_owned()]).expect("a name");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let paths = (folder.join("key.pem"), folder.join("certificate.pem"));
    std::fs::write(&paths.0, key.serialize_pem()).expect("a key file");
    std::fs::write(&paths.1, certificate.pem()).expect("a certificate file");
    (paths.0.to_string_lossy().into_owned(), paths.1.to_string_lossy().into_owned())
}
