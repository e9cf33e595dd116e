//! Agreement with the judges of the field: nmap on ports, sslscan on TLS.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use scanner::{Limits, Outcome, Plan, PortSet, TlsVersion};
use testkit::Lab;
use testkit::servers::OneAtATime;

use crate::scene::{PORTS_ONLY, plan, run};

fn judge(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn ports_of(outcome: &Outcome) -> BTreeSet<u16> {
    outcome.open.iter().map(SocketAddr::port).collect()
}

#[tokio::test]
async fn open_ports_are_those_nmap_finds_and_found_as_fast() {
    let mut servers = Vec::new();
    for _ in 0..12 {
        servers.push(std::net::TcpListener::bind("127.0.0.7:0").unwrap());
    }
    let planted: BTreeSet<u16> = servers.iter().map(|server| server.local_addr().unwrap().port()).collect();
    let everything = Plan {
        ports: PortSet::all(),
        stages: PORTS_ONLY,
        limits: Limits { concurrency: 4096, connect_timeout: Duration::from_millis(500), ..Limits::default() },
        ..plan("127.0.0.7", &[1])
    };
    let started = Instant::now();
    let before = run(everything.clone()).await;
    let ours = started.elapsed();
    let started = Instant::now();
    let grepable = judge("nmap", &["-sT", "-T4", "-n", "-Pn", "-p-", "-oG", "-", "127.0.0.7"]);
    let theirs = started.elapsed();
    let after = run(everything).await;

    let (_, list) = grepable.split_once("Ports: ").unwrap();
    let seen: BTreeSet<u16> = list
        .split(", ")
        .filter(|entry| entry.contains("/open/"))
        .filter_map(|entry| entry.split('/').next()?.trim().parse().ok())
        .collect();
    // Servers of other tests that listen everywhere come and go meanwhile.
    let (before, after) = (ports_of(&before), ports_of(&after));
    let always: BTreeSet<u16> = before.intersection(&after).copied().collect();
    let ever: BTreeSet<u16> = before.union(&after).copied().collect();
    assert!(always.is_superset(&planted), "{planted:?} against {always:?}");
    assert!(seen.is_superset(&always) && ever.is_superset(&seen), "nmap sees {seen:?}, we saw {before:?} and {after:?}");
    eprintln!("65,535 ports: {ours:?}, nmap {theirs:?}");
    // Both share the processors with other tests; the bench measures them alone.
    assert!(ours < theirs * 3, "{ours:?} against {theirs:?} of nmap");
}

fn versions_of(xml: &str) -> Vec<TlsVersion> {
    let named = [
        (r#"type="ssl" version="2" enabled="1""#, TlsVersion::Ssl2),
        (r#"type="ssl" version="3" enabled="1""#, TlsVersion::Ssl3),
        (r#"type="tls" version="1.0" enabled="1""#, TlsVersion::Tls10),
        (r#"type="tls" version="1.1" enabled="1""#, TlsVersion::Tls11),
        (r#"type="tls" version="1.2" enabled="1""#, TlsVersion::Tls12),
        (r#"type="tls" version="1.3" enabled="1""#, TlsVersion::Tls13),
    ];
    named.into_iter().filter(|(text, _)| xml.contains(text)).map(|(_, version)| version).collect()
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

#[tokio::test]
async fn tls_facts_are_those_sslscan_sees() {
    for lab in [Lab::weak(), Lab::hardened()] {
        agrees_on_tls(&lab.address().to_string(), lab.https_port()).await;
    }
}

#[tokio::test]
async fn a_server_of_one_client_at_a_time_is_seen_whole() {
    let server = OneAtATime::start();
    agrees_on_tls("127.0.0.1", server.address().port()).await;
}

async fn agrees_on_tls(host: &str, port: u16) {
    let outcome = run(plan(host, &[port])).await;
    let ours = outcome.tls.first().unwrap();
    let xml = judge("sslscan", &["--xml=-", "--show-cipher-ids", &format!("{host}:{port}")]);

    assert_eq!(ours.versions, versions_of(&xml));
    let accepted = |version: &str| -> BTreeSet<u16> {
        xml.lines()
            .filter(|line| line.contains("<cipher ") && attribute(line, "sslversion") == Some(version))
            .filter_map(|line| u16::from_str_radix(attribute(line, "id")?.trim_start_matches("0x"), 16).ok())
            .collect()
    };
    for version in &ours.versions {
        let found: BTreeSet<u16> = ours.suites.iter().filter(|suite| suite.version == *version).map(|suite| suite.id).collect();
        let theirs = accepted(version.as_str());
        let missed: Vec<_> = theirs.difference(&found).map(|id| format!("{id:04x}")).collect();
        assert!(!theirs.is_empty() && missed.is_empty(), "{}: sslscan also sees {missed:?}", version.as_str());
    }
    let leaf = ours.chain.first().unwrap();
    let bits = xml.split_once("<pk").and_then(|(_, rest)| attribute(rest, "bits")).unwrap();
    // For curves sslscan prints the strength instead of the size.
    let size = if leaf.key == "EC" { leaf.key_bits / 2 } else { leaf.key_bits };
    assert_eq!(size.to_string(), bits);
    let field = |name: &str| {
        let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
        rest.split_once("</").unwrap().0.replace("<![CDATA[", "").replace("]]>", "").trim().to_owned()
    };
    assert_eq!(leaf.signature.to_lowercase(), field("signature-algorithm").to_lowercase());
    assert_eq!(leaf.self_signed, field("self-signed") == "true");
    assert_eq!(leaf.not_after_unix < crate::scene::now_unix(), field("expired") == "true");
    assert!(field("altnames").contains(leaf.names.first().unwrap()));
}
