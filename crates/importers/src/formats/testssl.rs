//! testssl.sh: its table (`--csvfile`), its flat list (`--jsonfile`) and its nested report
//! (`--jsonfile-pretty`). A row that passed is coverage, every other one an observation per CVE.

mod nested;

use std::io::Read;

use serde_json::Value;

use crate::csv::Table;
use crate::dialects::{self, Notation};
use crate::errors::{ParseError, Position};
use crate::hosts::{Host, Introduced};
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;

const SOURCE: &str = "testssl";
const EXPECTED: &str = "testssl.sh output";
/// What testssl makes of its own findings: marks, not findings.
const RATINGS: [&str; 10] = [
    "rating_spec",
    "rating_doc",
    "protocol_support_score",
    "protocol_support_score_weighted",
    "key_exchange_score",
    "key_exchange_score_weighted",
    "cipher_strength_score",
    "cipher_strength_score_weighted",
    "final_score",
    "overall_grade",
];

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Testssl, id: "testssl", source: SOURCE, label: "testssl.sh CSV and JSON", schemes: &["tls"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.titled(&["id", "fqdn/ip", "severity", "finding"]) {
        return Some(Confidence::Certain);
    }
    if !head.opens(&['{', '[']) {
        return None;
    }
    if head.has("\"scanResult\"") && (head.has("\"pretest\"") || head.has("testssl")) {
        return Some(Confidence::Certain);
    }
    let members = ["\"id\"", "\"ip\"", "\"port\"", "\"severity\"", "\"finding\""];
    members.into_iter().all(|member| head.has(member)).then_some(Confidence::Likely)
}

/// One line of a report, in whichever notation.
struct Row<'r> {
    id: &'r str,
    /// `name/address` or either.
    host: &'r str,
    port: Option<u16>,
    severity: &'r str,
    finding: &'r str,
    cve: &'r str,
    cwe: &'r str,
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    let mut seen = Introduced::default();
    match notation {
        Notation::Json => nested::read(&mut source, &mut seen, out),
        Notation::Xml | Notation::Text => table(&mut source, &mut seen, out),
    }
}

fn table(source: &mut dyn Read, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    let needed = ["id", "fqdn/ip", "severity", "finding"];
    table.header(|names| needed.iter().all(|name| names.iter().any(|found| found == name)), EXPECTED)?;
    while let Some(position) = table.next(out)? {
        let row = Row {
            id: table.get("id").unwrap_or_default(),
            host: table.get("fqdn/ip").unwrap_or_default(),
            port: table.get("port").and_then(|port| port.parse().ok()),
            severity: table.get("severity").unwrap_or_default(),
            finding: table.get("finding").unwrap_or_default(),
            cve: table.get("cve").unwrap_or_default(),
            cwe: table.get("cwe").unwrap_or_default(),
        };
        tell(&row, position, seen, out)?;
    }
    Ok(())
}

/// One object of a list; false if it is not one of testssl's.
fn line(
    value: &Value,
    host: Option<(&str, u16)>,
    position: Position,
    seen: &mut Introduced,
    out: &mut Output<'_>,
) -> Result<bool, ParseError> {
    let get = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (id, finding) = (get("id"), get("finding"));
    if id.is_empty() || value.get("finding").is_none() || value.get("severity").is_none() {
        out.skip(position, "not a testssl.sh finding: no id, severity or finding")?;
        return Ok(false);
    }
    let port =
        value.get("port").and_then(|port| port.as_str().and_then(|port| port.parse().ok()).or_else(|| port.as_u64()?.try_into().ok()));
    let row = Row {
        id,
        host: host.map_or_else(|| get("ip"), |(host, _)| host),
        port: host.map(|(_, port)| port).or(port),
        severity: get("severity"),
        finding,
        cve: get("cve"),
        cwe: get("cwe"),
    };
    tell(&row, position, seen, out)?;
    Ok(true)
}

fn tell(row: &Row<'_>, position: Position, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    if row.id.is_empty() {
        return out.skip(position, "row without an id");
    }
    let host = Host::new(row.host.split('/').map(Some));
    if host.is_unknown() {
        return out.skip(position, format!("{:?} of no host", vocabulary::shorten(row.id, 80)));
    }
    seen.host(&host, out)?;
    let location = Location { service: Some("tls".to_owned()), ..host.at(Some("tcp"), row.port) };
    let rated = row.severity.to_ascii_uppercase();
    cover(row, &rated, &host, &location, seen, out)?;
    if rated == "OK" || RATINGS.contains(&row.id) || row.id.contains("grade_cap_reason_") {
        return Ok(());
    }
    let mut cves: Vec<Option<String>> = vocabulary::cves(row.cve).into_iter().map(Some).collect();
    if cves.is_empty() {
        cves.push(None);
    }
    for cve in cves {
        let check = match &cve {
            Some(cve) => format!("testssl:{}/{cve}", row.id),
            None => format!("testssl:{}", row.id),
        };
        let observation = Observation {
            source: SOURCE.to_owned(),
            keys: host.tls_keys(location.port, &check),
            check,
            title: format!("{}: {}", row.id, row.finding),
            description: row.finding.to_owned(),
            severity: severity(&rated),
            confidence: if rated == "WARN" || rated == "FATAL" { 30 } else { 90 },
            cwes: vocabulary::cwes(row.cwe),
            cves: cve.iter().cloned().collect(),
            location: location.clone(),
            ..Observation::default()
        };
        out.observation(observation, &[row.id, row.finding, cve.as_deref().unwrap_or_default()])?;
    }
    Ok(())
}

/// `WARN` and `FATAL` say that a test could not be made, not what it found.
fn severity(rated: &str) -> Severity {
    rated.parse().unwrap_or(Severity::Info)
}

fn cover(
    row: &Row<'_>,
    rated: &str,
    host: &Host,
    location: &Location,
    seen: &mut Introduced,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    if !seen.is_new((host, location.port, row.id)) {
        return Ok(());
    }
    let failed = rated == "WARN" || rated == "FATAL";
    let status = if failed { CoverageStatus::Error } else { CoverageStatus::Done };
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: format!("testssl:{}", row.id),
        location: location.clone(),
        extent: Extent::of_service(status, location),
        status,
        reason: failed.then(|| vocabulary::shorten(row.finding, 300)),
    })
}
