//! SSLyze XML of version 2 and before: an element per command under each target.

use std::io::Read;

use super::suites::weak;
use super::{EXPECTED, HEARTBLEED, INJECTION, RENEGOTIATION, Server, protocol};
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::model::{CoverageStatus, Observation, Severity};
use crate::output::Output;
use crate::xml::{Node, Tag, Xml};

/// SSLyze XML rates nothing.
const RATED: Severity = Severity::Info;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["document"], EXPECTED)?;
    if root.get("SSLyzeVersion").is_none() && !root.get("title").is_some_and(|title| title.contains("SSLyze")) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "<document> of another tool".to_owned() });
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "results" => {
                while let Some(tag) = xml.child()? {
                    target(&mut xml, &tag, out)?;
                }
            }
            "invalidTargets" => {
                for failed in &xml.node(tag)?.children {
                    let name = failed.text.trim();
                    let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
                    let server = Server { host: Host::new([Some(host)]), port: None, observed_at: None };
                    server.cover("", CoverageStatus::Error, failed.get("error").map(str::to_owned), out)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn target(xml: &mut Xml<'_>, tag: &Tag, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.gauge().next_record();
    // A placeholder address says nothing.
    let address = tag.get("ip").filter(|ip| *ip != "0.0.0.0");
    let server = Server { host: Host::new([tag.get("host"), address]), port: tag.number("port"), observed_at: None };
    if server.host.is_unknown() {
        out.skip(out.position(), "target without host")?;
        return xml.skip();
    }
    out.asset(server.host.asset(Vec::new()))?;
    while let Some(tag) = xml.child()? {
        let node = xml.node(tag)?;
        command(&node, &server, out)?;
    }
    Ok(())
}

fn says(node: &Node, child: &str, attribute: &str, value: &str) -> bool {
    node.first(child).and_then(|child| child.get(attribute)) == Some(value)
}

fn command(node: &Node, server: &Server, out: &mut Output<'_>) -> Result<(), ParseError> {
    match node.get("exception") {
        Some(exception) => server.cover(node.name(), CoverageStatus::Error, Some(exception.to_owned()), out)?,
        None => server.cover(node.name(), CoverageStatus::Done, None, out)?,
    }
    let observation: Option<Observation> = match node.name() {
        "heartbleed" if says(node, "openSslHeartbleed", "isVulnerable", "True") => Some(HEARTBLEED.on(server, RATED)),
        "openssl_ccs" if says(node, "openSslCcsInjection", "isVulnerable", "True") => Some(INJECTION.on(server, RATED)),
        "reneg" if says(node, "sessionRenegotiation", "isSecure", "False") => Some(RENEGOTIATION.on(server, RATED)),
        "sslv2" | "sslv3" | "tlsv1" | "tlsv1_1" | "tlsv1_2" | "tlsv1_3" if node.get("isProtocolSupported") == Some("True") => {
            let mut names: Vec<String> = ["preferredCipherSuite", "acceptedCipherSuites"]
                .into_iter()
                .filter_map(|list| node.first(list))
                .flat_map(|list| &list.children)
                .filter_map(|suite| suite.get("name"))
                .filter(|name| weak(name))
                .map(str::to_owned)
                .collect();
            names.sort();
            names.dedup();
            (!names.is_empty()).then(|| protocol(server, node.name(), &spelled(node.name()), Some(&names), RATED))
        }
        _ => None,
    };
    let Some(observation) = observation else {
        return Ok(());
    };
    let issue = [observation.check.clone(), server.host.names().next().unwrap_or_default().to_owned(), observation.description.clone()];
    out.observation(observation, &[&issue[0], &issue[1], &issue[2]])
}

/// `tlsv1_2` is TLS 1.2.
fn spelled(element: &str) -> String {
    let (family, version) = element.split_once('v').unwrap_or((element, ""));
    let version = if version.contains('_') { version.replace('_', ".") } else { format!("{version}.0") };
    format!("{} {version}", family.to_uppercase())
}
