//! Findings as comma-separated values (RFC 4180). Cells that a spreadsheet would run as formulas are defused.

use base::Result;

use super::unwritten;
use crate::model::{Finding, words};

const HEAD: [&str; 18] = [
    "id",
    "title",
    "severity",
    "status",
    "cvss_score",
    "cvss",
    "source",
    "check",
    "place",
    "component",
    "cves",
    "cwes",
    "first_seen",
    "last_seen",
    "fixed_at",
    "decision",
    "target_id",
    "service",
];

pub(super) fn head() -> Result<String> {
    written(&[HEAD.map(str::to_owned)])
}

pub(super) fn rows(findings: &[Finding]) -> Result<String> {
    let rows: Vec<[String; 18]> = findings.iter().map(row).collect();
    written(&rows)
}

fn row(finding: &Finding) -> [String; 18] {
    let component = finding.location.component.as_ref();
    let component = component.map(|component| component.purl.clone().unwrap_or_else(|| component.name.clone()));
    let cwes: Vec<String> = finding.cwes.iter().map(|cwe| format!("CWE-{cwe}")).collect();
    [
        finding.id.to_string(),
        finding.title.clone(),
        finding.severity.to_string(),
        finding.status.to_string(),
        finding.cvss_score.map(|score| format!("{score:.1}")).unwrap_or_default(),
        finding.cvss.clone().unwrap_or_default(),
        finding.source.clone(),
        finding.check.clone(),
        words(&finding.location),
        component.unwrap_or_default(),
        finding.cves.join(" "),
        cwes.join(" "),
        finding.first_seen.to_string(),
        finding.last_seen.to_string(),
        finding.fixed_at.map(|at| at.to_string()).unwrap_or_default(),
        finding.decision.as_ref().map(|decision| decision.kind.to_string()).unwrap_or_default(),
        finding.target_id.map(|id| id.to_string()).unwrap_or_default(),
        finding.service.clone().unwrap_or_default(),
    ]
    .map(|cell| if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell })
}

fn written(rows: &[[String; 18]]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(unwritten)?;
    }
    String::from_utf8(writer.into_inner().map_err(unwritten)?).map_err(unwritten)
}
