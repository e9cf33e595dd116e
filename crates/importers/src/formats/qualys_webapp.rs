//! Qualys Web Application Scanning, by scan and by application: detections wait for the glossary
//! that comes after them. One problem per QID, one observation per place.

use std::collections::HashMap;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::dialects;
use crate::endpoint::ISSUES_ONLY;
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::identity;
use crate::model::{Asset, Coverage, CoverageStatus, Evidence, Extent, Gone, Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spill::Spill;
use crate::vocabulary;
use crate::xml::{Node, Xml};

const SOURCE: &str = "qualys";
const EXPECTED: &str = "Qualys web application report";
const TIMES: [&str; 2] = ["%d %b %Y %I:%M%p GMT%z", "%d %b %Y %I:%M%p GMT"];
/// Payloads told of one detection.
const PAYLOADS: usize = 5;
/// Bytes of the glossary that are kept.
const KEPT: usize = 48 << 20;
const DEPTH: u32 = 6;

pub(crate) static ENTRY: Entry = Entry {
    format: Format::QualysWebapp,
    id: "qualys_webapp",
    source: SOURCE,
    label: "Qualys web application XML",
    schemes: &["web"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    matches!(head.root(), Some("WAS_SCAN_REPORT" | "WAS_WEBAPP_REPORT")).then_some(Confidence::Certain)
}

/// A detection before the glossary and the application are known.
#[derive(Serialize, Deserialize)]
struct Draft {
    qid: String,
    gathered: bool,
    parameter: Option<String>,
    observation: Observation,
}

/// What the glossary says about a detection.
#[derive(Default)]
struct Details {
    title: String,
    group: String,
    level: usize,
    description: String,
    remediation: Option<String>,
    cwes: Vec<u32>,
    cvss: Option<String>,
}

/// What the scans behind a report say of themselves.
#[derive(Default)]
struct Scans {
    are_met: bool,
    /// How one ended that did not come to its end.
    broken: Option<String>,
    /// How one could not log in.
    login: Option<String>,
    /// How one looked for less than everything, or the report shows less than was found.
    narrowed: Option<String>,
}

impl Scans {
    /// Reads a `SCAN` of the appendix.
    fn meet(&mut self, scan: &Node) {
        self.are_met = true;
        let other_than = |name, fine: &str| scan.child_text(name).filter(|text| *text != fine).map(str::to_owned);
        self.broken = self.broken.take().or_else(|| other_than("STATUS", "Finished"));
        let is_lost = |login: &&str| login.contains("Fail") || login.contains("Partial");
        self.login = self.login.take().or_else(|| scan.child_text("AUTHENTICATION_STATUS").filter(is_lost).map(str::to_owned));
        // What is behind a login is not looked for without one.
        let is_in = scan.child_text("AUTHENTICATION_STATUS").is_some_and(|login| login.contains("Success"));
        self.narrowed = self.narrowed.take().or_else(|| (!is_in).then(|| "the scan did not log in".to_owned()));
        // A scan may only discover what there is.
        self.narrowed =
            self.narrowed.take().or_else(|| other_than("MODE", "Vulnerability").map(|mode| format!("mode of the scan: {mode}")));
    }

    /// Reads `OPTION_PROFILE_DETAILS`: a profile may name the detections it looks for.
    fn options(&mut self, options: &Node) {
        let scope = options.child_text("DETECTION_SCOPE").filter(|scope| *scope != "EVERYTHING");
        self.narrowed = self.narrowed.take().or_else(|| scope.map(|scope| format!("detection scope: {scope}")));
    }

    /// Reads `FILTERS` of the report; some of them only widen it.
    fn filters(&mut self, filters: &Node) {
        let narrows = |value: &&str| !["Include", "Show"].iter().any(|word| value.trim().starts_with(word));
        let values = || filters.all("FILTER").filter_map(|filter| filter.child_text("VALUE"));
        self.narrowed = self.narrowed.take().or_else(|| values().find(narrows).map(|value| format!("the report is filtered: {value}")));
    }

    fn ended(&self) -> (CoverageStatus, Option<&str>) {
        match self {
            Self { login: Some(login), .. } => (CoverageStatus::AuthLost, Some(login)),
            Self { broken: Some(status), .. } => (CoverageStatus::Error, Some(status)),
            Self { narrowed: Some(how), .. } => (CoverageStatus::Skipped, Some(how)),
            Self { are_met: false, .. } => (CoverageStatus::Skipped, Some(ISSUES_ONLY)),
            _ => (CoverageStatus::Done, None),
        }
    }
}

/// What is known once the report is read.
#[derive(Default)]
struct Reading {
    glossary: HashMap<String, Details>,
    kept: usize,
    /// Address of the application, for what has no place of its own.
    application: Option<String>,
    scans: Scans,
    seen: Introduced,
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    xml.root(&["WAS_SCAN_REPORT", "WAS_WEBAPP_REPORT"], EXPECTED)?;
    let gauge = out.gauge();
    let mut spill = Spill::default();
    let mut reading = Reading::default();
    let result = walk(&mut xml, DEPTH, &mut spill, &mut reading, out);
    spill.drain(&gauge, |draft: Draft| finish(draft, &mut reading, out))?;
    result?;
    cover(&reading, out)
}

fn walk(xml: &mut Xml<'_>, depth: u32, spill: &mut Spill, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "RESULTS"
            | "WEB_APPLICATION"
            | "VULNERABILITY_LIST"
            | "SENSITIVE_CONTENT_LIST"
            | "INFORMATION_GATHERED_LIST"
            | "GLOSSARY"
            | "QID_LIST"
            | "APPENDIX"
            | "SCAN_LIST"
                if depth > 0 =>
            {
                walk(xml, depth - 1, spill, reading, out)?;
            }
            "VULNERABILITY" | "SENSITIVE_CONTENT" | "INFORMATION_GATHERED" => {
                out.gauge().next_record();
                let node = xml.node(tag)?;
                match node.child_text("QID") {
                    Some(qid) => spill.push(&draft(&node, qid, out), &out.gauge())?,
                    None => out.skip(out.position(), "detection without QID")?,
                }
            }
            "QID" => {
                let node = xml.node(tag)?;
                let details = details(&node);
                reading.kept += details.description.len() + details.remediation.as_ref().map_or(0, String::len) + 300;
                if reading.kept > KEPT {
                    return Err(out.gauge().over("glossary", KEPT as u64));
                }
                reading.glossary.insert(node.child_text("QID").unwrap_or_default().to_owned(), details);
            }
            "WEBAPP" | "URL" => {
                let node = xml.node(tag)?;
                let url = node.child_text("URL").unwrap_or(node.text.trim());
                if Url::parse(url).is_ok() {
                    reading.application.get_or_insert_with(|| url.to_owned());
                }
            }
            "SCAN" => {
                let node = xml.node(tag)?;
                reading.scans.meet(&node);
            }
            "FILTERS" => reading.scans.filters(&xml.node(tag)?),
            "OPTION_PROFILE_DETAILS" => reading.scans.options(&xml.node(tag)?),
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn draft(node: &Node, qid: &str, out: &Output<'_>) -> Draft {
    let gathered = node.name() == "INFORMATION_GATHERED";
    let moment = |name: &str| node.child_text(name).and_then(|time| dialects::moment(time, &TIMES));
    let parameter = node.child_text("PARAM").or_else(|| node.child_text("FORM_ENTRY_POINT")).filter(|text| !matches!(*text, "-" | "N/A"));
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        check: format!("qualys:{qid}"),
        confidence: if node.child_text("POTENTIAL") == Some("true") { 40 } else { 90 },
        tags: ["STATUS", "AUTHENTICATION"].into_iter().filter_map(|name| node.child_text(name)).map(str::to_owned).collect(),
        location: Location {
            url: node.child_text("URL").map(str::to_owned),
            parameter: parameter.map(str::to_owned),
            ..Location::default()
        },
        observed_at: ["LAST_TIME_DETECTED", "DETECTION_DATE", "FIRST_TIME_DETECTED"].into_iter().find_map(moment),
        gone: vocabulary::is_fixed(node.child_text("STATUS")).then(|| Gone { first_seen: moment("FIRST_TIME_DETECTED"), at: None }),
        ..Observation::default()
    };
    let payloads = node.first("PAYLOADS").into_iter().flat_map(|all| all.all("PAYLOAD")).take(PAYLOADS);
    for payload in payloads {
        if let Some(request) = payload.first("REQUEST") {
            observation.location.method = observation.location.method.or_else(|| request.child_text("METHOD").map(str::to_owned));
            observation.evidence.push(out.evidence("request", &asked(request)));
        }
        if let Some(contents) = payload.first("RESPONSE").and_then(|response| response.first("CONTENTS")) {
            observation.evidence.push(decoded("response", contents, out));
        }
    }
    if let Some(data) = node.first("DATA") {
        observation.evidence.push(decoded("data", data, out));
    }
    let via: Vec<&str> = node.first("ACCESS_PATH").into_iter().flat_map(|path| path.all("URL")).map(|url| url.text.trim()).collect();
    if !via.is_empty() {
        observation.evidence.push(out.evidence("access path", &via.join("\n")));
    }
    Draft { qid: qid.to_owned(), gathered, parameter: parameter.map(str::to_owned), observation }
}

/// The request as it went over the wire, as far as the report tells.
fn asked(request: &Node) -> String {
    let mut text = format!("{} {}", request.child_text("METHOD").unwrap_or("GET"), request.child_text("URL").unwrap_or_default());
    for header in request.first("HEADERS").into_iter().flat_map(|headers| headers.all("HEADER")) {
        let part = |name| header.child_text(name).unwrap_or_default();
        text.push_str(&format!("\n{}: {}", part("key"), part("value")));
    }
    if let Some(body) = request.child_text("BODY") {
        text.push_str(&format!("\n\n{body}"));
    }
    text
}

fn decoded(label: &str, node: &Node, out: &Output<'_>) -> Evidence {
    let text = node.text.trim();
    if node.get("base64") != Some("true") {
        return out.evidence(label, text);
    }
    let dense: String = text.split_whitespace().collect();
    match STANDARD.decode(dense) {
        Ok(bytes) => out.evidence(label, &String::from_utf8_lossy(&bytes)),
        Err(_) => out.evidence(label, text),
    }
}

fn details(node: &Node) -> Details {
    let parts: Vec<&str> =
        [node.child_text("DESCRIPTION"), node.child_text("IMPACT")].into_iter().flatten().filter(|text| *text != "N/A").collect();
    let cvss = node.first("CVSS_V3").and_then(|scores| scores.child_text("ATTACK_VECTOR")).and_then(dialects::vector);
    Details {
        title: node.child_text("TITLE").unwrap_or_default().to_owned(),
        group: node.child_text("GROUP").unwrap_or_default().to_owned(),
        level: node.child_text("SEVERITY").and_then(|level| level.parse().ok()).unwrap_or(0),
        description: parts.join("\n\n"),
        remediation: node.child_text("SOLUTION").filter(|text| *text != "N/A").map(str::to_owned),
        cwes: node.child_text("CWE").map(vocabulary::cwes).unwrap_or_default(),
        cvss,
    }
}

/// Severity levels of Web Application Scanning; its first is the least of weaknesses, not a fact.
fn severity(details: &Details, gathered: bool) -> Severity {
    if gathered && matches!(details.group.as_str(), "DIAG" | "IG") {
        return Severity::Info;
    }
    match details.level {
        1 | 2 => Severity::Low,
        3 => Severity::Medium,
        4 => Severity::High,
        5 => Severity::Critical,
        _ => Severity::Info,
    }
}

fn finish(draft: Draft, reading: &mut Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Draft { qid, gathered, parameter, mut observation } = draft;
    let unknown = Details::default();
    let details = reading.glossary.get(&qid).unwrap_or(&unknown);
    let place = observation.location.url.clone().or_else(|| reading.application.clone()).unwrap_or_else(|| "unknown".to_owned());
    let url = Url::parse(&place).ok();
    let origin = url.as_ref().and_then(identity::origin).unwrap_or_else(|| identity::asset(&place));
    let path = url.as_ref().map_or("/", Url::path);
    // Information is gathered about the application, wherever the crawler stood.
    let (path, parameter) = if gathered { ("/", None) } else { (path, parameter.as_deref()) };
    observation.keys = vec![identity::web(&origin, &observation.check, None, path, parameter)];
    let host = Host::new([url.as_ref().and_then(Url::host_str)]);
    observation.location = Location {
        port: url.as_ref().and_then(Url::port_or_known_default),
        service: url.as_ref().map(|url| url.scheme().to_owned()),
        host: host.name.clone(),
        ip: host.ip.clone(),
        protocol: Some("tcp".to_owned()),
        url: url.as_ref().map(Url::to_string),
        ..observation.location
    };
    observation.title = if details.title.is_empty() { format!("QID-{qid}") } else { details.title.clone() };
    observation.description = details.description.clone();
    observation.remediation = details.remediation.clone();
    observation.cwes = details.cwes.clone();
    observation.cvss = details.cvss.clone();
    observation.severity = severity(details, gathered);
    if !host.is_unknown() && reading.seen.is_new(&origin) {
        let mut asset = Asset { kind: "web".to_owned(), identifiers: vec![("url".to_owned(), origin)], services: Vec::new() };
        asset.identifiers.extend(host.asset(Vec::new()).identifiers);
        out.asset(asset)?;
    }
    out.observation(observation, &[&qid])
}

fn cover(reading: &Reading, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (status, reason) = reading.scans.ended();
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: Location { url: reading.application.clone(), ..Location::default() },
        extent: Extent::Whole,
        status,
        reason: reason.map(str::to_owned),
    })
}
