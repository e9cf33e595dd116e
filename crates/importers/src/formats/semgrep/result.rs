//! One result of a rule in a file.

use serde_json::Value;

use super::{CODE, FINGERPRINT, SOURCE, confidence, severity};
use crate::code::{self, Place, Places, is_told};
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Location, Observation};
use crate::output::{Output, floor_boundary};
use crate::vocabulary;

const SNIPPET: usize = 8 << 10;

/// Maps a result; false when it is none.
pub(super) fn map(value: &Value, position: Position, places: &mut Places, out: &mut Output<'_>) -> Result<bool, ParseError> {
    let (Some(rule), Some(file)) = (json::text(value, &["check_id"]), json::text(value, &["path"])) else {
        out.skip(position, "result without a rule and a path")?;
        return Ok(false);
    };
    let extra = value.get("extra").unwrap_or(&Value::Null);
    let metadata = extra.get("metadata").unwrap_or(&Value::Null);
    let line = json::at(value, &["start", "line"]).and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
    let file = code::path(file);
    let code = json::text(extra, &["lines"]).filter(|lines| is_told(lines));
    let anchor = code.map(identity::snippet);
    let fingerprint = json::text(extra, &["fingerprint"]).map(|value| (FINGERPRINT, value));
    let place = Place { source: SOURCE, file: Some(&file), rule, anchor: anchor.as_deref(), fingerprint, repository: None };
    let keys = places.keys(&place);
    let message = json::text(extra, &["message"]).unwrap_or_default().trim();
    let mut tags: Vec<String> = Vec::new();
    for name in ["category", "technology", "subcategory", "vulnerability_class", "owasp"] {
        tags.extend(json::texts(metadata, &[name]).into_iter().take(20).map(|tag| vocabulary::shorten(tag, 100)));
    }
    if extra.get("is_ignored").and_then(Value::as_bool) == Some(true) {
        tags.push("ignored".to_owned());
    }
    let cwes: String = json::texts(metadata, &["cwe"]).join(" ");
    let mut references: Vec<String> = json::texts(metadata, &["references"]).into_iter().map(str::to_owned).collect();
    for name in ["source", "source-rule-url", "shortlink"] {
        references.extend(json::text(metadata, &[name]).map(str::to_owned));
    }
    let mut evidence = Vec::new();
    if let Some(trace) = extra.get("dataflow_trace").filter(|trace| trace.is_object()) {
        let steps = steps(trace);
        if !steps.is_empty() {
            evidence.push(out.evidence("data flow", &steps.join("\n")));
        }
    }
    let fix = json::text(extra, &["fix"]).map(|fix| format!("Replace with: {}", fix.trim()));
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: format!("{CODE}:{rule}"),
        title: rule.to_owned(),
        description: message.to_owned(),
        remediation: fix
            .or_else(|| extra.get("fix_regex").filter(|fix| fix.is_object()).map(|fix| format!("Replace by regular expression: {fix}"))),
        severity: severity(json::text(extra, &["severity"]).unwrap_or_default()),
        confidence: confidence(json::text(metadata, &["confidence"])),
        cwes: vocabulary::cwes(&cwes),
        cves: vocabulary::cves(rule),
        references: vocabulary::unique(references),
        location: Location {
            file: Some(file.clone()),
            line,
            snippet: code.map(|code| code[..floor_boundary(code, SNIPPET)].to_owned()),
            ..Location::default()
        },
        tags,
        evidence,
        keys,
        ..Observation::default()
    };
    let line = line.map(|line| line.to_string()).unwrap_or_default();
    out.observation(observation, &[SOURCE, rule, &file, &line])?;
    Ok(true)
}

/// Source, steps and sink of a data flow, a line each.
fn steps(trace: &Value) -> Vec<String> {
    let mut steps = Vec::new();
    let mut place = |kind: &str, location: &Value, content: &Value| {
        let file = json::text(location, &["path"]).unwrap_or("unknown place");
        let line = json::at(location, &["start", "line"]).and_then(Value::as_u64).unwrap_or_default();
        let content = vocabulary::shorten(content.as_str().unwrap_or_default(), 200);
        steps.push(format!("{kind} {file}:{line}: {content}"));
    };
    let mut end = |kind: &str, value: Option<&Value>| {
        // `["CliLoc", [location, content]]`
        if let Some([location, content, ..]) = value.and_then(|value| value.get(1)).and_then(Value::as_array).map(Vec::as_slice) {
            place(kind, location, content);
        }
    };
    end("from", trace.get("taint_source"));
    end("to", trace.get("taint_sink"));
    for variable in json::items(trace, &["intermediate_vars"]).take(50) {
        place("through", variable.get("location").unwrap_or(&Value::Null), variable.get("content").unwrap_or(&Value::Null));
    }
    steps
}
