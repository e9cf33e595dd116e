//! Semgrep: the output of `semgrep --json`, and what its supply-chain API lists. Results of one rule at one line are one
//! problem. The findings of the platform's API are another format, [`pro`].

mod advisory;
pub(crate) mod pro;
mod result;

use std::io::Read;

use serde::de::MapAccess;
use serde_json::Value;

use crate::code::{self, Places};
use crate::document::{Cursor, Document};
use crate::errors::{ParseError, Position};
use crate::json::{self, Elements, Members};
use crate::model::{Coverage, CoverageStatus, Location, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;

const SOURCE: &str = "semgrep";
const EXPECTED: &str = "Semgrep JSON";
/// Checks of code and of dependencies: a run of the one says nothing about the other.
const CODE: &str = "semgrep:code";
const SUPPLY: &str = "semgrep:supply-chain";
/// The platform knows a finding by the fingerprint that the command line prints.
const FINGERPRINT: &str = "match_based_id";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Semgrep,
    id: "semgrep",
    label: "Semgrep JSON",
    schemes: &["code.fingerprint", "code", "code.moved", "dependency.place", "dependency"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    if has("vulns") && (head.has("\"advisory\"") || has("hasMore")) {
        return Some(Confidence::Certain);
    }
    let own = ["interfile_languages_used", "skipped_rules", "engine_requested"].into_iter().any(has);
    let shape = head.has("\"check_id\"") && head.has("\"start\"");
    match (has("results") || has("paths"), has("errors"), shape || own) {
        (true, true, true) => Some(Confidence::Certain),
        (_, _, true) if own || has("results") => Some(Confidence::Likely),
        (true, true, false) if !has("metrics") && !has("generated_at") => Some(Confidence::Possible),
        _ => None,
    }
}

/// Semgrep's words: what it calls info is rated low, as its own platform does.
fn severity(word: &str) -> Severity {
    match word.trim().to_ascii_uppercase().as_str() {
        "CRITICAL" => Severity::Critical,
        "ERROR" | "HIGH" => Severity::High,
        "WARNING" | "MEDIUM" | "MODERATE" => Severity::Medium,
        "INFO" | "LOW" => Severity::Low,
        _ => Severity::Info,
    }
}

fn confidence(word: Option<&str>) -> u8 {
    match word.map(|word| word.trim().to_ascii_uppercase()).as_deref() {
        Some("HIGH") => 85,
        Some("LOW") => 40,
        _ => 65,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut document = Document::open(source, out, EXPECTED)?;
    let mut report = Report {
        cursor: document.cursor(),
        out,
        places: Places::default(),
        packages: Occurrences::default(),
        version: None,
        ours: 0,
        others: 0,
        records: 0,
        taken: 0,
        scanned: 0,
        supply: false,
        more: false,
    };
    document.walk(&mut report)?;
    let Report { ours, others, records, taken, scanned, supply, more, version, out, .. } = report;
    if ours == 0 || others > 0 || (records > 0 && taken == 0) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without results of Semgrep".to_owned() });
    }
    document.end()?;
    if scanned > 0 {
        return Ok(());
    }
    // What was scanned is not listed, so all of it was.
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: if supply { SUPPLY } else { CODE }.to_owned(),
        location: Location::default(),
        status: if more { CoverageStatus::Skipped } else { CoverageStatus::Done },
        reason: more
            .then(|| "more pages follow this one".to_owned())
            .or_else(|| version.map(|version| format!("Semgrep {}", vocabulary::shorten(&version, 40)))),
    })
}

struct Report<'l, 'o> {
    cursor: Cursor,
    out: &'l mut Output<'o>,
    places: Places,
    packages: Occurrences,
    version: Option<String>,
    /// Members that Semgrep writes, and such as only others write.
    ours: u32,
    others: u32,
    records: u64,
    taken: u64,
    scanned: u64,
    /// Whether dependencies are listed, and whether only some of them.
    supply: bool,
    more: bool,
}

impl Elements for Report<'_, '_> {
    fn begin(&mut self) {}

    fn end(&mut self) -> Result<(), ParseError> {
        Ok(())
    }
}

impl Members for Report<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let cursor = self.cursor.clone();
        match key {
            "results" | "vulns" => {
                self.ours += 1;
                let advisories = key == "vulns";
                self.supply |= advisories;
                cursor.records(map, |value, position| {
                    self.records += 1;
                    let value = match value {
                        Ok(value) => value,
                        Err(what) => return self.out.skip(position, format!("result is not readable: {what}")),
                    };
                    let taken = if advisories {
                        advisory::map(&value, position, &mut self.packages, self.out)?
                    } else {
                        result::map(&value, position, &mut self.places, self.out)?
                    };
                    self.taken += u64::from(taken);
                    Ok(())
                })
            }
            "errors" => {
                self.ours += 1;
                cursor.records(map, |value, position| self.fail(&value.unwrap_or_default(), position))
            }
            "skipped_rules" => cursor.records(map, |value, _| self.skipped(&value.unwrap_or_default())),
            "paths" => cursor.walk(map, &mut Paths { cursor: &cursor, report: self }),
            "version" => {
                self.version = cursor.text(map)?;
                Ok(())
            }
            "hasMore" => {
                self.more = cursor.value(map)?.as_bool() == Some(true);
                Ok(())
            }
            "metrics" | "generated_at" | "summary" | "check_type" | "runs" => {
                self.others += 1;
                json::ignore(map)
            }
            _ => json::ignore(map),
        }
    }
}

impl Report<'_, '_> {
    fn cover(&mut self, check: Option<&str>, file: Option<&str>, status: CoverageStatus, reason: Option<&str>) -> Result<(), ParseError> {
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: check.map_or_else(|| CODE.to_owned(), |check| format!("{CODE}:{check}")),
            location: Location { file: file.map(code::path), ..Location::default() },
            status,
            reason: reason.map(|reason| vocabulary::shorten(reason, 500)),
        })
    }

    fn fail(&mut self, error: &Value, _: Position) -> Result<(), ParseError> {
        let said = ["long_msg", "message", "short_msg", "type"].into_iter().find_map(|name| json::text(error, &[name]));
        let spans = || json::items(error, &["spans"]).find_map(|span| json::text(span, &["file"]));
        let file = json::text(error, &["path"]).or_else(spans);
        let status = match json::text(error, &["type"]) {
            Some("Timeout") => CoverageStatus::Timeout,
            _ => CoverageStatus::Error,
        };
        self.cover(json::text(error, &["rule_id"]), file, status, said)
    }

    fn skipped(&mut self, rule: &Value) -> Result<(), ParseError> {
        let reason = json::text(rule, &["details"]).or_else(|| json::text(rule, &["reason"])).map(str::to_owned);
        match json::text(rule, &["rule_id"]).map(str::to_owned) {
            Some(id) => self.cover(Some(&id), None, CoverageStatus::Skipped, reason.as_deref()),
            None => Ok(()),
        }
    }
}

/// `paths`: files that were scanned, and those that were not with the reason.
struct Paths<'c, 'r, 'l, 'o> {
    cursor: &'c Cursor,
    report: &'r mut Report<'l, 'o>,
}

impl Elements for Paths<'_, '_, '_, '_> {
    fn begin(&mut self) {}

    fn end(&mut self) -> Result<(), ParseError> {
        Ok(())
    }
}

impl Members for Paths<'_, '_, '_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "scanned" => {
                self.report.ours += 1;
                self.cursor.records(map, |value, _| {
                    let value = value.unwrap_or_default();
                    let Some(file) = value.as_str() else { return Ok(()) };
                    self.report.scanned += 1;
                    self.report.cover(None, Some(file), CoverageStatus::Done, None)
                })
            }
            "skipped" => self.cursor.records(map, |value, _| {
                let value = value.unwrap_or_default();
                match json::text(&value, &["path"]) {
                    Some(file) => self.report.cover(None, Some(file), CoverageStatus::Skipped, json::text(&value, &["reason"])),
                    None => Ok(()),
                }
            }),
            _ => json::ignore(map),
        }
    }
}
