//! Bandit `-f json`: a result per test and place, metrics per file, files that could not be read.

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::output::{Output, floor_boundary};
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const SOURCE: &str = "bandit";
const EXPECTED: &str = "Bandit JSON";
const SNIPPET: usize = 8 << 10;

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Bandit, id: "bandit", source: SOURCE, label: "Bandit JSON", schemes: &["code", "code.moved"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let metrics = head.has("\"CONFIDENCE.HIGH\"") || head.has("\"_totals\"");
    match (has("metrics") && metrics, head.has("\"test_id\"") && head.has("\"issue_severity\"")) {
        (true, _) => Some(Confidence::Certain),
        (false, true) if has("results") => Some(Confidence::Certain),
        _ if has("generated_at") && has("errors") && has("metrics") => Some(Confidence::Likely),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report =
        Report { out, places: Places::default(), generated: None, listed: false, marked: false, records: 0, taken: 0, files: 0 };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    let Report { out, listed, marked, records, taken, files, .. } = report;
    if !listed || (taken == 0 && (records > 0 || !marked)) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without results of Bandit".to_owned() });
    }
    if files > 0 { Ok(()) } else { cover(None, CoverageStatus::Done, None, out) }
}

fn cover(file: Option<&str>, status: CoverageStatus, reason: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Location { file: file.map(code::path), ..Location::default() },
        extent: Extent::Whole,
        status,
        reason: reason.map(|reason| vocabulary::shorten(reason, 500)),
    })
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    places: Places,
    generated: Option<String>,
    listed: bool,
    /// Whether a member was there that only Bandit writes.
    marked: bool,
    records: u64,
    taken: u64,
    files: u64,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        let path = walk::element(path);
        self.listed |= path == ["results"];
        self.marked |= matches!(path, ["metrics" | "generated_at"]);
        match path {
            [] | ["metrics"] => Plan::Enter,
            ["results" | "errors"] => Plan::Each,
            ["metrics", file] if *file != "_totals" => Plan::Take,
            ["generated_at"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["results"] => match walk::value(raw, position, self.out)? {
                Some(value) => self.result(&value, position),
                None => Ok(()),
            },
            ["errors"] => {
                let value = walk::part(raw);
                cover(json::text(&value, &["filename"]), CoverageStatus::Error, json::text(&value, &["reason"]), self.out)
            }
            // A member per file that was looked at; its value says nothing more.
            ["metrics", file] => {
                self.files += 1;
                cover(Some(file), CoverageStatus::Done, None, self.out)
            }
            _ => {
                self.generated = walk::text(raw).as_deref().and_then(vocabulary::moment);
                Ok(())
            }
        }
    }
}

fn severity(word: &str) -> Severity {
    word.parse().unwrap_or(Severity::Info)
}

impl Report<'_, '_> {
    fn result(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        self.records += 1;
        let text = |name: &str| json::text(value, &[name]);
        // Before tests had numbers they had names only.
        let (Some(test), Some(file)) = (text("test_id").or_else(|| text("test_name")), text("filename")) else {
            return self.out.skip(position, "result without a test and a file");
        };
        self.taken += 1;
        let file = code::path(file);
        let line = value.get("line_number").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
        let (shown, flagged) = code(value);
        let anchor = (!flagged.is_empty()).then(|| identity::snippet(&flagged));
        let place = Place { source: SOURCE, file: Some(&file), rule: test, anchor: anchor.as_deref(), ..Place::default() };
        let keys = self.places.keys(&place);
        let name = text("test_name");
        let cwe = json::at(value, &["issue_cwe", "id"]).and_then(Value::as_u64).and_then(|cwe| u32::try_from(cwe).ok());
        let links = [text("more_info"), json::text(value, &["issue_cwe", "link"])];
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("bandit:{test}"),
            title: text("issue_text").or(name).unwrap_or(test).to_owned(),
            description: text("issue_text").unwrap_or_default().to_owned(),
            severity: severity(text("issue_severity").unwrap_or_default()),
            confidence: match text("issue_confidence") {
                Some("HIGH") => 85,
                Some("MEDIUM") => 60,
                Some("LOW") => 35,
                _ => 50,
            },
            cwes: cwe.filter(|cwe| *cwe > 0).into_iter().collect(),
            references: links.into_iter().flatten().map(str::to_owned).collect(),
            tags: name.into_iter().map(str::to_owned).collect(),
            location: Location {
                file: Some(file.clone()),
                line,
                snippet: (!shown.is_empty()).then(|| shown[..floor_boundary(&shown, SNIPPET)].to_owned()),
                ..Location::default()
            },
            observed_at: self.generated.clone(),
            keys,
            ..Observation::default()
        };
        self.out.distinct(observation)
    }
}

/// The code without its line numbers, and of it the lines that are flagged: what surrounds them may change.
fn code(value: &Value) -> (String, String) {
    let range: Vec<u64> = json::items(value, &["line_range"]).filter_map(Value::as_u64).collect();
    let (mut shown, mut flagged) = (String::new(), String::new());
    for line in json::text(value, &["code"]).unwrap_or_default().lines() {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let rest = line[digits..].strip_prefix([' ', '\t']).unwrap_or(&line[digits..]);
        shown.push_str(rest);
        shown.push('\n');
        if line[..digits].parse::<u64>().is_ok_and(|number| range.is_empty() || range.contains(&number)) {
            flagged.push_str(rest);
            flagged.push('\n');
        }
    }
    (shown.trim_end().to_owned(), flagged)
}
