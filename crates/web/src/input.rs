//! What comes in: JSON bodies, query strings and path parts, each refused with the name of the place at fault.
//! Bodies are read whole, so their size is bounded by the router's `DefaultBodyLimit`.

use std::fmt::Display;

use axum::extract::{FromRequest, FromRequestParts, Request};
use base::Id;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path as Route, Segment};

use crate::{Problem, errors};

/// Longest part of a parser's message that is shown; it may quote the input.
const SHOWN: usize = 300;

/// A JSON body of shape `T`.
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let bytes = read_body(request, state).await?;
        Ok(Self(read_json(&bytes)?))
    }
}

/// The whole body, as far as the route takes it.
///
/// # Errors
/// 413 when it is larger, 400 when it broke off.
pub async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|refusal| match refusal.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::from(errors::too_large()).with_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => errors::unreadable(shown(&refusal.body_text())).into(),
    })
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json {
        return Ok(());
    }
    Err(Problem::from(errors::media_type(&shown(&given))).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

/// In JSON a NUL can only stand as this escape, after an even number of other backslashes.
fn has_nul(bytes: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"\\u0000";
    // Nearly nothing is escaped, and this is looked for much faster.
    bytes.contains(&b'\\')
        && bytes.windows(ESCAPE.len()).enumerate().any(|(at, window)| {
            window == ESCAPE && bytes.get(..at).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
        })
}

/// JSON of shape `T`.
///
/// # Errors
/// `Invalid`, naming the JSON pointer of the place at fault.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> base::Result<T> {
    if has_nul(bytes) {
        return Err(errors::nul());
    }
    // Derived readers take a list of members in order for an object; nobody means that.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(errors::shape(String::new(), "the body must be an object, not a list".to_owned()));
    }
    // Which place is at fault is only looked for where one is: that takes several times as long.
    serde_json::from_slice(bytes).or_else(|_| read_watchfully(bytes))
}

fn read_watchfully<T: DeserializeOwned>(bytes: &[u8]) -> base::Result<T> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|failure| {
        let place = pointer(failure.path(), &failure.inner().to_string());
        let cause = failure.into_inner();
        if cause.is_data() { errors::shape(place, without_position(&cause)) } else { errors::syntax(shown(&cause)) }
    })?;
    json.end().map_err(|cause| errors::syntax(shown(&cause)))?;
    Ok(value)
}

/// RFC 6901; a missing or unknown field is itself the place, which serde reports one level higher.
fn pointer(route: &Route, message: &str) -> String {
    let mut text = String::new();
    let mut push = |part: &str| {
        text.push('/');
        text.push_str(&part.replace('~', "~0").replace('/', "~1"));
    };
    for segment in route {
        match segment {
            Segment::Seq { index } => push(&index.to_string()),
            Segment::Map { key } => push(key),
            Segment::Enum { variant } => push(variant),
            Segment::Unknown => {}
        }
    }
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        push(name);
    }
    text
}

fn without_position(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    shown(&text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message))
}

fn shown(text: &impl Display) -> String {
    text.to_string().chars().take(SHOWN).collect()
}

/// The query string as a `T`. Lists repeat the name (`severity=high&severity=low`); several `Params` may read one
/// query string, each taking its own names. Do not use `#[serde(flatten)]` in `T`: it loses the type of numbers.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if query.contains("%00") {
            return Err(errors::nul().into());
        }
        serde_path_to_error::deserialize(serde_html_form::Deserializer::from_bytes(query.as_bytes())).map(Self).map_err(|failure| {
            let message = failure.inner().to_string();
            let name = pointer(failure.path(), &message).trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
            errors::parameter(name, shown(&message)).into()
        })
    }
}

/// One or several parts of the path as a `T`.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.path().contains("%00") {
            return Err(errors::nul().into());
        }
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(refusal) => Err(errors::path(shown(&refusal.body_text())).into()),
        }
    }
}

/// The one id in the path.
#[derive(Debug)]
pub struct PathId<T>(pub Id<T>);

impl<T: 'static, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Self(text.parse()?))
    }
}
