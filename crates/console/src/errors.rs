//! Every error the pages add to those of the contexts.

use base::Error;

/// What was typed is not a date and a time.
pub(crate) fn not_a_moment(field: &str) -> Error {
    Error::invalid("console.moment", "this is not a date and a time").at(format!("/{field}"))
}

/// The form could not be read; it is larger than a form can be.
pub(crate) fn unreadable_form() -> Error {
    Error::invalid("console.form", "the form could not be read")
}

/// The two passwords differ.
pub(crate) fn passwords_differ() -> Error {
    Error::invalid("console.passwords_differ", "the two passwords are not the same").at("/repeated")
}

/// The uploaded file could not be kept while it is read.
pub(crate) fn spool(cause: std::io::Error) -> Error {
    Error::unavailable("console.spool", "the upload cannot be kept on disk").because(cause)
}

/// The uploaded file is larger than an upload may be.
pub(crate) fn too_large(largest: u64) -> Error {
    Error::invalid("console.too_large", format!("the file is larger than {} MiB: use the command line", largest >> 20)).at("/file")
}

/// No file was chosen.
pub(crate) fn no_file() -> Error {
    Error::invalid("console.no_file", "choose a file").at("/file")
}

/// What was looked at is no longer kept, or another file took its place.
pub(crate) fn preview_gone() -> Error {
    Error::conflict("console.preview_gone", "the file of this preview is no longer here: choose it again").at("/file")
}

/// A shared filter belongs to whoever saved it.
pub(crate) fn foreign_filter() -> Error {
    Error::conflict("console.foreign_filter", "this filter is gone, or somebody else saved it: only they can delete it")
}

/// What was typed names no finding.
pub(crate) fn no_finding() -> Error {
    Error::invalid("console.no_finding", "give the address or the id of a finding").at("/join")
}

/// The upload broke off before its end.
pub(crate) fn broken_upload() -> Error {
    Error::invalid("console.broken_upload", "the upload broke off: try again")
}

/// The address names nothing.
pub(crate) fn no_such_page() -> Error {
    Error::not_found("console.no_such_page", "there is no such page")
}

/// Nothing, or nothing known, was chosen.
pub(crate) fn no_choice(field: &str) -> Error {
    Error::invalid("console.no_choice", "choose one").at(format!("/{field}"))
}

/// What was typed is not a whole number.
pub(crate) fn not_a_number(field: &str) -> Error {
    Error::invalid("console.number", "this is not a whole number").at(format!("/{field}"))
}
