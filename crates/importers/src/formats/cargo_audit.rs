//! `cargo audit --json`: vulnerabilities of locked crates; warnings (unmaintained, unsound, yanked)
//! are findings only where more is concluded than the tool reports.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "cargo-audit";
const EXPECTED: &str = "cargo audit JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::CargoAudit,
    id: "cargo_audit",
    source: SOURCE,
    label: "cargo audit JSON",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let all = |keys: &[&str]| keys.iter().all(|key| head.has(key));
    if !head.opens(&['{']) || !all(&["\"vulnerabilities\""]) {
        return None;
    }
    let report = all(&["\"lockfile\"", "\"dependency-count\""]) || all(&["\"database\"", "\"advisory-count\""]);
    (report || all(&["\"list\"", "\"advisory\"", "RUSTSEC-"])).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { out, recognised: false, dependencies: None, seen: Occurrences::default() };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without a lock file and its vulnerabilities".to_owned() })
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    dependencies: Option<u64>,
    seen: Occurrences,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["vulnerabilities", "list", ANY] | ["warnings", _, ANY] | ["warnings", ANY] | ["lockfile", "dependency-count"] => Plan::Take,
            ["vulnerabilities", "list"] | ["lockfile"] => {
                self.recognised = true;
                Plan::Enter
            }
            [] | ["vulnerabilities" | "warnings"] | ["warnings", _] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path {
            ["lockfile", ..] => {
                self.dependencies = raw.parse().ok();
                Ok(())
            }
            ["warnings", ..] if !self.out.judges() => Ok(()),
            _ => self.map(path[0] == "warnings", raw, position),
        }
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if !path.is_empty() || !self.recognised {
            return Ok(());
        }
        let reason = self.dependencies.take().map(|count| format!("{count} dependencies"));
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: "cargo-audit:dependencies".to_owned(),
            location: Location { file: Some("Cargo.lock".to_owned()), ..Location::default() },
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason,
        })
    }
}

impl Report<'_, '_> {
    fn map(&mut self, warning: bool, raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        let kind = json::text(&value, &["kind"]).unwrap_or("vulnerability");
        let advisory = value.get("advisory").unwrap_or(&Value::Null);
        let id = json::text(advisory, &["id"]).or(warning.then_some(kind));
        let (Some(id), Some(name)) = (id, json::text(&value, &["package", "name"])) else {
            return self.out.skip(position, "vulnerability without advisory or package");
        };
        let version = json::text(&value, &["package", "version"]);
        let component = package::component("cargo", name, version, None);
        let cvss = json::text(advisory, &["cvss"]).and_then(vocabulary::cvss);
        let scored = cvss.as_deref().and_then(vocabulary::scored).filter(|severity| *severity > Severity::Info);
        let functions = value.pointer("/affected/functions").and_then(Value::as_object);
        let functions: Vec<&str> = functions.into_iter().flatten().map(|(function, _)| function.as_str()).take(50).collect();
        let evidence = if functions.is_empty() { Vec::new() } else { vec![self.out.evidence("affected functions", &functions.join("\n"))] };
        let (cves, aliases) = package::names(std::iter::once(id).chain(json::texts(advisory, &["aliases"])));
        let links = json::text(advisory, &["url"]).into_iter().chain(json::texts(advisory, &["references"]));
        let tags = ["categories", "keywords"].into_iter().flat_map(|member| json::texts(advisory, &[member]));
        let date = json::text(advisory, &["date"]).unwrap_or_default().to_owned();
        let keys = package::keys(None, None, id, &component, &mut self.seen);
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: id.to_owned(),
            title: package::title(id, &component, json::text(advisory, &["title"])),
            description: json::text(advisory, &["description"]).unwrap_or_default().to_owned(),
            remediation: package::upgrade(name, json::texts(&value, &["versions", "patched"])),
            severity: if warning { Severity::Low } else { scored.unwrap_or(Severity::High) },
            confidence: 80,
            cvss,
            cwes: Vec::new(),
            cves,
            aliases,
            references: links.map(str::to_owned).collect(),
            tags: tags.map(str::to_owned).chain(warning.then(|| kind.to_owned())).collect(),
            location: Location { component: Some(component), file: Some("Cargo.lock".to_owned()), ..Location::default() },
            evidence,
            keys,
            ..Observation::default()
        };
        self.out.observation(observation, &[id, &date, name, version.unwrap_or_default(), kind])
    }
}
