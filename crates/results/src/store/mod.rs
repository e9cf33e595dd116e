//! All SQL of this context: reads within a scope, writes within a change.

pub(crate) mod clusters;
mod columns;
pub(crate) mod correlate;
pub(crate) mod counts;
pub(crate) mod decisions;
pub(crate) mod documents;
pub(crate) mod doubt;
pub(crate) mod feeds;
pub(crate) mod findings;
pub(crate) mod imports;
pub(crate) mod ingest;
pub(crate) mod links;
pub(crate) mod lives;
pub(crate) mod mappings;
pub(crate) mod notes;
pub(crate) mod query;
pub(crate) mod reviews;
pub(crate) mod risk;
pub(crate) mod rulings;
pub(crate) mod trends;
pub(crate) mod undo;

use base::{Error, Result};
use serde::Serialize;
use targets::TargetId;

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
