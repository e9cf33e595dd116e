//! `Idempotency-Key` on POST: the first request runs, its repetitions with the same credential get the same answer for a day. The work
//! goes on when the caller hangs up, because that is when a repetition comes. Answers may hold secrets: they are kept sealed, and another
//! credential of the same person, which may allow less, has keys of its own.
//!
//! A failed request (4xx, 5xx) is not kept: its repetition runs again. Bodies without a length or above 2 MiB are not
//! looked at; routes that take uploads know their repetitions themselves.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use aws_lc_rs::digest;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use backends::Backends;
use base::{Actor, ActorKind, Error, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tower::{Layer, Service};

use crate::{Problem, errors};

/// The header that asks for it.
pub const HEADER: &str = "idempotency-key";
/// The header that marks a repeated answer.
pub const REPLAYED: &str = "idempotency-replayed";

const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a key stays taken without news of its request: after a crash in the middle it is free again.
const LEASE: Duration = Duration::from_secs(15);
/// How often a request that runs says so.
const RENEWAL: Duration = Duration::from_secs(5);
const LARGEST_REQUEST: usize = 2 * 1024 * 1024;
/// The hot store takes values up to a megabyte.
const LARGEST_ANSWER: usize = 512 * 1024;
/// Bytes kept a day for one user, of answers and what is written around them: the store that holds them also counts limits.
const MOST_KEPT: i64 = 32 * 1024 * 1024;
/// The headers that are part of an answer, and not of its transport.
const HEADERS: &[HeaderName] = &[header::CONTENT_TYPE, header::LOCATION, header::CACHE_CONTROL, header::ETAG];

/// The middleware; goes inside the layer that puts the `Actor` into the request. `reading` are the paths that take POST and change
/// nothing: there is nothing to do only once.
pub fn layer(
    backends: &Backends,
    reading: &'static [&'static str],
) -> impl Layer<Route, Service: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    from_fn_with_state((backends.clone(), reading), repeatable)
}

/// What is known of a key.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// SHA-256 of what was asked.
    asked: String,
    answer: Option<Answer>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

async fn repeatable(State((backends, reading)): State<(Backends, &'static [&'static str])>, request: Request, next: Next) -> Response {
    let Some(asked) = key_of(&request).filter(|_| !reading.contains(&request.uri().path())) else {
        return next.run(request).await;
    };
    match once(&backends, asked, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

/// A key as it was sent.
struct Asked {
    key: HeaderValue,
    /// Whose key it is, and for which route.
    place: String,
    /// Counts what is kept for the user.
    budget: String,
}

/// The key as sent and the credential it belongs to; without an actor there is nobody to whom an answer could belong.
fn key_of(request: &Request) -> Option<Asked> {
    let key = request.headers().get(HEADER)?.clone();
    let actor = request.extensions().get::<Actor>()?;
    let length: usize = request.headers().get(header::CONTENT_LENGTH).map_or(Some(0), |value| value.to_str().ok()?.parse().ok())?;
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let path = request.uri().path();
    let user = actor.user.map(|user| user.to_string()).unwrap_or_default();
    // Tokens of one user may do different things; a person who signs in again, or renews an access token, is the same.
    let credential = actor.jti.as_deref().filter(|_| actor.kind == ActorKind::Token).unwrap_or_default();
    let place = format!("{}\n{user}\n{:?}\n{credential}\n{path}", actor.tenant, actor.kind);
    let budget = format!("idempotency:budget:{}:{user}", actor.tenant);
    let is_looked_at = request.method() == Method::POST && !is_chunked && length <= LARGEST_REQUEST;
    is_looked_at.then_some(Asked { key, place, budget })
}

async fn once(backends: &Backends, asked: Asked, request: Request, next: Next) -> Result<Response, Problem> {
    let Asked { key, place, budget } = asked;
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len())).ok_or_else(errors::idempotency_key)?;
    let hot_key = format!("idempotency:{}", sha256(&[place.as_bytes(), b"\n", key.as_bytes()]));
    let (parts, body) = request.into_parts();
    let body =
        to_bytes(body, LARGEST_REQUEST).await.map_err(|_| Problem::from(errors::too_large()).with_status(StatusCode::PAYLOAD_TOO_LARGE))?;
    let asked = sha256(&[parts.uri.to_string().as_bytes(), b"\n", &body]);
    let begun = sealed(backends, &hot_key, &Entry { asked: asked.clone(), answer: None }).await?;
    if !backends.hot.set_new(&hot_key, &begun, Some(LEASE)).await? {
        return replay(backends, &hot_key, &asked).await;
    }
    let kept = backends.hot.count(&budget, 0, KEPT).await;
    if !matches!(&kept, Ok(kept) if kept.value <= MOST_KEPT) {
        free(backends, &hot_key).await;
        return Err(kept.map_or_else(Into::into, |kept| errors::too_much_kept(kept.resets_in).into()));
    }
    let (tell, told) = oneshot::channel();
    let work = next.run(Request::from_parts(parts, Body::from(body)));
    let behind = backends.clone();
    backends.tasks.spawn("web.idempotent", async move {
        let response = alive(&behind, &hot_key, &begun, work).await;
        let response = keep(&behind, (&hot_key, &budget), asked, response).await;
        // The caller may have hung up; the answer is kept for when they come back.
        let _ = tell.send(response);
    });
    told.await.map_err(|cause| Error::internal("the handler of an idempotent request panicked").because(cause).into())
}

/// Does the work, and holds the key meanwhile.
async fn alive(backends: &Backends, hot_key: &str, begun: &[u8], work: impl Future<Output = Response>) -> Response {
    let mut work = pin!(work);
    loop {
        match tokio::time::timeout(RENEWAL, &mut work).await {
            Ok(response) => return response,
            Err(_) => {
                if let Err(error) = backends.hot.set(hot_key, begun, Some(LEASE)).await {
                    tracing::warn!(%error, "an Idempotency-Key may be taken again before its request has ended");
                }
            }
        }
    }
}

async fn replay(backends: &Backends, hot_key: &str, asked: &str) -> Result<Response, Problem> {
    // Gone between the two looks: the first one failed just now, and the caller may try again.
    let Some(bytes) = backends.hot.get(hot_key).await? else {
        return Err(errors::in_flight().into());
    };
    let plain = backends.keys.open(hot_key, &bytes).await?;
    let entry: Entry = serde_json::from_slice(&plain).map_err(|cause| Error::internal("a kept answer cannot be read").because(cause))?;
    if entry.asked != asked {
        return Err(Problem::from(errors::other_request()).with_status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let answer = entry.answer.ok_or_else(errors::in_flight)?;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    response.headers_mut().clear();
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Keeps a success; frees the key after a failure. Whatever goes wrong here, the caller gets the answer.
async fn keep(backends: &Backends, (hot_key, budget): (&str, &str), asked: String, response: Response) -> Response {
    if !response.status().is_success() {
        free(backends, hot_key).await;
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = match to_bytes(body, LARGEST_ANSWER).await {
        Ok(bytes) => bytes,
        Err(cause) => {
            free(backends, hot_key).await;
            return Problem::from(Error::internal("an answer to an idempotent request is too large to keep").because(cause))
                .into_response();
        }
    };
    let kept = async {
        let done = sealed(backends, hot_key, &entry(asked, &parts.headers, parts.status, &bytes)?).await?;
        // An answer that is not counted costs a little room; one that is not kept would have its request done twice.
        let size = i64::try_from(hot_key.len() + done.len()).unwrap_or(MOST_KEPT);
        if let Err(error) = backends.hot.count(budget, size, KEPT).await {
            tracing::warn!(%error, "what is kept for repetitions is not counted");
        }
        backends.hot.set(hot_key, &done, Some(KEPT)).await
    };
    if let Err(error) = kept.await {
        tracing::warn!(%error, "the answer to an idempotent request is not kept; its repetition waits");
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn entry(asked: String, headers: &HeaderMap, status: StatusCode, body: &Bytes) -> Result<Entry> {
    let body = std::str::from_utf8(body).map_err(|cause| Error::internal("the answer is not text").because(cause))?;
    let headers =
        HEADERS.iter().filter_map(|name| Some((name.as_str().to_owned(), headers.get(name)?.to_str().ok()?.to_owned()))).collect();
    let answer = Answer { status: status.as_u16(), headers, body: body.to_owned() };
    Ok(Entry { asked, answer: Some(answer) })
}

async fn free(backends: &Backends, hot_key: &str) {
    if let Err(error) = backends.hot.delete(hot_key).await {
        tracing::warn!(%error, "an Idempotency-Key stays taken for {} seconds", LEASE.as_secs());
    }
}

async fn sealed(backends: &Backends, hot_key: &str, entry: &Entry) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(entry).map_err(|cause| Error::internal("an answer cannot be written").because(cause))?;
    backends.keys.seal(hot_key, &plain).await
}

fn sha256(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    hex::encode(context.finish())
}
