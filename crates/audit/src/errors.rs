//! Every error a caller of the audit log can get.

use base::Error;

use crate::entry::EntryId;

/// No such entry in this organisation.
pub(crate) fn entry_not_found(id: EntryId) -> Error {
    Error::not_found("audit.entry_not_found", format!("there is no audit entry {id}"))
}

/// What a list is narrowed by is longer than anything in it.
pub(crate) fn filter(name: &str, maximum: usize) -> Error {
    Error::invalid("audit.filter", format!("it must have at most {maximum} characters")).at(name)
}

/// Nothing was signed yet.
pub(crate) fn no_checkpoint() -> Error {
    Error::not_found("audit.no_checkpoint", "no checkpoint has been signed yet; the first follows the first entry within a second")
}

/// The tile is not part of the tree as it was signed.
pub(crate) fn no_tile(path: &str) -> Error {
    Error::not_found("audit.no_tile", format!("`{path}` is not a tile of the tree as signed"))
}

/// The stored tree is not the one that was signed last; nothing more is signed.
pub(crate) fn inconsistent(why: &str) -> Error {
    Error::unavailable(
        "audit.inconsistent",
        format!("the audit log does not match its last checkpoint ({why}); nothing more is signed, run `tyrian audit verify`"),
    )
}

/// The process is shutting down.
pub(crate) fn stopping() -> Error {
    Error::unavailable("audit.stopping", "the audit log takes no more entries because the process stops")
}
