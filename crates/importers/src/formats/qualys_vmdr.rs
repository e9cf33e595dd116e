//! Qualys VMDR tables, by QID or by CVE, plain or with every row quoted once more as a whole.

use std::io::Read;

use super::qualys::{LISTED, known};
use crate::csv::Table;
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::{Host, Introduced};
use crate::model::{Coverage, CoverageStatus, Extent, Gone, Observation};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;

const SOURCE: &str = "qualys";
const EXPECTED: &str = "Qualys VMDR table";
const NEEDED: [&str; 3] = ["qid", "title", "asset name"];
const TIMES: [&str; 2] = ["%b %d, %Y %I:%M %p", "%b %d, %Y %H:%M"];

pub(crate) static ENTRY: Entry = Entry {
    format: Format::QualysVmdr,
    id: "qualys_vmdr",
    source: SOURCE,
    label: "Qualys VMDR CSV",
    schemes: &["network", "network.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.titled(&NEEDED) {
        return Some(Confidence::Certain);
    }
    head.begins("\"Asset Vuln Datalist Report").then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    table.header(|names| NEEDED.iter().all(|name| names.iter().any(|found| found == name)), EXPECTED)?;
    let mut seen = Introduced::default();
    while let Some(position) = table.next(out)? {
        row(&table, position, &mut seen, out)?;
    }
    Ok(())
}

fn row(table: &Table<'_>, position: Position, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let get = |name: &str| known(table.get(name));
    let addresses = get("asset ipv4").or_else(|| get("asset ipv6")).unwrap_or_default();
    let host = Host::new(addresses.split(',').map(Some).chain([get("asset name")]));
    let cve = get("cve");
    let Some(qid) = get("qid").or(cve).filter(|_| !host.is_unknown()) else {
        return out.skip(position, "row without asset or QID");
    };
    if seen.host(&host, out)? {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: SOURCE.to_owned(),
            location: host.location(),
            extent: Extent::Whole,
            status: CoverageStatus::Skipped,
            reason: Some(LISTED.to_owned()),
        })?;
    }
    let check = match cve {
        Some(cve) => format!("qualys:{qid}/{}", cve.to_ascii_uppercase()),
        None => format!("qualys:{qid}"),
    };
    let location = host.at(get("protocol"), get("port").and_then(|port| port.parse().ok()));
    let parts: Vec<&str> = [get("cve-description"), get("threat")].into_iter().flatten().collect();
    let labels = ["asset tags", "rti", "vulnerability tags"].into_iter().filter_map(get);
    let moment = |name| get(name).and_then(|time| dialects::moment(time, &TIMES));
    let techniques = ["mitre att&ck technique id"].into_iter().filter_map(get);
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        keys: host.keys(&location, &check),
        check,
        title: get("title").unwrap_or("Qualys VMDR detection").to_owned(),
        description: parts.join("\n\n"),
        remediation: get("solution").map(str::to_owned),
        severity: dialects::level(get("severity")),
        confidence: if get("type detected") == Some("Potential") { 40 } else { 90 },
        cvss: ["cvssv3.1 base (nvd)", "cvssv2 base (nvd)"].into_iter().filter_map(get).find_map(dialects::vector),
        cves: cve.map(vocabulary::cves).unwrap_or_default(),
        references: get("solution").map(dialects::addresses).unwrap_or_default(),
        tags: labels
            .chain(techniques)
            .flat_map(|tags| tags.split(','))
            .chain([get("category"), get("status")].into_iter().flatten())
            .map(|tag| tag.trim().to_owned())
            .filter(|tag| !tag.is_empty())
            .collect(),
        location,
        observed_at: moment("last detected"),
        gone: vocabulary::is_fixed(get("status")).then(|| Gone { first_seen: moment("first detected"), at: moment("last fixed") }),
        ..Observation::default()
    };
    if let Some(results) = get("results") {
        observation.evidence.push(out.evidence("result", results));
    }
    out.distinct(observation)
}
