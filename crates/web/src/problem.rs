//! Failures on the wire: RFC 9457 documents whose `code` is ours. The one place where an error kind becomes a status.

use std::error::Error as StdError;
use std::sync::Arc;

use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::{Error, Kind, Origin};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::errors;

/// What a handler returns: a body, or a problem.
pub type Answer<T> = Result<T, Problem>;

/// An error on its way to the caller.
#[derive(Debug)]
pub struct Problem {
    error: Error,
    status: StatusCode,
}

impl Problem {
    /// The same problem under a more exact status than its kind has (413, 415, 422).
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The error behind it.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = status(error.kind());
        Self { error, status }
    }
}

/// The one mapping from kind to status.
#[must_use]
pub(crate) fn status(kind: Kind) -> StatusCode {
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

/// The document itself (`application/problem+json`, RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// `urn:tyrian:error:` and the code.
    #[serde(rename = "type")]
    #[schema(max_length = 128)]
    kind: String,
    /// The status in words.
    #[schema(max_length = 64)]
    title: &'static str,
    /// The HTTP status.
    #[schema(format = Int32, minimum = 400, maximum = 599)]
    status: u16,
    /// What happened to this request, naming the thing.
    #[schema(max_length = 4096)]
    detail: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2048)]
    instance: Option<String>,
    /// Stable, documented in `docs/errors.md`.
    #[schema(max_length = 96)]
    code: &'static str,
    /// The places at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 16)]
    errors: Vec<Fault>,
    /// The id under which the log knows this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    request_id: Option<String>,
}

/// One place at fault: a JSON pointer into the body or the name of a query parameter.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProblemFault)]
pub(crate) struct Fault {
    /// JSON pointer as a URI fragment (`#/name`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pointer: Option<String>,
    /// Query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    parameter: Option<String>,
    /// What is wrong with it.
    #[schema(max_length = 4096)]
    detail: String,
}

impl Document {
    fn of(problem: &Problem) -> Self {
        let error = &problem.error;
        let detail = match error.kind() {
            Kind::Internal => "something went wrong on our side; the log has it under this request id".to_owned(),
            _ => error.detail().to_owned(),
        };
        let fault = error.field().map(|field| {
            let is_pointer = field.is_empty() || field.starts_with('/');
            Fault {
                pointer: is_pointer.then(|| format!("#{field}")),
                parameter: (!is_pointer).then(|| field.to_owned()),
                detail: detail.clone(),
            }
        });
        Self {
            kind: format!("urn:tyrian:error:{}", error.code()),
            title: problem.status.canonical_reason().unwrap_or("Error"),
            status: problem.status.as_u16(),
            detail,
            instance: None,
            code: error.code(),
            errors: fault.into_iter().collect(),
            request_id: None,
        }
    }
}

/// Kept beside the response so that the outer layer can add what only it knows.
#[derive(Clone)]
struct Told(Arc<(Document, Option<u64>)>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if matches!(self.error.kind(), Kind::Internal | Kind::Unavailable | Kind::Timeout) {
            tracing::error!(
                code = self.error.code(),
                kind = self.error.kind().as_str(),
                cause = causes(&self.error),
                "{}",
                self.error.detail()
            );
        } else {
            tracing::debug!(code = self.error.code(), kind = self.error.kind().as_str(), "{}", self.error.detail());
        }
        // A part of a second is a whole one: nobody may be told to come back too early.
        let wait = self.error.wait().map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        render(Document::of(&self), wait.map(|seconds| seconds.max(1)))
    }
}

fn render(document: Document, wait: Option<u64>) -> Response {
    let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(&document)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tyrian\""));
    }
    if let Some(seconds) = wait {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(Told(Arc::new((document, wait))));
    response
}

fn causes(error: &Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// Middleware for the outside of the router (`axum::middleware::from_fn(web::problems)`): adds path and request id to
/// problems and turns the bare refusals of the framework (404, 405, 413, time-outs) into problems.
pub async fn problems(request: Request, next: Next) -> Response {
    let instance = request.uri().path().to_owned();
    let request_id = request.extensions().get::<Origin>().and_then(|origin| origin.correlation_id.clone());
    let response = next.run(request).await;
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let (mut document, wait) = match parts.extensions.remove::<Told>() {
        Some(told) => (told.0.0.clone(), told.0.1),
        None if is_bare(&parts) => (Document::of(&bare(parts.status)), None),
        None => return Response::from_parts(parts, body),
    };
    document.instance = Some(instance);
    document.request_id = request_id;
    let mut told = render(document, wait);
    for (name, value) in &parts.headers {
        let rewritten = name == header::CONTENT_TYPE || name == header::CONTENT_LENGTH;
        if name == header::WWW_AUTHENTICATE {
            // Whoever refused knows better than the layer which scheme to ask for.
            told.headers_mut().insert(name, value.clone());
        } else if !rewritten && !told.headers().contains_key(name) {
            told.headers_mut().append(name, value.clone());
        }
    }
    told
}

/// Refusals of the framework are plain text or empty; pages and other documents are left as they are.
fn is_bare(parts: &http::response::Parts) -> bool {
    parts.headers.get(header::CONTENT_TYPE).is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

fn bare(status: StatusCode) -> Problem {
    let error = match status {
        StatusCode::NOT_FOUND => errors::no_route(),
        StatusCode::METHOD_NOT_ALLOWED => errors::method(),
        StatusCode::PAYLOAD_TOO_LARGE => errors::too_large(),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => errors::timeout(),
        StatusCode::SERVICE_UNAVAILABLE => errors::busy(),
        other if other.is_client_error() => errors::refused(other),
        other => Error::internal(format!("a layer answered {other} without saying why")),
    };
    Problem::from(error).with_status(status)
}
