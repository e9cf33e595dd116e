//! A real DNS server (BIND) with one zone: everything strangers should not have, or nothing of it.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::process::{Process, Recipe, program, run};
use crate::{free_port, scratch};

/// The zone both servers hold.
const ZONE: &str = "corp.test";

/// A DNS server of one's own, by UDP and TCP on one port.
pub struct NameServer {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl NameServer {
    /// Tells its version, resolves for everybody, gives its zones away and lets strangers change one of them; the
    /// signatures of the other expired in 2020, mail rules are weak and an alias leads nowhere.
    pub fn weak() -> Self {
        Self::start(Ipv4Addr::LOCALHOST, &weak_options(), WEAK_ZONE, Signed::Expired)
    }

    /// Authoritative only, tells nothing, transfers nothing; the zone is signed and its mail rules are strict.
    pub fn hardened() -> Self {
        Self::start(Ipv4Addr::LOCALHOST, &hardened_options(), HARDENED_ZONE, Signed::Valid)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start(ip: Ipv4Addr, options: &str, zone: &str, signed: Signed) -> Self {
        let folder = scratch::folder("named");
        let path = folder.path();
        let ip = IpAddr::V4(ip);
        let address = SocketAddr::new(ip, free_port(ip));
        let zone = zone.replace("{ip}", &ip.to_string());
        std::fs::write(path.join("zone"), zone).expect("a zone file");
        sign(path, signed);
        let text = format!(
            "options {{
  directory \"{folder}\";
  pid-file \"{folder}/named.pid\";
  session-keyfile \"{folder}/session.key\";
  managed-keys-directory \"{folder}\";
  listen-on port {port} {{ {ip}; }};
  listen-on-v6 {{ none; }};
  dnssec-validation no;
  notify no;
  {options}
}};
controls {{ }};
zone \"{ZONE}\" {{ type primary; file \"zone.signed\"; }};
{open}",
            folder = path.display(),
            port = address.port(),
            // A zone that may be updated would be signed anew.
            open = match signed {
                Signed::Expired => "zone \"lab.test\" { type primary; file \"zone\"; allow-update { any; }; };",
                Signed::Valid => "",
            },
        );
        let configuration = path.join("named.conf");
        std::fs::write(&configuration, text).expect("a configuration");
        let process = Process::start(Recipe {
            name: "named",
            line: vec![program("named"), "-4".to_owned(), "-g".to_owned(), "-c".to_owned(), configuration.to_string_lossy().into_owned()],
            environment: Vec::new(),
            folder: path.to_path_buf(),
            user: None,
            stop: Signal::SIGTERM,
            ready: Box::new(move || answers(address).is_some()),
        });
        Self { address, _process: process, _folder: folder }
    }
}

/// The server listens before its zones are read, so that only an answer with records counts.
fn answers(address: SocketAddr) -> Option<()> {
    const QUESTION: &[u8] = b"\0\x1b\x74\x79\x01\0\0\x01\0\0\0\0\0\0\x04corp\x04test\0\0\x06\0\x01";
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(QUESTION).ok()?;
    let mut reply = [0; 14];
    stream.read_exact(&mut reply).ok()?;
    let [.., answers_high, answers_low, _, _, _, _] = reply;
    (answers_high | answers_low > 0).then_some(())
}

#[derive(Clone, Copy)]
enum Signed {
    Expired,
    Valid,
}

fn sign(folder: &Path, signed: Signed) {
    let place = folder.to_string_lossy().into_owned();
    let algorithm = match signed {
        Signed::Expired => "RSASHA1",
        Signed::Valid => "ECDSAP256SHA256",
    };
    let keygen = program("dnssec-keygen");
    for flag in [&[][..], &["-f", "KSK"]] {
        let mut line = vec![keygen.as_str(), "-K", &place, "-a", algorithm];
        if matches!(signed, Signed::Expired) {
            line.extend(["-b", "1024"]);
        }
        line.extend(flag);
        line.push(ZONE);
        run(&line, None);
    }
    let zone = folder.join("zone").to_string_lossy().into_owned();
    let signzone = program("dnssec-signzone");
    let mut line = vec![signzone.as_str(), "-S", "-K", &place, "-d", &place, "-o", ZONE];
    if matches!(signed, Signed::Expired) {
        line.extend(["-s", "20200101000000", "-e", "20200201000000", "-P"]);
    }
    line.push(&zone);
    run(&line, None);
}

fn weak_options() -> String {
    "recursion yes; allow-recursion { any; }; allow-query { any; }; allow-transfer { any; };".to_owned()
}

fn hardened_options() -> String {
    "recursion no; allow-transfer { none; }; version \"none\"; hostname none; server-id none; minimal-responses yes;".to_owned()
}

const WEAK_ZONE: &str = "$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 300
@ IN NS ns
@ IN A {ip}
@ IN MX 10 mail
@ IN TXT \"v=spf1 mx +all\"
_dmarc IN TXT \"v=DMARC1; p=none\"
ns IN A {ip}
mail IN A {ip}
secret-vault IN A 10.1.2.3
shop IN CNAME gone.corp.test.
*.wild IN A {ip}
";

const HARDENED_ZONE: &str = "$TTL 300
@ IN SOA ns1 hostmaster 1 3600 600 86400 300
@ IN NS ns1
@ IN NS ns2
@ IN A {ip}
@ IN MX 10 mail
@ IN CAA 0 issue \"ca.example\"
@ IN TXT \"v=spf1 mx -all\"
_dmarc IN TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@corp.test\"
_mta-sts IN TXT \"v=STSv1; id=1\"
ns1 IN A {ip}
ns2 IN A {ip}
mail IN A {ip}
www IN CNAME mail
";
