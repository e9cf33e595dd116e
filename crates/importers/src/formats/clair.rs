//! Clair's reports as clair-scanner and klar write them: vulnerable features of an image, in a list or by severity.

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

const SOURCE: &str = "clair";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Clair,
    id: "clair",
    source: SOURCE,
    label: "Clair JSON (clair-scanner, klar)",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let scanner = has("image") && has("vulnerabilities") && (has("unapproved") || head.has("\"featurename\""));
    (scanner || has("LayerCount")).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Image::default())
}

#[derive(Default)]
struct Image {
    seen: Occurrences,
    name: Option<String>,
}

impl Records for Image {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "Clair JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["Vulnerabilities"] => Plan::Enter,
            ["vulnerabilities"] | ["Vulnerabilities", _] => Plan::Each,
            ["image"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["LayerCount" | "unapproved"])
    }

    fn note(&mut self, path: &[&str], value: &Value) -> bool {
        if path == ["image"] {
            self.name = value.as_str().map(str::to_owned);
        }
        path == ["image"]
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |names: &[&str; 2]| names.iter().find_map(|name| json::text(value, &[name]));
        let (Some(id), Some(feature)) = (text(&["vulnerability", "Name"]), text(&["featurename", "FeatureName"])) else {
            return Ok(false);
        };
        let rated = text(&["severity", "Severity"]).unwrap_or_default();
        let severity = match rated {
            "Defcon1" => Some(crate::Severity::Critical),
            word => vocabulary::severity(word),
        };
        let version = text(&["featureversion", "FeatureVersion"]);
        let told = Flaw {
            source: SOURCE,
            id,
            ecosystem: text(&["namespace", "NamespaceName"]).unwrap_or_default(),
            package: feature,
            version,
            severity,
            description: text(&["description", "Description"]),
            fixed: text(&["fixedby", "FixedBy"]).into_iter().collect(),
            references: text(&["link", "Link"]).into_iter().collect(),
            asset: self.name.as_deref().map(package::repository),
            ..Flaw::default()
        };
        let observation = told.observation(&mut self.seen);
        out.observation(observation, &[id, feature, version.unwrap_or_default(), rated])?;
        Ok(true)
    }
}
