//! `ScanGroup`: scans and their report items.

use std::io::Read;

use super::SOURCE;
use crate::endpoint::{Endpoint, Sites, placeless};
use crate::errors::{ParseError, Position};
use crate::html;
use crate::model::{CoverageStatus, Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Xml};

const EXPECTED: &str = "Acunetix XML";
const REQUESTS: usize = 20;

#[derive(Default)]
struct Scan {
    start: String,
    started: Option<String>,
    /// Whether the report says that the scan was not aborted, and when it ended.
    went_on: bool,
    ended: bool,
    aborted: bool,
    unresponsive: bool,
}

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    xml.root(&["ScanGroup"], EXPECTED)?;
    while let Some(tag) = xml.child()? {
        if tag.name() == "Scan" {
            scan(&mut xml, out)?;
        } else {
            xml.skip()?;
        }
    }
    Ok(())
}

fn scan(xml: &mut Xml<'_>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut scan = Scan::default();
    let mut sites = Sites::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "StartURL" => xml.node(tag)?.text.trim().clone_into(&mut scan.start),
            "StartTime" => scan.started = vocabulary::moment(&xml.node(tag)?.text),
            "FinishTime" => scan.ended = !xml.node(tag)?.text.trim().is_empty(),
            "Aborted" => {
                let said = xml.node(tag)?.text.trim().to_ascii_lowercase();
                (scan.aborted, scan.went_on) = (said == "true", said == "false");
            }
            "Responsive" => scan.unresponsive = xml.node(tag)?.text.trim().eq_ignore_ascii_case("false"),
            "Crawler" => {
                // The start address is written without its scheme when the user typed none.
                if let Some(address) = tag.get("StartUrl").filter(|_| !scan.start.contains("://")) {
                    address.clone_into(&mut scan.start);
                }
                xml.skip()?;
            }
            "ReportItems" => {
                while let Some(tag) = xml.child()? {
                    out.gauge().next_record();
                    let position = out.position();
                    let node = xml.node(tag)?;
                    item(&node, position, &scan, &mut sites, out)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    let start = Endpoint::new(&scan.start);
    if let Some(endpoint) = &start {
        sites.introduce(endpoint, out)?;
    }
    match (&start, scan.unresponsive, scan.aborted) {
        (_, true, _) => sites.cover(SOURCE, CoverageStatus::Error, Some("the target does not answer"), out),
        (_, _, true) => sites.cover(SOURCE, CoverageStatus::Skipped, Some("the scan was aborted"), out),
        // What was met on other sites was met by the way.
        (Some(start), ..) if scan.ended && scan.went_on && start.is_root() => {
            sites.cover_only(start, SOURCE, CoverageStatus::Done, None, out)
        }
        _ => sites.leave_open(SOURCE, None, out),
    }
}

/// A word that is none of these is what newer versions call critical.
fn severity(word: Option<&str>) -> Severity {
    match word.map(|word| word.trim().to_ascii_lowercase()).as_deref() {
        Some("high" | "3") => Severity::High,
        Some("medium" | "2") => Severity::Medium,
        Some("low" | "1") => Severity::Low,
        Some("informational" | "info" | "0") => Severity::Info,
        _ => Severity::Critical,
    }
}

fn item(node: &Node, position: Position, scan: &Scan, sites: &mut Sites, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(name) = node.child_text("Name") else {
        return out.skip(position, "report item without a name");
    };
    let text = |name| node.child_text(name).map(html::plain).filter(|text| !text.is_empty());
    let module = node.child_text("ModuleName").unwrap_or(name);
    // A script may report several problems; the names of its problems are as fixed as its own.
    let check = format!("acunetix:{module}/{name}");
    let affected = node.child_text("Affects").unwrap_or_default();
    let parameter = node.child_text("Parameter").map(str::to_owned);
    let endpoint = Endpoint::under(&scan.start, affected);
    let (location, keys) = match &endpoint {
        Some(endpoint) => {
            sites.introduce(endpoint, out)?;
            (endpoint.location(), endpoint.keys(&check, None, parameter.as_deref()))
        }
        None => (Location::default(), placeless(&check, affected)),
    };
    let parts = [text("Description"), text("Impact"), text("Details"), text("DetailedInformation")];
    let description = parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    let mut evidence = Vec::new();
    if let Some(technical) = node.first("TechnicalDetails") {
        let messages = technical.children.iter().filter(|message| matches!(message.name(), "Request" | "Response"));
        for message in messages.filter(|message| !message.text.trim().is_empty()).take(REQUESTS) {
            evidence.push(out.evidence(message.name().to_ascii_lowercase(), message.text.trim()));
        }
    }
    let vector = |name| node.first(name).and_then(|scores| scores.child_text("Descriptor")).and_then(vocabulary::cvss);
    let numbers = |list: &str, one: &str| -> String {
        let list = node.first(list).into_iter().flat_map(|list| list.all(one));
        list.map(|entry| format!("{} {} ", entry.get("id").unwrap_or_default(), entry.text.trim())).collect()
    };
    let file = node.child_text("AOP_SourceFile").map(str::to_owned);
    let judged_false = node.child_text("IsFalsePositive").is_some_and(|word| word.eq_ignore_ascii_case("true") || word == "1");
    let mut tags: Vec<String> = node.child_text("Type").map(str::to_owned).into_iter().collect();
    tags.extend(judged_false.then(|| "false positive".to_owned()));
    let observation = Observation {
        source: SOURCE.to_owned(),
        title: name.to_owned(),
        remediation: text("Recommendation"),
        severity: severity(node.child_text("Severity")),
        confidence: if judged_false { 5 } else { 80 },
        cvss: ["CVSS4", "CVSS3", "CVSS"].into_iter().find_map(vector),
        cwes: vocabulary::cwes(&numbers("CWEList", "CWE")),
        cves: vocabulary::cves(&numbers("CVEList", "CVE")),
        references: references(node),
        location: Location {
            parameter,
            line: file.as_ref().and_then(|_| node.child_text("AOP_SourceLine")?.parse().ok()),
            file,
            ..location
        },
        observed_at: scan.started.clone(),
        check,
        description,
        tags,
        evidence,
        keys,
        ..Observation::default()
    };
    let (impact, advice) = (node.child_text("Impact").unwrap_or_default(), node.child_text("Recommendation").unwrap_or_default());
    out.observation(observation, &[SOURCE, name, impact, advice])
}

fn references(node: &Node) -> Vec<String> {
    let list = node.first("References").into_iter().flat_map(|list| list.all("Reference"));
    list.filter_map(|reference| reference.child_text("URL").or(reference.child_text("Database"))).map(str::to_owned).collect()
}
