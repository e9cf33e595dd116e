//! `npm audit --json` since npm 7, also inside `npm audit fix --dry-run --json`: vulnerable packages
//! by name, each by way of advisories or of other packages.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const SOURCE: &str = "npm-audit";
const EXPECTED: &str = "npm audit JSON of npm 7 or newer";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::NpmAudit7Plus,
    id: "npm_audit_7_plus",
    source: SOURCE,
    label: "npm audit JSON (npm 7 and newer)",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) {
        return None;
    }
    if head.has("\"auditReportVersion\"") {
        return Some(Confidence::Certain);
    }
    // The audit of a dry run comes after what it would change.
    (head.has("\"added\"") && head.has("\"removed\"") && head.has("\"changed\"")).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { out, recognised: false, listed: false, dependencies: None, seen: Occurrences::default() };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without an audit report version".to_owned() })
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    listed: bool,
    dependencies: Option<u64>,
    seen: Occurrences,
}

/// The part of a path that is inside the audit.
fn inside<'p, 'k>(path: &'p [&'k str]) -> &'p [&'k str] {
    match path {
        ["audit", rest @ ..] => rest,
        _ => path,
    }
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match inside(path) {
            ["vulnerabilities", _] | ["auditReportVersion"] | ["metadata", "dependencies", "total"] => Plan::Take,
            [] | ["vulnerabilities" | "metadata"] | ["metadata", "dependencies"] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match inside(path) {
            ["auditReportVersion"] => self.recognised = true,
            ["metadata", ..] => self.dependencies = raw.parse().ok(),
            _ => {
                self.listed = true;
                return self.map(raw, position);
            }
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if !path.is_empty() || !self.recognised {
            return Ok(());
        }
        let reason = self.dependencies.take().map(|count| format!("{count} dependencies"));
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: "npm-audit:dependencies".to_owned(),
            location: Location::default(),
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason,
        })
    }
}

impl Report<'_, '_> {
    fn map(&mut self, raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        let (Some(name), Some(word)) = (json::text(&value, &["name"]), json::text(&value, &["severity"])) else {
            return self.out.skip(position, "vulnerability without name or severity");
        };
        let via: Vec<&Value> = json::items(&value, &["via"]).collect();
        let advisories: Vec<&Value> = via.iter().copied().filter(|one| one.is_object()).collect();
        let first = advisories.first().copied().filter(|_| via.first().is_some_and(|one| one.is_object()));
        let component = package::component("npm", name, None, None);
        // A package that only depends on a vulnerable one has no advisory of its own.
        let check = match first.map(identifier) {
            Some(id) => id,
            None => "npm:depends-on-vulnerable".to_owned(),
        };
        let title = first.and_then(|one| json::text(one, &["title"])).unwrap_or(name);
        let mut cvss = None;
        let (mut cwes, mut references, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for one in &advisories {
            cvss = cvss.or_else(|| json::text(one, &["cvss", "vectorString"]).and_then(vocabulary::cvss));
            cwes.extend(json::texts(one, &["cwe"]).into_iter().flat_map(vocabulary::cwes));
            if let Some(url) = json::text(one, &["url"]) {
                references.push(url.to_owned());
                ids.push(url.rsplit('/').next().filter(|id| id.starts_with("GHSA-")).unwrap_or_default().to_owned());
            }
        }
        let (cves, aliases) = package::names(ids.iter().map(String::as_str));
        let nodes = json::texts(&value, &["nodes"]);
        let evidence = if nodes.is_empty() { Vec::new() } else { vec![self.out.evidence("paths", &nodes.join("\n"))] };
        let keys = package::keys(None, None, &check, &component, &mut self.seen);
        let observation = Observation {
            source: SOURCE.to_owned(),
            check,
            title: if first.is_some() { format!("{name}: {title}") } else { format!("{name} depends on vulnerable packages") },
            description: describe(&value, name, &via),
            remediation: remediation(&value),
            severity: vocabulary::severity(word).unwrap_or_default(),
            confidence: 80,
            cvss,
            cwes,
            cves,
            aliases,
            references,
            tags: vec![if value.get("isDirect").and_then(Value::as_bool) == Some(true) { "direct" } else { "transitive" }.to_owned()],
            location: Location { file: nodes.first().map(|node| (*node).to_owned()), component: Some(component), ..Location::default() },
            evidence,
            keys,
            ..Observation::default()
        };
        self.out.observation(observation, &[title, word])
    }
}

/// The advisory under its lasting name; the number npm gives it is the registry's.
fn identifier(advisory: &Value) -> String {
    let url = json::text(advisory, &["url"]).and_then(|url| url.rsplit('/').next()).filter(|id| id.starts_with("GHSA-"));
    let number = || advisory.get("source").map(|source| source.as_str().map_or_else(|| source.to_string(), str::to_owned));
    url.map(str::to_owned).or_else(|| number().map(|number| format!("npm:{number}"))).unwrap_or_else(|| "npm:unknown".to_owned())
}

fn describe(value: &Value, name: &str, via: &[&Value]) -> String {
    let range = json::text(value, &["range"]).map(|range| format!("{name} {range} is vulnerable."));
    let ways = via.iter().take(100).filter_map(|one| match one {
        Value::String(package) => Some(format!("Depends on vulnerable versions of {package}.")),
        one => {
            let range = json::text(one, &["range"]).map(|range| format!(" ({range})")).unwrap_or_default();
            Some(format!("{}{range}", json::text(one, &["title"])?))
        }
    });
    range.into_iter().chain(ways).collect::<Vec<_>>().join("\n")
}

fn remediation(value: &Value) -> Option<String> {
    let fix = value.get("fixAvailable")?;
    match (json::text(fix, &["name"]), json::text(fix, &["version"])) {
        (Some(name), Some(version)) => Some(format!("Update {name} to {version}.")),
        _ if fix.as_bool() == Some(true) => Some("Run npm audit fix.".to_owned()),
        _ => None,
    }
}
