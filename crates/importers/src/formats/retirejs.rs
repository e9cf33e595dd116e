//! Retire.js `--outputformat json`: files with the JavaScript libraries in them; a list, or under `data` since version 1.6.

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
use crate::walk::{ANY, Plan};

const SOURCE: &str = "retirejs";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Retirejs, id: "retirejs", source: SOURCE, label: "Retire.js JSON", schemes: &package::SCHEMES, sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let own = head.has("\"detection\"") && head.has("\"component\"");
    match (own, has("data") || has("results")) {
        (true, true) => Some(Confidence::Certain),
        // Nothing was found.
        (false, true) if has("messages") && has("errors") && has("version") => Some(Confidence::Likely),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Files::default())
}

#[derive(Default)]
struct Files(Occurrences);

impl Records for Files {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "Retire.js JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            [ANY] => Plan::Take,
            ["data"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["messages"]
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let file = json::text(value, &["file"]);
        let mut ours = false;
        for library in json::items(value, &["results"]) {
            let Some(name) = json::text(library, &["component"]) else {
                continue;
            };
            ours = true;
            let version = json::text(library, &["version"]);
            for flaw in json::items(library, &["vulnerabilities"]) {
                self.flaw(flaw, name, version, file, out)?;
            }
        }
        Ok(ours || file.is_some() && value.get("results").is_some_and(Value::is_array))
    }
}

impl Files {
    fn flaw(
        &mut self,
        flaw: &Value,
        name: &str,
        version: Option<&str>,
        file: Option<&str>,
        out: &mut Output<'_>,
    ) -> Result<(), ParseError> {
        let listed = |member: &str| json::texts(flaw, &["identifiers", member]);
        let summary = listed("summary").first().copied();
        let names: Vec<&str> = ["CVE", "githubID", "osvdb"].into_iter().flat_map(listed).collect();
        let links = json::texts(flaw, &["info"]);
        // What has no number is known by its summary, or by where it was told.
        let id = names.first().copied().or(summary).or(links.first().copied()).unwrap_or("unnamed");
        let told = Flaw {
            source: SOURCE,
            id,
            names: names.iter().skip(1).copied().collect(),
            ecosystem: "npm",
            package: name,
            version,
            severity: json::text(flaw, &["severity"]).and_then(vocabulary::severity),
            summary: summary.filter(|summary| *summary != id),
            description: summary,
            fixed: json::text(flaw, &["below"]).into_iter().collect(),
            cwes: json::texts(flaw, &["cwe"]).into_iter().flat_map(vocabulary::cwes).collect(),
            references: links.clone(),
            file,
            ..Flaw::default()
        };
        let title = summary.unwrap_or(id);
        let issue = [title, name, version.unwrap_or_default(), file.unwrap_or_default(), &links.join("\n")].map(str::to_owned);
        out.observation(told.observation(&mut self.0), &issue.each_ref().map(String::as_str))
    }
}
