//! Anchore Engine `image vuln --json` and the security evaluation of its console: vulnerable packages of an image.

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

const SOURCE: &str = "anchore";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::AnchoreEngine,
    id: "anchore_engine",
    source: SOURCE,
    label: "Anchore JSON",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let digest = has("imageDigest") || has("image_digest");
    let flaws = has("vulnerabilities") && head.has("\"vuln\"") && (head.has("\"package_name\"") || head.has("\"packageName\""));
    if flaws || has("securityEvaluation") {
        return Some(Confidence::Certain);
    }
    (digest && (has("vulnerability_type") || has("vulnerabilityType"))).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Image::default())
}

#[derive(Default)]
struct Image(Occurrences);

impl Records for Image {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "Anchore JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            ["vulnerabilities" | "securityEvaluation"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["vulnerability_type" | "vulnerabilityType" | "securityEvaluation"])
    }

    fn take(&mut self, path: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        // The one writes members with underlines, the other without; so did versions of the first.
        let text = |names: &[&str]| names.iter().find_map(|name| json::text(value, &[name])).filter(|text| *text != "None");
        let evaluated = path == ["securityEvaluation"];
        let id = if evaluated { text(&["vulnerabilityId", "cves"]) } else { text(&["vuln"]) };
        let name = text(&["package_name", "packageName"]).or_else(|| text(&["package"]));
        let (Some(id), Some(name)) = (id, name) else {
            return Ok(false);
        };
        let version = text(&["package_version", "packageVersion"]);
        let file = text(&["package_path", "packagePath", "path"]);
        let kind = text(&["package_type", "packageType"]).unwrap_or_default();
        let (feed, group) = (text(&["feed"]).unwrap_or_default(), text(&["feed_group", "feedGroup"]).unwrap_or_default());
        let told = Flaw {
            source: SOURCE,
            id,
            names: text(&["cves"]).into_iter().flat_map(|ids| ids.split([',', ' '])).filter(|other| *other != id).collect(),
            ecosystem: if group.contains(':') { group } else { kind },
            package: name,
            version,
            severity: text(&["severity"]).and_then(vocabulary::severity),
            description: text(&["description"]),
            fixed: text(&["fix", "fixAvailable"]).into_iter().flat_map(|fix| fix.split(',')).collect(),
            references: text(&["url", "link"]).into_iter().collect(),
            file: file.filter(|file| *file != "pkgdb"),
            ..Flaw::default()
        };
        let rated = text(&["severity"]).unwrap_or_default();
        let place = file.unwrap_or_default();
        let issue = [id, name, version.unwrap_or_default(), place, feed, group, if evaluated { rated } else { "" }];
        out.observation(told.observation(&mut self.0), &issue)?;
        Ok(true)
    }
}
