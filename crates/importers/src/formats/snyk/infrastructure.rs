//! One issue of `snyk iac test --json`: a rule, the place in a configuration that breaks it, and how to repair it.

use serde_json::Value;

use super::SOURCE;
use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;

pub(super) fn map(
    value: &Value,
    position: Position,
    file: Option<&str>,
    project: Option<&str>,
    places: &mut Places,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    let text = |path: &[&str]| json::text(value, path).map(str::trim);
    let Some(rule) = text(&["publicId"]).or_else(|| text(&["id"])) else {
        return out.skip(position, "issue without id");
    };
    if value.get("isIgnored").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    let file = file.map(code::path);
    // The path in the configuration stays the same when lines move.
    let inside = match json::texts(value, &["path"]) {
        parts if parts.is_empty() => text(&["msg"]).unwrap_or_default().to_owned(),
        parts => parts.join("."),
    };
    let place = Place {
        source: SOURCE,
        repository: project,
        file: file.as_deref(),
        rule,
        anchor: Some(inside.as_str()).filter(|anchor| !anchor.is_empty()),
        fingerprint: None,
    };
    let parts = [
        text(&["iacDescription", "issue"]).or_else(|| text(&["issue"])),
        text(&["iacDescription", "impact"]).or_else(|| text(&["impact"])),
    ];
    let line = value.get("lineNumber").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0);
    let mut tags: Vec<String> = [text(&["type"]), text(&["subType"])].into_iter().flatten().map(str::to_lowercase).collect();
    tags.push("iac".to_owned());
    let links = json::texts(value, &["references"]).into_iter().chain(text(&["documentation"]));
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: rule.to_owned(),
        title: text(&["title"]).unwrap_or(rule).to_owned(),
        description: parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
        remediation: text(&["iacDescription", "resolve"]).or_else(|| text(&["resolve"])).map(str::to_owned),
        severity: text(&["severity"]).and_then(vocabulary::severity).unwrap_or(Severity::Medium),
        confidence: 85,
        references: links.filter(|link| link.contains("://")).map(str::to_owned).collect(),
        keys: places.keys(&place),
        location: Location {
            file: file.clone(),
            line,
            logical: Some(inside.clone()).filter(|inside| !inside.is_empty()),
            ..Location::default()
        },
        tags,
        ..Observation::default()
    };
    out.distinct(observation)
}
