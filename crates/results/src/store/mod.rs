//! All SQL of this context: reads within a scope, writes within a change.

pub(crate) mod clusters;
pub(crate) mod correlate;
pub(crate) mod decisions;
pub(crate) mod documents;
pub(crate) mod doubt;
pub(crate) mod feeds;
pub(crate) mod findings;
pub(crate) mod imports;
pub(crate) mod ingest;
pub(crate) mod links;
pub(crate) mod mappings;
pub(crate) mod query;
pub(crate) mod reviews;
pub(crate) mod risk;
pub(crate) mod trends;
pub(crate) mod undo;

use base::{Error, Result};
use serde::Serialize;
use targets::TargetId;

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

/// A target as the tables hold it: empty for none.
pub(crate) fn text_of(target: Option<TargetId>) -> String {
    target.map(|id| id.to_string()).unwrap_or_default()
}

/// A VALUES list whose rows hold some parameters of their own (`None`) and some that all rows share (`Some(number)`);
/// own ones are counted from `after + 1`.
pub(crate) fn rows_sharing(rows: usize, columns: &[Option<usize>], after: usize) -> String {
    let own = columns.iter().filter(|column| column.is_none()).count();
    let mut text = String::with_capacity(rows * columns.len() * 8);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        let mut next = after + row * own;
        for (index, column) in columns.iter().enumerate() {
            let number = column.unwrap_or_else(|| {
                next += 1;
                next
            });
            text.push_str(if index == 0 { "$" } else { ", $" });
            text.push_str(&number.to_string());
        }
        text.push(')');
    }
    text
}
