//! All SQL of this context: reads within a scope, writes within a change. Reads without a scope serve what has no actor yet: a code,
//! a key, and the watch over locks that every node keeps.

pub(crate) mod codes;
pub(crate) mod commands;
pub(crate) mod devices;
pub(crate) mod families;
pub(crate) mod locks;
pub(crate) mod policies;
pub(crate) mod switches;
pub(crate) mod timeline;

use base::{Error, Result};
use serde::Serialize;

/// A column of JSON text.
fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|cause| Error::internal("a column cannot be written as JSON").because(cause))
}
