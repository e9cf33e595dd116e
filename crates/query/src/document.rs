//! One thing to be found: its fields reduced to what engines store. Values that cannot be stored are left out, never guessed.

use std::collections::BTreeMap;

use crate::expression::Key;
use crate::schema::{Field, Kind, Schema};
use crate::{Leaf, analysis};

/// A value as its source knows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Prose, a term or the name of a rank.
    Text(String),
    /// A whole number, or microseconds UTC.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
}

/// A thing as it is found and as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// How it is found.
    pub document: Document,
    /// What a list of hits shows of it: an object.
    pub shown: serde_json::Value,
    /// The business unit it lies in, where there are such.
    pub unit: Option<String>,
}

/// Which things a context is asked for, of every organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Portion<'a> {
    /// Those of these ids; one that is missing was removed.
    These(&'a [String]),
    /// The first ones after an id, in the order of ids.
    After(&'a str, u32),
}

/// One thing to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    schema: &'static Schema,
    /// Whose it is.
    pub tenant: String,
    /// Which it is; unique in its index.
    pub id: String,
    texts: BTreeMap<&'static str, Vec<Vec<String>>>,
    terms: BTreeMap<&'static str, Vec<String>>,
    integers: BTreeMap<&'static str, Vec<i64>>,
    numbers: BTreeMap<&'static str, Vec<f64>>,
    free: Vec<Vec<String>>,
}

impl Document {
    /// A document without fields.
    #[must_use]
    pub fn new(schema: &'static Schema, tenant: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            schema,
            tenant: tenant.into(),
            id: id.into(),
            texts: BTreeMap::new(),
            terms: BTreeMap::new(),
            integers: BTreeMap::new(),
            numbers: BTreeMap::new(),
            free: Vec::new(),
        }
    }

    /// The index it belongs to.
    #[must_use]
    pub fn schema(&self) -> &'static Schema {
        self.schema
    }

    /// Adds one value to the field; a value the field cannot hold, and a field the index does not have, are left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Some(field) = self.schema.field(name) {
            self.add(field, value.into());
        }
        self
    }

    /// Adds several values to the field.
    #[must_use]
    pub fn with_all<V: Into<Value>>(self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        values.into_iter().fold(self, |document, value| document.with(name, value))
    }

    fn add(&mut self, field: &'static Field, value: Value) {
        match (field.kind, value) {
            (Kind::Text, Value::Text(text)) => {
                let words = analysis::words(&text);
                self.hear(field, &words);
                if !words.is_empty() {
                    self.texts.entry(field.name).or_default().push(words);
                }
            }
            (Kind::Keyword, Value::Text(text)) => {
                self.hear(field, &analysis::words(&text));
                let term = analysis::term(&text);
                if !term.is_empty() {
                    self.terms.entry(field.name).or_default().push(term);
                }
            }
            (Kind::Rank(ranks), Value::Text(text)) => {
                let place = ranks.iter().position(|rank| *rank == text).and_then(|place| i64::try_from(place).ok());
                self.integers.entry(field.name).or_default().extend(place);
            }
            (Kind::Integer | Kind::Time | Kind::Rank(_), Value::Integer(value)) => self.integers.entry(field.name).or_default().push(value),
            (Kind::Flag, Value::Flag(value)) => self.integers.entry(field.name).or_default().push(i64::from(value)),
            (Kind::Number, Value::Number(value)) if value.is_finite() => {
                // Negative zero would be another number to some engines.
                self.numbers.entry(field.name).or_default().push(value + 0.0);
            }
            _ => {}
        }
    }

    fn hear(&mut self, field: &Field, words: &[String]) {
        if field.free && !words.is_empty() {
            self.free.push(words.to_vec());
        }
    }

    /// Words of each value of a field; of every free field when `field` is `None`.
    #[must_use]
    pub fn words(&self, field: Option<&str>) -> &[Vec<String>] {
        match field {
            Some(name) => self.texts.get(name).map_or(&[], Vec::as_slice),
            None => &self.free,
        }
    }

    /// Terms of a keyword field.
    #[must_use]
    pub fn terms(&self, field: &str) -> &[String] {
        self.terms.get(field).map_or(&[], Vec::as_slice)
    }

    /// Values of a field kept as whole numbers.
    #[must_use]
    pub fn integers(&self, field: &str) -> &[i64] {
        self.integers.get(field).map_or(&[], Vec::as_slice)
    }

    /// Values of a field of numbers.
    #[must_use]
    pub fn numbers(&self, field: &str) -> &[f64] {
        self.numbers.get(field).map_or(&[], Vec::as_slice)
    }

    /// Names of the fields that have a value.
    pub fn present(&self) -> impl Iterator<Item = &'static str> + '_ {
        let has = |field: &&Field| Leaf::is_present(self, field.name);
        self.schema.fields.iter().filter(has).map(|field| field.name)
    }

    /// What the document is sorted by under a sortable field: its least value; a missing one comes before all others.
    #[must_use]
    pub fn key(&self, field: &Field) -> Key {
        match field.kind {
            Kind::Text => Key::Text(self.words(Some(field.name)).iter().map(|words| shortened(&words.join(" "))).min().unwrap_or_default()),
            Kind::Keyword => Key::Text(self.terms(field.name).iter().map(|term| shortened(term)).min().unwrap_or_default()),
            Kind::Number => Key::Integer(self.numbers(field.name).iter().copied().map(ordinal).min().unwrap_or(i64::MIN)),
            _ => Key::Integer(self.integers(field.name).iter().copied().min().unwrap_or(i64::MIN)),
        }
    }
}

/// A whole number in the same order as the numbers.
fn ordinal(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

fn shortened(text: &str) -> String {
    text.chars().take(analysis::WORD).collect()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ordinal;

    proptest! {
        #[test]
        fn numbers_keep_their_order_as_whole_numbers(one in -1e12..1e12_f64, two in -1e12..1e12_f64) {
            prop_assert_eq!(one.partial_cmp(&two), Some(ordinal(one).cmp(&ordinal(two))));
        }
    }
}
