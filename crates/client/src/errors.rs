//! What can go wrong between us and the server, beside what the server says itself.

use base::{Error, Kind};
use http::StatusCode;
use url::Url;

/// The server cannot be reached.
pub(crate) fn unreachable(base: &Url, cause: reqwest::Error) -> Error {
    let what = if cause.is_timeout() { "does not answer in time" } else { "cannot be reached" };
    Error::unavailable("client.unreachable", format!("the server at {base} {what}; is `tyrian serve` running there?")).because(cause)
}

/// The server answered something that is not its API.
pub(crate) fn answer(path: &str, what: impl std::fmt::Display) -> Error {
    Error::unavailable("client.answer", format!("the answer to `{path}` cannot be understood: {what}; is the URL that of a Tyrian server?"))
}

/// A problem document as an error of the same kind. Codes are static on our side, so the server's is told in the detail.
pub(crate) fn problem(status: StatusCode, code: &str, detail: &str) -> Error {
    let kind = match status.as_u16() {
        401 => Kind::Unauthenticated,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        429 => Kind::TooMany,
        503 => Kind::Unavailable,
        504 => Kind::Timeout,
        400..=499 => Kind::Invalid,
        _ => Kind::Unavailable,
    };
    Error::new(kind, "client.refused", format!("{detail} [{code}]"))
}
