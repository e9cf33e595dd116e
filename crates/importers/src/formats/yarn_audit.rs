//! `yarn audit --json` of version 1 and `yarn npm audit --json` since version 3: a JSON line per advisory and way to it.
//! (Between them yarn wrote what npm 6 does.)

use std::collections::HashSet;
use std::io::Read;

use serde_json::Value;

use super::npm_audit;
use crate::errors::{ParseError, Position};
use crate::flaw::Flaw;
use crate::json;
use crate::listed::{self, Records};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "yarn-audit";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::YarnAudit,
    id: "yarn_audit",
    source: SOURCE,
    label: "yarn audit JSON",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let any = |keys: &[&str]| keys.iter().any(|key| head.has(key));
    if !head.opens(&['{']) {
        return None;
    }
    if any(&["\"auditAdvisory\"", "\"auditSummary\""]) || (head.has("\"Tree Versions\"") && head.has("\"children\"")) {
        return Some(Confidence::Certain);
    }
    // What yarn says instead of a report.
    (head.has("{\"type\":\"error\",\"data\":") || head.has("{\"type\":\"info\",\"data\":")).then_some(Confidence::Possible)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Lines::default())
}

#[derive(Default)]
struct Lines {
    seen: Occurrences,
    /// Advisories by number and package: version 1 writes one for every way to it.
    known: HashSet<(String, String)>,
}

impl Records for Lines {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "yarn audit JSON";
    const LINES: bool = true;

    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn marks(&self, _: &[&str]) -> bool {
        false
    }

    fn take(&mut self, _: &[&str], value: &Value, position: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        if let (Some(name), Some(children)) = (json::text(value, &["value"]), value.get("children")) {
            return self.line(name, children, out);
        }
        let data = value.get("data").unwrap_or(&Value::Null);
        match json::text(value, &["type"]) {
            Some("auditAdvisory") => {
                let advisory = data.get("advisory").unwrap_or(&Value::Null);
                let id = advisory.get("id").map(Value::to_string).unwrap_or_default();
                let name = json::text(advisory, &["module_name"]).unwrap_or_default().to_owned();
                if self.known.insert((id, name)) {
                    npm_audit::advisory(SOURCE, advisory, position, &mut self.seen, out)?;
                }
            }
            Some("error") => {
                let said = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
                let what = format!("yarn audit failed: {}", vocabulary::shorten(&said, 200));
                return Err(ParseError::Malformed { position, what });
            }
            Some("auditSummary" | "auditAction" | "info" | "warning") => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Lines {
    /// One package and one of its advisories; a notice that it is no longer maintained has no number.
    fn line(&mut self, name: &str, children: &Value, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |member: &str| json::text(children, &[member]);
        let Some(number) = children.get("ID").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)) else {
            return Ok(false);
        };
        let url = text("URL");
        let advisory = url.and_then(|url| url.rsplit('/').next()).filter(|id| id.starts_with("GHSA-"));
        let id = advisory.map_or_else(|| format!("npm:{}", number.split(" (").next().unwrap_or(&number)), str::to_owned);
        let versions = json::texts(children, &["Tree Versions"]);
        let issue = text("Issue");
        let range = text("Vulnerable Versions").map(|range| format!("Vulnerable versions: {range}"));
        let description = [issue, range.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
        let flaw = Flaw {
            source: SOURCE,
            id: &id,
            ecosystem: "npm",
            package: name,
            version: versions.first().copied(),
            severity: text("Severity").and_then(vocabulary::severity),
            summary: issue,
            description: Some(&description),
            references: url.into_iter().collect(),
            ..Flaw::default()
        };
        let mut observation = flaw.observation(&mut self.seen);
        let ways = json::texts(children, &["Dependents"]);
        if !ways.is_empty() {
            observation.evidence.push(out.evidence("dependents", &ways.join("\n")));
        }
        out.observation(observation, &[&number, name])?;
        Ok(true)
    }
}
