//! Typed parameters and SQL text with its parameters, independent of the engine.

use std::borrow::Cow;

use base::{Id, Time};
use serde_json::Value as Json;

/// A parameter. Null keeps its type, because PostgreSQL wants to know it.
#[derive(Debug, Clone)]
pub enum Value {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// DOUBLE PRECISION.
    Real(Option<f64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// BYTEA.
    Bytes(Option<Vec<u8>>),
}

macro_rules! values {
    ($($from:ty => $variant:ident ($value:ident) $turn:expr),+ $(,)?) => {
        $(
            impl From<$from> for Value {
                fn from($value: $from) -> Self {
                    Self::$variant(Some($turn))
                }
            }

            impl From<Option<$from>> for Value {
                fn from(value: Option<$from>) -> Self {
                    Self::$variant(value.map(|$value| $turn))
                }
            }
        )+
    };
}

values! {
    &str => Text(value) value.to_owned(),
    String => Text(value) value,
    &String => Text(value) value.clone(),
    Cow<'_, str> => Text(value) value.into_owned(),
    &Json => Text(value) value.to_string(),
    Json => Text(value) value.to_string(),
    i64 => Int(value) value,
    i32 => Int(value) i64::from(value),
    u32 => Int(value) i64::from(value),
    u16 => Int(value) i64::from(value),
    u8 => Int(value) i64::from(value),
    Time => Int(value) value.micros(),
    f64 => Real(value) value,
    f32 => Real(value) f64::from(value),
    bool => Bool(value) value,
    Vec<u8> => Bytes(value) value,
    &[u8] => Bytes(value) value.to_vec(),
}

impl<T> From<Id<T>> for Value {
    fn from(id: Id<T>) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl<T> From<Option<Id<T>>> for Value {
    fn from(id: Option<Id<T>>) -> Self {
        Self::Text(id.map(|id| id.to_string()))
    }
}

/// One statement with its parameters, `$1` first.
#[derive(Debug, Clone)]
pub struct Sql {
    pub(super) text: Cow<'static, str>,
    pub(super) values: Vec<Value>,
    pub(super) is_kept: bool,
}

/// A statement written in the source.
#[must_use]
pub fn sql(text: &'static str) -> Sql {
    Sql { text: Cow::Borrowed(text), values: Vec::new(), is_kept: true }
}

impl Sql {
    /// A statement assembled from constant parts (a WHERE list, a VALUES list); never with a value in the text.
    #[must_use]
    pub const fn built(text: String) -> Self {
        Self { text: Cow::Owned(text), values: Vec::new(), is_kept: true }
    }

    /// `$3, $4, $5`: the names of `count` parameters after the first `after`.
    #[must_use]
    pub fn list(count: usize, after: usize) -> String {
        let mut text = String::with_capacity(count * 7);
        push_names(&mut text, count, after);
        text
    }

    /// `($3, $4), ($5, $6)`: the rows of a VALUES list, their parameters counted after the first `after`.
    #[must_use]
    pub fn rows(rows: usize, columns: usize, after: usize) -> String {
        let mut text = String::with_capacity(rows * (columns * 8 + 2));
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            push_names(&mut text, columns, after + row * columns);
            text.push(')');
        }
        text
    }

    /// What an INSERT takes instead of a VALUES list when rows have their first columns in common: those are the parameters
    /// `$1` to `$shared`, once; the `own` ones of each row follow. What comes behind may be `ON CONFLICT`.
    #[must_use]
    pub fn rows_sharing(rows: usize, shared: usize, own: usize) -> String {
        // Both engines name the columns of a VALUES list column1, column2, …; without WHERE, ON would read as that of a join.
        let columns: Vec<String> =
            (1..=shared).map(|number| format!("${number}")).chain((1..=own).map(|number| format!("column{number}"))).collect();
        format!("SELECT {} FROM (VALUES {}) AS own WHERE TRUE", columns.join(", "), Self::rows(rows, own, shared))
    }

    /// Plans the statement for its very values each time, where a plan for any values would be a bad one.
    #[must_use]
    pub const fn planned_anew(mut self) -> Self {
        self.is_kept = false;
        self
    }

    /// Adds the next parameter.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds several parameters.
    #[must_use]
    pub fn bind_all(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }
}

fn push_names(text: &mut String, count: usize, after: usize) {
    for number in after + 1..=after + count {
        text.push_str(if number == after + 1 { "$" } else { ", $" });
        text.push_str(&number.to_string());
    }
}
