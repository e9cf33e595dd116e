//! Every error a caller of this context can get.

use base::Error;
use typeset::TypesetError;

use crate::model::ReportState;
use crate::render::RenderError;
use crate::snapshot::SnapshotError;

/// There is no such report.
pub(crate) fn not_found() -> Error {
    Error::not_found("reports.not_found", "there is no such report")
}

/// There is no such form of a report.
pub(crate) fn unknown_format(given: &str) -> Error {
    let shown: String = given.chars().take(20).collect();
    Error::invalid("reports.unknown_format", format!("`{shown}` is not one of html, pdf, json, csv"))
}

/// A word that is none of the known ones.
pub(crate) fn word(pointer: &str, given: &str, known: &str) -> Error {
    let shown: String = given.chars().take(20).collect();
    Error::invalid("reports.word", format!("`{shown}` is not one of {known}")).at(pointer)
}

/// A field is empty or too long.
pub(crate) fn field(pointer: &str, why: impl Into<String>) -> Error {
    Error::invalid("reports.field", why).at(pointer)
}

/// The report is not made yet, or could not be made.
pub(crate) fn not_ready(state: ReportState, error: Option<&str>) -> Error {
    let why = match (state, error) {
        (ReportState::Failed, Some(error)) => format!("the report could not be made: {error}"),
        (ReportState::Failed, None) => "the report could not be made".to_owned(),
        _ => "the report is still being made: ask again in a moment".to_owned(),
    };
    Error::conflict("reports.not_ready", why)
}

/// More findings than one report holds.
pub(crate) fn too_large(limit: usize) -> Error {
    Error::invalid("reports.too_large", format!("a report holds at most {limit} findings: narrow it by target, scan or severity"))
}

/// The stored content of a report is gone or was changed.
pub(crate) fn unreadable(why: impl Into<String>) -> Error {
    Error::unavailable("reports.unreadable", why)
}

/// The PDF took longer than is allowed.
pub(crate) fn too_slow(cause: TypesetError) -> Error {
    Error::timeout("reports.too_slow", "setting the PDF took longer than is allowed").because(cause)
}

/// The process that sets the PDF ended without an answer, most often because it needed too much memory.
pub(crate) fn typesetter_died(cause: TypesetError) -> Error {
    Error::unavailable("reports.typesetter_died", "the process that sets the PDF ended without an answer").because(cause)
}

impl From<RenderError> for Error {
    fn from(cause: RenderError) -> Self {
        match cause {
            RenderError::Typeset(cause @ TypesetError::TimedOut(_)) => too_slow(cause),
            RenderError::Typeset(cause @ TypesetError::Died(_)) => typesetter_died(cause),
            cause => Self::internal("a report cannot be rendered").because(cause),
        }
    }
}

impl From<SnapshotError> for Error {
    fn from(cause: SnapshotError) -> Self {
        match cause {
            SnapshotError::Changed => unreadable("the stored content of the report was changed after it was frozen").because(cause),
            cause => Self::internal("a snapshot cannot be frozen or read").because(cause),
        }
    }
}
