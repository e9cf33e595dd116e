//! MobSF's JSON report of an Android or iOS app: certificate, manifest, code, binaries and permissions, each with its findings.

use std::io::Read;

use serde_json::Value;

use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::html;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Asset, Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{ANY, Plan};

const SOURCE: &str = "mobsf";
/// Files of one finding that are shown.
const FILES: usize = 50;

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Mobsf, id: "mobsf", source: SOURCE, label: "MobSF JSON", schemes: &["code", "code.moved"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let app = has("package_name") || has("packagename") || has("bundle_id") || has("app_type") || has("appsec") || has("average_cvss");
    let parts = ["code_analysis", "manifest_analysis", "binary_analysis", "certificate_analysis", "permissions"];
    let parts = parts.into_iter().filter(|part| has(part)).count();
    match (app, parts) {
        (true, 1..) | (false, 3..) => Some(Confidence::Certain),
        (true, 0) if has("md5") && has("sha256") && has("file_name") => Some(Confidence::Likely),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, App::default())
}

#[derive(Default)]
struct App {
    places: Places,
    name: Option<String>,
    introduced: bool,
}

/// One finding, whichever part of the report it is in.
struct Told<'v> {
    part: &'static str,
    rule: &'v str,
    title: String,
    rated: &'v str,
    description: &'v str,
    place: Option<&'v str>,
    /// Weakness and standard it belongs to.
    about: &'v Value,
    files: Vec<String>,
}

impl Records for App {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "MobSF JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | ["code_analysis" | "manifest_analysis" | "certificate_analysis" | "binary_analysis" | "permissions"] => Plan::Enter,
            ["code_analysis", "findings"] => Plan::Enter,
            ["package_name" | "packagename" | "bundle_id"] => Plan::Take,
            ["manifest_analysis", "manifest_findings"] | ["certificate_analysis", "certificate_findings"] => Plan::Enter,
            ["manifest_analysis", "manifest_findings", ANY] | ["certificate_analysis", "certificate_findings", ANY] => Plan::Take,
            ["binary_analysis", "findings"] => Plan::Enter,
            ["manifest_analysis", ANY] | ["code_analysis" | "binary_analysis", "findings", _] => Plan::Take,
            ["code_analysis" | "binary_analysis", part] if *part != "summary" => Plan::Take,
            ["permissions", _] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(path, ["manifest_analysis" | "binary_analysis" | "certificate_analysis" | "average_cvss"])
    }

    fn note(&mut self, path: &[&str], value: &Value) -> bool {
        if matches!(path, ["package_name" | "packagename" | "bundle_id"]) {
            self.name = value.as_str().map(str::to_owned);
            return true;
        }
        false
    }

    fn take(&mut self, path: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let told = |part, rule, title: &str| Told {
            part,
            rule,
            title: title.to_owned(),
            rated: "info",
            description: "",
            place: None,
            about: &Value::Null,
            files: Vec::new(),
        };
        match *path {
            ["certificate_analysis", ..] => {
                let parts: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let (Some(rated), Some(title)) = (parts.first(), parts.get(1..).and_then(<[_]>::last)) else {
                    return Ok(false);
                };
                let description = parts.get(1).copied().unwrap_or_default();
                self.tell(Told { rated, description, ..told("certificate", title, title) }, out)?;
            }
            ["manifest_analysis", ..] => {
                let Some(title) = text("title") else {
                    return Ok(false);
                };
                let rated = text("severity").or_else(|| text("stat")).unwrap_or("info");
                let description = text("description").or_else(|| text("desc")).unwrap_or_default();
                let place = json::texts(value, &["component"]).into_iter().next().or_else(|| text("name"));
                self.tell(Told { rated, description, place, ..told("manifest", text("rule").unwrap_or(title), title) }, out)?;
            }
            ["permissions", name] => {
                let name = if name == ANY { text("name").unwrap_or_default() } else { name };
                let Some(status) = text("status").filter(|_| !name.is_empty()) else {
                    return Ok(false);
                };
                self.tell(
                    Told { rated: status, description: text("description").unwrap_or_default(), ..told("permission", name, name) },
                    out,
                )?;
            }
            ["binary_analysis", ANY] => return self.library(value, out),
            [part, .., rule] => {
                let part = if part == "binary_analysis" { "binary" } else { "code" };
                let about = value.get("metadata").unwrap_or(value);
                let Some(rated) = json::text(about, &["severity"]) else {
                    return Ok(false);
                };
                let description = json::text(about, &["description"]).or_else(|| json::text(about, &["detailed_desc"])).unwrap_or_default();
                let title = if part == "binary" && !description.is_empty() { description } else { rule };
                let files =
                    value.get("files").and_then(Value::as_object).into_iter().flatten().take(FILES).map(|(file, _)| code::path(file));
                self.tell(Told { rated, description, about, files: files.collect(), ..told(part, rule, title) }, out)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl App {
    /// What hardens one library of the app, by name.
    fn library(&mut self, value: &Value, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let Some(name) = json::text(value, &["name"]) else {
            return Ok(false);
        };
        for (rule, about) in value.as_object().into_iter().flatten() {
            let Some(rated) = json::text(about, &["severity"]) else {
                continue;
            };
            let description = json::text(about, &["description"]).unwrap_or_default();
            let title = description.split('.').next().filter(|title| !title.is_empty()).unwrap_or(rule).to_owned();
            let files = vec![name.to_owned()];
            self.tell(Told { part: "binary", rule, title, rated, description, place: None, about, files }, out)?;
        }
        Ok(true)
    }

    fn tell(&mut self, told: Told<'_>, out: &mut Output<'_>) -> Result<(), ParseError> {
        if let Some(name) = self.name.clone().filter(|_| !std::mem::replace(&mut self.introduced, true)) {
            let identifiers = vec![("name".to_owned(), name)];
            out.asset(Asset { kind: "application".to_owned(), identifiers, services: Vec::new() })?;
        }
        let place = Place {
            source: SOURCE,
            repository: self.name.as_deref(),
            // A finding about an only file is about that file.
            file: told.files.first().filter(|_| told.files.len() == 1).map(String::as_str),
            rule: told.rule,
            anchor: told.place,
            ..Place::default()
        };
        let weakness = json::text(told.about, &["cwe"]).unwrap_or_default();
        let severity = severity(told.rated);
        let title = html::plain(&told.title);
        let mut evidence = Vec::new();
        if told.files.len() > 1 {
            evidence.push(out.evidence("files", &told.files.join("\n")));
        }
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: format!("mobsf:{}:{}", told.part, vocabulary::shorten(told.rule, 200)),
            description: html::plain(told.description),
            severity,
            confidence: 60,
            cwes: vocabulary::cwes(weakness),
            tags: [json::text(told.about, &["owasp-mobile"]), json::text(told.about, &["masvs"])]
                .into_iter()
                .flatten()
                .chain([told.part])
                .map(str::to_owned)
                .collect(),
            keys: self.places.keys(&place),
            location: Location {
                file: told.files.first().cloned(),
                logical: told.place.map(str::to_owned).or_else(|| self.name.clone()),
                ..Location::default()
            },
            title,
            evidence,
            ..Observation::default()
        };
        let issue = [observation.title.clone(), observation.description.clone(), told.files.first().cloned().unwrap_or_default()];
        out.observation(observation, &[told.part, severity.as_str(), &issue[0], &issue[1], &issue[2]])
    }
}

/// MobSF's words; of permissions only the dangerous ones weigh.
fn severity(word: &str) -> Severity {
    match word.trim().to_ascii_lowercase().as_str() {
        "dangerous" | "high" => Severity::High,
        "warning" => Severity::Medium,
        word => word.parse().unwrap_or(Severity::Info),
    }
}
