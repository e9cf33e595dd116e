//! Acunetix 360 (and Invicti, which writes the same): `Vulnerabilities` under a target.

use std::io::Read;

use serde_json::Value;

use super::SOURCE;
use crate::endpoint::{Endpoint, Sites, placeless};
use crate::errors::{ParseError, Position};
use crate::html;
use crate::json;
use crate::model::{Location, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const EXPECTED: &str = "Acunetix 360 JSON";

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut report = Report { out, sites: Sites::default(), target: None, generated: None, listed: false, records: 0, taken: 0 };
    walk::through(source, &bounds, EXPECTED, &mut report)?;
    let Report { mut sites, target, listed, records, taken, .. } = report;
    if !listed || (records > 0 && taken == 0) {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without vulnerabilities of a target".to_owned() });
    }
    if let Some(endpoint) = target.as_deref().and_then(Endpoint::new) {
        sites.introduce(&endpoint, out)?;
    }
    sites.leave_open(SOURCE, None, out)
}

struct Report<'l, 'o> {
    out: &'l mut Output<'o>,
    sites: Sites,
    target: Option<String>,
    generated: Option<String>,
    listed: bool,
    records: u64,
    taken: u64,
}

impl Route for Report<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match walk::element(path) {
            [] => Plan::Enter,
            ["Vulnerabilities"] => {
                self.listed = true;
                Plan::Each
            }
            ["Generated" | "Target"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["Generated"] => self.generated = walk::text(raw).as_deref().and_then(vocabulary::moment),
            ["Target"] => self.target = json::text(&walk::part(raw), &["Url"]).map(str::to_owned),
            _ => {
                if let Some(value) = walk::value(raw, position, self.out)? {
                    return self.vulnerability(&value, position);
                }
            }
        }
        Ok(())
    }
}

impl Report<'_, '_> {
    fn vulnerability(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        self.records += 1;
        let raw = |name: &str| json::text(value, &[name]);
        let (Some(name), true) = (raw("Name"), raw("Severity").is_some() || raw("Url").is_some()) else {
            return self.out.skip(position, "vulnerability without a name");
        };
        self.taken += 1;
        let text = |name: &str| raw(name).map(html::plain).filter(|text| !text.is_empty());
        let check = format!("acunetix:{}", raw("Type").unwrap_or(name));
        let method = json::text(value, &["HttpRequest", "Method"]).map(str::to_owned);
        let parameter = parameter(value);
        let address = raw("Url").or(self.target.as_deref()).unwrap_or_default().to_owned();
        let endpoint = Endpoint::new(&address);
        let (location, keys) = match &endpoint {
            Some(endpoint) => {
                self.sites.introduce(endpoint, self.out)?;
                (endpoint.location(), endpoint.keys(&check, method.as_deref(), parameter.as_deref()))
            }
            None => (Location::default(), placeless(&check, &address)),
        };
        let mut evidence = Vec::new();
        for (label, member) in [("request", "HttpRequest"), ("response", "HttpResponse")] {
            if let Some(body) = json::text(value, &[member, "Content"]) {
                evidence.push(self.out.evidence(label, body.trim_end()));
            }
        }
        if let Some(proof) = text("ProofOfConcept") {
            evidence.push(self.out.evidence("proof of concept", &proof));
        }
        let extra = json::items(value, &["ExtraInformation"]).take(50);
        let extra: Vec<String> =
            extra.filter_map(|one| Some(format!("{}: {}", json::text(one, &["Name"])?, json::text(one, &["Value"])?))).collect();
        if !extra.is_empty() {
            evidence.push(self.out.evidence("extra information", &extra.join("\n")));
        }
        let description = [text("Description"), text("Impact")].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
        let known: String = json::items(value, &["KnownVulnerabilities"]).take(100).map(|one| format!("{one} ")).collect();
        let observation = Observation {
            source: SOURCE.to_owned(),
            title: name.to_owned(),
            remediation: text("RemedialProcedure").or_else(|| text("RemedialActions")),
            severity: raw("Severity").and_then(|word| word.parse().ok()).unwrap_or(Severity::Info),
            confidence: confidence(value),
            cvss: ["Cvss40", "Cvss31", "Cvss"]
                .into_iter()
                .find_map(|version| json::text(value, &["Classification", version, "Vector"]).and_then(vocabulary::cvss)),
            cwes: cwes(value),
            cves: vocabulary::cves(&format!("{name} {known}")),
            references: references(value),
            tags: raw("State").into_iter().flat_map(|states| states.split(',')).map(|state| format!("state:{}", state.trim())).collect(),
            location: Location { method, parameter, ..location },
            observed_at: raw("LastSeenDate").and_then(vocabulary::moment).or_else(|| self.generated.clone()),
            check,
            description,
            evidence,
            keys,
            ..Observation::default()
        };
        self.out.observation(observation, &[SOURCE, name])
    }
}

/// The parameter that was attacked, when the report marks one.
fn parameter(value: &Value) -> Option<String> {
    let mut marked = json::items(value, &["HttpRequest", "Parameters"]).filter(|one| {
        json::text(one, &["Attack"]).is_some() || one.get("IsAttacked").or(one.get("IsVulnerable")).and_then(Value::as_bool) == Some(true)
    });
    json::text(marked.next()?, &["Name"]).map(str::to_owned)
}

fn confidence(value: &Value) -> u8 {
    let certainty = value.get("Certainty").and_then(Value::as_u64).map(|certainty| u8::try_from(certainty.min(100)).unwrap_or(100));
    match value.get("Confirmed").and_then(Value::as_bool) {
        Some(true) => certainty.unwrap_or(95).max(90),
        _ => certainty.unwrap_or(70),
    }
}

/// Numbers without the letters, separated by commas.
fn cwes(value: &Value) -> Vec<u32> {
    let listed = json::at(value, &["Classification", "Cwe"]);
    let text = listed.map(|cwe| cwe.as_str().map_or_else(|| cwe.to_string(), str::to_owned)).unwrap_or_default();
    text.split(',').filter_map(|cwe| cwe.trim().trim_start_matches("CWE-").parse().ok()).filter(|cwe| *cwe > 0).take(100).collect()
}

fn references(value: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if let Some(id) = json::text(value, &["LookupId"]) {
        found.push(format!("https://online.acunetix360.com/issues/detail/{id}"));
    }
    for name in ["RemedyReferences", "ExternalReferences"] {
        found.extend(json::text(value, &[name]).map(html::links).unwrap_or_default());
    }
    found
}
