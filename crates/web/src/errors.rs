//! Every error the HTTP habits themselves can answer with.

use base::Error;

/// The request carries no credentials.
pub(crate) fn unauthenticated() -> Error {
    Error::unauthenticated("web.unauthenticated", "this needs credentials: a session, an access token or an API token")
}

/// The body is not JSON.
pub(crate) fn syntax(detail: String) -> Error {
    Error::invalid("web.body_syntax", detail)
}

/// The body is JSON of another shape; the pointer names the place.
pub(crate) fn shape(pointer: String, detail: String) -> Error {
    Error::invalid("web.body_shape", detail).at(pointer)
}

/// The body is sent as something other than `application/json`. Answered with 415.
pub(crate) fn media_type(given: &str) -> Error {
    Error::invalid("web.media_type", format!("the body must be application/json, not `{given}`"))
}

/// The body is larger than this route takes. Answered with 413.
pub(crate) fn too_large() -> Error {
    Error::invalid("web.body_too_large", "the body is larger than this takes")
}

/// The body broke off or could not be read.
pub(crate) fn unreadable(detail: String) -> Error {
    Error::invalid("web.body_unreadable", detail)
}

/// Text holds the character NUL, which no database keeps.
pub(crate) fn nul() -> Error {
    Error::invalid("web.nul", "text must not hold the character NUL")
}

/// A query parameter is missing or does not parse; its name is given.
pub(crate) fn parameter(name: String, detail: String) -> Error {
    Error::invalid("web.parameter", detail).at(name)
}

/// A part of the path does not parse.
pub(crate) fn path(detail: String) -> Error {
    Error::invalid("web.path", detail)
}

/// No route has this path.
pub(crate) fn no_route() -> Error {
    Error::not_found("web.no_route", "nothing is at this path")
}

/// The path exists, but not for this method. Answered with 405.
pub(crate) fn method() -> Error {
    Error::invalid("web.method", "this path does not take this method")
}

/// The request was refused before a handler saw it.
pub(crate) fn refused(status: http::StatusCode) -> Error {
    Error::invalid("web.refused", status.canonical_reason().unwrap_or("the request was refused").to_lowercase())
}

/// The request waited too long.
pub(crate) fn timeout() -> Error {
    Error::timeout("web.timeout", "the answer took too long")
}

/// The server takes no more requests at the moment.
pub(crate) fn busy() -> Error {
    Error::unavailable("web.busy", "too many requests at once; ask again shortly")
}

/// More answers to requests with an `Idempotency-Key` are kept for this user than may be.
pub(crate) fn too_much_kept(wait: std::time::Duration) -> Error {
    Error::too_many("web.idempotency_budget", "too much is kept for repetitions of your requests; wait, or send them without a key")
        .retry_after(wait)
}

/// The Idempotency-Key is empty, too long or not printable.
pub(crate) fn idempotency_key() -> Error {
    Error::invalid("web.idempotency_key", "an Idempotency-Key has 1 to 255 printable characters")
}

/// The first request with this Idempotency-Key is still under way.
pub(crate) fn in_flight() -> Error {
    Error::conflict("web.in_flight", "the first request with this Idempotency-Key is still under way")
        .retry_after(std::time::Duration::from_secs(1))
}

/// The same Idempotency-Key came with another request before. Answered with 422.
pub(crate) fn other_request() -> Error {
    Error::invalid("web.idempotency_mismatch", "this Idempotency-Key was used for another request")
}
