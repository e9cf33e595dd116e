//! Trivy JSON: schema 2, the bare array of results before it, and the reports of whole clusters.
//! Records are held back only where they come before the target or the artifact they are about.

mod records;

use std::io::Read;

use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, Location};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spool::Spool;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "trivy";
const EXPECTED: &str = "Trivy JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Trivy,
    id: "trivy",
    source: SOURCE,
    label: "Trivy JSON",
    schemes: &["dependency.place", "dependency", "code", "code.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let any = |keys: &[&str]| keys.iter().any(|key| head.has(key));
    if head.opens(&['{']) {
        let report = head.has("\"ArtifactName\"") && any(&["\"SchemaVersion\"", "\"Results\"", "\"ArtifactType\""]);
        let cluster =
            head.has("\"ClusterName\"") && any(&["\"Resources\"", "\"Vulnerabilities\"", "\"Misconfigurations\"", "\"Findings\""]);
        let bare = head.has("\"SchemaVersion\"") && head.has("\"Results\"");
        return (report || cluster || bare).then_some(Confidence::Certain);
    }
    if head.opens(&['[']) && head.has("\"Target\"") && any(&["\"Vulnerabilities\"", "\"Type\"", "\"Misconfigurations\""]) {
        return Some(if head.has("\"VulnerabilityID\"") { Confidence::Certain } else { Confidence::Likely });
    }
    // What early versions wrote when there was nothing to say.
    head.is("null").then_some(Confidence::Possible)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report {
        out,
        recognised: false,
        touched: false,
        bare: false,
        scan: Scan::default(),
        result: Target::default(),
        held: Spool::default(),
        waiting: Spool::default(),
    };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    if report.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without artifact, cluster or target".to_owned() })
}

/// What the whole report is about.
#[derive(Default)]
struct Scan {
    artifact: Option<String>,
    artifact_type: Option<String>,
    cluster: Option<String>,
    created: Option<String>,
    identifiers: Vec<(String, String)>,
    /// Namespace, kind and name of the cluster's resource that is being read.
    resource: [Option<String>; 3],
    seen: Occurrences,
}

impl Scan {
    fn is_image(&self) -> bool {
        self.artifact_type.as_deref() == Some("container_image")
    }

    /// The asset as it enters keys: a folder that was scanned has no name that lasts.
    fn asset(&self) -> Option<&str> {
        match &self.artifact {
            Some(artifact) if self.is_image() => Some(package::repository(artifact)),
            Some(artifact) if self.artifact_type.as_deref() == Some("repository") => Some(artifact),
            _ => self.cluster.as_deref().filter(|cluster| !cluster.is_empty()),
        }
    }

    /// What a result lists the packages of; nothing where its name may be that of another folder.
    fn searched(&self, target: &Target) -> Option<String> {
        if !matches!(target.class.as_deref(), None | Some("os-pkgs" | "lang-pkgs")) {
            return None;
        }
        let resource = self.resource();
        let folder = || self.artifact.as_deref().filter(|name| !name.trim_matches(['.', '/']).is_empty());
        let asset = self.asset().or_else(folder).or(resource.as_deref())?;
        let inside = if target.is_system() { "os-pkgs" } else { target.name.as_deref()? };
        let parts = [Some(asset), resource.as_deref().filter(|resource| *resource != asset), Some(inside)];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join("|"))
    }

    fn resource(&self) -> Option<String> {
        let parts: Vec<&str> = self.resource.iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }
}

/// One of its results.
#[derive(Default)]
struct Target {
    name: Option<String>,
    class: Option<String>,
    kind: Option<String>,
    summary: Option<String>,
}

impl Target {
    fn is_system(&self) -> bool {
        let named = self.class.is_none() && self.name.as_deref().is_some_and(|name| name.ends_with(')') && name.contains(" ("));
        self.class.as_deref() == Some("os-pkgs") || named
    }
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Whether anything at all is in the document.
    touched: bool,
    scan: Scan,
    result: Target,
    /// Whether the document is nothing but results.
    bare: bool,
    /// Records of the result that is being read.
    held: Spool,
    /// Results of an artifact that is not named yet.
    waiting: Spool,
}

/// The part of a path that is inside a result.
fn inside<'p, 'k>(path: &'p [&'k str]) -> Option<&'p [&'k str]> {
    match path {
        [ANY, rest @ ..] | ["Results", ANY, rest @ ..] => Some(rest),
        ["Resources" | "Vulnerabilities" | "Misconfigurations" | "Findings", ANY, "Results", ANY, rest @ ..] => Some(rest),
        _ => None,
    }
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        self.touched |= !path.is_empty();
        self.bare |= path == [ANY];
        if let Some(rest) = inside(path) {
            return match rest {
                ["Target" | "Class" | "Type" | "MisconfSummary"]
                | ["Vulnerabilities" | "Misconfigurations" | "Secrets" | "Licenses", ANY] => Plan::Take,
                [] | ["Vulnerabilities" | "Misconfigurations" | "Secrets" | "Licenses"] => Plan::Enter,
                _ => Plan::Pass,
            };
        }
        match path {
            ["ArtifactName" | "ArtifactType" | "ClusterName" | "CreatedAt" | "SchemaVersion" | "Metadata"]
            | [_, ANY, "Namespace" | "Kind" | "Name"] => Plan::Take,
            [] | ["Results" | "Resources" | "Vulnerabilities" | "Misconfigurations" | "Findings"] | [_, ANY] | [_, ANY, "Results"] => {
                Plan::Enter
            }
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match inside(path) {
            Some(["Target"]) => {
                self.recognised = true;
                self.result.name = walk::text(raw);
            }
            Some(["Class"]) => self.result.class = walk::text(raw),
            Some(["Type"]) => self.result.kind = walk::text(raw),
            Some(["MisconfSummary"]) => {
                let counts: serde_json::Value = serde_json::from_str(raw).unwrap_or_default();
                let count = |name: &str| counts.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
                self.result.summary = Some(format!("{} passed, {} failed", count("Successes"), count("Failures")));
            }
            Some([list, ..]) if self.result.name.is_some() && self.is_placed() => return self.map(list.as_bytes()[0], raw, position),
            Some([list, ..]) => return self.held.push(position, &format!("{}{raw}", &list[..1])),
            _ => self.note(path, raw),
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        match (path, inside(path)) {
            (_, Some([])) => self.finish(),
            ([_, ANY], _) => {
                self.scan.resource = Default::default();
                Ok(())
            }
            ([], _) => {
                self.catch_up()?;
                self.introduce()
            }
            _ => Ok(()),
        }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.finish()?;
        self.catch_up()
    }
}

impl Report<'_, '_> {
    fn note(&mut self, path: &[&str], raw: &str) {
        let scan = &mut self.scan;
        match path {
            ["ArtifactName"] => scan.artifact = walk::text(raw),
            ["ArtifactType"] => scan.artifact_type = walk::text(raw),
            ["ClusterName"] => scan.cluster = Some(walk::text(raw).unwrap_or_default()),
            ["CreatedAt"] => scan.created = walk::text(raw).and_then(|text| crate::vocabulary::instant(&text)),
            ["Metadata"] => {
                let metadata: serde_json::Value = serde_json::from_str(raw).unwrap_or_default();
                scan.identifiers.extend(json::text(&metadata, &["ImageID"]).map(|id| ("digest".to_owned(), id.to_owned())));
                let digests = json::texts(&metadata, &["RepoDigests"]).into_iter().take(20);
                scan.identifiers.extend(digests.map(|digest| ("image".to_owned(), digest.to_owned())));
            }
            [_, ANY, "Namespace"] => scan.resource[0] = walk::text(raw),
            [_, ANY, "Kind"] => scan.resource[1] = walk::text(raw),
            [_, ANY, "Name"] => scan.resource[2] = walk::text(raw),
            _ => {}
        }
        let known = matches!(path, ["ArtifactName" | "ClusterName"]) || (matches!(path, ["SchemaVersion"]) && raw.parse::<u32>().is_ok());
        self.recognised |= known;
    }

    fn map(&mut self, list: u8, raw: &str, position: Position) -> Result<(), ParseError> {
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        if !value.is_object() {
            return self.out.skip(position, "record is not an object");
        }
        match list {
            b'V' => records::vulnerability(&value, position, &self.result, &mut self.scan, self.out),
            b'M' => records::misconfiguration(&value, &self.result, &mut self.scan, self.out),
            b'S' => records::secret(&value, &self.result, &mut self.scan, self.out),
            _ => records::license(&value, &self.result, &mut self.scan, self.out),
        }
    }

    /// Whether what the results are of is known, as far as it will be.
    fn is_placed(&self) -> bool {
        self.bare || self.scan.artifact.is_some() || self.scan.cluster.is_some()
    }

    /// Puts a result aside until the artifact is known, what it is about before its records.
    fn wait(&mut self) -> Result<(), ParseError> {
        let end = self.out.position();
        let Target { name, class, kind, summary } = std::mem::take(&mut self.result);
        let about = (name, class, kind, summary, &self.scan.resource);
        let about = serde_json::to_string(&about).unwrap_or_default();
        self.waiting.push(end, &format!("T{about}"))?;
        let (mut held, waiting) = (std::mem::take(&mut self.held), &mut self.waiting);
        held.drain(end, |raw, position| waiting.push(position, std::str::from_utf8(raw).unwrap_or_default()))
    }

    /// Takes up the results that waited.
    fn catch_up(&mut self) -> Result<(), ParseError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let end = self.out.position();
        // Nothing more will be known.
        let bare = std::mem::replace(&mut self.bare, true);
        waiting.drain(end, |raw, position| {
            let raw = std::str::from_utf8(raw).unwrap_or_default();
            let Some(about) = raw.strip_prefix('T') else {
                return self.held.push(position, raw);
            };
            self.finish()?;
            if let Ok((name, class, kind, summary, resource)) = serde_json::from_str(about) {
                self.result = Target { name, class, kind, summary };
                self.scan.resource = resource;
            }
            Ok(())
        })?;
        self.finish()?;
        self.bare = bare;
        Ok(())
    }

    /// Ends a result: maps what was held back and says what was looked at.
    fn finish(&mut self) -> Result<(), ParseError> {
        if !self.is_placed() {
            return self.wait();
        }
        let mut held = std::mem::take(&mut self.held);
        held.drain(self.out.position(), |raw, position| {
            let raw = std::str::from_utf8(raw).unwrap_or_default();
            match raw.split_at_checked(1) {
                Some((list, raw)) if self.result.name.is_some() => self.map(list.as_bytes()[0], raw, position),
                _ => self.out.skip(position, "result without a target"),
            }
        })?;
        let result = std::mem::take(&mut self.result);
        let artifact = self.scan.searched(&result);
        let Some(name) = result.name else {
            return Ok(());
        };
        let check_set = format!("trivy:{}", result.class.as_deref().or(result.kind.as_deref()).unwrap_or("packages"));
        let location = Location { file: Some(name), logical: self.scan.resource(), artifact, ..Location::default() };
        // `--severity` and `--ignore-unfixed` leave no trace in the report.
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set,
            location,
            extent: Extent::Whole,
            status: CoverageStatus::Partial,
            reason: result.summary,
        })
    }

    /// Ends a document.
    fn introduce(&mut self) -> Result<(), ParseError> {
        let scan = std::mem::take(&mut self.scan);
        // An early report without results is `null`, or an array of none.
        self.recognised |= !self.touched;
        let (kind, name) = match (&scan.artifact, &scan.cluster) {
            (Some(artifact), _) if scan.is_image() => ("image", artifact),
            (Some(artifact), _) => ("repository", artifact),
            (None, Some(cluster)) if !cluster.is_empty() => ("cluster", cluster),
            _ => return Ok(()),
        };
        let mut identifiers = vec![(if kind == "repository" { "path" } else { kind }.to_owned(), name.clone())];
        identifiers.extend(scan.identifiers);
        self.out.asset(Asset { kind: kind.to_owned(), identifiers, services: Vec::new() })
    }
}
