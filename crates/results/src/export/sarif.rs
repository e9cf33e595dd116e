//! Findings as a SARIF 2.1.0 log. Rules are known only after the results, and members of an object have no order: they come last.

use std::collections::BTreeMap;

use base::Result;
use importers::Severity;
use serde_json::{Value as Json, json};

use super::unwritten;
use crate::model::{Finding, Status, words};

pub(super) const BEGIN: &str = "{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[";

/// The run that is being written.
#[derive(Default)]
pub(super) struct Log {
    run: Option<Run>,
    has_runs: bool,
}

struct Run {
    source: String,
    rules: BTreeMap<String, Json>,
    has_results: bool,
}

impl Log {
    pub(super) fn rows(&mut self, findings: &[Finding]) -> Result<String> {
        let mut text = String::new();
        for finding in findings {
            if self.run.as_ref().is_none_or(|run| run.source != finding.source) {
                text.push_str(&self.close()?);
                text.push_str(if std::mem::replace(&mut self.has_runs, true) { ",\n{\"results\":[" } else { "\n{\"results\":[" });
                self.run = Some(Run { source: finding.source.clone(), rules: BTreeMap::new(), has_results: false });
            }
            let Some(run) = &mut self.run else { continue };
            run.rules.entry(finding.check.clone()).or_insert_with(|| rule(finding));
            text.push_str(if std::mem::replace(&mut run.has_results, true) { ",\n" } else { "\n" });
            text.push_str(&result(finding).to_string());
        }
        Ok(text)
    }

    pub(super) fn end(&mut self) -> Result<String> {
        Ok(format!("{}]}}\n", self.close()?))
    }

    /// Ends the run at hand with its tool and rules.
    fn close(&mut self) -> Result<String> {
        let Some(run) = self.run.take() else { return Ok(String::new()) };
        // A log of a tool that wrote SARIF itself names it as it was.
        let name = run.source.strip_prefix("sarif:").unwrap_or(&run.source);
        let rules: Vec<Json> = run.rules.into_values().collect();
        let tool = serde_json::to_string(&json!({ "driver": { "name": name, "rules": rules } })).map_err(unwritten)?;
        Ok(format!("],\"tool\":{tool}}}"))
    }
}

fn rule(finding: &Finding) -> Json {
    let tags: Vec<String> = finding.cwes.iter().map(|cwe| format!("external/cwe/cwe-{cwe}")).chain(finding.cves.iter().cloned()).collect();
    json!({
        "id": finding.check,
        "shortDescription": { "text": finding.title },
        "fullDescription": { "text": finding.description },
        "help": { "text": finding.remediation.as_deref().unwrap_or_default() },
        "defaultConfiguration": { "level": level(finding.severity) },
        "properties": { "tags": tags, "security-severity": score(finding) },
    })
}

fn result(finding: &Finding) -> Json {
    let place = &finding.location;
    let mut physical = json!({});
    if let Some(uri) = place.file.as_ref().or(place.url.as_ref()) {
        physical["artifactLocation"] = json!({ "uri": uri });
    }
    if let Some(line) = place.line.filter(|line| *line > 0) {
        physical["region"] = json!({ "startLine": line });
        if let Some(snippet) = &place.snippet {
            physical["region"]["snippet"] = json!({ "text": snippet });
        }
    }
    let mut location = json!({ "logicalLocations": [{ "fullyQualifiedName": place.logical.clone().unwrap_or_else(|| words(place)) }] });
    if physical.get("artifactLocation").is_some() {
        location["physicalLocation"] = physical;
    }
    let mut result = json!({
        "ruleId": finding.check,
        "level": level(finding.severity),
        "kind": "fail",
        "message": { "text": finding.title },
        "locations": [location],
        "partialFingerprints": { "tyrianFinding/v1": finding.id.to_string() },
        "properties": {
            "security-severity": score(finding), "status": finding.status.as_str(), "cvss": finding.cvss, "cves": finding.cves,
            "first_seen": finding.first_seen.to_string(), "last_seen": finding.last_seen.to_string(),
        },
    });
    if matches!(finding.status, Status::Accepted | Status::FalsePositive | Status::OutOfScope | Status::Mitigated) {
        let why = finding.decision.as_ref().map(|decision| decision.reason.clone()).unwrap_or_default();
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": why }]);
    }
    if finding.status == Status::Fixed {
        result["baselineState"] = "absent".into();
    }
    result
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A number in the band of the severity: the vector's own where it agrees.
fn score(finding: &Finding) -> String {
    let score = finding.cvss_score.filter(|score| Severity::from_score(*score) == finding.severity);
    let middle = match finding.severity {
        Severity::Critical => 9.5,
        Severity::High => 8.0,
        Severity::Medium => 5.5,
        Severity::Low => 2.0,
        Severity::Info => 0.0,
    };
    format!("{:.1}", score.unwrap_or(middle))
}
