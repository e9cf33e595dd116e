//! One issue or hotspot with what its rule says, and the observation it becomes.

use std::collections::HashMap;

use serde_json::Value;

use super::SOURCE;
use crate::code::{self, Place, Places};
use crate::errors::{ParseError, Position};
use crate::html;
use crate::json;
use crate::model::{Component, Gone, Location, Observation, Severity};
use crate::output::{Output, floor_boundary};
use crate::vocabulary;

/// Bytes kept of what one rule says.
const TEXT: usize = 8 << 10;
/// Bytes of rules and paths kept.
pub(super) const KEPT: usize = 48 << 20;

/// What issues refer to.
#[derive(Default)]
pub(super) struct Context {
    pub(super) rules: HashMap<String, Rule>,
    /// Paths by the keys of components.
    pub(super) paths: HashMap<String, String>,
    pub(super) kept: usize,
    pub(super) places: Places,
    /// Whether this is a report made of issues and not the issues themselves.
    pub(super) is_report: bool,
    pub(super) taken: u64,
}

#[derive(Default)]
pub(super) struct Rule {
    name: Option<String>,
    text: String,
    links: Vec<String>,
    cwes: Vec<u32>,
}

impl Rule {
    pub(super) fn new(name: Option<&str>, text: &str, links: Vec<String>) -> Self {
        let cwes = vocabulary::cwes(text);
        let text = text[..floor_boundary(text, TEXT)].to_owned();
        Self { name: name.map(|name| vocabulary::shorten(name, 200)), text, links, cwes }
    }

    pub(super) fn marked_up(name: Option<&str>, text: &str) -> Self {
        Self::new(name, &html::plain(text), html::links(text))
    }
}

impl Context {
    /// Keeps a rule while there is room; false when there is none.
    pub(super) fn keep(&mut self, key: &str, rule: Rule) -> bool {
        self.kept += key.len() + rule.text.len() + rule.links.iter().map(String::len).sum::<usize>() + 200;
        self.rules.insert(key.to_owned(), rule);
        self.kept <= KEPT
    }

    /// Path of a component, whose key starts with that of its project.
    fn path(&self, component: &str) -> String {
        match self.paths.get(component) {
            Some(path) => code::path(path),
            None => code::path(component.rsplit_once(':').map_or(component, |(_, path)| path)),
        }
    }
}

/// In reports: Sonar's own order. In the API the two gravest words are rated the way the published importers do it.
fn severity(word: &str, is_report: bool) -> Severity {
    match (word.trim().to_ascii_uppercase().as_str(), is_report) {
        ("BLOCKER", true) | ("CRITICAL", false) => Severity::Critical,
        ("BLOCKER", false) | ("CRITICAL", true) | ("HIGH", _) => Severity::High,
        ("MAJOR" | "MEDIUM", _) => Severity::Medium,
        ("MINOR" | "LOW", _) => Severity::Low,
        _ => Severity::Info,
    }
}

pub(super) fn give(value: &Value, position: Position, context: &mut Context, out: &mut Output<'_>) -> Result<(), ParseError> {
    let text = |name: &str| json::text(value, &[name]).map(str::trim);
    let (Some(rule), Some(component)) = (text("rule").or_else(|| text("ruleKey")), text("component")) else {
        return out.skip(position, "issue without a rule and a component");
    };
    context.taken += 1;
    let file = context.path(component);
    let line = value.get("line").or(json::at(value, &["textRange", "startLine"]));
    let line = line.and_then(|line| line.as_u64().or_else(|| line.as_str()?.trim().parse().ok())).and_then(|line| u32::try_from(line).ok());
    let place = Place {
        source: SOURCE,
        repository: text("project"),
        file: Some(&file),
        rule,
        // Of the line without its white space, by Sonar itself.
        anchor: text("hash"),
        fingerprint: text("key").map(|key| ("key", key)),
    };
    let keys = context.places.keys(&place);
    let known = context.rules.get(rule);
    let message = text("message").unwrap_or_default();
    let named = text("description").or_else(|| known.and_then(|rule| rule.name.as_deref()));
    let title = if context.is_report { named.unwrap_or(message) } else { message };
    let title = if title.is_empty() { rule } else { title };
    let mut description = message.to_owned();
    if let Some(rule) = known.filter(|rule| !rule.text.is_empty()) {
        description = format!("{description}\n\n{}", rule.text).trim().to_owned();
    }
    let impact = json::items(value, &["impacts"]).find_map(|impact| json::text(impact, &["severity"]));
    let rated = text("severity").or_else(|| text("vulnerabilityProbability")).or(impact).unwrap_or_default();
    let mut cwes = known.map(|rule| rule.cwes.clone()).unwrap_or_default();
    cwes.extend(vocabulary::cwes(message));
    let mut tags: Vec<String> = json::texts(value, &["tags"]).into_iter().take(50).map(|tag| vocabulary::shorten(tag, 100)).collect();
    for name in ["type", "securityCategory", "status", "resolution"] {
        tags.extend(text(name).map(|word| vocabulary::shorten(word, 100).to_lowercase()));
    }
    if value.get("vulnerabilityProbability").is_some() {
        tags.push("hotspot".to_owned());
    }
    let moment = |name: &str| text(name).and_then(vocabulary::moment);
    // What people there called false or acceptable is still in the code.
    let is_gone = vocabulary::is_fixed(text("issueStatus")) || matches!(text("resolution"), Some("FIXED" | "REMOVED"));
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: format!("sonarqube:{rule}"),
        title: title.to_owned(),
        description,
        severity: severity(rated, context.is_report),
        confidence: if text("vulnerabilityProbability").is_some() || text("status") == Some("TO_REVIEW") { 50 } else { 75 },
        cves: vocabulary::cves(message),
        aliases: advisories(message),
        references: known.map(|rule| rule.links.clone()).unwrap_or_default(),
        location: Location { file: Some(file.clone()), line, component: dependency(message), ..Location::default() },
        observed_at: moment("updateDate").or_else(|| moment("creationDate")),
        gone: is_gone.then(|| Gone { first_seen: moment("creationDate"), at: moment("closeDate") }),
        cwes,
        tags,
        keys,
        ..Observation::default()
    };
    if !context.is_report {
        return out.distinct(observation);
    }
    let issue = [SOURCE, title, rule, &file].map(str::to_owned);
    out.observation(observation, &issue.each_ref().map(String::as_str))
}

/// Ids of GitHub's advisories in a message of a dependency check.
fn advisories(message: &str) -> Vec<String> {
    let words = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.len() == 19 && word.starts_with("GHSA-")).take(20).map(str::to_owned).collect()
}

/// `Filename: name:version | …`, as a dependency check writes its messages.
fn dependency(message: &str) -> Option<Component> {
    let (_, rest) = message.split_once("Filename: ")?;
    let (file, _) = rest.split_once(" | ")?;
    let mut parts = file.trim().split(':');
    let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
    Some(Component { name, version: parts.next().map(str::to_owned), purl: None })
}
