//! Greenbone (OpenVAS): XML reports and the tables of results. One observation per result, which
//! is one check (NVT) on a port of a host.

mod excerpt;
mod report;
mod table;

use std::io::Read;

use crate::dialects::{self, Notation};
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::model::{Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const SOURCE: &str = "openvas";
const EXPECTED: &str = "Greenbone (OpenVAS) report";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Openvas,
    id: "openvas",
    source: SOURCE,
    label: "Greenbone (OpenVAS) XML and CSV",
    schemes: &["network", "network.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    match head.root() {
        Some("get_reports_response" | "get_results_response") => Some(Confidence::Certain),
        Some("report") => {
            let signs = ["<gmp>", "<omp>", "<nvt oid=", "<report_format", "<scan_run_status>", "format_id="];
            signs.into_iter().any(|sign| head.has(sign)).then_some(Confidence::Certain)
        }
        Some(_) => None,
        None if head.titled(&["nvt name", "nvt oid"]) => Some(Confidence::Certain),
        None => head.titled(&["nvt name", "severity"]).then_some(Confidence::Likely),
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Xml => report::read(&mut source, out),
        Notation::Json | Notation::Text => table::read(&mut source, out),
    }
}

/// Words that rate; the others (`Log`, `Debug`, `False Positive`) say that it is no weakness.
fn severity(threat: &str) -> Severity {
    threat.parse().unwrap_or(Severity::Info)
}

/// Hands a result on with what follows from its place and check.
fn hand(mut observation: Observation, oid: Option<&str>, host: &Host, out: &mut Output<'_>) -> Result<(), ParseError> {
    observation.source = SOURCE.to_owned();
    observation.check = format!("openvas:{}", oid.unwrap_or(&observation.title));
    observation.keys = host.keys(&observation.location, &observation.check);
    let Location { host: name, ip, port, protocol, .. } = &observation.location;
    let issue = [
        ip.clone().or_else(|| name.clone()).unwrap_or_default(),
        port.map(|port| port.to_string()).unwrap_or_default(),
        protocol.clone().unwrap_or_default(),
        observation.title.clone(),
        observation.check.clone(),
        observation.severity.as_str().to_owned(),
    ];
    let issue: Vec<&str> = issue.iter().map(String::as_str).collect();
    out.observation(observation, &issue)
}

/// Summary, insight, impact and what is affected, each under its name.
fn describe(parts: [(&str, Option<&str>); 4]) -> String {
    let mut text = String::new();
    for (label, part) in parts {
        let Some(part) = part.map(str::trim).filter(|part| !part.is_empty()) else {
            continue;
        };
        if !text.is_empty() {
            text.push_str("\n\n");
            text.push_str(label);
            text.push_str(": ");
        }
        text.push_str(part);
    }
    text
}
