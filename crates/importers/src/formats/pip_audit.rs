//! pip-audit JSON: dependencies with their vulnerabilities, as an object or the bare array before it.

use std::io::Read;

use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "pip-audit";
const EXPECTED: &str = "pip-audit JSON";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::PipAudit, id: "pip_audit", source: SOURCE, label: "pip-audit JSON", schemes: &package::SCHEMES, sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{', '[']) || head.has("\"vulnerabilities\"") {
        return None;
    }
    let listed = head.has("\"dependencies\"") || head.opens(&['[']);
    if listed && (head.has("\"vulns\"") || (head.has("\"skip_reason\"") && head.has("\"name\""))) {
        return Some(Confidence::Certain);
    }
    if head.is("{\"dependencies\":[],\"fixes\":[]}") || head.is("{\"dependencies\":[]}") {
        return Some(Confidence::Likely);
    }
    // Nothing was installed; an early version says so like this.
    head.is("[]").then_some(Confidence::Possible)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { out, recognised: false, touched: false, seen: Occurrences::default() };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised || !report.touched {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without dependencies and their vulnerabilities".to_owned() })
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Whether any dependency, or anything else, is in the document.
    touched: bool,
    seen: Occurrences,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["dependencies", ANY] | [ANY] => {
                self.touched = true;
                Plan::Take
            }
            [] | ["dependencies"] => Plan::Enter,
            ["fixes"] => Plan::Pass,
            _ => {
                self.touched = true;
                Plan::Pass
            }
        }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        let skipped = json::text(&value, &["skip_reason"]);
        let (Some(name), true) = (json::text(&value, &["name"]), skipped.is_some() || value.get("vulns").is_some()) else {
            return self.out.skip(position, "dependency without name or vulnerabilities");
        };
        self.recognised = true;
        let component = package::component("pypi", name, json::text(&value, &["version"]), None);
        for flaw in json::items(&value, &["vulns"]) {
            let Some(id) = json::text(flaw, &["id"]) else {
                self.out.skip(position, "vulnerability without an id")?;
                continue;
            };
            let (cves, aliases) = package::names(std::iter::once(id).chain(json::texts(flaw, &["aliases"])));
            self.out.distinct(Observation {
                source: SOURCE.to_owned(),
                check: id.to_owned(),
                title: package::title(id, &component, None),
                description: json::text(flaw, &["description"]).unwrap_or_default().to_owned(),
                remediation: package::upgrade(name, json::texts(flaw, &["fix_versions"])),
                // The tool does not rate.
                severity: Severity::Medium,
                confidence: 80,
                cwes: vec![1395],
                cves,
                aliases,
                location: Location { component: Some(component.clone()), ..Location::default() },
                keys: package::keys(None, None, id, &component, &mut self.seen),
                ..Observation::default()
            })?;
        }
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: "pip-audit:dependencies".to_owned(),
            location: Location { component: Some(component), ..Location::default() },
            extent: Extent::Whole,
            status: if skipped.is_some() { CoverageStatus::Skipped } else { CoverageStatus::Done },
            reason: skipped.map(str::to_owned),
        })
    }
}
