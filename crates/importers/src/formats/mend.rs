//! Mend (WhiteSource) JSON: vulnerabilities with their library, or libraries with their vulnerabilities.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::flaw::Flaw;
use crate::json;
use crate::listed::{self, Records};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "mend";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Mend, id: "mend", source: SOURCE, label: "Mend (WhiteSource) JSON", schemes: &package::SCHEMES, sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let any = |keys: &[&str]| keys.iter().any(|key| head.has(key));
    let members = head.members();
    let listed = members.iter().any(|member| matches!(member.as_str(), "vulnerabilities" | "libraries"));
    let own = any(&["\"scoreMetadataVector\"", "\"cvss3_severity\"", "\"topFix\"", "\"projectVitals\"", "\"keyUuid\""]);
    (listed && own).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Report::default())
}

#[derive(Default)]
struct Report(Occurrences);

impl Records for Report {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "Mend JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            ["vulnerabilities" | "libraries"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        // Empty lists are a project without findings; records without a library are of somebody else.
        matches!(path, ["projectVitals" | "vulnerabilities" | "libraries"])
    }

    fn take(&mut self, path: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        if path == ["libraries"] {
            for flaw in json::items(value, &["vulnerabilities"]) {
                self.flaw(flaw, value, out)?;
            }
            return Ok(value.get("keyUuid").is_some() || value.get("vulnerabilities").is_some() && value.get("name").is_some());
        }
        match value.get("library").filter(|library| library.is_object()) {
            Some(library) => self.flaw(value, library, out).map(|()| true),
            None => Ok(false),
        }
    }
}

impl Report {
    fn flaw(&mut self, flaw: &Value, library: &Value, out: &mut Output<'_>) -> Result<(), ParseError> {
        let text = |name: &str| json::text(flaw, &[name]);
        let of = |name: &str| json::text(library, &[name]);
        let kind = of("type").unwrap_or_default().to_ascii_lowercase();
        let ecosystem = ["java", "npm", "node", "python", "ruby", "nuget", "go", "debian", "rpm", "alpine"];
        let ecosystem = ecosystem.into_iter().find(|word| kind.contains(word)).unwrap_or_default();
        let named = of("artifactId").or_else(|| of("name")).or_else(|| of("filename")).unwrap_or("unnamed");
        let name = match (of("groupId"), ecosystem) {
            (Some(group), "java") => format!("{group}:{named}"),
            _ => named.to_owned(),
        };
        let id = text("name").unwrap_or("unnamed");
        let links = [text("url"), json::text(flaw, &["topFix", "url"])];
        let places = [("locations", "path"), ("sourceFiles", "localPath")];
        let file = places.into_iter().find_map(|(list, name)| json::items(flaw, &[list]).find_map(|place| json::text(place, &[name])));
        let told = Flaw {
            source: SOURCE,
            id,
            ecosystem,
            package: &name,
            version: of("version"),
            severity: text("cvss3_severity").or_else(|| text("severity")).and_then(vocabulary::severity),
            description: text("description"),
            vector: text("scoreMetadataVector"),
            references: links.into_iter().flatten().collect(),
            asset: text("project"),
            file: file.or_else(|| of("filename")),
            ..Flaw::default()
        };
        let mut observation = told.observation(&mut self.0);
        observation.remediation = json::text(flaw, &["topFix", "fixResolution"]).or_else(|| text("fixResolutionText")).map(str::to_owned);
        let shown = of("filename").or_else(|| of("name")).unwrap_or(named).to_owned();
        out.observation(observation, &[id, &shown, text("description").unwrap_or_default()])
    }
}
