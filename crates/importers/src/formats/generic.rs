//! Findings in the plain JSON and CSV that DefectDojo takes from anybody ("Generic Findings Import"). What the file itself calls mitigated,
//! false or out of scope is left out: it is not there, or not a finding.

use std::io::Read;

use serde_json::Value;

use crate::code;
use crate::csv::Table;
use crate::dialects::{self, Notation};
use crate::endpoint::Endpoint;
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Component, Gone, IdentityKey, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::package;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::Plan;

const SOURCE: &str = "generic";
const EXPECTED: &str = "generic findings, JSON or CSV";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Generic,
    id: "generic",
    source: SOURCE,
    label: "Generic findings (DefectDojo JSON and CSV)",
    schemes: &["generic.id", "generic"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.opens(&['{']) {
        let listed = head.members().iter().any(|member| member == "findings");
        let own = ["\"title\"", "\"severity\"", "\"description\""].into_iter().all(|key| head.has(key));
        let foreign = head.has("\"ruleId\"") || head.has("\"tyrian\"") || head.has("\"vulnerability\":") || head.has("\"pluginId\"");
        return (listed && own && !foreign).then_some(Confidence::Likely).or(head.is("{\"findings\":[]}").then_some(Confidence::Possible));
    }
    let titled = head.titled(&["date", "title", "severity", "description"]);
    (titled && (head.titled(&["mitigation"]) || head.titled(&["cweid"]))).then_some(Confidence::Likely)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (notation, mut source) = dialects::notation(source, &out.gauge())?;
    match notation {
        Notation::Json => listed::read(&mut source, out, Report::default()),
        Notation::Xml | Notation::Text => rows(&mut source, out),
    }
}

/// One finding, in whichever notation.
#[derive(Default)]
struct Told {
    id: Option<String>,
    check: Option<String>,
    title: String,
    description: String,
    severity: Severity,
    remediation: Option<String>,
    vector: Option<String>,
    cwes: Vec<u32>,
    names: Vec<String>,
    references: Vec<String>,
    tags: Vec<String>,
    file: Option<String>,
    line: Option<u32>,
    component: Option<Component>,
    endpoints: Vec<String>,
    observed_at: Option<String>,
    gone: Option<Gone>,
    verified: bool,
}

impl Told {
    fn give(self, seen: &mut Occurrences, out: &mut Output<'_>) -> Result<(), ParseError> {
        let mut location = match self.endpoints.first().and_then(|address| Endpoint::new(address)) {
            Some(endpoint) => endpoint.location(),
            None => Location::default(),
        };
        location.file = self.file.as_deref().map(code::path);
        location.line = self.line;
        location.component = self.component.clone();
        let check = self.check.clone().unwrap_or_else(|| self.title.clone());
        let keys = self.keys(&check, &location, seen);
        let (cves, aliases) = package::names(self.names.iter().map(String::as_str));
        let mut evidence = Vec::new();
        if self.endpoints.len() > 1 {
            evidence.push(out.evidence("endpoints", &self.endpoints.join("\n")));
        }
        out.distinct(Observation {
            source: SOURCE.to_owned(),
            check: format!("generic:{check}"),
            title: self.title,
            description: self.description,
            remediation: self.remediation,
            severity: self.severity,
            confidence: if self.verified { 95 } else { 60 },
            cvss: self.vector,
            cwes: self.cwes,
            cves,
            aliases,
            references: self.references,
            tags: self.tags,
            location,
            evidence,
            keys,
            observed_at: self.observed_at,
            gone: self.gone,
        })
    }

    /// The tool's own id where it has one; else the check and where it was, and which of several such it is.
    fn keys(&self, check: &str, location: &Location, seen: &mut Occurrences) -> Vec<IdentityKey> {
        let package = location.component.as_ref().map(package::bare);
        let place =
            [location.url.as_deref().or(location.host.as_deref()).or(location.ip.as_deref()), location.file.as_deref(), package.as_deref()];
        let fields = |nth| [check.into(), place[0].into(), place[1].into(), place[2].into(), identity::Field::Number(nth)];
        let mut keys = Vec::with_capacity(2);
        if let Some(id) = &self.id {
            let nth = seen.of(("id", id));
            keys.push(identity::key("generic.id", 1, &[id.as_str().into(), identity::Field::Number(nth)]));
        }
        let nth = seen.of((check, place));
        keys.push(identity::key("generic", 1, &fields(nth)));
        keys
    }
}

#[derive(Default)]
struct Report(Occurrences);

impl Records for Report {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = EXPECTED;

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] => Plan::Enter,
            ["findings"] => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        path == ["findings"]
    }

    fn take(&mut self, _: &[&str], value: &Value, position: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]).map(str::trim);
        let (Some(title), Some(severity), true) = (text("title"), text("severity"), value.get("description").is_some()) else {
            return Ok(false);
        };
        // Others list findings with these members, too, and say more than this format knows.
        if ["location", "keys", "ruleId", "scanner"].into_iter().any(|name| value.get(name).is_some()) {
            return Ok(false);
        }
        let holds = |name: &str| value.get(name).and_then(Value::as_bool) == Some(true);
        if let Some(settled) = ["false_p", "out_of_scope"].into_iter().find(|name| holds(name)) {
            out.warn(position, format!("`{}` was left out: the report says {settled}", vocabulary::shorten(title, 100)))?;
            return Ok(true);
        }
        let moment = |date: &str| dialects::day(date, &[]).or_else(|| vocabulary::moment(date));
        let number = |name: &str| value.get(name).and_then(|number| number.as_u64().or_else(|| number.as_str()?.parse().ok()));
        let cwes = json::texts(value, &["cwes"])
            .into_iter()
            .flat_map(vocabulary::cwes)
            .chain(number("cwe").and_then(|cwe| u32::try_from(cwe).ok()));
        let told = Told {
            id: text("unique_id_from_tool").map(str::to_owned),
            check: text("vuln_id_from_tool").map(str::to_owned),
            title: title.to_owned(),
            description: text("description").unwrap_or_default().to_owned(),
            severity: severity.parse().unwrap_or_default(),
            remediation: text("mitigation").map(str::to_owned),
            vector: ["cvssv4", "cvssv3"].into_iter().filter_map(text).find_map(vocabulary::cvss),
            cwes: cwes.filter(|cwe| *cwe > 0).collect(),
            names: text("cve").into_iter().chain(json::texts(value, &["vulnerability_ids"])).map(str::to_owned).collect(),
            references: text("references").map(dialects::addresses).unwrap_or_default(),
            tags: json::texts(value, &["tags"]).into_iter().map(|tag| vocabulary::shorten(tag, 100)).collect(),
            file: text("file_path").map(str::to_owned),
            line: number("line").and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0),
            component: text("component_name").map(|name| package::component("", name, text("component_version"), None)),
            endpoints: json::items(value, &["endpoints"]).filter_map(address).collect(),
            observed_at: text("date").and_then(moment),
            gone: holds("is_mitigated").then(|| Gone { first_seen: None, at: text("mitigated").and_then(moment) }),
            verified: holds("verified"),
        };
        told.give(&mut self.0, out)?;
        Ok(true)
    }
}

/// An endpoint as one text or by its parts.
fn address(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let host = json::text(value, &["host"])?;
    let scheme = json::text(value, &["protocol"]).map(|scheme| format!("{scheme}://")).unwrap_or_default();
    let port = value.get("port").filter(|port| port.is_u64()).map(|port| format!(":{port}")).unwrap_or_default();
    let path = json::text(value, &["path"]).map(|path| format!("/{}", path.trim_start_matches('/'))).unwrap_or_default();
    Some(format!("{scheme}{host}{port}{path}"))
}

fn rows(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    let needed = ["date", "title", "severity", "description"];
    table.header(|names| needed.iter().all(|column| names.iter().any(|name| name == column)), EXPECTED)?;
    let mut seen = Occurrences::default();
    while let Some(position) = table.next(out)? {
        let Some(title) = table.get("title") else {
            out.skip(position, "row without a title")?;
            continue;
        };
        let holds = |name: &str| table.get(name).is_some_and(|word| word.starts_with(['t', 'T']));
        if let Some(settled) = ["falsepositive", "duplicate"].into_iter().find(|name| holds(name)) {
            out.warn(position, format!("`{}` was left out: the report says {settled}", vocabulary::shorten(title, 100)))?;
            continue;
        }
        let moment = |name: &str| {
            table.get(name).and_then(|date| dialects::day(date, &["%m/%d/%Y", "%d/%m/%Y"]).or_else(|| vocabulary::moment(date)))
        };
        let classes = [table.get("cweids"), table.get("cweid")].into_iter().flatten().flat_map(|text| text.split([',', ' ']));
        let class = |text: &str| text.trim().trim_start_matches("CWE-").parse().ok().filter(|cwe: &u32| *cwe > 0);
        let told = Told {
            title: title.to_owned(),
            description: table.get("description").unwrap_or_default().to_owned(),
            severity: table.get("severity").and_then(|word| word.parse().ok()).unwrap_or_default(),
            remediation: table.get("mitigation").map(str::to_owned),
            vector: ["cvssv4", "cvssv3"].into_iter().filter_map(|name| table.get(name)).find_map(vocabulary::cvss),
            cwes: classes.filter_map(class).collect(),
            names: [table.get("cve"), table.get("vulnerability id")].into_iter().flatten().map(str::to_owned).collect(),
            references: table.get("references").map(dialects::addresses).unwrap_or_default(),
            endpoints: table.get("url").map(str::to_owned).into_iter().collect(),
            observed_at: moment("date"),
            gone: holds("ismitigated").then(|| Gone { first_seen: None, at: moment("mitigateddate") }),
            verified: holds("verified"),
            ..Told::default()
        };
        told.give(&mut seen, out)?;
    }
    out.silence(SOURCE)
}
