//! JFrog Xray: violations of the web console (`data`), reports of its REST API (`rows`), and what `jf audit` and `jf scan` list.

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

const SOURCE: &str = "xray";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Jfrogxray, id: "jfrogxray", source: SOURCE, label: "JFrog Xray JSON", schemes: &package::SCHEMES, sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{', '[']) {
        return None;
    }
    let all = |keys: &[&str]| keys.iter().all(|key| head.has(key));
    let console = all(&["\"source_comp_id\"", "\"component_versions\""]);
    let api = all(&["\"vulnerable_component\"", "\"rows\""]);
    let scan = all(&["\"scan_id\"", "\"vulnerabilities\"", "\"issue_id\""]);
    if console || api || scan {
        return Some(Confidence::Certain);
    }
    let empty = all(&["\"total_count\"", "\"data\""]) || all(&["\"total_rows\"", "\"rows\""]);
    empty.then_some(Confidence::Possible)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Report::default())
}

#[derive(Default)]
struct Report(Occurrences);

impl Records for Report {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "JFrog Xray JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | [ANY] => Plan::Enter,
            ["data" | "rows" | "vulnerabilities"] | [ANY, "vulnerabilities"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["total_count" | "total_rows"] | [ANY, "scan_id"])
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        if let Some(component) = json::text(value, &["source_comp_id"]) {
            let versions = value.get("component_versions").unwrap_or(&Value::Null);
            let details = versions.get("more_details").unwrap_or(&Value::Null);
            self.tell(value, &Of { component, named: json::text(value, &["component"]), fixed: versions, details }, out)?;
            return Ok(true);
        }
        if let Some(component) = json::text(value, &["vulnerable_component"]) {
            self.tell(value, &Of { component, named: None, fixed: value, details: value }, out)?;
            return Ok(true);
        }
        let components = value.get("components").and_then(Value::as_object).filter(|_| value.get("issue_id").is_some());
        for (component, fixed) in components.into_iter().flatten() {
            self.tell(value, &Of { component, named: None, fixed, details: value }, out)?;
        }
        Ok(components.is_some())
    }
}

/// What a vulnerability is in, and where the rest of it stands.
struct Of<'v> {
    /// `npm://name:version`, the kind perhaps more than one word.
    component: &'v str,
    named: Option<&'v str>,
    fixed: &'v Value,
    details: &'v Value,
}

impl Report {
    fn tell(&mut self, value: &Value, of: &Of<'_>, out: &mut Output<'_>) -> Result<(), ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let (kind, rest) = of.component.split_once("://").unwrap_or(("", of.component));
        let (name, version) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let ecosystem = match kind {
            "gav" => "maven",
            kind => kind,
        };
        // Distributions stand in front of the name: `debian:buster:openssl`.
        let bare = if matches!(kind, "deb" | "rpm" | "alpine") { name.rsplit(':').next().unwrap_or(name) } else { name };
        let flaws: Vec<&Value> = json::items(of.details, &["cves"]).collect();
        let names: Vec<&str> = flaws.iter().filter_map(|flaw| json::text(flaw, &["cve"])).collect();
        let vectors =
            flaws.iter().flat_map(|flaw| ["cvss_v3", "cvss_v3_vector", "cvss_v2", "cvss_v2_vector"].map(|name| json::text(flaw, &[name])));
        // A score may stand before the vector.
        let vector = vectors.flatten().find_map(|text| {
            vocabulary::cvss(text.split_once('/').filter(|(score, _)| score.parse::<f64>().is_ok()).map_or(text, |(_, rest)| rest))
        });
        let summary = text("summary");
        let own = text("issue_id").or_else(|| text("id"));
        let id = own.or(names.first().copied()).unwrap_or("unnamed");
        let told = Flaw {
            source: SOURCE,
            id,
            names: names.iter().copied().filter(|name| *name != id).collect(),
            ecosystem,
            package: if bare.is_empty() { of.named.unwrap_or("unnamed") } else { bare },
            version: Some(version),
            severity: text("severity").and_then(vocabulary::severity),
            summary,
            description: text("description").or_else(|| json::text(of.details, &["description"])),
            fixed: json::texts(of.fixed, &["fixed_versions"]),
            vector: vector.as_deref(),
            cwes: flaws.iter().flat_map(|flaw| json::texts(flaw, &["cwe"])).flat_map(vocabulary::cwes).collect(),
            references: json::texts(value, &["references"]),
            file: text("path"),
            ..Flaw::default()
        };
        let observation = told.observation(&mut self.0);
        let issue = [id, summary.unwrap_or_default(), text("provider").unwrap_or_default(), of.component];
        out.observation(
            observation,
            &[issue[0], issue[1], issue[2], issue[3], names.first().copied().unwrap_or_default(), text("path").unwrap_or_default()],
        )
    }
}
