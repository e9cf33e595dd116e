//! The answers that are more than a JSON body: something was made, nothing is left to say.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// 201 with the new thing; `location` may be relative to the request's URI (RFC 9110 §10.2.2), such as `scans/0199…`.
pub fn created<T: Serialize>(location: impl AsRef<str>, body: &T) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(value) = HeaderValue::try_from(location.as_ref()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// 204: done, nothing to show.
#[must_use]
pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
