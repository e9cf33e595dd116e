//! Every error a caller can get from this context.

use base::Error;
use query::QueryError;

/// The query cannot be read; the detail says what is wrong and at which character.
pub(crate) fn query(cause: &QueryError) -> Error {
    Error::invalid("search.query", cause.to_string()).at("q")
}

/// Nothing is sorted by that.
pub(crate) fn sort(cause: &QueryError) -> Error {
    Error::invalid("search.sort", cause.fault.to_string()).at("sort")
}

/// The cursor belongs to another order.
pub(crate) fn cursor() -> Error {
    Error::invalid("search.cursor", "cursor is of another order; begin again without it").at("cursor")
}
