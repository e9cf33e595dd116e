//! Rules of a run, kept compact: only what results need, long help cut.

use std::collections::HashMap;

use serde_json::Value;

use crate::json;
use crate::model::Severity;
use crate::output::floor_boundary;
use crate::vocabulary;

/// Levels of a hierarchical rule id that are looked up.
const LEVELS: usize = 8;
/// Messages of one rule or component.
const MESSAGES: usize = 200;
/// Bytes kept of one text of a rule.
const TEXT: usize = 8 << 10;

/// A driver or an extension of the tool.
#[derive(Default)]
pub(super) struct Component {
    pub(super) name: Option<String>,
    pub(super) guid: Option<String>,
    pub(super) messages: Vec<(String, String)>,
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
}

impl Component {
    pub(super) fn add(&mut self, rule: Rule) {
        if let Some(id) = &rule.id {
            self.by_id.insert(id.clone(), self.rules.len());
        }
        self.rules.push(rule);
    }

    /// A rule by index when the id fits, by id, by the ids above it (`CA1000/1` is under `CA1000`).
    pub(super) fn find(&self, id: Option<&str>, index: Option<u64>) -> Option<&Rule> {
        let indexed = index.and_then(|index| self.rules.get(usize::try_from(index).ok()?));
        let fits = indexed.is_some_and(|rule| id.is_none() || rule.id.as_deref() == id);
        if fits {
            return indexed;
        }
        let mut id = id;
        for _ in 0..LEVELS {
            let name = id?;
            if let Some(place) = self.by_id.get(name) {
                return self.rules.get(*place);
            }
            id = name.rsplit_once('/').map(|(above, _)| above);
        }
        None
    }
}

/// A rule.
#[derive(Default)]
pub(super) struct Rule {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) short: Option<String>,
    pub(super) full: Option<String>,
    pub(super) help: Option<String>,
    pub(super) help_uri: Option<String>,
    pub(super) level: Option<String>,
    pub(super) rated: Option<Severity>,
    pub(super) cvss: Option<String>,
    pub(super) precision: Option<String>,
    pub(super) cwes: Vec<u32>,
    pub(super) tags: Vec<String>,
    messages: Vec<(String, String)>,
}

impl Rule {
    pub(super) fn new(value: &Value) -> Self {
        let text = |path: &[&str]| json::text(value, path).map(kept);
        let mut cwes: Vec<u32> = json::items(value, &["relationships"])
            .filter_map(|relation| json::text(relation, &["target", "id"]))
            .chain(json::texts(value, &["properties", "cwe"]))
            .chain(json::texts(value, &["properties", "tags"]))
            .flat_map(vocabulary::cwes)
            .collect();
        for relation in json::items(value, &["relationships"]) {
            if json::text(relation, &["target", "toolComponent", "name"]) == Some("CWE")
                && let Some(id) = json::text(relation, &["target", "id"])
            {
                cwes.extend(id.parse::<u32>());
            }
        }
        let vectors = ["cvssV3_vector", "cvssv3_vector", "cvss_vector", "cvss"];
        Self {
            id: text(&["id"]),
            name: text(&["name"]),
            short: text(&["shortDescription", "text"]),
            full: text(&["fullDescription", "text"]),
            help: text(&["help", "text"]),
            help_uri: text(&["helpUri"]),
            level: text(&["defaultConfiguration", "level"]),
            rated: json::at(value, &["properties", "security-severity"]).filter(|value| !value.is_null()).map(rated),
            cvss: vectors.into_iter().filter_map(|name| json::text(value, &["properties", name])).find_map(vocabulary::cvss),
            precision: text(&["properties", "precision"]),
            cwes,
            tags: tags(value),
            messages: value.get("messageStrings").map(messages).unwrap_or_default(),
        }
    }

    pub(super) fn message(&self, id: &str) -> Option<&str> {
        pick(&self.messages, id)
    }

    /// About how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        let texts = [&self.id, &self.name, &self.short, &self.full, &self.help, &self.help_uri, &self.level, &self.cvss, &self.precision];
        let messages = self.messages.iter().map(|(id, text)| id.len() + text.len() + 48);
        size_of::<Self>()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + messages.sum::<usize>()
            + self.tags.iter().map(|tag| tag.len() + 24).sum::<usize>()
    }
}

/// Texts of a table of message strings.
pub(super) fn messages(value: &Value) -> Vec<(String, String)> {
    let members = value.as_object().into_iter().flatten().take(MESSAGES);
    members.filter_map(|(id, message)| json::text(message, &["text"]).map(|text| (kept(id), kept(text)))).collect()
}

/// The message of that name.
pub(super) fn pick<'m>(messages: &'m [(String, String)], id: &str) -> Option<&'m str> {
    messages.iter().find(|(name, _)| name == id).map(|(_, text)| text.as_str())
}

/// Tags of a rule or result; GitHub's `external/cwe/cwe-079` loses its path.
pub(super) fn tags(value: &Value) -> Vec<String> {
    json::texts(value, &["properties", "tags"])
        .into_iter()
        .take(100)
        .map(|tag| tag.strip_prefix("external/cwe/").unwrap_or(tag))
        .map(|tag| vocabulary::shorten(tag, 100))
        .collect()
}

/// `security-severity`: a score as number or text, or a word.
fn rated(value: &Value) -> Severity {
    let text = value.as_str().unwrap_or_default();
    match value.as_f64().or_else(|| text.trim().parse().ok()) {
        Some(score) => Severity::from_score(score),
        None => text.parse().unwrap_or(Severity::Info),
    }
}

fn kept(text: &str) -> String {
    text[..floor_boundary(text, TEXT)].to_owned()
}
