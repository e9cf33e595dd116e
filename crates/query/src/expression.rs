//! A checked query: every field exists, every value fits it, and nothing is left to an engine's own reading.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::errors::{Fault, QueryError};
use crate::schema::{Field, Kind, Schema};
use crate::{Document, analysis};

/// Which documents are meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Those that all of these mean; every document when empty.
    And(Vec<Expression>),
    /// Those that one of these means; none when empty.
    Or(Vec<Expression>),
    /// The others.
    Not(Box<Expression>),
    /// Those whose field passes a test.
    Leaf(Leaf),
}

/// A test of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The field; all free ones together when `None`, which only words, phrases and beginnings of words have.
    pub field: Option<&'static Field>,
    /// What one of its values must be like.
    pub test: Test,
}

/// What one value of a field must be like.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// There is one.
    Present,
    /// Holds the words one after the other; never empty.
    Phrase(Vec<String>),
    /// Holds a word that begins so.
    WordPrefix(String),
    /// Is this term.
    Term(String),
    /// Is a term that begins so.
    TermPrefix(String),
    /// Lies between these whole numbers, both included; at least one is given, and the first is not greater.
    Integers(Option<i64>, Option<i64>),
    /// Lies between these numbers; at least one is given.
    Numbers(Bound<f64>, Bound<f64>),
}

/// How answers are sorted: by a field, then by id ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// A sortable field; the id alone when `None`.
    pub field: Option<&'static Field>,
    /// Greatest first; ids of equals ascend all the same.
    pub descending: bool,
}

/// What a document is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Of numbers, times, flags and ranks.
    Integer(i64),
    /// Of texts and keywords, in the order of code points.
    Text(String),
}

impl Expression {
    /// Means every document.
    #[must_use]
    pub const fn everything() -> Self {
        Self::And(Vec::new())
    }

    /// Means no document.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::Or(Vec::new())
    }

    /// Means documents whose keyword field has one of these values; none where there is no such field.
    #[must_use]
    pub fn one_of<'v>(field: Option<&'static Field>, values: impl IntoIterator<Item = &'v str>) -> Self {
        let Some(field) = field else { return Self::nothing() };
        let leaf = |value| Self::Leaf(Leaf { field: Some(field), test: Test::Term(analysis::term(value)) });
        Self::Or(values.into_iter().map(leaf).collect())
    }

    /// Whether the document is meant: the definition that engines are held to.
    #[must_use]
    pub fn matches(&self, document: &Document) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(document)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(document)),
            Self::Not(part) => !part.matches(document),
            Self::Leaf(leaf) => leaf.matches(document),
        }
    }
}

impl Leaf {
    fn matches(&self, document: &Document) -> bool {
        let name = self.field.map(|field| field.name);
        let known = name.unwrap_or_default();
        match &self.test {
            Test::Present => Self::is_present(document, known),
            Test::Phrase(phrase) => document.words(name).iter().any(|words| words.windows(phrase.len()).any(|window| window == phrase)),
            Test::WordPrefix(prefix) => document.words(name).iter().flatten().any(|word| word.starts_with(prefix)),
            Test::Term(term) => document.terms(known).contains(term),
            Test::TermPrefix(prefix) => document.terms(known).iter().any(|term| term.starts_with(prefix)),
            Test::Integers(low, high) => {
                let fits = |value: &i64| low.is_none_or(|low| low <= *value) && high.is_none_or(|high| *value <= high);
                document.integers(known).iter().any(fits)
            }
            Test::Numbers(low, high) => document.numbers(known).iter().any(|value| {
                let above = match low {
                    Bound::Included(low) => low <= value,
                    Bound::Excluded(low) => low < value,
                    Bound::Unbounded => true,
                };
                above
                    && match high {
                        Bound::Included(high) => value <= high,
                        Bound::Excluded(high) => value < high,
                        Bound::Unbounded => true,
                    }
            }),
        }
    }

    pub(crate) fn is_present(document: &Document, field: &str) -> bool {
        let is_worded = !document.words(Some(field)).is_empty() || !document.terms(field).is_empty();
        is_worded || !document.integers(field).is_empty() || !document.numbers(field).is_empty()
    }
}

impl Sort {
    /// Reads `severity`, `-severity` or `id`; the order of the index when empty.
    ///
    /// # Errors
    /// The field does not exist or is not sorted by.
    pub fn parse(text: &str, schema: &'static Schema) -> Result<Self, QueryError> {
        let text = if text.is_empty() { schema.sort } else { text };
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        if name == "id" {
            return Ok(Self { field: None, descending });
        }
        match schema.field(name).filter(|field| field.sortable) {
            Some(field) => Ok(Self { field: Some(field), descending }),
            None => {
                let allowed = schema.fields.iter().filter(|field| field.sortable).map(|field| field.name).chain(["id"]).collect();
                Err(QueryError { fault: Fault::NotSortable { name: name.to_owned(), allowed }, position: 1 })
            }
        }
    }

    /// Whether keys of this sort are texts.
    #[must_use]
    pub fn is_textual(&self) -> bool {
        self.field.is_some_and(|field| matches!(field.kind, Kind::Text | Kind::Keyword))
    }

    /// Whether a key is one of this sort.
    #[must_use]
    pub fn fits(&self, key: Option<&Key>) -> bool {
        match key {
            None => self.field.is_none(),
            Some(Key::Integer(_)) => self.field.is_some() && !self.is_textual(),
            Some(Key::Text(_)) => self.is_textual(),
        }
    }

    /// The document's key under this sort; `None` when only ids count.
    #[must_use]
    pub fn key(&self, document: &Document) -> Option<Key> {
        self.field.map(|field| document.key(field))
    }
}

/// The least text greater than every text that begins with `prefix`; `None` when there is no such text.
#[must_use]
pub fn end_of_prefix(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let mut code = u32::from(last) + 1;
        if code == 0xD800 {
            code = 0xE000;
        }
        if let Some(next) = char::from_u32(code) {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// Words joined as engines get them.
#[must_use]
pub fn joined(values: &[Vec<String>]) -> String {
    let values: Vec<String> = values.iter().map(|words| words.join(" ")).collect();
    values.join(&format!(" {} ", analysis::SEPARATOR))
}
