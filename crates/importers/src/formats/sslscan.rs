//! sslscan XML: what it marks as weak (Heartbleed, ciphers) as reported; with
//! [`Detail::Judged`](crate::Detail) also old protocols, renegotiation, compression, certificates.

mod judge;

use std::io::Read;
use std::net::IpAddr;

use crate::errors::ParseError;
use crate::identity;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, Location, Observation, Service, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::xml::{Node, Tag, Xml};

const SOURCE: &str = "sslscan";
const HEARTBLEED: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Sslscan, id: "sslscan", source: SOURCE, label: "sslscan XML", schemes: &["tls"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.root() != Some("document") {
        return None;
    }
    if head.has("SSLScan Results") { Some(Confidence::Certain) } else { head.has("<ssltest").then_some(Confidence::Likely) }
}

/// The server being read, and what it was asked.
struct Server {
    location: Location,
    name: String,
    port: u16,
    /// Check sets seen, for coverage.
    seen: Vec<&'static str>,
    /// Protocol versions that are switched on.
    protocols: Vec<String>,
    failed: Option<String>,
}

impl Server {
    fn observation(&self, check: String, title: String) -> Observation {
        Observation {
            source: SOURCE.to_owned(),
            keys: vec![identity::tls(&self.name, Some(self.port), &check)],
            check,
            title,
            confidence: 95,
            location: self.location.clone(),
            ..Observation::default()
        }
    }

    fn saw(&mut self, check_set: &'static str) {
        if !self.seen.contains(&check_set) {
            self.seen.push(check_set);
        }
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["document"], "sslscan XML")?;
    if root.get("SSLyzeVersion").is_some() || root.get("title").is_some_and(|title| title.contains("SSLyze")) {
        return Err(ParseError::NotThisFormat { expected: "sslscan XML", found: "<document> of SSLyze".to_owned() });
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "ssltest" => server(&mut xml, &tag, out)?,
            "error" => {
                let node = xml.node(tag)?;
                out.coverage(Coverage {
                    source: SOURCE.to_owned(),
                    check_set: SOURCE.to_owned(),
                    location: Location::default(),
                    extent: Extent::Whole,
                    status: CoverageStatus::Error,
                    reason: Some(node.text.trim().to_owned()),
                })?;
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn server(xml: &mut Xml<'_>, tag: &Tag, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.gauge().next_record();
    let Some((host, port)) = tag.get("host").filter(|host| host.len() <= 255).zip(tag.number::<u16>("port")) else {
        out.skip(out.position(), "ssltest without host and port")?;
        return xml.skip();
    };
    let host = identity::asset(host);
    let address = host.parse::<IpAddr>().ok().map(|_| host.clone());
    let sni = tag.get("sniname").filter(|name| name.len() <= 255).map(identity::asset);
    let mut server = Server {
        location: Location {
            host: sni.filter(|name| name.parse::<IpAddr>().is_err()).or_else(|| address.is_none().then(|| host.clone())),
            ip: address,
            port: Some(port),
            protocol: Some("tcp".to_owned()),
            service: Some("tls".to_owned()),
            ..Location::default()
        },
        name: host,
        port,
        seen: Vec::new(),
        protocols: Vec::new(),
        failed: None,
    };
    while let Some(tag) = xml.child()? {
        let node = xml.node(tag)?;
        element(&node, &mut server, out)?;
    }
    leave(server, out)
}

fn element(node: &Node, server: &mut Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    match node.name() {
        "heartbleed" => {
            server.saw("sslscan:heartbleed");
            if node.get("vulnerable") == Some("1") {
                heartbleed(node, server, out)?;
            }
        }
        "cipher" => {
            server.saw("sslscan:cipher");
            cipher(node, server, out)?;
        }
        "error" => server.failed = Some(node.text.trim().to_owned()),
        "protocol" if node.get("enabled") == Some("1") => {
            let name = judge::protocol_name(node);
            if server.protocols.len() < 16 && !server.protocols.contains(&name) {
                server.protocols.push(name);
            }
        }
        _ => {}
    }
    if out.judges() {
        judge::element(node, server, out)?;
    }
    Ok(())
}

fn heartbleed(node: &Node, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    let version = node.get("sslversion").unwrap_or("TLS");
    let check = format!("sslscan:heartbleed/{version}");
    let mut observation = server.observation(check.clone(), format!("Heartbleed over {version}"));
    observation.description = format!(
        "The server answers a {version} heartbeat with memory that was never sent to it, \
         which can hold private keys and passwords."
    );
    observation.remediation = Some("Update the TLS library, then replace certificates and passwords used with it.".to_owned());
    observation.cves = vec!["CVE-2014-0160".to_owned()];
    observation.cwes = vec![126];
    observation.cvss = Some(HEARTBLEED.to_owned());
    if out.judges() {
        observation.severity = Severity::High;
    }
    out.observation(observation, &[&check])
}

fn cipher(node: &Node, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    let strength = node.get("strength").unwrap_or("acceptable");
    if matches!(strength, "acceptable" | "strong") {
        return Ok(());
    }
    let status = node.get("status").unwrap_or("accepted");
    let offered = matches!(status, "accepted" | "preferred");
    if out.judges() && !offered {
        return Ok(());
    }
    let version = node.get("sslversion").unwrap_or("TLS");
    let name = node.get("cipher").unwrap_or("unnamed");
    let check = format!("sslscan:cipher/{version}/{name}");
    let title = format!("Cipher {name} over {version} is {strength}");
    let mut observation = server.observation(check.clone(), title);
    observation.description = format!(
        "sslscan rates {name} ({} bits) as {strength}; the server's answer in {version}: {status}.",
        node.get("bits").unwrap_or("unknown")
    );
    observation.remediation = Some("Switch the cipher off and offer only forward-secret AEAD ciphers.".to_owned());
    observation.cwes = vec![327];
    observation.tags = vec![strength.to_owned()];
    if out.judges() {
        observation.severity = judge::cipher_severity(strength);
    }
    out.observation(observation, &[&check, status, strength])
}

fn leave(server: Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    if let Some(reason) = server.failed {
        return out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: SOURCE.to_owned(),
            location: server.location,
            extent: Extent::Whole,
            status: CoverageStatus::Error,
            reason: Some(reason),
        });
    }
    for check_set in &server.seen {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: (*check_set).to_owned(),
            location: server.location.clone(),
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason: None,
        })?;
    }
    let mut identifiers = Vec::new();
    if let Some(ip) = &server.location.ip {
        identifiers.push(("ip".to_owned(), ip.clone()));
    }
    if let Some(host) = &server.location.host {
        identifiers.push(("hostname".to_owned(), host.clone()));
    }
    out.asset(Asset {
        kind: "host".to_owned(),
        identifiers,
        services: vec![Service {
            port: server.port,
            protocol: "tcp".to_owned(),
            state: "open".to_owned(),
            name: Some("tls".to_owned()),
            banner: (!server.protocols.is_empty()).then(|| server.protocols.join(", ")),
            tls: true,
            ..Service::default()
        }],
    })
}
