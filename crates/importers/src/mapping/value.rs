//! What a mapping makes of the texts of one record.

use serde_json::Value;

use super::Origin;
use crate::model::Severity;

/// Texts taken of one place.
const TEXTS: usize = 1_000;

/// A row or an object that is asked for its texts by column or path.
pub(super) trait Texts {
    /// Every text at a place, none of them empty.
    fn texts(&self, place: &str) -> Vec<String>;
}

impl Texts for crate::csv::Table<'_> {
    fn texts(&self, place: &str) -> Vec<String> {
        self.get(&place.trim().to_lowercase()).map(str::to_owned).into_iter().collect()
    }
}

impl Texts for Value {
    fn texts(&self, place: &str) -> Vec<String> {
        let mut found = Vec::new();
        // A member may have the dots of a path in its own name.
        match self.get(place) {
            Some(value) => gather(value, &mut found),
            None => descend(self, &place.split('.').collect::<Vec<_>>(), &mut found),
        }
        found
    }
}

fn descend(value: &Value, path: &[&str], found: &mut Vec<String>) {
    let Some((first, rest)) = path.split_first() else {
        return gather(value, found);
    };
    match value {
        Value::Object(members) => {
            if let Some(value) = members.get(*first) {
                descend(value, rest, found);
            }
        }
        // A number names one element; any other path goes through all of them.
        Value::Array(items) => match first.parse::<usize>() {
            Ok(index) => {
                if let Some(value) = items.get(index) {
                    descend(value, rest, found);
                }
            }
            Err(_) => items.iter().for_each(|item| descend(item, path, found)),
        },
        _ => {}
    }
}

fn gather(value: &Value, found: &mut Vec<String>) {
    if found.len() >= TEXTS {
        return;
    }
    match value {
        Value::Null => {}
        Value::String(text) if text.trim().is_empty() => {}
        Value::String(text) => found.push(text.trim().to_owned()),
        Value::Bool(_) | Value::Number(_) => found.push(value.to_string()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(_) => found.push(value.to_string()),
    }
}

impl Origin {
    /// One text: joined, or of the first place that has any.
    pub(super) fn one(&self, record: &impl Texts) -> Option<String> {
        let separator = self.join.as_deref().unwrap_or(", ");
        let mut places = self.from.iter().map(|place| record.texts(place)).filter(|texts| !texts.is_empty());
        let found = match self.join {
            Some(_) => places.flatten().collect::<Vec<_>>(),
            None => places.next().unwrap_or_default(),
        };
        if found.is_empty() { self.constant.clone() } else { Some(found.join(separator)) }
    }

    /// Every text of every place, cut where the mapping says.
    pub(super) fn many(&self, record: &impl Texts) -> Vec<String> {
        let mut found: Vec<String> = self.from.iter().flat_map(|place| record.texts(place)).collect();
        if found.is_empty() {
            found.extend(self.constant.clone());
        }
        let Some(separator) = &self.split else {
            return found;
        };
        let parts = found.iter().flat_map(|text| text.split(separator.as_str()));
        parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).take(TEXTS).collect()
    }

    /// Severity of a word of the tool: by the table first, then by the common names.
    pub(super) fn rate(&self, word: &str) -> Option<Severity> {
        let lower = word.trim().to_lowercase();
        let listed = self.table.iter().find(|(known, _)| *known == lower).map(|(_, severity)| *severity);
        listed.or_else(|| lower.parse().ok())
    }
}
