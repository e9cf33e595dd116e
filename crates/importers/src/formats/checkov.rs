//! Checkov `-o json`: one report, an array of them (one per framework), or the bare summary of a run without resources.
//! Failed checks are problems; passed and skipped ones are coverage.

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "checkov";
const EXPECTED: &str = "Checkov JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Checkov,
    id: "checkov",
    source: SOURCE,
    label: "Checkov JSON",
    schemes: &["code", "code.moved", "dependency.place", "dependency"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let checks = ["\"failed_checks\"", "\"passed_checks\"", "\"checkov_version\""].into_iter().any(|name| head.has(name));
    match (has("check_type"), has("checkov_version") || checks) {
        (true, true) => Some(Confidence::Certain),
        (false, true) if has("passed") && has("failed") => Some(Confidence::Certain),
        (false, true) if has("results") => Some(Confidence::Likely),
        (true, false) => Some(Confidence::Likely),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report {
        out,
        open: false,
        kind: None,
        version: None,
        places: Places::default(),
        packages: Occurrences::default(),
        ours: false,
        records: 0,
        taken: 0,
    };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    let Report { ours, records, taken, .. } = report;
    if !ours || (records > 0 && taken == 0) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without results of Checkov".to_owned() });
    }
    Ok(())
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    /// Whether a report is being read.
    open: bool,
    /// Its framework.
    kind: Option<String>,
    version: Option<String>,
    places: Places,
    packages: Occurrences,
    ours: bool,
    records: u64,
    taken: u64,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        let path = walk::element(path);
        self.open |= !path.is_empty();
        self.ours |= matches!(path, ["checkov_version"] | ["results", "failed_checks"]);
        match path {
            [] | ["results"] | ["results", ANY] => Plan::Enter,
            ["check_type" | "checkov_version" | "summary"] => Plan::Take,
            ["results", "failed_checks" | "passed_checks" | "skipped_checks" | "parsing_errors"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["check_type"] => {
                self.kind = walk::text(raw);
                self.ours |= self.kind.is_some();
            }
            ["checkov_version"] => self.version = walk::text(raw),
            ["summary"] => {
                let version = json::text(&walk::part(raw), &["checkov_version"]).map(str::to_owned);
                self.version = version.or(self.version.take());
            }
            [_, "passed_checks"] => return self.covered(&walk::part(raw), CoverageStatus::Done),
            [_, "skipped_checks"] => return self.covered(&walk::part(raw), CoverageStatus::Skipped),
            [_, "parsing_errors"] => {
                let file = walk::text(raw).as_deref().map(self::path);
                return self.out.coverage(Coverage {
                    source: SOURCE.to_owned(),
                    check_set: self.set(),
                    location: Location { file, ..Location::default() },
                    extent: Extent::Whole,
                    status: CoverageStatus::Error,
                    reason: Some("cannot be parsed".to_owned()),
                });
            }
            _ => {
                if let Some(value) = walk::value(raw, position, self.out)? {
                    return self.failed(&value, position);
                }
            }
        }
        Ok(())
    }

    /// The framework ran, whatever it found.
    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if !walk::element(path).is_empty() || !std::mem::take(&mut self.open) || !self.ours {
            return Ok(());
        }
        let version = self.version.take().map(|version| format!("Checkov {}", vocabulary::shorten(&version, 40)));
        let check_set = self.set();
        self.kind = None;
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set,
            location: Location::default(),
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason: version,
        })
    }
}

/// Checkov writes paths from the folder it scanned, with a slash in front.
fn path(text: &str) -> String {
    code::path(text).trim_start_matches('/').to_owned()
}

fn location(value: &Value) -> Location {
    let text = |name: &str| json::text(value, &[name]);
    let line = json::items(value, &["file_line_range"]).next().and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
    Location {
        file: text("file_path").or_else(|| text("repo_file_path")).map(path),
        line: line.filter(|line| *line > 0),
        logical: text("resource").map(str::to_owned),
        ..Location::default()
    }
}

impl Report<'_, '_> {
    /// Common beginning of the checks of a framework: a run of one says nothing about the others.
    fn set(&self) -> String {
        self.kind.as_deref().map_or_else(|| SOURCE.to_owned(), |kind| format!("{SOURCE}:{}", vocabulary::shorten(kind, 80)))
    }

    fn covered(&mut self, value: &Value, status: CoverageStatus) -> Result<(), ParseError> {
        let Some(check) = json::text(value, &["check_id"]) else {
            return Ok(());
        };
        let reason = json::text(value, &["check_result", "suppress_comment"]);
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: format!("{}:{check}", self.set()),
            location: location(value),
            extent: Extent::Whole,
            status,
            reason: reason.map(|reason| vocabulary::shorten(reason, 500)),
        })
    }

    fn failed(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        self.records += 1;
        let text = |path: &[&str]| json::text(value, path);
        let name = text(&["check_name"]);
        let Some(check) = text(&["check_id"]).or(name) else {
            return self.out.skip(position, "failed check without an id and a name");
        };
        self.taken += 1;
        let mut location = location(value);
        let details = value.get("vulnerability_details").filter(|details| details.is_object());
        let place =
            Place { source: SOURCE, file: location.file.as_deref(), rule: check, anchor: location.logical.as_deref(), ..Place::default() };
        let mut keys = self.places.keys(&place);
        let mut cves = vocabulary::cves(&check.replace('_', "-"));
        let (mut aliases, mut advice) = (Vec::new(), None);
        if let Some(details) = details {
            let id = json::text(details, &["id"]).unwrap_or(check);
            let (found, others) = package::names([id]);
            cves.extend(found);
            aliases = others;
            if let Some(name) = json::text(details, &["package_name"]) {
                let ecosystem = json::text(details, &["package_type"]).unwrap_or_default();
                let component = package::component(ecosystem, name, json::text(details, &["package_version"]), None);
                let mut own = package::keys(None, location.file.as_deref(), id, &component, &mut self.packages);
                own.append(&mut keys);
                keys = own;
                location.component = Some(component);
                advice = json::text(details, &["fix_version"]).or_else(|| json::text(details, &["lowest_fixed_version"]));
                advice = advice.filter(|version| version.chars().any(|c| c.is_ascii_digit()));
            }
        }
        let package = location.component.as_ref().map(|component| component.name.clone()).unwrap_or_default();
        let title = name.map_or_else(|| check.to_owned(), str::to_owned);
        let told =
            [text(&["description"]), text(&["short_description"]), details.and_then(|details| json::text(details, &["description"]))];
        let described = told.into_iter().flatten().next().map(|text| format!("\n{}", text.trim())).unwrap_or_default();
        let resource = location.logical.as_deref().map(|resource| format!(" for {resource}")).unwrap_or_default();
        let kind = self.kind.as_deref().unwrap_or("code");
        let vector = ["vector", "cvss_vector"].into_iter().find_map(|name| json::text(details?, &[name])).and_then(vocabulary::cvss);
        let links = [text(&["guideline"]), details.and_then(|details| json::text(details, &["link"]))];
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("{}:{check}", self.set()),
            description: format!("Check {check} of {kind} failed{resource}: {title}{described}"),
            title,
            remediation: advice.map(|version| format!("Upgrade {package} to {version}.")),
            // A severity is only told to those with a licence.
            severity: text(&["severity"]).and_then(|word| word.parse().ok()).unwrap_or(Severity::Medium),
            confidence: 80,
            cvss: vector,
            cwes: text(&["cwe"]).map(vocabulary::cwes).unwrap_or_default(),
            references: links.into_iter().flatten().map(str::to_owned).collect(),
            tags: [text(&["bc_category"]), self.kind.as_deref()].into_iter().flatten().map(|tag| vocabulary::shorten(tag, 100)).collect(),
            cves,
            aliases,
            location,
            keys,
            ..Observation::default()
        };
        self.out.distinct(observation)
    }
}
