//! Brakeman `-f json`: warnings about Rails code. It says how sure it is and does not rate.

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::{Output, floor_boundary};
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "brakeman";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Brakeman, id: "brakeman", source: SOURCE, label: "Brakeman JSON", schemes: &code::SCHEMES, sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    if has("scan_info") && (head.has("\"brakeman_version\"") || has("warnings")) {
        return Some(Confidence::Certain);
    }
    (has("warnings") && head.has("\"warning_type\"")).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Warnings::default())
}

#[derive(Default)]
struct Warnings {
    places: Places,
    ended: Option<String>,
}

impl Records for Warnings {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "Brakeman JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            ["warnings" | "errors"] => Plan::Each,
            ["scan_info"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["ignored_warnings"]
    }

    fn take(&mut self, path: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        match path {
            ["scan_info"] => {
                self.ended = text("end_time").or_else(|| text("timestamp")).and_then(vocabulary::moment);
                return Ok(text("brakeman_version").is_some());
            }
            ["errors"] => {
                if let Some(said) = text("error") {
                    let reason = Some(vocabulary::shorten(said, 300));
                    let location = Location { logical: text("location").map(str::to_owned), ..Location::default() };
                    let (source, check_set) = (SOURCE.to_owned(), SOURCE.to_owned());
                    out.coverage(Coverage { source, check_set, location, extent: Extent::Whole, status: CoverageStatus::Error, reason })?;
                }
                return Ok(true);
            }
            _ => {}
        }
        let (Some(kind), Some(file)) = (text("warning_type"), text("file")) else {
            return Ok(false);
        };
        let number = value.get("warning_code").and_then(Value::as_u64).map(|code| code.to_string());
        let rule = text("check_name").or(number.as_deref()).unwrap_or(kind);
        let file = code::path(file);
        let shown = text("code").unwrap_or_default();
        let anchor = (!shown.is_empty()).then(|| identity::snippet(shown));
        let fingerprint = text("fingerprint");
        let place = Place {
            source: SOURCE,
            file: Some(&file),
            rule,
            anchor: anchor.as_deref(),
            fingerprint: fingerprint.map(|print| ("fingerprint", print)),
            ..Place::default()
        };
        let message = text("message").unwrap_or(kind);
        let method = [json::text(value, &["location", "class"]), json::text(value, &["location", "method"])];
        let method = method.into_iter().flatten().collect::<Vec<_>>().join("#");
        let mut evidence = Vec::new();
        for (label, name) in [("user input", "user_input"), ("render path", "render_path")] {
            match value.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(said)) => evidence.push(out.evidence(label, said)),
                Some(other) => evidence.push(out.evidence(label, &other.to_string())),
            }
        }
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("brakeman:{rule}"),
            title: format!("{kind}: {message}"),
            description: message.to_owned(),
            severity: Severity::Medium,
            confidence: match text("confidence") {
                Some("High") => 85,
                Some("Medium") => 60,
                _ => 35,
            },
            cwes: json::items(value, &["cwe_id"]).filter_map(Value::as_u64).filter_map(|cwe| u32::try_from(cwe).ok()).collect(),
            references: text("link").map(str::to_owned).into_iter().collect(),
            location: Location {
                line: value.get("line").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok()),
                snippet: (!shown.is_empty()).then(|| shown[..floor_boundary(shown, 8 << 10)].to_owned()),
                logical: (!method.is_empty()).then_some(method),
                file: Some(file.clone()),
                ..Location::default()
            },
            observed_at: self.ended.clone(),
            keys: self.places.keys(&place),
            evidence,
            ..Observation::default()
        };
        match fingerprint {
            Some(print) => out.observation(observation, &[SOURCE, print])?,
            None => out.distinct(observation)?,
        }
        Ok(true)
    }
}
