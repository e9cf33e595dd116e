//! OSV-Scanner JSON: per source its packages, per package its vulnerabilities in the OSV schema.
//! Vulnerabilities are read one at a time: a kernel package has thousands.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Asset, Component, Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "osv-scanner";
const EXPECTED: &str = "OSV-Scanner JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::OsvScanner,
    id: "osv_scanner",
    source: SOURCE,
    label: "OSV-Scanner JSON",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) {
        return None;
    }
    let all = |keys: &[&str]| keys.iter().all(|key| head.has(key));
    if all(&["\"results\"", "\"packages\"", "\"ecosystem\""]) {
        return Some(Confidence::Certain);
    }
    if all(&["\"results\"", "\"experimental_config\""]) || all(&["\"results\"", "\"source\"", "\"packages\""]) {
        return Some(Confidence::Likely);
    }
    // A report without findings has nothing else in it.
    (head.is("{\"results\":[]}") || head.is("{\"results\":null}")).then_some(Confidence::Possible)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report {
        out,
        recognised: false,
        foreign: false,
        known: false,
        origin: None,
        package: None,
        placed: false,
        early: Spool::default(),
        held: Spool::default(),
        seen: Occurrences::default(),
    };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised && (report.known || !report.foreign) {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without packages under results".to_owned() })
}

/// The file or image packages were read from.
#[derive(Default)]
struct Origin {
    path: Option<String>,
    kind: Option<String>,
}

impl Origin {
    fn is_image(&self) -> bool {
        self.kind.as_deref() == Some("docker")
    }

    /// The image without its tag, or the file.
    fn searched(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        Some(if self.is_image() { package::repository(path) } else { path }.to_owned())
    }
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Whether something another tool writes was met.
    foreign: bool,
    /// Whether a result named packages or where they were read from, and nothing of another tool.
    known: bool,
    origin: Option<Origin>,
    package: Option<(Component, String)>,
    /// Whether the package of the entry being read was named.
    placed: bool,
    /// Vulnerabilities before the package they are in.
    early: Spool,
    /// Packages and their vulnerabilities before the source they are from.
    held: Spool,
    seen: Occurrences,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            // The first releases wrote the longer and the capital names.
            ["results", ANY, "source" | "packageSource"] => {
                self.known = true;
                Plan::Take
            }
            ["results", ANY, "packages", ANY, "package" | "Package" | "vulnerabilities"] => {
                if path[4] == "vulnerabilities" {
                    Plan::Each
                } else {
                    Plan::Take
                }
            }
            ["results"] => {
                self.recognised = true;
                Plan::Enter
            }
            ["results", ANY, "packages"] => {
                self.known = true;
                Plan::Enter
            }
            [] | ["results", ANY] | ["results", ANY, "packages", ANY] => Plan::Enter,
            // Other tools call what they found results as well.
            ["results", ANY, _] | ["errors" | "paths" | "generated_at" | "metrics"] => {
                self.foreign = true;
                Plan::Pass
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path.last() {
            Some(&("source" | "packageSource")) => {
                let source: Value = serde_json::from_str(raw).unwrap_or_default();
                let text = |name: &str| json::text(&source, &[name]).map(str::to_owned);
                self.origin = Some(Origin { path: text("path"), kind: text("type") });
                Ok(())
            }
            Some(&("package" | "Package")) => {
                self.placed = true;
                if self.origin.is_some() { self.enter(raw) } else { self.held.push(position, &format!("P{raw}")) }
            }
            _ if !self.placed => self.early.push(position, raw),
            _ if self.origin.is_some() => self.map(raw, position),
            _ => self.held.push(position, &format!("V{raw}")),
        }
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        match path {
            ["results", ANY, "packages", ANY] => {
                let mut early = std::mem::take(&mut self.early);
                let end = self.out.position();
                early.drain(end, |raw, position| {
                    let raw = std::str::from_utf8(raw).unwrap_or_default();
                    if self.origin.is_some() { self.map(raw, position) } else { self.held.push(position, &format!("V{raw}")) }
                })?;
                self.placed = false;
                self.package = None;
                Ok(())
            }
            ["results", ANY] => self.finish(),
            _ => Ok(()),
        }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.map_held()
    }
}

impl Report<'_, '_> {
    fn enter(&mut self, raw: &str) -> Result<(), ParseError> {
        let value: Value = serde_json::from_str(raw).unwrap_or_default();
        let ecosystem = json::text(&value, &["ecosystem"]).unwrap_or_default();
        let name = json::text(&value, &["name"]).unwrap_or("unknown");
        let component = package::component(ecosystem, name, json::text(&value, &["version"]), json::text(&value, &["purl"]));
        self.package = Some((component, ecosystem.to_owned()));
        Ok(())
    }

    fn map_held(&mut self) -> Result<(), ParseError> {
        let mut held = std::mem::take(&mut self.held);
        let end = self.out.position();
        held.drain(end, |raw, position| {
            let raw = std::str::from_utf8(raw).unwrap_or_default();
            match raw.split_at_checked(1) {
                Some(("P", raw)) => self.enter(raw),
                Some((_, raw)) => self.map(raw, position),
                None => Ok(()),
            }
        })
    }

    fn finish(&mut self) -> Result<(), ParseError> {
        self.map_held()?;
        self.package = None;
        let Some(origin) = self.origin.take() else {
            return Ok(());
        };
        let (image, artifact) = (origin.is_image(), origin.searched());
        let Origin { path: Some(path), kind } = origin else {
            return Ok(());
        };
        let identifier = if image { "image" } else { "path" };
        let asset = if image { "image" } else { "repository" };
        self.out.asset(Asset { kind: asset.to_owned(), identifiers: vec![(identifier.to_owned(), path.clone())], services: Vec::new() })?;
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: "osv:packages".to_owned(),
            location: Location { file: Some(path), artifact, ..Location::default() },
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason: kind,
        })
    }

    fn map(&mut self, raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        let Some((component, ecosystem)) = self.package.clone() else {
            return self.out.skip(position, "vulnerability without a package");
        };
        let Some(id) = json::text(&value, &["id"]) else {
            return self.out.skip(position, "vulnerability without an id");
        };
        let origin = self.origin.as_ref();
        let path = origin.and_then(|origin| origin.path.as_deref());
        let image = origin.is_some_and(Origin::is_image);
        let asset = path.filter(|_| image).map(package::repository);
        // The folder a file was checked out to differs from machine to machine; its own name does not.
        let manifest = path.filter(|_| !image).map(|path| package::path(path).rsplit('/').next().unwrap_or_default().to_owned());
        let keys = package::keys(asset, manifest.as_deref(), id, &component, &mut self.seen);
        let affected: Vec<&Value> = json::items(&value, &["affected"]).filter(|one| concerns(one, &component)).collect();
        let specific = affected.iter().map(|one| at(one, "database_specific")).chain([at(&value, "database_specific")]);
        let cwes = specific.flat_map(cwes).collect();
        let cvss = vector(&value);
        let rated = json::text(&value, &["database_specific", "severity"]).and_then(vocabulary::severity);
        let ids = std::iter::once(id).chain(json::texts(&value, &["aliases"])).chain(json::texts(&value, &["upstream"]));
        let (cves, aliases) = package::names(ids);
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: id.to_owned(),
            title: package::title(id, &component, json::text(&value, &["summary"])),
            description: json::text(&value, &["details"]).or(json::text(&value, &["summary"])).unwrap_or_default().to_owned(),
            remediation: package::upgrade(&component.name, fixes(&affected)),
            // Without a rating of the database the scanner leaves it open, which is read as little.
            severity: rated.unwrap_or(Severity::Low),
            confidence: 80,
            cvss,
            cwes,
            cves,
            aliases,
            references: json::items(&value, &["references"]).filter_map(|one| json::text(one, &["url"])).map(str::to_owned).collect(),
            tags: Some(ecosystem).filter(|ecosystem| !ecosystem.is_empty()).into_iter().collect(),
            location: Location {
                file: path.map(str::to_owned),
                component: Some(component),
                artifact: origin.and_then(Origin::searched),
                ..Location::default()
            },
            keys,
            ..Observation::default()
        };
        self.out.distinct(observation)
    }
}

fn at<'v>(value: &'v Value, member: &str) -> &'v Value {
    value.get(member).unwrap_or(&Value::Null)
}

/// Whether an entry is about the package; one without a name is about all.
fn concerns(affected: &Value, component: &Component) -> bool {
    json::text(affected, &["package", "name"]).is_none_or(|name| name.eq_ignore_ascii_case(&component.name))
}

fn cwes(specific: &Value) -> Vec<u32> {
    let objects = json::items(specific, &["cwes"]).filter_map(|cwe| json::text(cwe, &["cweId"]));
    let texts = json::texts(specific, &["cwe_ids"]).into_iter().chain(json::texts(specific, &["cwes"]));
    objects.chain(texts).flat_map(vocabulary::cwes).collect()
}

/// The vector of the newest version of CVSS before 4, else of 4.
fn vector(value: &Value) -> Option<String> {
    let of = |kind: &str| {
        let mut scores = json::items(value, &["severity"]).filter(|one| json::text(one, &["type"]) == Some(kind));
        scores.find_map(|one| vocabulary::cvss(json::text(one, &["score"])?))
    };
    ["CVSS_V3", "CVSS_V4", "CVSS_V2"].into_iter().find_map(of)
}

/// First versions without the flaw; commits only where there is nothing else.
fn fixes<'v>(affected: &[&'v Value]) -> Vec<&'v str> {
    let of = |git: bool| {
        let ranges = affected.iter().flat_map(|one| json::items(one, &["ranges"]));
        let ranges = ranges.filter(|range| (json::text(range, &["type"]) == Some("GIT")) == git);
        ranges.flat_map(|range| json::items(range, &["events"])).filter_map(|event| json::text(event, &["fixed"])).collect::<Vec<_>>()
    };
    Some(of(false)).filter(|versions| !versions.is_empty()).unwrap_or_else(|| of(true))
}
