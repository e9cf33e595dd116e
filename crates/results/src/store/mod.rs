//! All SQL of this context: reads within a scope, writes within a change.

pub(crate) mod decisions;
pub(crate) mod findings;
pub(crate) mod imports;
pub(crate) mod ingest;
pub(crate) mod query;

use base::{Error, Result};
use serde::Serialize;

/// `($1, $2), ($3, $4)`: a VALUES list for `rows` rows of `columns` parameters, counted from `after + 1`.
pub(crate) fn placeholders(rows: usize, columns: usize, after: usize) -> String {
    let row = |row: usize| {
        let names: Vec<String> = (1..=columns).map(|column| format!("${}", after + row * columns + column)).collect();
        format!("({})", names.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$2, $3, $4`: `count` parameters after the first `after`.
pub(crate) fn list(count: usize, after: usize) -> String {
    (after + 1..=after + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// A value as the text of a JSON column.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|cause| Error::internal("a column cannot be written as JSON").because(cause))
}

/// PostgreSQL's TEXT holds no NUL.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
