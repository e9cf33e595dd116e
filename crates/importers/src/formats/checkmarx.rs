//! Checkmarx: XML of CxSAST, JSON of Checkmarx One and of its gateway. A finding per path through the code; the sink is where it is.

mod markup;

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::dialects::{self, Notation};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Location, Observation};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{ANY, Plan};

const SOURCE: &str = "checkmarx";
const EXPECTED: &str = "Checkmarx XML or JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Checkmarx,
    id: "checkmarx",
    source: SOURCE,
    label: "Checkmarx XML and JSON",
    schemes: &code::SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    match head.root() {
        Some("CxXMLResults") => return Some(Confidence::Certain),
        Some(_) => return None,
        None => {}
    }
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let one =
        has("results") && head.has("\"similarityId\"") && (has("scanID") || has("totalCount") || head.has("\"vulnerabilityDetails\""));
    (one || has("scanResults") || (has("scanId") && has("reportId"))).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Json => listed::read(&mut source, out, Results::default()),
        Notation::Xml | Notation::Text => markup::read(&mut source, out),
    }
}

/// One flaw, in whichever notation.
#[derive(Default)]
struct Told<'t> {
    rule: &'t str,
    title: String,
    description: String,
    rated: &'t str,
    cwe: Option<u32>,
    file: Option<&'t str>,
    line: Option<u32>,
    logical: Option<&'t str>,
    /// Of all paths that are alike, whatever the lines.
    similarity: Option<&'t str>,
    /// Which kind of scan it is from.
    kind: Option<&'t str>,
    link: Option<&'t str>,
    time: Option<String>,
    /// The way through the code.
    way: String,
}

fn tell(told: Told<'_>, places: &mut Places, out: &mut Output<'_>) -> Result<(), ParseError> {
    let file = told.file.map(|file| code::path(file).trim_start_matches('/').to_owned());
    let place = Place {
        source: SOURCE,
        file: file.as_deref(),
        rule: told.rule,
        anchor: told.logical,
        fingerprint: told.similarity.map(|similarity| ("similarity", similarity)),
        ..Place::default()
    };
    let evidence = if told.way.is_empty() { Vec::new() } else { vec![out.evidence("path", &told.way)] };
    out.distinct(Observation {
        source: SOURCE.to_owned(),
        check: format!("checkmarx:{}", told.rule),
        title: told.title,
        description: told.description,
        severity: vocabulary::severity(told.rated).unwrap_or_default(),
        confidence: 60,
        cwes: told.cwe.filter(|cwe| *cwe > 0).into_iter().collect(),
        references: told.link.map(str::to_owned).into_iter().collect(),
        tags: told.kind.map(str::to_owned).into_iter().collect(),
        keys: places.keys(&place),
        location: Location { file, line: told.line, logical: told.logical.map(str::to_owned), ..Location::default() },
        evidence,
        observed_at: told.time,
        ..Observation::default()
    })
}

#[derive(Default)]
struct Results(Places);

impl Records for Results {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = EXPECTED;

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["scanResults"] | ["scanResults", _] => Plan::Enter,
            ["scanResults", _, "languages"] => Plan::Enter,
            ["scanResults", _, "languages", ANY] => Plan::Enter,
            ["scanResults", _, "languages", ANY, "queries"] | ["results"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["scanResults" | "scanID"])
    }

    fn take(&mut self, path: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        match *path {
            ["scanResults", kind, ..] => self.query(value, kind, out),
            _ => self.result(value, out),
        }
    }
}

fn number(value: Option<&Value>) -> Option<u32> {
    value
        .and_then(|value| value.as_u64().or_else(|| value.as_str()?.trim_start_matches("CWE-").parse().ok()))
        .and_then(|number| u32::try_from(number).ok())
}

/// The nodes of a path, one a line.
fn way(nodes: &[&Value]) -> String {
    let node = |node: &&Value| {
        let name = |names: [&str; 2]| names.into_iter().find_map(|name| json::text(node, &[name])).unwrap_or_default().to_owned();
        format!("{}:{} {}", name(["fileName", "file"]), number(node.get("line")).unwrap_or_default(), name(["name", "fullName"]))
    };
    nodes.iter().take(50).map(node).collect::<Vec<_>>().join("\n")
}

impl Results {
    fn query(&mut self, query: &Value, kind: &str, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let Some(name) = json::text(query, &["queryName"]) else {
            return Ok(false);
        };
        for flaw in json::items(query, &["vulnerabilities"]) {
            let text = |name: &str| json::text(flaw, &[name]);
            let nodes: Vec<&Value> = json::items(flaw, &["nodes"]).collect();
            let sink = nodes.last().copied().unwrap_or(&Value::Null);
            let told = Told {
                rule: name,
                title: name.replace('_', " "),
                description: json::text(query, &["description"]).unwrap_or_default().to_owned(),
                rated: text("severity").unwrap_or_default(),
                cwe: number(flaw.get("cweId")),
                file: json::text(sink, &["fileName"]),
                line: number(sink.get("line")),
                logical: json::text(sink, &["name"]),
                similarity: text("similarityId").or_else(|| text("id")),
                kind: Some(kind),
                link: text("resultDeepLink"),
                time: text("firstFoundDate").and_then(vocabulary::moment),
                way: way(&nodes),
            };
            tell(told, &mut self.0, out)?;
        }
        Ok(true)
    }

    fn result(&mut self, value: &Value, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |path: &[&str]| json::text(value, path);
        let (Some(similarity), Some(rated)) = (text(&["similarityId"]), text(&["severity"])) else {
            return Ok(false);
        };
        let nodes: Vec<&Value> = json::items(value, &["data", "nodes"]).collect();
        let sink = nodes.last().copied().unwrap_or(&Value::Null);
        let rule = text(&["data", "queryName"]).or_else(|| text(&["vulnerabilityDetails", "cveName"])).or_else(|| text(&["id"]));
        let rule = rule.unwrap_or("unnamed");
        let told = Told {
            rule,
            title: rule.replace('_', " "),
            description: text(&["description"]).unwrap_or_default().to_owned(),
            rated,
            cwe: number(json::at(value, &["vulnerabilityDetails", "cweId"])),
            file: json::text(sink, &["fileName"]).or_else(|| text(&["data", "fileName"])),
            line: number(sink.get("line").or(json::at(value, &["data", "line"]))),
            logical: json::text(sink, &["fullName"]).or_else(|| text(&["data", "packageIdentifier"])),
            similarity: Some(similarity),
            kind: text(&["type"]),
            link: None,
            time: text(&["firstFoundAt"]).and_then(vocabulary::moment),
            way: way(&nodes),
        };
        tell(told, &mut self.0, out)?;
        Ok(true)
    }
}
