//! The table form: one line per finding, in the words of the data model.

use super::RenderError;
use crate::snapshot::{Finding, Location, Snapshot};

const HEADER: [&str; 16] = [
    "id",
    "title",
    "severity",
    "status",
    "cvss_score",
    "cvss_vector",
    "cwe",
    "cve",
    "known_exploited",
    "confidence",
    "location",
    "sources",
    "first_seen",
    "last_seen",
    "decision",
    "remediation",
];

pub(super) fn table(snapshot: &Snapshot) -> Result<Vec<u8>, RenderError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(HEADER)?;
    for finding in &snapshot.findings {
        writer.write_record(row(finding).iter().map(|cell| inert(cell)))?;
    }
    Ok(writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?)
}

fn row(finding: &Finding) -> [String; 16] {
    let cvss = finding.cvss.as_ref();
    let score = |tenths: u16| format!("{}.{}", tenths / 10, tenths % 10);
    let word =
        |value: serde_json::Result<serde_json::Value>| value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    [
        finding.id.clone(),
        finding.title.clone(),
        finding.severity.as_str().to_owned(),
        finding.status.as_str().to_owned(),
        cvss.map_or_else(String::new, |cvss| score(cvss.score_tenths)),
        cvss.and_then(|cvss| cvss.vector.clone()).unwrap_or_default(),
        finding.cwes.iter().map(u32::to_string).collect::<Vec<_>>().join(" "),
        finding.cves.join(" "),
        finding.known_exploited.map_or_else(String::new, |exploited| exploited.to_string()),
        word(serde_json::to_value(finding.confidence)),
        finding.locations.iter().map(Location::place).collect::<Vec<_>>().join("\n"),
        finding.sources.join(" "),
        finding.first_seen.to_string(),
        finding.last_seen.to_string(),
        finding
            .decision
            .as_ref()
            .map_or_else(String::new, |decision| format!("{}: {}", word(serde_json::to_value(decision.kind)), decision.reason)),
        finding.remediation.clone().unwrap_or_default(),
    ]
}

/// Keeps a spreadsheet from running a cell as a formula.
fn inert(cell: &str) -> String {
    let text: String = cell.chars().filter(|character| *character != '\0').collect();
    if text.trim_start_matches([' ', '\n', '\r']).starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text }
}
