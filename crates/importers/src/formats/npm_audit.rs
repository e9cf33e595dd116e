//! `npm audit --json` up to npm 6 (also yarn 1 and pnpm in that shape): advisories by id.

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
const EXPECTED: &str = "npm audit JSON of npm 6";
/// Paths of one package that are shown.
const PATHS: usize = 100;

pub(crate) static ENTRY: Entry = Entry {
    format: Format::NpmAudit,
    id: "npm_audit",
    source: SOURCE,
    label: "npm audit JSON (npm 6)",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) || head.has("\"auditReportVersion\"") {
        return None;
    }
    let any = |keys: &[&str]| keys.iter().any(|key| head.has(key));
    if head.has("\"advisories\"") && any(&["\"module_name\"", "\"actions\"", "\"muted\"", "\"totalDependencies\""]) {
        return Some(Confidence::Certain);
    }
    if head.has("\"actions\"") && head.has("\"resolves\"") && head.has("\"module\"") {
        return Some(Confidence::Likely);
    }
    // What npm says instead of a report.
    (head.has("\"error\"") && head.has("\"code\"") && head.has("\"summary\"")).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { out, recognised: false, newer: false, dependencies: None, seen: Occurrences::default() };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised {
        return Ok(());
    }
    let found = if report.newer { "a report of npm 7 or newer" } else { "JSON without advisories" };
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: found.to_owned() })
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    newer: bool,
    dependencies: Option<u64>,
    seen: Occurrences,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["advisories", _] | ["error" | "auditReportVersion"] | ["metadata", "totalDependencies"] => Plan::Take,
            ["advisories"] => {
                self.recognised = true;
                Plan::Enter
            }
            [] | ["metadata"] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path {
            ["auditReportVersion"] => self.newer = true,
            ["metadata", _] => self.dependencies = raw.parse().ok(),
            ["error"] => {
                let error: Value = serde_json::from_str(raw).unwrap_or_default();
                let (code, summary) = (json::text(&error, &["code"]), json::text(&error, &["summary"]));
                if let (Some(code), Some(summary)) = (code, summary) {
                    let what = format!("npm audit failed with {code}: {}", vocabulary::shorten(summary, 200));
                    return Err(ParseError::Malformed { position, what });
                }
            }
            _ => return self.map(raw, position),
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
        match walk::value(raw, position, self.out)? {
            Some(value) => advisory(SOURCE, &value, position, &mut self.seen, self.out),
            None => Ok(()),
        }
    }
}

/// One advisory with the packages it is about, whichever tool asked for it.
pub(crate) fn advisory(
    source: &str,
    value: &Value,
    position: Position,
    seen: &mut Occurrences,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    let id = value.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let (Some(id), Some(name)) = (id, json::text(value, &["module_name"])) else {
        return out.skip(position, "advisory without id or module name");
    };
    let findings: Vec<&Value> = json::items(value, &["findings"]).collect();
    let version = findings.iter().find_map(|finding| json::text(finding, &["version"]));
    let component = package::component("npm", name, version, None);
    let paths: Vec<String> = findings
        .iter()
        .flat_map(|finding| json::texts(finding, &["paths"]).into_iter().map(|path| (json::text(finding, &["version"]), path)))
        .take(PATHS)
        .map(|(version, path)| format!("{} {}", version.unwrap_or_default(), masked(path)).trim().to_owned())
        .collect();
    let evidence = if paths.is_empty() { Vec::new() } else { vec![out.evidence("paths", &paths.join("\n"))] };
    let advisory = json::text(value, &["github_advisory_id"]);
    let ids = json::texts(value, &["cves"]).into_iter().chain(advisory);
    let (cves, aliases) = package::names(ids);
    let url = json::text(value, &["url"]);
    let title = json::text(value, &["title"]);
    let ranges = json::text(value, &["vulnerable_versions"]).map(|range| format!("Vulnerable versions: {range}"));
    let check = format!("npm:{id}");
    let observation = Observation {
        source: source.to_owned(),
        title: package::title(advisory.or(cves.first().map(String::as_str)).unwrap_or(&check), &component, title),
        description: [json::text(value, &["overview"]), ranges.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
        remediation: json::text(value, &["recommendation"]).map(str::to_owned),
        severity: json::text(value, &["severity"]).and_then(vocabulary::severity).unwrap_or_default(),
        confidence: 80,
        cvss: json::text(value, &["cvss", "vectorString"]).and_then(vocabulary::cvss),
        cwes: json::texts(value, &["cwe"]).into_iter().flat_map(vocabulary::cwes).collect(),
        cves,
        aliases,
        references: references(url, json::text(value, &["references"])),
        tags: json::text(value, &["access"]).map(|access| format!("access:{access}")).into_iter().collect(),
        location: Location {
            logical: findings.first().and_then(|one| json::texts(one, &["paths"]).into_iter().next()).map(masked),
            component: Some(component.clone()),
            ..Location::default()
        },
        evidence,
        keys: package::keys(None, None, &check, &component, seen),
        check,
        ..Observation::default()
    };
    out.observation(observation, &[&id, name])
}

/// npm names packages from git by a hash that is another in every run.
fn masked(path: &str) -> String {
    let hashed = |part: &str| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.split('>').map(|part| if hashed(part) { "{hash}" } else { part }).collect::<Vec<_>>().join(">")
}

fn references(url: Option<&str>, text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(|c: char| c.is_whitespace() || "()[]<>".contains(c));
    let mut found: Vec<String> = url.map(str::to_owned).into_iter().collect();
    for word in words.filter(|word| word.starts_with("http")) {
        if !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}
