//! One nuclei result: where it matched, what the template says, what was sent and answered.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use serde_json::Value;
use url::{Host, Url};

use super::{SOURCE, Seen};
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, IdentityKey, Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;

const ASSETS_REMEMBERED: usize = 1_000_000;

/// The first of several names under which versions of nuclei write a member.
fn any<'v>(value: &'v Value, names: &[&str]) -> Option<&'v str> {
    names.iter().find_map(|name| json::text(value, &[name]))
}

pub(super) fn map(value: &Value, position: Position, seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
    let template = any(value, &["template-id", "templateID", "template_id", "templateId"]);
    let (Some(template), Some(info)) = (template, value.get("info")) else {
        return out.skip(position, "not a nuclei result: no template id or no info");
    };
    seen.recognised = true;
    let matcher = any(value, &["matcher-name", "matcher_name"]);
    let check = match matcher {
        Some(matcher) => format!("{template}:{matcher}"),
        None => template.to_owned(),
    };
    let matched = any(value, &["matched-at", "matched"]).or_else(|| any(value, &["host", "url", "ip"])).unwrap_or_default();
    let place = Place::new(matched, value);
    let error = json::text(value, &["error"]);
    if value.get("matcher-status").and_then(Value::as_bool) == Some(false) {
        return out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: check,
            location: place.location,
            extent: Extent::Whole,
            status: match error {
                Some(_) => CoverageStatus::Error,
                None => CoverageStatus::Done,
            },
            reason: error.map(str::to_owned),
        });
    }
    introduce(&place, seen, out)?;
    let kind = json::text(value, &["type"]).unwrap_or_default();
    let host = place.host.clone();
    let mut observation = describe(template, info, out, position)?;
    observation.keys = keys(kind, &check, &place);
    observation.check = check;
    observation.location = place.location;
    observation.observed_at = json::text(value, &["timestamp"]).and_then(vocabulary::instant);
    prove(value, &mut observation, out);
    let issue = [template, kind, matcher.unwrap_or_default(), &host];
    out.observation(observation, &issue)
}

/// What the template says, the same wherever it matched.
fn describe(template: &str, info: &Value, out: &mut Output<'_>, position: Position) -> Result<Observation, ParseError> {
    let rated = json::text(info, &["severity"]).unwrap_or("info");
    let mut description = json::text(info, &["description"]).unwrap_or_default().trim().to_owned();
    if let Some(impact) = json::text(info, &["impact"]) {
        description.push_str(if description.is_empty() { "" } else { "\n\n" });
        description.push_str(impact.trim());
    }
    let class = ["classification"];
    let under = |name| [class[0], name];
    let vector = json::text(info, &under("cvss-metrics"));
    let cvss = vector.and_then(vocabulary::cvss);
    if let (Some(vector), None) = (vector, &cvss) {
        out.warn(position, format!("CVSS vector {:?} is not valid", shown(vector)))?;
    }
    let list = |name| json::texts(info, &under(name));
    Ok(Observation {
        source: SOURCE.to_owned(),
        title: json::text(info, &["name"]).unwrap_or(template).to_owned(),
        description,
        remediation: json::text(info, &["remediation"]).map(|text| text.trim().to_owned()),
        // A severity nuclei does not know ("unknown") is not nothing.
        severity: rated.parse().unwrap_or(Severity::Low),
        confidence: 75,
        cvss,
        cwes: list("cwe-id").into_iter().flat_map(vocabulary::cwes).collect(),
        cves: list("cve-id").into_iter().flat_map(vocabulary::cves).collect(),
        references: json::texts(info, &["reference"])
            .into_iter()
            .flat_map(str::lines)
            .map(|line| line.trim().trim_start_matches("- ").trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect(),
        tags: json::texts(info, &["tags"])
            .into_iter()
            .flat_map(|tags| tags.split(','))
            .map(|tag| tag.trim().to_owned())
            .filter(|tag| !tag.is_empty())
            .collect(),
        ..Observation::default()
    })
}

fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

fn prove(value: &Value, observation: &mut Observation, out: &Output<'_>) {
    let extracted: Vec<&str> =
        ["extracted-results", "extracted_results"].into_iter().flat_map(|name| json::texts(value, &[name])).collect();
    if !extracted.is_empty() {
        observation.evidence.push(out.evidence("extracted", &extracted.join("\n")));
    }
    for (label, names) in
        [("request", ["request", "Request"]), ("response", ["response", "Response"]), ("curl", ["curl-command", "curl_command"])]
    {
        if let Some(body) = any(value, &names) {
            observation.evidence.push(out.evidence(label, body));
        }
    }
}

/// Where a result points to.
struct Place {
    location: Location,
    /// Host without port, as it names the asset.
    host: String,
    origin: Option<String>,
    path: String,
}

impl Place {
    fn new(matched: &str, value: &Value) -> Self {
        let web = matched.contains("://");
        let parsed = if web { Url::parse(matched) } else { Url::parse(&format!("tcp://{matched}")) };
        let port = json::text(value, &["port"]).and_then(|port| port.parse().ok());
        let ip = json::text(value, &["ip"]).map(identity::asset);
        let method = any(value, &["fuzzing_method", "fuzzing-method"]).map(str::to_owned);
        let parameter = any(value, &["fuzzing_parameter", "fuzzing-parameter"]).map(str::to_owned);
        let mut location = Location {
            ip,
            port,
            protocol: Some("tcp".to_owned()),
            method: method.or_else(|| requested(value)),
            parameter,
            ..Location::default()
        };
        let Ok(url) = parsed else {
            let host = identity::asset(matched);
            location.host = Some(host.clone()).filter(|host| !host.is_empty());
            return Self { location, host, origin: None, path: String::new() };
        };
        // A host of an unknown scheme is opaque to the URL standard and keeps its case.
        let host = match url.host() {
            Some(Host::Domain(name)) => identity::asset(name),
            Some(host) => identity::asset(&host.to_string()),
            None => identity::asset(matched),
        };
        match host.parse::<IpAddr>() {
            Ok(_) => location.ip = Some(host.clone()),
            Err(_) => location.host = Some(host.clone()),
        }
        location.port = url.port_or_known_default().or(location.port);
        if web {
            location.service = Some(url.scheme().to_owned());
            location.url = Some(matched.to_owned());
        }
        Self {
            location,
            host,
            origin: web.then(|| identity::origin(&url).unwrap_or_else(|| identity::asset(matched))),
            path: url.path().to_owned(),
        }
    }
}

/// Method of the request that was recorded.
fn requested(value: &Value) -> Option<String> {
    let method = any(value, &["request", "Request"])?.split_whitespace().next()?;
    let plain = (3..=10).contains(&method.len()) && method.bytes().all(|b| b.is_ascii_uppercase());
    plain.then(|| method.to_owned())
}

/// The recorded request is optional output, so its method stays out of the key.
fn keys(kind: &str, check: &str, place: &Place) -> Vec<IdentityKey> {
    let location = &place.location;
    let port = location.port;
    match (kind, &place.origin) {
        ("ssl", _) => vec![identity::tls(&place.host, port, check)],
        ("dns" | "whois", _) => vec![identity::network(&place.host, kind, None, check)],
        (_, Some(origin)) => {
            let method = location.parameter.as_ref().and(location.method.as_deref());
            let parameter = location.parameter.as_deref();
            vec![identity::web_at(origin, check, method, &place.path, parameter)]
        }
        _ => vec![identity::network(&place.host, "tcp", port, check), identity::network_moved(&place.host, "tcp", check)],
    }
}

/// Hands every host or origin on once.
fn introduce(place: &Place, seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
    if place.host.is_empty() || seen.assets.len() >= ASSETS_REMEMBERED {
        return Ok(());
    }
    let names = [("url", &place.origin), ("hostname", &place.location.host), ("ip", &place.location.ip)];
    let mut hasher = DefaultHasher::new();
    names.hash(&mut hasher);
    if !seen.assets.insert(hasher.finish()) {
        return Ok(());
    }
    let identifiers = names.into_iter().filter_map(|(kind, name)| Some((kind.to_owned(), name.clone()?))).collect();
    let kind = if place.origin.is_some() { "web" } else { "host" };
    out.asset(Asset { kind: kind.to_owned(), identifiers, services: Vec::new() })
}
