//! Semgrep: the output of `semgrep --json`, and what its supply-chain API lists. Results of one rule at one line are one
//! problem. The findings of the platform's API are another format, [`pro`].

mod advisory;
pub(crate) mod pro;
mod result;

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Places};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

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
    source: SOURCE,
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
    let bounds = Bounds::of(out);
    let mut report = Report {
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
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    let Report { ours, others, records, taken, scanned, supply, more, version, out, .. } = report;
    if ours == 0 || others > 0 || (records > 0 && taken == 0) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without results of Semgrep".to_owned() });
    }
    if scanned > 0 {
        return Ok(());
    }
    // What was scanned is not listed, so all of it was.
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: if supply { SUPPLY } else { CODE }.to_owned(),
        location: Location::default(),
        extent: Extent::Whole,
        status: if more { CoverageStatus::Skipped } else { CoverageStatus::Done },
        reason: more
            .then(|| "more pages follow this one".to_owned())
            .or_else(|| version.map(|version| format!("Semgrep {}", vocabulary::shorten(&version, 40)))),
    })
}

struct Report<'l, 'o> {
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

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        let path = walk::element(path);
        match path {
            [] | ["paths"] => Plan::Enter,
            ["results" | "vulns"] | ["paths", "scanned"] => {
                self.ours += 1;
                self.supply |= path == ["vulns"];
                Plan::Each
            }
            // Many say what went wrong with them.
            ["errors" | "skipped_rules"] | ["paths", "skipped"] => Plan::Each,
            ["version" | "hasMore"] => Plan::Take,
            ["metrics" | "generated_at" | "summary" | "check_type" | "runs"] => {
                self.others += 1;
                Plan::Pass
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["version"] => self.version = walk::text(raw),
            ["hasMore"] => self.more = raw == "true",
            ["errors"] => return self.fail(&walk::part(raw)),
            ["skipped_rules"] => return self.skipped(&walk::part(raw)),
            // Files that were scanned, and those that were not with the reason.
            ["paths", "scanned"] => {
                if let Some(file) = walk::text(raw) {
                    self.scanned += 1;
                    return self.cover(None, Some(&file), CoverageStatus::Done, None);
                }
            }
            ["paths", _] => {
                let value = walk::part(raw);
                if let Some(file) = json::text(&value, &["path"]) {
                    return self.cover(None, Some(file), CoverageStatus::Skipped, json::text(&value, &["reason"]));
                }
            }
            [list, ..] => return self.result(*list == "vulns", raw, position),
            [] => {}
        }
        Ok(())
    }
}

impl Report<'_, '_> {
    fn result(&mut self, advisory: bool, raw: &str, position: Position) -> Result<(), ParseError> {
        self.records += 1;
        if let Some(value) = walk::value(raw, position, self.out)? {
            let taken = if advisory {
                advisory::map(&value, position, &mut self.packages, self.out)?
            } else {
                result::map(&value, position, &mut self.places, self.out)?
            };
            self.taken += u64::from(taken);
        }
        Ok(())
    }

    fn cover(&mut self, check: Option<&str>, file: Option<&str>, status: CoverageStatus, reason: Option<&str>) -> Result<(), ParseError> {
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: check.map_or_else(|| CODE.to_owned(), |check| format!("{CODE}:{check}")),
            location: Location { file: file.map(code::path), ..Location::default() },
            extent: Extent::Whole,
            status,
            reason: reason.map(|reason| vocabulary::shorten(reason, 500)),
        })
    }

    fn fail(&mut self, error: &Value) -> Result<(), ParseError> {
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
