//! Prisma Cloud Compute (Twistlock): what `twistcli images scan` writes, and the tables of its console.

use std::io::Read;

use serde_json::Value;

use crate::csv::Table;
use crate::dialects::{self, Notation};
use crate::errors::{ParseError, Position};
use crate::flaw::Flaw;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Coverage, CoverageStatus, Extent, Location};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{ANY, Plan};

const SOURCE: &str = "twistlock";
const EXPECTED: &str = "Twistlock JSON or CSV";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Twistlock,
    id: "twistlock",
    source: SOURCE,
    label: "Prisma Cloud (Twistlock) JSON and CSV",
    schemes: &package::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.opens(&['{']) {
        let members = head.members();
        let has = |name: &str| members.iter().any(|member| member == name);
        let own = head.has("\"vulnerabilityDistribution\"") || head.has("\"complianceDistribution\"") || has("consoleURL");
        let flaws = head.has("\"packageName\"") && head.has("\"riskFactors\"");
        return (has("results") && (own || flaws)).then_some(Confidence::Certain);
    }
    head.titled(&["registry", "repository", "tag", "cve id", "severity"]).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Json => listed::read(&mut source, out, Images::default()),
        Notation::Xml | Notation::Text => rows(&mut source, out),
    }
}

#[derive(Default)]
struct Images(Occurrences);

impl Records for Images {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = EXPECTED;

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["results"] | ["results", ANY] => Plan::Enter,
            ["results", ANY, "vulnerabilities"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["consoleURL"] | ["results", ANY, "vulnerabilityDistribution" | "complianceDistribution"])
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let (Some(id), Some(name)) = (text("id"), text("packageName")) else {
            return Ok(false);
        };
        let version = text("packageVersion");
        let rated = text("severity").unwrap_or_default();
        let told = Flaw {
            source: SOURCE,
            id,
            ecosystem: text("packageType").unwrap_or_default(),
            package: name,
            version,
            severity: vocabulary::severity(rated),
            description: text("description"),
            fixed: text("status")
                .and_then(|status| status.strip_prefix("fixed in "))
                .into_iter()
                .flat_map(|fixed| fixed.split(", "))
                .collect(),
            vector: text("vector"),
            references: text("link").into_iter().collect(),
            file: text("packagePath"),
            ..Flaw::default()
        };
        out.observation(told.observation(&mut self.0), &[id, name, version.unwrap_or_default(), rated])?;
        Ok(true)
    }
}

fn rows(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    let needed = ["cve id", "severity", "packages"];
    table.header(|names| needed.iter().all(|column| names.iter().any(|name| name == column)), EXPECTED)?;
    let mut seen = Occurrences::default();
    while let Some(position) = table.next(out)? {
        let (Some(id), Some(name)) = (table.any(&["cve id", "compliance id"]), table.any(&["packages", "source package"])) else {
            out.skip(position, "row without an id and a package")?;
            continue;
        };
        let repository = [table.get("registry"), table.get("repository")].into_iter().flatten().collect::<Vec<_>>().join("/");
        let (version, rated) = (table.get("package version"), table.get("severity").unwrap_or_default());
        let description = table.get("description");
        let told = Flaw {
            source: SOURCE,
            id,
            ecosystem: table.get("type").unwrap_or_default(),
            package: name,
            version,
            severity: vocabulary::severity(rated),
            description,
            references: table.any(&["vulnerability link", "link"]).into_iter().collect(),
            asset: Some(repository.as_str()).filter(|name| !name.is_empty()),
            file: table.get("package path"),
            ..Flaw::default()
        };
        let mut observation = told.observation(&mut seen);
        observation.remediation = table.get("fix status").map(str::to_owned);
        let issue = [id, name, version.unwrap_or_default(), rated, description.unwrap_or_default()].map(str::to_owned);
        out.observation(observation, &issue.each_ref().map(String::as_str))?;
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Location::default(),
        extent: Extent::Whole,
        status: CoverageStatus::Done,
        reason: None,
    })
}
