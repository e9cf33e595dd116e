//! Dependency-Track's Finding Packaging Format, or the findings alone as its API lists them. Members come in no order, so findings are held
//! back until the project they belong to is known.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, Gone, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const SOURCE: &str = "dependency-track";
const EXPECTED: &str = "a Dependency-Track findings export";
/// Members of an alias that are names.
const ALIASES: [&str; 9] = ["cveId", "ghsaId", "osvId", "snykId", "sonatypeId", "gsdId", "vulnDbId", "githubId", "internalId"];

pub(crate) static ENTRY: Entry = Entry {
    format: Format::DependencyTrack,
    id: "dependency_track",
    source: SOURCE,
    label: "Dependency-Track findings (FPF)",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.opens(&['[']) {
        // The API answers with the findings alone.
        let own = ["\"vulnId\"", "\"component\"", "\"matrix\""].into_iter().all(|member| head.has(member));
        return own.then_some(Confidence::Certain);
    }
    if !head.opens(&['{']) {
        return None;
    }
    let finding = head.has("\"vulnId\"") && head.has("\"component\"");
    let named = head.has("\"Dependency-Track\"") && head.has("\"meta\"");
    if (named && !head.has("\"bomFormat\"")) || (finding && head.has("\"findings\"")) {
        return Some(Confidence::Certain);
    }
    // Alone it is an export of nothing only where the name says whose.
    (head.is("{}") && head.is_named("track")).then_some(Confidence::Possible)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut export = Export {
        out,
        recognised: false,
        touched: false,
        project: Value::Null,
        exported: None,
        held: Spool::default(),
        seen: Occurrences::default(),
    };
    walk::through(source, &bounds, EXPECTED, &mut export)?;
    if export.recognised || !export.touched {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without findings of Dependency-Track".to_owned() })
}

struct Export<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Whether anything at all is in the document.
    touched: bool,
    project: Value,
    exported: Option<String>,
    held: Spool,
    seen: Occurrences,
}

impl Route for Export<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        self.touched |= !path.is_empty();
        match path {
            ["findings", ANY] | [ANY | "project"] | ["meta", "application" | "timestamp"] => Plan::Take,
            [] | ["findings" | "meta"] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match path {
            ["findings", ..] | [ANY] => return self.held.push(position, raw),
            ["project"] => self.project = serde_json::from_str(raw).unwrap_or_default(),
            ["meta", "application"] => self.recognised |= walk::text(raw).as_deref() == Some("Dependency-Track"),
            _ => self.exported = walk::text(raw).and_then(|text| vocabulary::instant(&text)),
        }
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if path.is_empty() { self.finish() } else { Ok(()) }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.map_held()
    }
}

impl Export<'_, '_> {
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
        let Some(name) = json::text(&project, &["name"]).filter(|_| self.recognised) else {
            return Ok(());
        };
        let mut identifiers = vec![("name".to_owned(), name.to_owned())];
        for (kind, member) in [("uuid", "uuid"), ("purl", "purl"), ("version", "version")] {
            identifiers.extend(json::text(&project, &[member]).map(|value| (kind.to_owned(), value.to_owned())));
        }
        self.out.asset(Asset { kind: "project".to_owned(), identifiers, services: Vec::new() })?;
        self.out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: "dependency-track:components".to_owned(),
            location: Location { logical: Some(name.to_owned()), ..Location::default() },
            extent: Extent::Whole,
            status: CoverageStatus::Done,
            reason: json::text(&project, &["version"]).map(|version| format!("version {version}")),
        })
    }

    fn map(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        let flaw = value.get("vulnerability").unwrap_or(&Value::Null);
        let (Some(id), Some(name)) = (json::text(flaw, &["vulnId"]), json::text(value, &["component", "name"])) else {
            return self.out.skip(position, "finding without a vulnerability id or a component name");
        };
        self.recognised = true;
        let part = &value["component"];
        let group = json::text(part, &["group"]);
        let purl = json::text(part, &["purl"]);
        let full = match (purl, group) {
            // Without a package URL the group is part of what the component is called.
            (None, Some(group)) => format!("{group}:{name}"),
            _ => name.to_owned(),
        };
        let component = package::component("", &full, json::text(part, &["version"]), purl);
        let project = json::text(&self.project, &["name"]);
        let keys = package::keys(project, None, id, &component, &mut self.seen);
        let aliases = json::items(flaw, &["aliases"]).flat_map(|alias| ALIASES.iter().filter_map(|member| json::text(alias, &[member])));
        let (cves, aliases) = package::names(std::iter::once(id).chain(aliases));
        let vectors = ["cvssV3Vector", "cvssV4Vector", "cvssV2Vector"];
        let titled = json::text(flaw, &["title"]).or(json::text(flaw, &["subtitle"]));
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: id.to_owned(),
            title: package::title(id, &component, titled),
            description: json::text(flaw, &["description"]).unwrap_or_default().to_owned(),
            remediation: json::text(flaw, &["recommendation"]).map(str::to_owned),
            severity: severity(flaw),
            confidence: 80,
            cvss: vectors.into_iter().find_map(|member| vocabulary::cvss(json::text(flaw, &[member])?)),
            cwes: cwes(flaw),
            cves,
            aliases,
            references: json::text(flaw, &["references"]).map(links).unwrap_or_default(),
            tags: tags(value, flaw),
            location: Location { component: Some(component), ..Location::default() },
            evidence: json::text(value, &["analysis", "analysisDetails"])
                .or(json::text(value, &["analysis", "details"]))
                .map(|text| self.out.evidence("analysis", text))
                .into_iter()
                .collect(),
            keys,
            observed_at: self.exported.clone(),
            gone: vocabulary::is_fixed(json::text(value, &["analysis", "state"])).then(Gone::default),
        };
        self.out.distinct(observation)
    }
}

/// What is not rated yet is taken for the worst until somebody looks.
fn severity(flaw: &Value) -> Severity {
    match json::text(flaw, &["severity"]).map(str::to_ascii_lowercase).as_deref() {
        Some("unassigned" | "unknown") | None => Severity::Critical,
        Some(word) => vocabulary::severity(word).unwrap_or(Severity::Critical),
    }
}

fn cwes(flaw: &Value) -> Vec<u32> {
    let listed = json::items(flaw, &["cwes"]).filter_map(|cwe| cwe.get("cweId"));
    let numbers = listed.chain(flaw.get("cweId")).filter_map(Value::as_u64);
    numbers.filter_map(|number| u32::try_from(number).ok()).filter(|number| *number > 0).collect()
}

/// Addresses in a list in Markdown.
fn links(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || "()[]<>".contains(c));
    let mut found: Vec<String> = Vec::new();
    for word in words.filter(|word| word.starts_with("http://") || word.starts_with("https://")) {
        if !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

fn tags(value: &Value, flaw: &Value) -> Vec<String> {
    let mut tags: Vec<String> = json::text(flaw, &["source"]).map(str::to_owned).into_iter().collect();
    tags.extend(json::text(value, &["analysis", "state"]).map(|state| format!("analysis:{}", state.to_ascii_lowercase())));
    if value.pointer("/analysis/isSuppressed").and_then(Value::as_bool) == Some(true) {
        tags.push("suppressed".to_owned());
    }
    tags.extend(json::text(value, &["attribution", "analyzerIdentity"]).map(|analyzer| format!("analyzer:{analyzer}")));
    tags
}
