//! `snyk test --json` and `snyk container test --json`: one project or an array of them. What a project is
//! called comes after its vulnerabilities, which are held back until then.

mod infrastructure;

use std::io::Read;

use serde_json::Value;

use crate::code::Places;
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, IdentityKey, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "snyk";
const EXPECTED: &str = "Snyk JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Snyk,
    id: "snyk",
    source: SOURCE,
    label: "Snyk test and iac JSON",
    schemes: &["dependency.place", "dependency", "code", "code.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let any = |keys: &[&str]| keys.iter().any(|key| head.has(key));
    if !head.opens(&['{', '[']) || any(&["\"runs\"", "\"bomFormat\"", "\"jsonapi\""]) {
        return None;
    }
    if head.has("\"infrastructureAsCodeIssues\"") {
        return Some(Confidence::Certain);
    }
    if head.has("\"vulnerabilities\"") {
        let own = any(&["\"SNYK-", "\"snyk:lic:", "\"dependencyCount\"", "\"licensesPolicy\"", "\"isUpgradable\""]);
        let advisory = head.has("\"semver\"") && head.has("\"from\"");
        return (own || advisory).then_some(Confidence::Certain);
    }
    // A project that could not be tested.
    (head.has("\"ok\"") && head.has("\"error\"") && head.has("\"path\"")).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report {
        out,
        recognised: false,
        project: Project::default(),
        held: Spool::default(),
        seen: Occurrences::default(),
        places: Places::default(),
    };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without projects that Snyk tested".to_owned() })
}

/// The member of `snyk iac test --json` that lists what is wrong.
const INFRASTRUCTURE: &str = "infrastructureAsCodeIssues";

#[derive(Default)]
struct Project {
    name: Option<String>,
    file: Option<String>,
    path: Option<String>,
    manager: Option<String>,
    error: Option<String>,
    /// What is less grave is not in the report.
    threshold: Option<String>,
    dependencies: Option<String>,
    tested: bool,
    /// The list is one of configuration, not of dependencies.
    infrastructure: bool,
    decided: bool,
    /// Vulnerabilities of the applications inside an image.
    inner: u64,
    /// Applications inside an image are listed, which not every test of it looks at.
    has_applications: bool,
}

impl Project {
    /// The project as it enters keys: an image without its tag. A project of Maven has a colon in its name that is no tag.
    fn asset(&self) -> Option<&str> {
        self.name.as_deref().map(|name| if name.starts_with("docker-image|") { package::repository(name) } else { name })
    }

    /// The project, and the file of it that was read.
    fn searched(&self) -> Option<String> {
        let project = self.asset().filter(|_| !self.infrastructure && !self.has_applications)?;
        Some([Some(project), self.file.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("|"))
    }
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    project: Project,
    held: Spool,
    seen: Occurrences,
    places: Places,
}

/// The part of a path that is inside a project.
fn inside<'p, 'k>(path: &'p [&'k str]) -> &'p [&'k str] {
    match path {
        [ANY, rest @ ..] => rest,
        _ => path,
    }
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match inside(path) {
            ["vulnerabilities" | INFRASTRUCTURE, ANY] | ["applications", ANY, "vulnerabilities", ANY] => Plan::Take,
            [
                "projectName" | "displayTargetFile" | "targetFile" | "path" | "packageManager" | "error" | "severityThreshold"
                | "dependencyCount" | "ok",
            ] => Plan::Take,
            ["vulnerabilities"] => {
                self.project.tested = true;
                Plan::Enter
            }
            [INFRASTRUCTURE] => {
                self.project.tested = true;
                self.project.infrastructure = true;
                Plan::Enter
            }
            [] | ["applications"] | ["applications", ANY] | ["applications", ANY, "vulnerabilities"] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        let project = &mut self.project;
        match inside(path) {
            ["projectName"] => project.name = walk::text(raw),
            ["displayTargetFile"] => project.file = walk::text(raw).or(project.file.take()),
            ["targetFile"] => project.file = project.file.take().or(walk::text(raw)),
            ["path"] => project.path = walk::text(raw),
            ["packageManager"] => project.manager = walk::text(raw),
            ["error"] => project.error = walk::text(raw),
            ["severityThreshold"] => project.threshold = walk::text(raw).filter(|least| least != "low"),
            ["dependencyCount"] => project.dependencies = Some(raw.to_owned()),
            ["ok"] => project.decided = matches!(raw, "true" | "false"),
            ["applications", ..] if !self.out.judges() => project.inner += 1,
            ["applications", ..] => {
                project.has_applications = true;
                return self.held.push(position, raw);
            }
            _ => return self.held.push(position, raw),
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        match path {
            [] | [ANY] => self.finish(),
            _ => Ok(()),
        }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.map_held()
    }
}

impl Report<'_, '_> {
    fn map_held(&mut self) -> Result<(), ParseError> {
        let mut held = std::mem::take(&mut self.held);
        let end = self.out.position();
        held.drain(end, |raw, position| {
            let raw = std::str::from_utf8(raw).unwrap_or_default();
            match walk::value(raw, position, self.out)? {
                Some(value) => self.map(&value, position),
                None => Ok(()),
            }
        })
    }

    fn finish(&mut self) -> Result<(), ParseError> {
        self.map_held()?;
        let project = std::mem::take(&mut self.project);
        let known = project.tested && (project.decided || project.dependencies.is_some() || project.manager.is_some());
        self.recognised |= known || (project.decided && project.error.is_some());
        if !self.recognised || !(project.tested || project.error.is_some()) {
            return Ok(());
        }
        if project.inner > 0 {
            let position = self.out.position();
            self.out.warn(
                position,
                format!("{} vulnerabilities of applications inside the image are not counted by the report", project.inner),
            )?;
        }
        let artifact = project.searched();
        let name = project.name.or_else(|| project.path.clone());
        if let Some(name) = &name {
            let (kind, identifier) = match name.strip_prefix("docker-image|") {
                Some(image) => ("image", image),
                None => ("project", name.as_str()),
            };
            let identifiers = vec![(if kind == "image" { "image" } else { "name" }.to_owned(), identifier.to_owned())];
            self.out.asset(Asset { kind: kind.to_owned(), identifiers, services: Vec::new() })?;
        }
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: if project.infrastructure { "snyk:infrastructure" } else { "snyk:dependencies" }.to_owned(),
            location: Location { file: project.file.or(project.path), logical: name, artifact, ..Location::default() },
            extent: Extent::Whole,
            status: match (&project.error, &project.threshold) {
                (Some(_), _) => CoverageStatus::Error,
                (None, Some(_)) => CoverageStatus::Skipped,
                (None, None) => CoverageStatus::Done,
            },
            reason: project
                .error
                .or_else(|| project.threshold.map(|least| format!("filtered: {} and graver", vocabulary::shorten(&least, 40))))
                .or_else(|| project.dependencies.map(|count| format!("{count} dependencies"))),
        })
    }

    fn map(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        if self.project.infrastructure {
            self.recognised |= value.get("id").is_some() && value.get("severity").is_some();
            let file = self.project.file.as_deref().or(self.project.path.as_deref());
            return infrastructure::map(value, position, file, self.project.name.as_deref(), &mut self.places, self.out);
        }
        let name = json::text(value, &["packageName"]).or(json::text(value, &["moduleName"])).or(json::text(value, &["name"]));
        let (Some(id), Some(name)) = (json::text(value, &["id"]), name) else {
            return self.out.skip(position, "vulnerability without id or package");
        };
        if value.get("from").is_none() && value.get("semver").is_none() {
            return self.out.skip(position, "not a vulnerability of Snyk");
        }
        self.recognised = true;
        let manager = json::text(value, &["packageManager"]).or(self.project.manager.as_deref()).unwrap_or_default().to_owned();
        let component = package::component(&manager, name, json::text(value, &["version"]), None);
        let way = json::texts(value, &["from"]);
        let keys = self.keys(id, &component, &way);
        let evidence = if way.is_empty() { Vec::new() } else { vec![self.out.evidence("introduced through", &way.join(" > "))] };
        let listed = |member: &str| json::texts(value, &["identifiers", member]);
        let ids = std::iter::once(id).chain(["CVE", "GHSA", "ALTERNATIVE", "RHSA"].into_iter().flat_map(listed));
        let (cves, aliases) = package::names(ids);
        let links = json::items(value, &["references"]).filter_map(|one| json::text(one, &["url"])).map(str::to_owned);
        let vectors = [json::text(value, &["CVSSv3"]), json::text(value, &["cvssV3Vector"]), json::text(value, &["CVSSv4"])];
        let title = json::text(value, &["title"]);
        let upgrade = json::texts(value, &["upgradePath"]).into_iter().next_back().map(|to| format!("Upgrade to {to}."));
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: id.to_owned(),
            title: package::title(id, &component, title),
            description: json::text(value, &["description"]).unwrap_or_default().to_owned(),
            remediation: upgrade.or_else(|| package::upgrade(name, json::texts(value, &["fixedIn"]))),
            severity: severity(value),
            confidence: 80,
            cvss: vectors.into_iter().flatten().find_map(vocabulary::cvss),
            cwes: listed("CWE").into_iter().flat_map(vocabulary::cwes).collect(),
            cves,
            aliases,
            references: std::iter::once(format!("https://security.snyk.io/vuln/{id}"))
                .filter(|_| id.starts_with("SNYK-"))
                .chain(links)
                .collect(),
            tags: tags(value, &manager),
            location: Location {
                file: self.project.file.clone(),
                logical: self.project.name.clone(),
                component: Some(component),
                artifact: self.project.searched(),
                ..Location::default()
            },
            evidence,
            keys,
            ..Observation::default()
        };
        self.out.distinct(observation)
    }

    /// The way a package came in, without versions, tells apart what one project has several times.
    fn keys(&mut self, id: &str, component: &crate::model::Component, way: &[&str]) -> Vec<IdentityKey> {
        let names: Vec<&str> =
            way.iter().map(|step| step.rsplit_once('@').filter(|(name, _)| !name.is_empty()).map_or(*step, |(name, _)| name)).collect();
        let file = self.project.file.as_deref().map(package::path).unwrap_or_default();
        let manifest = format!("{file}|{}", names.join(">"));
        package::keys(self.project.asset(), Some(&manifest), id, component, &mut self.seen)
    }
}

/// By score where there is one; the word may have been changed by a policy.
fn severity(value: &Value) -> Severity {
    match value.get("cvssScore").and_then(Value::as_f64) {
        Some(score) if score < 4.0 => Severity::Low,
        Some(score) => Severity::from_score(score),
        None => json::text(value, &["severity"]).and_then(vocabulary::severity).unwrap_or(Severity::Medium),
    }
}

fn tags(value: &Value, manager: &str) -> Vec<String> {
    let mut tags: Vec<String> = [manager, json::text(value, &["language"]).unwrap_or_default()].map(str::to_owned).to_vec();
    tags.extend(json::text(value, &["type"]).map(str::to_owned));
    tags.extend(json::text(value, &["exploit"]).map(|exploit| format!("exploit:{}", exploit.to_ascii_lowercase().replace(' ', "-"))));
    tags.retain(|tag| !tag.is_empty());
    vocabulary::unique(tags)
}
