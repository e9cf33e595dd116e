//! The table of Qualys' PCI engine, which HackerGuardian resells: a row per detection and port.

use std::io::Read;

use super::qualys::LISTED;
use crate::csv::Table;
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::{Host, Introduced};
use crate::model::{Coverage, CoverageStatus, Extent, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;

const SOURCE: &str = "qualys";
const EXPECTED: &str = "HackerGuardian (Qualys PCI) table";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::QualysHackerGuardian,
    id: "qualys_hacker_guardian",
    source: SOURCE,
    label: "HackerGuardian (Qualys PCI) CSV",
    schemes: &["network", "network.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    head.titled(&["ip", "qid", "vuln title"]).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    table.header(|names| ["qid", "vuln title"].iter().all(|name| names.iter().any(|found| found == name)), EXPECTED)?;
    let mut seen = Introduced::default();
    while let Some(position) = table.next(out)? {
        row(&table, position, &mut seen, out)?;
    }
    Ok(())
}

/// The PCI rating when it is a word; else the level, the lowest of which is still a weakness here.
fn severity(table: &Table<'_>) -> Severity {
    if let Some(rated) = table.get("severity").filter(|word| word.len() > 1).and_then(|word| word.parse().ok()) {
        return rated;
    }
    match table.get("q_severity") {
        Some("3") => Severity::Medium,
        Some("4" | "5") => Severity::High,
        _ => Severity::Low,
    }
}

fn row(table: &Table<'_>, position: Position, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let host = Host::new([table.get("ip"), table.get("hostname")]);
    let (Some(qid), Some(title), false) = (table.get("qid"), table.get("vuln title"), host.is_unknown()) else {
        return out.skip(position, "row without host, QID or title");
    };
    if seen.host(&host, out)? {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: SOURCE.to_owned(),
            location: host.location(),
            extent: Extent::Whole,
            status: CoverageStatus::Skipped,
            reason: Some(match table.get("last scan") {
                Some(time) => format!("scanned {time}; {LISTED}"),
                None => LISTED.to_owned(),
            }),
        })?;
    }
    let location = host.at(table.get("protocol"), table.get("port").and_then(|port| port.parse().ok()));
    let check = format!("qualys:{qid}");
    let parts: Vec<&str> = [table.get("threat"), table.get("impact")].into_iter().flatten().collect();
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        keys: host.keys(&location, &check),
        check,
        title: title.to_owned(),
        description: parts.join("\n\n"),
        remediation: table.get("solution").map(str::to_owned),
        severity: severity(table),
        confidence: if table.get("type") == Some("POTENTIAL") { 40 } else { 90 },
        cvss: table.get("cvss_base").and_then(dialects::vector),
        cwes: table.get("threat").map(vocabulary::cwes).unwrap_or_default(),
        cves: table.get("cveid").map(vocabulary::cves).unwrap_or_default(),
        tags: ["type", "category"].into_iter().filter_map(|name| table.get(name)).map(str::to_owned).collect(),
        location,
        observed_at: table.get("last scan").and_then(vocabulary::instant),
        ..Observation::default()
    };
    if table.get("is_pci") == Some("Y") {
        observation.tags.push("pci".to_owned());
    }
    if let Some(result) = table.get("result") {
        observation.evidence.push(out.evidence("result", result));
    }
    out.observation(observation, &[qid])
}
