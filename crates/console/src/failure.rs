//! What goes wrong on a page, told on a page: in the look and the language of everything else, with what to do next.
//! Inside a handler a failure carries only the error; the outermost layer knows the visitor and dresses it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base::{Error, Kind};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::Shared;
use crate::page::Frame;

/// Pages run nothing that is not ours, load nothing from elsewhere and cannot be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types tyrian";

/// Why a handler shows no page of its own.
pub(crate) enum Failure {
    /// Something went wrong.
    Error(Error),
    /// The visitor should be elsewhere.
    Elsewhere(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Kept beside the response for the layer that dresses it.
#[derive(Clone)]
struct Told(Arc<Error>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Elsewhere(place) => Redirect::to(&place).into_response(),
            Self::Error(error) => {
                if matches!(error.kind(), Kind::Internal | Kind::Unavailable | Kind::Timeout) {
                    tracing::error!(code = error.code(), cause = ?std::error::Error::source(&error), "{}", error.detail());
                }
                let mut response = status(error.kind()).into_response();
                response.extensions_mut().insert(Told(Arc::new(error)));
                response
            }
        }
    }
}

/// The status a kind of error is shown with.
pub(crate) const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    heading: String,
    message: String,
    advice: String,
    status: u16,
    code: &'static str,
}

/// Anything else that was asked for.
pub(crate) async fn no_page() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// The outermost layer of the pages: dresses failures and adds the policy.
pub(crate) async fn dress(State(services): State<Shared>, request: Request, next: Next) -> Response {
    let wants_page =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"));
    let is_head = request.method() == Method::HEAD;
    let (parts, body) = request.into_parts();
    let frame = Frame::of(&parts, &services);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    let is_bare = !response.headers().contains_key(header::CONTENT_TYPE)
        && (status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED);
    let told = response.extensions_mut().remove::<Told>();
    if told.is_some() || (is_bare && wants_page && !is_head) {
        response = failed(frame, status, told.as_ref().map(|told| &*told.0));
    }
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html")) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // The language follows from cookie and header; a shared cache must know.
        headers.insert(header::VARY, HeaderValue::from_static("cookie, accept-language"));
        headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    }
    response
}

fn failed(frame: Frame, status: StatusCode, error: Option<&Error>) -> Response {
    let key = match status.as_u16() {
        404 | 405 => "failure.not_found",
        403 => "failure.forbidden",
        400 | 409 | 413 => "failure.refused",
        429 => "failure.too_many",
        503 | 504 => "failure.unavailable",
        _ => "failure.internal",
    };
    let message = match error {
        Some(error) if error.kind() != Kind::Internal && error.kind() != Kind::NotFound => frame.error(error),
        _ => frame.say(&format!("{key}.message")).to_owned(),
    };
    let page = FailurePage {
        heading: frame.say(&format!("{key}.title")).to_owned(),
        advice: frame.say(&format!("{key}.advice")).to_owned(),
        status: status.as_u16(),
        code: error.map_or("", Error::code),
        message,
        frame,
    };
    match page.render() {
        Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(_) => status.into_response(),
    }
}
