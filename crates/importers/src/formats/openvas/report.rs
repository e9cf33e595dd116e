//! Greenbone XML: a report inside its envelope; results first, then hosts and what failed.
//! Invariant: no host is told as tested. Which checks ran, and on which ports, stands in the task's configuration and list of ports,
//! and a report names neither: a search for hosts and services ends as well as one for everything.

use std::io::Read;

use super::excerpt::Excerpt;
use super::{EXPECTED, SOURCE, describe, hand, severity};
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Xml};

/// Why a host whose scan ended is not told as tested.
const UNTOLD: &str = "the report does not tell which checks ran on which ports";
/// Reports inside reports.
const DEPTH: u32 = 8;

/// What is known across the results.
#[derive(Default)]
struct Reading {
    seen: Introduced,
    excerpt: Excerpt,
    /// Hosts, and when their scans ended; told when the whole report is known.
    hosts: Vec<(Location, Option<String>)>,
    /// Whether anything only Greenbone writes was met.
    recognised: bool,
}

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    xml.root(&["report", "get_reports_response", "get_results_response"], EXPECTED)?;
    let mut reading = Reading::default();
    report(&mut xml, &mut reading, DEPTH, out)?;
    if reading.recognised {
        return hosts(reading, out);
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "<report> without results".to_owned() })
}

fn report(xml: &mut Xml<'_>, reading: &mut Reading, depth: u32, out: &mut Output<'_>) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "report" if depth > 0 => report(xml, reading, depth - 1, out)?,
            "filters" => reading.excerpt.filters(&xml.node(tag)?),
            "result_count" => reading.excerpt.counts(&xml.node(tag)?),
            "results" => {
                reading.recognised = true;
                reading.excerpt.page(&tag);
                while let Some(tag) = xml.child()? {
                    let node = xml.node(tag)?;
                    result(&node, reading, out)?;
                }
            }
            "result" => {
                reading.recognised = true;
                let node = xml.node(tag)?;
                result(&node, reading, out)?;
            }
            "host" => host(&xml.node(tag)?, reading, out)?,
            "errors" => {
                while let Some(tag) = xml.child()? {
                    let node = xml.node(tag)?;
                    failure(&node, out)?;
                }
            }
            "scan_run_status" => {
                reading.recognised = true;
                let status = xml.node(tag)?.text.trim().to_owned();
                if !matches!(status.as_str(), "Done" | "") {
                    let reason = format!("scan {}", status.to_lowercase());
                    tell(SOURCE.to_owned(), Location::default(), CoverageStatus::Error, Some(reason.clone()), out)?;
                    reading.excerpt.broken = Some(reason);
                }
            }
            "gmp" | "omp" => {
                reading.recognised = true;
                xml.skip()?;
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn tell(
    check_set: String,
    location: Location,
    status: CoverageStatus,
    reason: Option<String>,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    out.coverage(Coverage { source: SOURCE.to_owned(), check_set, location, extent: Extent::Whole, status, reason })
}

/// A host of the report: what was scanned, and when.
fn host(node: &Node, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut host = Host::new([node.child_text("ip")]);
    for detail in node.all("detail").filter(|detail| detail.child_text("name") == Some("hostname")) {
        if let Some(name) = detail.child_text("value") {
            host.add(name);
        }
    }
    if host.is_unknown() {
        return Ok(());
    }
    reading.seen.host(&host, out)?;
    reading.hosts.push((host.location(), node.child_text("end").map(str::to_owned)));
    Ok(())
}

/// Tells how far each host was tested, by all that the report says of itself.
fn hosts(reading: Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    let partial = reading.excerpt.partial();
    for (location, end) in reading.hosts {
        let (status, reason) = match (end, &reading.excerpt.broken, partial) {
            (None, ..) => (CoverageStatus::Error, "the host's scan has no end".to_owned()),
            (_, Some(broken), _) => (CoverageStatus::Error, broken.clone()),
            (.., Some(partial)) => (CoverageStatus::Skipped, partial.to_owned()),
            (Some(end), None, None) => (CoverageStatus::Skipped, format!("ended {end}; {UNTOLD}")),
        };
        tell(SOURCE.to_owned(), location, status, Some(reason), out)?;
    }
    Ok(())
}

fn failure(node: &Node, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(text) = node.first("host").map(|host| host.text.trim()).filter(|host| !host.is_empty()) else {
        return Ok(());
    };
    let reason = node.child_text("description").map(str::to_owned);
    let timed_out = reason.as_deref().is_some_and(|text| text.contains("timed out"));
    let status = if timed_out { CoverageStatus::Timeout } else { CoverageStatus::Error };
    let oid = node.first("nvt").and_then(|nvt| nvt.get("oid"));
    let check_set = oid.map_or_else(|| SOURCE.to_owned(), |oid| format!("openvas:{oid}"));
    tell(check_set, Host::new([Some(text)]).location(), status, reason, out)
}

/// `443/tcp`, `general/tcp`, and of older reports `https (443/tcp)`.
fn port(text: &str) -> (Option<u16>, Option<&str>, Option<&str>) {
    let (service, rest) = text.split_once('(').map_or((None, text), |(service, rest)| (Some(service.trim()), rest.trim_end_matches(')')));
    let (port, protocol) = rest.split_once('/').unwrap_or((rest, ""));
    (port.trim().parse().ok(), Some(protocol.trim()).filter(|protocol| !protocol.is_empty()), service)
}

/// Values of `summary=…|impact=…`.
fn tag<'t>(tags: &'t str, name: &str) -> Option<&'t str> {
    tags.split('|').find_map(|part| part.trim_start().strip_prefix(name)?.strip_prefix('='))
}

fn result(node: &Node, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.gauge().next_record();
    if node.name() != "result" {
        return Ok(());
    }
    let place = node.first("host");
    let host =
        Host::new([place.map(|host| host.text.as_str()), place.and_then(|host| host.child_text("hostname")), node.child_text("hostname")]);
    if host.is_unknown() {
        return out.skip(out.position(), "result of no host");
    }
    reading.seen.host(&host, out)?;
    let empty = Node::default();
    let nvt = node.first("nvt").unwrap_or(&empty);
    let tags = nvt.child_text("tags").unwrap_or_default();
    let refs: Vec<(&str, &str)> = nvt
        .first("refs")
        .into_iter()
        .flat_map(|refs| refs.all("ref"))
        .filter_map(|entry| Some((entry.get("type")?, entry.get("id")?)))
        .collect();
    let (number, protocol, service) = port(node.child_text("port").unwrap_or_default());
    let threat = node.child_text("threat");
    let score = node.child_text("severity").or_else(|| nvt.child_text("cvss_base")).and_then(|score| score.parse().ok());
    let old = [nvt.child_text("cve"), nvt.child_text("cves")].into_iter().flatten();
    let vectors = nvt.first("severities").into_iter().flat_map(|all| all.all("severity")).filter_map(|entry| entry.child_text("value"));
    let text = |name: &'static str| nvt.child_text(name).or_else(|| tag(tags, name));
    let parts = [("Summary", text("summary")), ("Insight", text("insight")), ("Impact", text("impact")), ("Affected", text("affected"))];
    let mut observation = Observation {
        title: node.child_text("name").or_else(|| nvt.child_text("name")).unwrap_or("unnamed").to_owned(),
        description: describe(parts),
        remediation: text("solution").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned),
        severity: threat.map_or_else(|| Severity::from_score(score.unwrap_or(0.0)), severity),
        confidence: node.first("qod").and_then(|qod| qod.child_text("value")?.parse().ok()).map_or(70, |qod: u8| qod.min(100)),
        cvss: vectors.chain(tag(tags, "cvss_base_vector")).find_map(dialects::vector),
        cves: refs.iter().filter(|(kind, _)| *kind == "cve").map(|(_, id)| *id).chain(old).flat_map(vocabulary::cves).collect(),
        references: refs.iter().filter(|(kind, _)| *kind != "cve").map(|(_, id)| (*id).to_owned()).collect(),
        tags: nvt.child_text("family").map(str::to_owned).into_iter().collect(),
        location: Location { service: service.map(str::to_owned), ..host.at(protocol, number) },
        observed_at: node.child_text("creation_time").or_else(|| node.child_text("modification_time")).and_then(vocabulary::instant),
        ..Observation::default()
    };
    if let Some(xrefs) = nvt.child_text("xref") {
        observation.references.extend(dialects::addresses(&xrefs.replace("URL:", "")));
    }
    if threat == Some("False Positive") {
        observation.tags.push("false-positive".to_owned());
    }
    if let Some(text) = node.child_text("description") {
        observation.evidence.push(out.evidence("result", text));
    }
    hand(observation, nvt.get("oid"), &host, out)
}
