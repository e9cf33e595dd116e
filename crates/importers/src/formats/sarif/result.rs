//! One SARIF result: an observation per location, or coverage when it is not a failure.

use serde_json::Value;

use super::place;
use super::rule::{self, Component as ToolComponent, Rule};
use super::run::Context;
use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::model::{Component, Coverage, CoverageStatus, Evidence, Extent, IdentityKey, Location, Observation, Severity};
use crate::output::{Output, floor_boundary};
use crate::vocabulary;

const STEPS: usize = 200;
const FINGERPRINTS: usize = 16;
const FINGERPRINT_NAME: usize = 500;
const ARGUMENT: usize = 4 << 10;
const MESSAGE: usize = 64 << 10;
/// State of a result that the run before had and this one has not.
const ABSENT: &str = "absent";
/// Places of one result.
const PLACES: usize = 1_000;
/// Places of one result that each carry all its evidence.
const PLACES_WITH_EVIDENCE: usize = 16;

pub(super) fn map(value: &Value, position: Position, context: &mut Context, out: &mut Output<'_>) -> Result<(), ParseError> {
    if !value.is_object() {
        return out.skip(position, "result is not an object");
    }
    let rule = find_rule(value, context);
    let id = rule_id(value, rule);
    let kind = json::text(value, &["kind"]).unwrap_or("fail");
    let locations: Vec<Location> = json::items(value, &["locations"]).map(|location| place::location(location, context)).collect();
    if kind != "fail" {
        let location = locations.into_iter().next().unwrap_or_default();
        return covered(kind, id.unwrap_or("unknown"), location, context, out);
    }
    // Told for the comparison with an earlier run only: this one looked there and did not see it (SARIF §3.27.24).
    if json::text(value, &["baselineState"]) == Some(ABSENT) {
        let Some(id) = id else { return Ok(()) };
        return locations.into_iter().take(PLACES).try_for_each(|location| covered(ABSENT, id, location, context, out));
    }
    let message = message(value, rule, context);
    let title = message
        .clone()
        .or_else(|| rule.and_then(|rule| rule.short.clone().or_else(|| rule.full.clone())))
        .or_else(|| rule.and_then(|rule| rule.name.clone()))
        .or_else(|| id.map(str::to_owned));
    let Some(title) = title else {
        return out.skip(position, "result without rule and message");
    };
    let id = id.unwrap_or("unknown").to_owned();
    let common = Observation {
        source: context.source(),
        check: id.clone(),
        title,
        description: describe(message.as_deref(), rule),
        remediation: remediation(value),
        severity: severity(value, rule),
        confidence: confidence(rule),
        cvss: rule.and_then(|rule| rule.cvss.clone()),
        cwes: cwes(value, rule),
        cves: vocabulary::cves(&id),
        references: references(value, rule),
        tags: tags(value, rule),
        observed_at: context.finished.clone(),
        ..Observation::default()
    };
    let component = component(value);
    let evidence = evidence(value, context, out);
    let fingerprints = fingerprints(value);
    let several = locations.len() > 1;
    let locations = if locations.is_empty() { vec![Location::default()] } else { locations };
    if locations.len() > PLACES {
        out.warn(position, format!("result with {} places; {PLACES} are taken", locations.len()))?;
    }
    for (index, mut location) in locations.into_iter().take(PLACES).enumerate() {
        location.component.clone_from(&component);
        let mut observation = common.clone();
        if index < PLACES_WITH_EVIDENCE {
            observation.evidence.clone_from(&evidence);
        }
        observation.keys = keys(&id, &location, &fingerprints, several, context);
        observation.location = location;
        out.distinct(observation)?;
    }
    Ok(())
}

fn find_rule<'c>(value: &Value, context: &'c Context) -> Option<&'c Rule> {
    let id = json::text(value, &["ruleId"]).or(json::text(value, &["rule", "id"]));
    let index = [&["ruleIndex"][..], &["rule", "index"]].into_iter().find_map(|path| json::at(value, path)?.as_u64());
    if let Some(reference) = json::at(value, &["rule", "toolComponent"]) {
        let named = |component: &&ToolComponent| {
            let name = json::text(reference, &["name"]);
            let guid = json::text(reference, &["guid"]);
            (name.is_some() && component.name.as_deref() == name) || (guid.is_some() && component.guid.as_deref() == guid)
        };
        let by_index =
            reference.get("index").and_then(Value::as_u64).and_then(|index| context.extensions.get(usize::try_from(index).ok()?));
        if let Some(component) = by_index.or_else(|| context.extensions.iter().find(named)) {
            return component.find(id, index);
        }
    }
    let mut components = std::iter::once(&context.driver).chain(&context.extensions);
    match id {
        Some(_) => components.find_map(|component| component.find(id, None)),
        None => context.driver.find(None, index),
    }
}

fn rule_id<'v>(value: &'v Value, rule: Option<&'v Rule>) -> Option<&'v str> {
    json::text(value, &["ruleId"]).or(json::text(value, &["rule", "id"])).or(rule.and_then(|rule| rule.id.as_deref()))
}

/// Something other than a failure that is there says that the rule ran.
fn covered(kind: &str, id: &str, location: Location, context: &Context, out: &mut Output<'_>) -> Result<(), ParseError> {
    let status = match kind {
        "pass" | "informational" | ABSENT => CoverageStatus::Done,
        _ => CoverageStatus::Skipped,
    };
    out.coverage(Coverage {
        source: context.source(),
        check_set: id.to_owned(),
        location,
        extent: Extent::Whole,
        status,
        reason: Some(kind.to_owned()),
    })
}

/// Text of the result's message, with arguments put in.
fn message(value: &Value, rule: Option<&Rule>, context: &Context) -> Option<String> {
    let message = value.get("message")?;
    let text = match json::text(message, &["text"]) {
        Some(text) => text,
        None => {
            let id = json::text(message, &["id"])?;
            let global = || rule::pick(&context.driver.messages, id);
            rule.and_then(|rule| rule.message(id)).or_else(global)?
        }
    };
    let arguments: Vec<&str> = json::items(message, &["arguments"]).map(|argument| argument.as_str().unwrap_or_default()).collect();
    Some(fill(text, &arguments))
}

/// Puts arguments into `{0}`; doubled braces stand for one (SARIF §3.11.5).
fn fill(text: &str, arguments: &[&str]) -> String {
    if arguments.is_empty() {
        return text.to_owned();
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['{', '}']) {
        filled.push_str(&rest[..start]);
        let tail = &rest[start..];
        let placeholder = tail
            .strip_prefix('{')
            .map(|tail| tail.split_at(tail.bytes().take(3).take_while(u8::is_ascii_digit).count()))
            .and_then(|(number, after)| Some((number.parse::<usize>().ok()?, after.strip_prefix('}')?)));
        if let Some((number, after)) = placeholder {
            let argument = arguments.get(number).copied().unwrap_or_default();
            filled.push_str(&argument[..floor_boundary(argument, ARGUMENT)]);
            if filled.len() > MESSAGE {
                return filled;
            }
            rest = after;
        } else {
            let doubled = tail.starts_with("{{") || tail.starts_with("}}");
            filled.push_str(&tail[..1]);
            rest = &tail[if doubled { 2 } else { 1 }..];
        }
    }
    filled.push_str(rest);
    filled
}

fn describe(message: Option<&str>, rule: Option<&Rule>) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let rule_texts = rule.map(|rule| [rule.short.as_deref(), rule.full.as_deref()]);
    for text in std::iter::once(message).chain(rule_texts.into_iter().flatten()).flatten() {
        let text = text.trim();
        if !text.is_empty() && !parts.iter().any(|part| part.contains(text)) {
            parts.push(text);
        }
    }
    parts.join("\n\n")
}

/// Level of the result, else of the rule, else `warning`; a score of the rule, or of the result, overrules it.
fn severity(value: &Value, rule: Option<&Rule>) -> Severity {
    // Snyk Code ranks every result from 0 to 1000 and writes `note` for most.
    if let Some(priority) = json::at(value, &["properties", "priorityScore"]).and_then(Value::as_f64) {
        return match priority {
            score if score < 400.0 => Severity::Low,
            score if score < 700.0 => Severity::Medium,
            score if score < 900.0 => Severity::High,
            _ => Severity::Critical,
        };
    }
    if let Some(rated) = rule.and_then(|rule| rule.rated) {
        return rated;
    }
    let level = json::text(value, &["level"]).or_else(|| rule.and_then(|rule| rule.level.as_deref()));
    match level {
        Some("note") => Severity::Info,
        Some("error") => Severity::High,
        _ => Severity::Medium,
    }
}

fn confidence(rule: Option<&Rule>) -> u8 {
    match rule.and_then(|rule| rule.precision.as_deref()) {
        Some("very-high") => 95,
        Some("high") => 85,
        Some("low") => 40,
        _ => 70,
    }
}

fn remediation(value: &Value) -> Option<String> {
    let fixes: Vec<&str> = json::items(value, &["fixes"]).filter_map(|fix| json::text(fix, &["description", "text"])).collect();
    (!fixes.is_empty()).then(|| fixes.join("\n"))
}

fn cwes(value: &Value, rule: Option<&Rule>) -> Vec<u32> {
    let mut cwes: Vec<u32> = rule.map(|rule| rule.cwes.clone()).unwrap_or_default();
    let texts = json::texts(value, &["properties", "cwe"]);
    let tags = json::texts(value, &["properties", "tags"]);
    cwes.extend(texts.into_iter().chain(tags).flat_map(vocabulary::cwes));
    for taxon in json::items(value, &["taxa"]) {
        let id = json::text(taxon, &["id"]).unwrap_or_default();
        if json::text(taxon, &["toolComponent", "name"]) == Some("CWE") {
            cwes.extend(id.parse::<u32>());
        }
        cwes.extend(vocabulary::cwes(id));
    }
    cwes
}

fn references(value: &Value, rule: Option<&Rule>) -> Vec<String> {
    let mut references = Vec::new();
    if let Some(rule) = rule {
        references.extend(rule.help_uri.clone());
        let help = rule.help.as_deref().map(str::trim);
        references.extend(help.filter(|help| help.starts_with("http") && !help.contains(char::is_whitespace)).map(str::to_owned));
    }
    references.extend(json::text(value, &["hostedViewerUri"]).map(str::to_owned));
    references
}

fn tags(value: &Value, rule: Option<&Rule>) -> Vec<String> {
    let mut tags: Vec<String> = rule.map(|rule| rule.tags.clone()).unwrap_or_default();
    tags.extend(rule::tags(value));
    let accepted = json::items(value, &["suppressions"]).any(|one| json::text(one, &["status"]).is_none_or(|status| status == "accepted"));
    if accepted {
        tags.push("suppressed".to_owned());
    }
    if let Some(state) = json::text(value, &["baselineState"]) {
        tags.push(format!("baseline:{state}"));
    }
    vocabulary::unique(tags)
}

fn evidence(value: &Value, context: &Context, out: &Output<'_>) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    for flow in json::items(value, &["codeFlows"]).take(3) {
        for thread in json::items(flow, &["threadFlows"]).take(3) {
            let steps: Vec<String> = json::items(thread, &["locations"])
                .take(STEPS)
                .filter_map(|step| step.get("location"))
                .map(|location| step(location, context))
                .collect();
            if !steps.is_empty() {
                evidence.push(out.evidence("code flow", &steps.join("\n")));
            }
        }
    }
    let related: Vec<String> = json::items(value, &["relatedLocations"]).take(STEPS).map(|location| step(location, context)).collect();
    if !related.is_empty() {
        evidence.push(out.evidence("related locations", &related.join("\n")));
    }
    for suppression in json::items(value, &["suppressions"]).take(3) {
        let kind = json::text(suppression, &["kind"]).unwrap_or("external");
        let status = json::text(suppression, &["status"]).unwrap_or("accepted");
        let why = json::text(suppression, &["justification"]).unwrap_or("no reason given");
        evidence.push(out.evidence("suppression", &format!("{kind}, {status}: {why}")));
    }
    if let Some(body) = json::text(value, &["webRequest", "body", "text"]) {
        evidence.push(out.evidence("request", body));
    }
    if let Some(body) = json::text(value, &["webResponse", "body", "text"]) {
        evidence.push(out.evidence("response", body));
    }
    evidence
}

fn step(location: &Value, context: &Context) -> String {
    let place = place::location(location, context);
    let said = json::text(location, &["message", "text"]).or(place.snippet.as_deref());
    match said {
        Some(said) => format!("{}: {}", place::shown(&place), vocabulary::shorten(said, 200)),
        None => place::shown(&place),
    }
}

/// Package named in the properties of the result (Black Duck and others).
fn component(value: &Value) -> Option<Component> {
    let property = |names: [&str; 3]| names.into_iter().find_map(|name| json::text(value, &["properties", name])).map(str::to_owned);
    Some(Component {
        name: property(["component", "packageName", "package"])?,
        version: property(["componentVersion", "packageVersion", "installedVersion"]),
        purl: property(["purl", "packageUrl", "packageURL"]),
    })
}

/// Names and values of all fingerprints, nested ones under their path, full ones first.
fn fingerprints(value: &Value) -> Vec<(bool, String, String)> {
    let mut found = Vec::new();
    for (full, member) in [(true, "fingerprints"), (false, "partialFingerprints")] {
        if let Some(value) = value.get(member) {
            flatten(full, member, value, &mut found);
        }
    }
    found
}

fn flatten(full: bool, path: &str, value: &Value, found: &mut Vec<(bool, String, String)>) {
    if found.len() >= FINGERPRINTS || path.len() > FINGERPRINT_NAME {
        return;
    }
    match value {
        // Some tools write a notice where the value needs a licence to be shown.
        Value::String(text) if !text.trim().is_empty() && text != "requires login" => {
            found.push((full, path.to_owned(), text.clone()));
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            for (name, value) in members {
                flatten(full, &format!("{path}/{name}"), value, found);
            }
        }
        _ => {}
    }
}

fn keys(id: &str, location: &Location, fingerprints: &[(bool, String, String)], several: bool, context: &mut Context) -> Vec<IdentityKey> {
    let source = context.source();
    let repository = context.repository.clone();
    let repository = repository.as_deref();
    let file = location.file.as_deref().or(location.url.as_deref());
    let mut keys = Vec::new();
    for (full, name, value) in fingerprints {
        // A partial fingerprint, and one shared by several places, only means something in its file.
        let within = file.filter(|_| !full || several);
        let nth = context.occurrence(("fingerprint", id, within, name, value));
        keys.push(identity::code_fingerprint(&source, id, within, name, value, nth));
    }
    if let Some(component) = &location.component {
        keys.push(identity::dependency(repository, id, &component.name));
    }
    let anchor = location.snippet.as_deref().map(identity::snippet);
    let anchor = anchor.as_deref().or(location.logical.as_deref());
    let nth = context.occurrence(("code", id, file, anchor));
    keys.push(identity::code(repository, file, id, anchor, nth));
    if let Some(anchor) = anchor {
        let nth = context.occurrence(("code.moved", id, anchor));
        keys.push(identity::code_moved(repository, id, anchor, nth));
    }
    keys
}
