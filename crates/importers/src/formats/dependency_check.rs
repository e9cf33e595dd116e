//! OWASP Dependency-Check XML and JSON of every version: files with the vulnerabilities of what is in them. Files that hold the same thing
//! (related dependencies) are vulnerable, too.

mod markup;

use std::io::Read;

use serde_json::Value;

use crate::dialects::{self, Notation};
use crate::errors::{ParseError, Position};
use crate::flaw::Flaw;
use crate::json;
use crate::listed::{self, Records};
use crate::model::Severity;
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "dependency-check";
const EXPECTED: &str = "Dependency-Check XML or JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::DependencyCheck,
    id: "dependency_check",
    source: SOURCE,
    label: "Dependency-Check XML and JSON",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    match head.root() {
        Some("analysis") => return Some(if head.has("dependency-check") { Confidence::Certain } else { Confidence::Possible }),
        Some(_) => return None,
        None => {}
    }
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    (has("reportSchema") && (has("scanInfo") || has("dependencies"))).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Json => listed::read(&mut source, out, Dependencies::default()),
        Notation::Xml | Notation::Text => markup::read(&mut source, out),
    }
}

/// A file and what it was taken for.
#[derive(Default)]
struct Dependency {
    name: String,
    purl: Option<String>,
    /// Older reports know packages by the coordinates of their manager or a CPE name only.
    known: Option<crate::Component>,
    /// Names of the files with the same content.
    related: Vec<String>,
}

/// One vulnerability, in whichever notation.
struct Known<'k> {
    name: &'k str,
    rated: Option<&'k str>,
    vector: Option<String>,
    cwes: Vec<u32>,
    description: Option<&'k str>,
    references: Vec<&'k str>,
}

impl Dependency {
    fn tell(&self, known: &Known<'_>, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<(), ParseError> {
        let component = self.purl.as_deref().and_then(package::parts).or_else(|| self.known.clone());
        let component = component.unwrap_or_else(|| crate::Component { name: self.name.clone(), ..crate::Component::default() });
        for file in std::iter::once(&self.name).chain(&self.related) {
            let flaw = Flaw {
                source: SOURCE,
                id: known.name,
                package: &component.name,
                version: component.version.as_deref(),
                purl: component.purl.as_deref(),
                // What it does not rate in one of the usual words is not harmless.
                severity: Some(known.rated.and_then(|word| word.parse().ok()).unwrap_or(Severity::Medium)),
                description: known.description,
                vector: known.vector.as_deref(),
                cwes: known.cwes.clone(),
                references: known.references.clone(),
                file: Some(file),
                ..Flaw::default()
            };
            let class = known.cwes.first().map(u32::to_string).unwrap_or_default();
            out.observation(flaw.observation(seen), &[known.name, &class, &file.to_lowercase()])?;
        }
        Ok(())
    }
}

/// A vector of CVSS 3 put together of its metrics, each written as a word of which the first letter is its value.
fn vector<'m>(version: Option<&str>, metric: impl Fn(&str) -> Option<&'m str>) -> Option<String> {
    const METRICS: [(&str, &str); 8] = [
        ("AV", "attackVector"),
        ("AC", "attackComplexity"),
        ("PR", "privilegesRequired"),
        ("UI", "userInteraction"),
        ("S", "scope"),
        ("C", "confidentialityImpact"),
        ("I", "integrityImpact"),
        ("A", "availabilityImpact"),
    ];
    let mut text = format!("CVSS:{}", version.filter(|version| *version == "3.1").unwrap_or("3.0"));
    for (short, name) in METRICS {
        text.push_str(&format!("/{short}:{}", metric(name)?.chars().next()?.to_ascii_uppercase()));
    }
    vocabulary::cvss(&text)
}

#[derive(Default)]
struct Dependencies(Occurrences);

impl Records for Dependencies {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = EXPECTED;

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            ["dependencies"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["reportSchema"]
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let Some(name) = json::text(value, &["fileName"]) else {
            return Ok(false);
        };
        let dependency = Dependency {
            name: name.to_owned(),
            purl: json::items(value, &["packages"]).find_map(|package| json::text(package, &["id"])).map(str::to_owned),
            known: json::items(value, &["vulnerabilityIds"]).find_map(|id| dialects::product(json::text(id, &["id"])?)),
            related: json::items(value, &["relatedDependencies"])
                .filter_map(|other| json::text(other, &["fileName"]))
                .map(str::to_owned)
                .collect(),
        };
        for flaw in json::items(value, &["vulnerabilities"]) {
            let Some(name) = json::text(flaw, &["name"]) else {
                continue;
            };
            let (third, second) = (flaw.get("cvssv3"), flaw.get("cvssv2"));
            let metrics = third.unwrap_or(&Value::Null);
            let rated = [json::text(flaw, &["severity"]), json::text(metrics, &["baseSeverity"])];
            let known = Known {
                name,
                rated: rated.into_iter().flatten().next().or_else(|| json::text(second?, &["severity"])),
                vector: vector(json::text(metrics, &["version"]), |name| json::text(metrics, &[name])),
                cwes: json::texts(flaw, &["cwes"]).into_iter().chain(json::text(flaw, &["cwe"])).flat_map(vocabulary::cwes).collect(),
                description: json::text(flaw, &["description"]),
                references: json::items(flaw, &["references"]).filter_map(|link| json::text(link, &["url"])).collect(),
            };
            dependency.tell(&known, &mut self.0, out)?;
        }
        Ok(true)
    }
}
