//! gosec `-fmt json`: issues of Go code, and the files that could not be compiled.

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "gosec";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Gosec, id: "gosec", source: SOURCE, label: "gosec JSON", schemes: &["code", "code.moved"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    if has("Golang errors") || (has("Issues") && head.has("\"rule_id\"")) {
        return Some(Confidence::Certain);
    }
    (has("Issues") && has("Stats")).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Issues::default())
}

#[derive(Default)]
struct Issues(Places);

impl Records for Issues {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "gosec JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["Golang errors" | "Stats"] => Plan::Enter,
            ["Issues"] => Plan::Each,
            ["Golang errors", _] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["Golang errors" | "GosecVersion"] | ["Stats", "lines"])
    }

    fn take(&mut self, path: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        if let ["Golang errors", file] = path {
            let said = value.as_array().and_then(|errors| json::text(errors.first()?, &["error"]));
            let location = Location { file: Some(code::path(file)), ..Location::default() };
            let reason = said.map(|said| vocabulary::shorten(said, 300));
            let (source, check_set) = (SOURCE.to_owned(), SOURCE.to_owned());
            out.coverage(Coverage { source, check_set, location, extent: Extent::Whole, status: CoverageStatus::Error, reason })?;
            return Ok(true);
        }
        let text = |path: &[&str]| json::text(value, path);
        let (Some(rule), Some(file)) = (text(&["rule_id"]), text(&["file"])) else {
            return Ok(false);
        };
        let details = text(&["details"]).unwrap_or(rule);
        let lines = value.get("line").map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned)).unwrap_or_default();
        let first = lines.split('-').next().unwrap_or_default();
        let file = code::path(file);
        let shown = text(&["code"]).map(flagged).unwrap_or_default();
        let anchor = (!shown.is_empty()).then(|| identity::snippet(&shown));
        let place = Place { source: SOURCE, file: Some(&file), rule, anchor: anchor.as_deref(), ..Place::default() };
        let issue = [details.to_owned(), rule.to_owned(), file.clone(), first.to_owned()];
        let suppressed =
            json::items(value, &["suppressions"]).next().is_some() || value.get("nosec").and_then(Value::as_bool) == Some(true);
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("gosec:{rule}"),
            title: details.to_owned(),
            description: details.to_owned(),
            severity: text(&["severity"]).and_then(vocabulary::severity).unwrap_or_default(),
            confidence: match text(&["confidence"]) {
                Some("HIGH") => 85,
                Some("MEDIUM") => 60,
                Some("LOW") => 35,
                _ => 50,
            },
            cwes: text(&["cwe", "id"]).or_else(|| text(&["cwe", "ID"])).and_then(|id| id.parse().ok()).into_iter().collect(),
            references: text(&["cwe", "url"]).or_else(|| text(&["cwe", "URL"])).map(str::to_owned).into_iter().collect(),
            tags: suppressed.then(|| "suppressed".to_owned()).into_iter().collect(),
            keys: self.0.keys(&place),
            location: Location {
                line: first.parse().ok(),
                snippet: (!shown.is_empty()).then_some(shown),
                file: Some(file),
                ..Location::default()
            },
            ..Observation::default()
        };
        out.observation(observation, &issue.each_ref().map(String::as_str))?;
        Ok(true)
    }
}

/// The code without the numbers of its lines.
fn flagged(code: &str) -> String {
    let bare = |line: &str| match line.split_once(": ") {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    let mut text = code.lines().take(50).map(bare).collect::<Vec<_>>().join("\n");
    text.truncate(crate::output::floor_boundary(&text, 8 << 10));
    text.trim_end().to_owned()
}
