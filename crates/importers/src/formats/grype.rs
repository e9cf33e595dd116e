//! Grype JSON of every schema: matches, held back until the image or folder after them is known.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, Location, Observation};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "grype";
const EXPECTED: &str = "Grype JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::AnchoreGrype,
    id: "anchore_grype",
    source: SOURCE,
    label: "Grype JSON",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) {
        return None;
    }
    let matches = head.has("\"matches\"");
    let tool = head.has("\"grype\"") && head.has("\"descriptor\"");
    (matches && (tool || head.has("\"matchDetails\"") || head.has("\"relatedVulnerabilities\""))).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report {
        out,
        recognised: false,
        origin: Value::Null,
        distribution: None,
        seen_at: None,
        filter: None,
        held: Spool::default(),
        seen: Occurrences::default(),
    };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without matches".to_owned() })
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// The `source` member.
    origin: Value,
    distribution: Option<String>,
    seen_at: Option<String>,
    /// What kept matches out of the report.
    filter: Option<&'static str>,
    held: Spool,
    seen: Occurrences,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["matches", ANY] | ["source" | "distro"] | ["descriptor", "name" | "timestamp" | "configuration"] => Plan::Take,
            [] | ["matches" | "descriptor"] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path {
            ["matches", ..] => return self.held.push(position, raw),
            ["source"] => self.origin = serde_json::from_str(raw).unwrap_or_default(),
            ["distro"] => {
                let distro: Value = serde_json::from_str(raw).unwrap_or_default();
                let parts = [json::text(&distro, &["name"]), json::text(&distro, &["version"])];
                self.distribution = Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty());
            }
            ["descriptor", "configuration"] => {
                let configuration: Value = serde_json::from_str(raw).unwrap_or_default();
                let is_on = |option: &&str| configuration.get(option).and_then(Value::as_bool) == Some(true);
                self.filter = ["only-fixed", "only-notfixed"].into_iter().find(is_on);
            }
            ["descriptor", "name"] => self.recognised |= walk::text(raw).as_deref() == Some("grype"),
            ["descriptor", ..] => self.seen_at = walk::text(raw).and_then(|text| vocabulary::instant(&text)),
            _ => {}
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if path.is_empty() {
            return self.finish();
        }
        Ok(())
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.map_held()
    }
}

impl Report<'_, '_> {
    /// The image as it was asked for, when it is one.
    fn image(&self) -> Option<String> {
        let kind = json::text(&self.origin, &["type"])?;
        let target = self.origin.get("target")?;
        (kind == "image").then(|| json::text(target, &["userInput"]).map(str::to_owned))?
    }

    /// The image without its tag, or the folder, when it has a name.
    fn searched(&self) -> Option<String> {
        let image = self.image().map(|image| package::repository(&image).to_owned());
        let folder = || json::text(&self.origin, &["target"]).filter(|path| !path.trim_matches(['.', '/']).is_empty());
        image.or_else(|| folder().map(str::to_owned))
    }

    fn map_held(&mut self) -> Result<(), ParseError> {
        let mut held = std::mem::take(&mut self.held);
        let asset = self.image().map(|image| package::repository(&image).to_owned());
        let end = self.out.position();
        held.drain(end, |raw, position| {
            let raw = std::str::from_utf8(raw).unwrap_or_default();
            match walk::value(raw, position, self.out)? {
                Some(value) => self.map(&value, position, asset.as_deref()),
                None => Ok(()),
            }
        })
    }

    fn finish(&mut self) -> Result<(), ParseError> {
        self.map_held()?;
        if !self.recognised {
            return Ok(());
        }
        let image = self.image();
        let path = json::text(&self.origin, &["target"]).or(json::text(&self.origin, &["target", "userInput"])).map(str::to_owned);
        let Some(name) = image.clone().or(path) else {
            return Ok(());
        };
        let (kind, identifier) = if image.is_some() { ("image", "image") } else { ("repository", "path") };
        let mut identifiers = vec![(identifier.to_owned(), name.clone())];
        let digests = [json::text(&self.origin, &["target", "imageID"]), json::text(&self.origin, &["target", "manifestDigest"])];
        identifiers.extend(digests.into_iter().flatten().map(|digest| ("digest".to_owned(), digest.to_owned())));
        self.out.asset(Asset { kind: kind.to_owned(), identifiers, services: Vec::new() })?;
        let (distribution, filter) = (self.distribution.take(), self.filter.take());
        let artifact = self.searched();
        self.origin = Value::Null;
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: "grype:packages".to_owned(),
            location: Location { file: Some(name), artifact, ..Location::default() },
            extent: Extent::Whole,
            status: if filter.is_some() { CoverageStatus::Skipped } else { CoverageStatus::Done },
            reason: filter.map(|option| format!("filtered: {option}")).or(distribution),
        })
    }

    fn map(&mut self, value: &Value, position: Position, asset: Option<&str>) -> Result<(), ParseError> {
        let vulnerability = value.get("vulnerability").unwrap_or(&Value::Null);
        let artifact = value.get("artifact").unwrap_or(&Value::Null);
        let (Some(id), Some(name)) = (json::text(vulnerability, &["id"]), json::text(artifact, &["name"])) else {
            return self.out.skip(position, "match without vulnerability or package");
        };
        self.recognised = true;
        let version = json::text(artifact, &["version"]);
        let kind = json::text(artifact, &["type"]).unwrap_or_default();
        let component = package::component(kind, name, version, json::text(artifact, &["purl"]));
        // The first known text wins: the distribution's own, then what the databases say.
        let related: Vec<&Value> = json::items(value, &["relatedVulnerabilities"]).collect();
        let every: Vec<&Value> = std::iter::once(vulnerability).chain(related.iter().copied()).collect();
        let description = every.iter().find_map(|one| json::text(one, &["description"])).unwrap_or_default();
        let mut references: Vec<String> = Vec::new();
        for one in &every {
            let links = json::texts(one, &["urls"]).into_iter().chain(json::texts(one, &["links"]));
            for link in json::text(one, &["dataSource"]).into_iter().chain(links) {
                if !references.iter().any(|known| known == link) {
                    references.push(link.to_owned());
                }
            }
        }
        let paths: Vec<&str> = json::items(artifact, &["locations"])
            .filter_map(|place| json::text(place, &["path"]).or(json::text(place, &["RealPath"])).or(place.as_str()))
            .collect();
        // The database of a package manager holds all of its packages and says nothing of the place.
        let manifest = paths.first().filter(|_| !["deb", "rpm", "apk", "alpm"].contains(&kind)).map(|path| package::path(path));
        let keys = package::keys(asset, manifest.as_deref(), id, &component, &mut self.seen);
        let mut evidence = Vec::new();
        if !paths.is_empty() {
            evidence.push(self.out.evidence("found at", &paths.join("\n")));
        }
        let details: Vec<String> = json::items(value, &["matchDetails"]).map(detail).collect();
        if !details.is_empty() {
            evidence.push(self.out.evidence("matched by", &details.join("\n")));
        }
        let fixed = json::texts(vulnerability, &["fix", "versions"]);
        let fixed = if fixed.is_empty() { json::texts(vulnerability, &["fixedInVersion"]) } else { fixed };
        let (cves, aliases) = package::names(every.iter().filter_map(|one| json::text(one, &["id"])));
        let mut tags = vec![kind.to_owned()];
        tags.extend(json::text(vulnerability, &["namespace"]).map(|namespace| format!("namespace:{namespace}")));
        tags.extend(json::text(vulnerability, &["fix", "state"]).map(|state| format!("fix:{state}")));
        let issue = [id, name, version.unwrap_or_default()];
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: id.to_owned(),
            title: package::title(id, &component, None),
            description: description.to_owned(),
            remediation: package::upgrade(name, fixed),
            severity: json::text(vulnerability, &["severity"]).and_then(vocabulary::severity).unwrap_or_default(),
            confidence: confidence(value),
            cvss: cvss(&every),
            cwes: json::items(vulnerability, &["cwes"]).filter_map(|cwe| json::text(cwe, &["cwe"])).flat_map(vocabulary::cwes).collect(),
            cves,
            aliases,
            references,
            tags: tags.into_iter().filter(|tag| !tag.is_empty()).collect(),
            location: Location {
                component: Some(component.clone()),
                file: paths.first().map(|path| (*path).to_owned()),
                artifact: self.searched(),
                ..Location::default()
            },
            evidence,
            keys,
            observed_at: self.seen_at.clone(),
            gone: None,
        };
        self.out.observation(observation, &issue)
    }
}

/// The newest kind of vector there is, the distribution's own before others'.
fn cvss(every: &[&Value]) -> Option<String> {
    let vectors: Vec<&str> =
        every.iter().flat_map(|one| json::items(one, &["cvss"])).filter_map(|score| json::text(score, &["vector"])).collect();
    // The first versions had a member for each version of the system.
    let early = ["cvssV3", "cvssV2"].into_iter().flat_map(|name| every.iter().filter_map(move |one| json::text(one, &[name, "vector"])));
    let vectors: Vec<&str> = vectors.into_iter().chain(early).collect();
    let of = |wanted: fn(&str) -> bool| vectors.iter().copied().filter(|vector| wanted(vector)).find_map(vocabulary::cvss);
    of(|vector| vector.starts_with("CVSS:3")).or_else(|| of(|vector| vector.starts_with("CVSS:4"))).or_else(|| of(|_| true))
}

/// A name that only resembles a product's is a weaker match than the distribution's own.
fn confidence(value: &Value) -> u8 {
    let exact = json::items(value, &["matchDetails"]).any(|one| json::text(one, &["type"]).is_some_and(|kind| kind.starts_with("exact")));
    let guessed = json::items(value, &["matchDetails"]).any(|one| json::text(one, &["type"]) == Some("cpe-match"));
    match (exact, guessed) {
        (true, _) => 90,
        (false, true) => 60,
        (false, false) => 75,
    }
}

fn detail(value: &Value) -> String {
    let matcher = json::text(value, &["matcher"]).unwrap_or("matcher");
    let kind = json::text(value, &["type"]).map(|kind| format!(" ({kind})")).unwrap_or_default();
    let range = json::text(value, &["found", "versionConstraint"]).map(|range| format!(": {range}")).unwrap_or_default();
    format!("{matcher}{kind}{range}")
}
