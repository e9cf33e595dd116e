//! One `<port>` of nmap XML: the open port itself and what scripts say about it.

use std::collections::HashSet;

use super::{Host, OPEN_PORT, SOURCE};
use crate::errors::ParseError;
use crate::model::{Component, Coverage, CoverageStatus, Extent, Location, Service, Severity};
use crate::output::Output;
use crate::vocabulary;
use crate::xml::Node;

pub(super) fn read(node: &Node, host: &mut Host, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(port) = node.tag.number::<u16>("portid") else {
        let shown = node.get("portid").unwrap_or_default().to_owned();
        return out.skip(out.position(), format!("port {shown:?} is not a port number"));
    };
    if host.assets().is_empty() {
        return out.skip(out.position(), format!("port {port} of a host without address and name"));
    }
    let protocol = node.get("protocol").unwrap_or("tcp").to_owned();
    let state = node.first("state");
    let name = state.and_then(|state| state.get("state")).unwrap_or("unknown");
    let reason = state.and_then(|state| state.get("reason"));
    match name {
        "open" => {
            let service = service(node, port, &protocol, name);
            open(node, host, &service, reason, out)?;
            vulners(node, host, &service, out)?;
            if out.judges() {
                vulnerable_scripts(node, host, &protocol, Some(port), out)?;
            }
            host.serve(service);
            Ok(())
        }
        "closed" => Ok(()),
        _ => {
            if name.starts_with("open") {
                host.serve(service(node, port, &protocol, name));
            }
            out.coverage(Coverage {
                source: SOURCE.to_owned(),
                check_set: OPEN_PORT.to_owned(),
                location: Location { port: Some(port), protocol: Some(protocol), ..host.location() },
                extent: Extent::Whole,
                status: CoverageStatus::Skipped,
                reason: Some(match reason {
                    Some(reason) => format!("{name} ({reason})"),
                    None => name.to_owned(),
                }),
            })
        }
    }
}

fn service(node: &Node, port: u16, protocol: &str, state: &str) -> Service {
    let found = node.first("service");
    let get = |name| found.and_then(|service| service.get(name)).map(str::to_owned);
    let banner = node
        .all("script")
        .find(|script| script.get("id") == Some("banner"))
        .and_then(|script| script.get("output"))
        .map(|output| vocabulary::shorten(output, 300))
        .or_else(|| get("extrainfo"));
    Service {
        port,
        protocol: protocol.to_owned(),
        state: state.to_owned(),
        name: get("name"),
        product: get("product"),
        version: get("version"),
        banner,
        cpe: found.into_iter().flat_map(|service| service.all("cpe")).map(|cpe| cpe.text.trim().to_owned()).collect(),
        tls: get("tunnel").as_deref() == Some("ssl"),
    }
}

fn open(node: &Node, host: &Host, service: &Service, reason: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Service { port, protocol, .. } = service;
    let mut observation = host.observation(OPEN_PORT, protocol, Some(*port));
    observation.title = format!("Open port: {port}/{protocol}");
    observation.description = describe(service, reason);
    observation.confidence = if reason == Some("syn-ack") { 100 } else { 95 };
    observation.location.service = service.name.clone();
    observation.location.component = service.product.clone().map(|name| Component { name, version: service.version.clone(), purl: None });
    for script in node.all("script") {
        if let (Some(id), Some(output)) = (script.get("id"), script.get("output")) {
            observation.evidence.push(out.evidence(format!("nmap script {id}"), output.trim()));
        }
    }
    out.observation(observation, &[OPEN_PORT, protocol, &port.to_string()])
}

fn describe(service: &Service, reason: Option<&str>) -> String {
    let mut text = format!("Port {}/{} accepts connections", service.port, service.protocol);
    if let Some(reason) = reason {
        text.push_str(&format!(" ({reason})"));
    }
    text.push('.');
    let known = [&service.product, &service.version, &service.banner];
    let product: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
    match (&service.name, product.is_empty()) {
        (Some(name), true) => text.push_str(&format!(" Service: {name}.")),
        (Some(name), false) => text.push_str(&format!(" Service: {name}, {}.", product.join(" "))),
        (None, false) => text.push_str(&format!(" Software: {}.", product.join(" "))),
        (None, true) => {}
    }
    if service.tls {
        text.push_str(" It speaks TLS.");
    }
    text
}

/// Vulnerabilities that the `vulners` script looks up by version; each id once per port.
fn vulners(node: &Node, host: &Host, service: &Service, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut seen = HashSet::new();
    let scripts = node.all("script");
    for script in scripts.filter(|script| script.get("id") == Some("vulners")) {
        for component in script.all("table") {
            for entry in component.all("table") {
                let Some(id) = element(entry, "id") else {
                    out.skip(out.position(), "vulners entry without an id")?;
                    continue;
                };
                if seen.insert(id) {
                    vulnerability(id, entry, component, host, service, out)?;
                }
            }
        }
    }
    Ok(())
}

fn vulnerability(id: &str, entry: &Node, component: &Node, host: &Host, service: &Service, out: &mut Output<'_>) -> Result<(), ParseError> {
    let check = format!("nmap:vulners:{id}");
    let mut observation = host.observation(&check, &service.protocol, Some(service.port));
    let score = element(entry, "cvss").and_then(|score| score.parse().ok());
    let kind = element(entry, "type").unwrap_or("unknown");
    let cpe = component.get("key").unwrap_or_default();
    observation.title = id.to_owned();
    observation.severity = Severity::from_score(score.unwrap_or(0.0));
    // Looked up by version alone: a patched package keeps its version in many distributions.
    observation.confidence = 50;
    observation.description = format!(
        "The vulners database lists {id} for {cpe}, the software that nmap recognised on port {}/{}.",
        service.port, service.protocol
    );
    if element(entry, "is_exploit") == Some("true") {
        observation.tags.push("exploit".to_owned());
    }
    if kind == "cve" {
        observation.cves = vocabulary::cves(id);
    }
    observation.references = vec![format!("https://vulners.com/{kind}/{id}")];
    observation.location.service = service.name.clone();
    observation.location.component = product(cpe);
    out.observation(observation, &["nmap:vulners", id])
}

fn element<'n>(entry: &'n Node, key: &str) -> Option<&'n str> {
    entry.all("elem").find(|elem| elem.get("key") == Some(key)).map(|elem| elem.text.trim()).filter(|text| !text.is_empty())
}

/// Product and version of a CPE URI (`cpe:/a:vendor:product:version`).
fn product(cpe: &str) -> Option<Component> {
    let mut parts = cpe.strip_prefix("cpe:/")?.split(':').skip(2);
    Some(Component {
        name: parts.next().filter(|name| !name.is_empty())?.to_owned(),
        version: parts.next().filter(|version| !version.is_empty()).map(str::to_owned),
        purl: None,
    })
}

/// Scripts that report `State: VULNERABLE`, on a port or on the whole host.
pub(super) fn vulnerable_scripts(
    node: &Node,
    host: &Host,
    protocol: &str,
    port: Option<u16>,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    for script in node.all("script") {
        let (Some(id), Some(output)) = (script.get("id"), script.get("output")) else {
            continue;
        };
        let states = ["State: VULNERABLE", "State: LIKELY VULNERABLE"];
        if !states.into_iter().any(|state| output.contains(state)) {
            continue;
        }
        let check = format!("nmap:script:{id}");
        let mut observation = host.observation(&check, protocol, port);
        observation.title = title(output).unwrap_or(id).to_owned();
        observation.description = output.trim().to_owned();
        observation.severity = Severity::High;
        observation.confidence = if output.contains(states[0]) { 90 } else { 60 };
        observation.cves = vocabulary::cves(output);
        observation.evidence = vec![out.evidence(format!("nmap script {id}"), output.trim())];
        out.observation(observation, &[&check])?;
    }
    Ok(())
}

/// The line between `VULNERABLE:` and the state names the flaw.
fn title(output: &str) -> Option<&str> {
    let (_, rest) = output.split_once("VULNERABLE:")?;
    rest.lines().map(str::trim).find(|line| !line.is_empty())
}
