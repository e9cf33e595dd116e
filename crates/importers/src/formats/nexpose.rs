//! Nexpose (InsightVM) XML export 1 and 2.0: nodes with their tests, and definitions that come after
//! them; and its simple XML. Also one observation per live node and open port, as the tool's own reports list them.

mod definition;
mod simple;

use std::collections::HashMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use self::definition::Definition;
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::Host;
use crate::identity;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Service, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spill::Spill;
use crate::xml::{Node, Tag, Xml};

const SOURCE: &str = "nexpose";
const EXPECTED: &str = "Nexpose XML export";
/// Nodes inside nodes.
const DEPTH: u32 = 8;
const SERVICES: usize = 2 << 16;
/// Why a node is not told as tested beyond the tests that the report names.
const UNTOLD: &str = "the report does not tell which checks ran on which ports";
/// Bytes of definitions that are kept.
const KEPT: usize = 48 << 20;

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Nexpose,
    id: "nexpose",
    source: SOURCE,
    label: "Nexpose XML export",
    schemes: &["network", "network.instance", "network.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    head.root().is_some_and(|root| root == "NexposeReport" || root == simple::ROOT).then_some(Confidence::Certain)
}

/// A failed test before its definition is known.
#[derive(Serialize, Deserialize)]
struct Draft {
    id: String,
    position: Position,
    observation: Observation,
}

/// What is collected across the nodes.
struct Reading {
    spill: Spill,
    definitions: HashMap<String, Definition>,
    kept: usize,
    observed_at: Option<String>,
}

/// The node being read.
#[derive(Default)]
struct Scanned {
    host: Host,
    alive: bool,
    system: Option<String>,
    services: Vec<Service>,
}

/// A place on a node: itself, or a service on a port.
#[derive(Clone, Default)]
struct Place {
    protocol: Option<String>,
    port: Option<u16>,
    service: Option<String>,
}

impl Place {
    fn location(&self, host: &Host) -> Location {
        Location { service: self.service.clone(), ..host.at(self.protocol.as_deref(), self.port) }
    }

    /// A test of the node says nothing of its services, which have tests of their own.
    fn extent(&self) -> Extent {
        if self.port.is_some() { Extent::Whole } else { Extent::Itself }
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    if xml.root(&["NexposeReport", simple::ROOT], EXPECTED)?.name() == simple::ROOT {
        return simple::read(&mut xml, out);
    }
    let gauge = out.gauge();
    let mut reading = Reading { spill: Spill::default(), definitions: HashMap::new(), kept: 0, observed_at: None };
    let result = body(&mut xml, &mut reading, out);
    let Reading { spill, definitions, .. } = reading;
    // What a truncated file said of its nodes is not lost.
    spill.drain(&gauge, |draft: Draft| finish(draft, &definitions, out))?;
    result
}

fn body(xml: &mut Xml<'_>, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "scans" => {
                for scan in xml.node(tag)?.all("scan") {
                    let time = scan.get("endTime").or(scan.get("startTime"));
                    reading.observed_at = time.and_then(|time| dialects::moment(time, &["%Y%m%dT%H%M%S%3f"]));
                    let status = scan.get("status").unwrap_or("finished");
                    if !matches!(status, "finished" | "stopped") {
                        cover(
                            SOURCE.to_owned(),
                            Location::default(),
                            Extent::Whole,
                            CoverageStatus::Error,
                            Some(format!("scan {status}")),
                            out,
                        )?;
                    }
                }
            }
            "nodes" => nodes(xml, reading, DEPTH, out)?,
            "VulnerabilityDefinitions" => definitions(xml, reading, out)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn nodes(xml: &mut Xml<'_>, reading: &mut Reading, depth: u32, out: &mut Output<'_>) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "node" if depth > 0 => node(xml, &tag, reading, depth - 1, out)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn definitions(xml: &mut Xml<'_>, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        let node = xml.node(tag)?;
        let Some(id) = node.get("id").map(str::to_ascii_lowercase) else {
            continue;
        };
        let definition = Definition::new(&node);
        reading.kept += definition.size();
        if reading.kept > KEPT {
            return Err(out.gauge().over("definitions", KEPT as u64));
        }
        reading.definitions.insert(id, definition);
    }
    Ok(())
}

fn node(xml: &mut Xml<'_>, tag: &Tag, reading: &mut Reading, depth: u32, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.gauge().next_record();
    let mut scanned = Scanned {
        host: Host::new([tag.get("address"), tag.get("hardware-address").filter(|_| tag.get("address").is_none())]),
        alive: !tag.get("status").is_some_and(|status| status.eq_ignore_ascii_case("dead")),
        ..Scanned::default()
    };
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "names" => {
                for name in xml.node(tag)?.all("name") {
                    scanned.host.add(&name.text);
                }
            }
            "fingerprints" => {
                let fingerprints = xml.node(tag)?;
                let best = fingerprints.all("os").next();
                let words = ["vendor", "product", "version"].into_iter().filter_map(|name| best.and_then(|system| system.get(name)));
                let text = words.collect::<Vec<_>>().join(" ");
                scanned.system = Some(text).filter(|text| !text.is_empty());
            }
            "tests" => tests(xml, &Place::default(), &scanned.host, reading, out)?,
            "endpoints" => {
                while let Some(tag) = xml.child()? {
                    endpoint(xml, &tag, &mut scanned, reading, out)?;
                }
            }
            "nodes" => nodes(xml, reading, depth, out)?,
            "VulnerabilityDefinitions" => definitions(xml, reading, out)?,
            _ => xml.skip()?,
        }
    }
    leave(scanned, reading.observed_at.as_deref(), out)
}

fn endpoint(xml: &mut Xml<'_>, tag: &Tag, scanned: &mut Scanned, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut place = Place { protocol: tag.get("protocol").map(str::to_ascii_lowercase), port: tag.number("port"), service: None };
    let state = tag.get("status").unwrap_or("open").to_ascii_lowercase();
    while let Some(tag) = xml.child()? {
        if tag.name() != "services" {
            xml.skip()?;
            continue;
        }
        while let Some(tag) = xml.child()? {
            place.service = tag.get("name").filter(|name| *name != "<unknown>").map(str::to_lowercase);
            let mut banner = None;
            while let Some(tag) = xml.child()? {
                match tag.name() {
                    "tests" => tests(xml, &place, &scanned.host, reading, out)?,
                    "configurations" => {
                        let all = xml.node(tag)?;
                        let found = all.all("config").find(|config| config.get("name").is_some_and(|name| name.contains("banner")));
                        banner = found.map(|config| config.text.trim().to_owned());
                    }
                    _ => xml.skip()?,
                }
            }
            open_port(&place, &state, banner, scanned, reading.observed_at.as_deref(), out)?;
        }
    }
    Ok(())
}

fn open_port(
    place: &Place,
    state: &str,
    banner: Option<String>,
    scanned: &mut Scanned,
    observed_at: Option<&str>,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    let (Some(port), Some(protocol), false) = (place.port, place.protocol.clone(), scanned.host.is_unknown()) else {
        return out.skip(out.position(), "service of no host or port");
    };
    let title = format!("Open port {}/{port}", protocol.to_uppercase());
    let name = place.service.as_deref().unwrap_or("an unknown");
    let location = place.location(&scanned.host);
    let check = "nexpose:open-port";
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: check.to_owned(),
        description: format!("Port {port}/{protocol} is open with {name} service."),
        confidence: 95,
        keys: scanned.host.keys(&location, check),
        location,
        tags: place.service.clone().into_iter().collect(),
        observed_at: observed_at.map(str::to_owned),
        title: title.clone(),
        ..Observation::default()
    };
    out.observation(observation, &["info", &title])?;
    if scanned.services.len() < SERVICES {
        let service = Service { port, protocol, state: state.to_owned(), name: place.service.clone(), banner, ..Service::default() };
        scanned.services.push(service);
    }
    Ok(())
}

fn tests(xml: &mut Xml<'_>, place: &Place, host: &Host, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        out.gauge().next_record();
        let node = xml.node(tag)?;
        if let Some(draft) = test(&node, place, host, reading, out)? {
            reading.spill.push(&draft, &out.gauge())?;
        }
    }
    Ok(())
}

fn test(node: &Node, place: &Place, host: &Host, reading: &Reading, out: &mut Output<'_>) -> Result<Option<Draft>, ParseError> {
    let (Some(id), false) = (node.get("id").map(str::to_ascii_lowercase), host.is_unknown()) else {
        out.skip(out.position(), "test without id or of no host")?;
        return Ok(None);
    };
    let check = format!("nexpose:{id}");
    let location = place.location(host);
    let status = node.get("status").unwrap_or_default();
    let confidence = match status {
        "vulnerable-exploited" => 95,
        "vulnerable-version" => 75,
        "vulnerable-potential" => 50,
        _ => {
            let (status, reason) = match status {
                "not-vulnerable" | "not-vulnerable-version" => (CoverageStatus::Done, None),
                status if status.contains("error") => (CoverageStatus::Error, Some(status.to_owned())),
                status => (CoverageStatus::Skipped, Some(status.to_owned())),
            };
            // A key names one of several instances: that it is not there says nothing of the others.
            let is_one_of_several = status == CoverageStatus::Done && node.get("key").is_some_and(|key| !key.is_empty());
            let status = if is_one_of_several { CoverageStatus::Partial } else { status };
            cover(check, location, place.extent(), status, reason, out)?;
            return Ok(None);
        }
    };
    let mut keys = Vec::new();
    if let Some(instance) = node.get("key") {
        for name in host.names() {
            let fields = [name.into(), place.protocol.as_deref().into(), place.port.into(), check.as_str().into(), instance.into()];
            keys.push(identity::key("network.instance", 1, &fields));
        }
    }
    keys.extend(host.keys(&location, &check));
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        check,
        confidence,
        keys,
        location,
        observed_at: reading.observed_at.clone(),
        ..Observation::default()
    };
    let proof = definition::prose(node);
    if !proof.is_empty() {
        observation.evidence.push(out.evidence("proof", &proof));
    }
    Ok(Some(Draft { id, position: out.position(), observation }))
}

fn finish(draft: Draft, definitions: &HashMap<String, Definition>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Draft { id, position, mut observation } = draft;
    let Some(definition) = definitions.get(&id) else {
        return out.warn(position, format!("failed test {id:?} has no definition in the report"));
    };
    definition.fill(&mut observation);
    let issue = [observation.severity.as_str().to_owned(), definition.title().to_owned()];
    out.observation(observation, &[&issue[0], &issue[1]])
}

fn cover(
    check_set: String,
    location: Location,
    extent: Extent,
    status: CoverageStatus,
    reason: Option<String>,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    out.coverage(Coverage { source: SOURCE.to_owned(), check_set, location, extent, status, reason })
}

/// What can be said once the node is complete.
fn leave(scanned: Scanned, observed_at: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Scanned { host, alive, system, services } = scanned;
    if host.is_unknown() {
        return out.skip(out.position(), "node without address and name");
    }
    let location = host.location();
    if !alive {
        return cover(SOURCE.to_owned(), location, Extent::Whole, CoverageStatus::Skipped, Some("node is dead".to_owned()), out);
    }
    let check = "nexpose:host-up";
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: check.to_owned(),
        title: "Host Up".to_owned(),
        description: match system {
            Some(system) => format!("The host answers; it looks like {system}."),
            None => "The host answers.".to_owned(),
        },
        severity: Severity::Info,
        confidence: 95,
        keys: host.keys(&location, check),
        location: location.clone(),
        observed_at: observed_at.map(str::to_owned),
        ..Observation::default()
    };
    out.observation(observation, &["info", "Host Up"])?;
    cover(SOURCE.to_owned(), location, Extent::Whole, CoverageStatus::Partial, Some(UNTOLD.to_owned()), out)?;
    out.asset(host.asset(services))
}
