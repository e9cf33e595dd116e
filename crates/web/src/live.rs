//! Server-sent events: a stream of updates as `text/event-stream`, kept alive, resumable, ended by shutdown.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use backends::Subscription;
use futures::{Stream, StreamExt};
use http::request::Parts;
use http::{HeaderValue, header};
use tokio_util::sync::CancellationToken;

use crate::Standing;

/// Proxies cut silent connections after half a minute or more.
const ALIVE: Duration = Duration::from_secs(15);
/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(2);

/// One thing that moved.
#[derive(Debug, Clone)]
pub struct Update {
    /// Sent back by the reader as `Last-Event-ID`.
    pub id: Option<String>,
    /// Event name, such as `progress`.
    pub name: String,
    /// One JSON document.
    pub body: serde_json::Value,
}

impl Update {
    /// An update nobody needs to resume from.
    pub fn new(name: impl Into<String>, body: serde_json::Value) -> Self {
        Self { id: None, name: name.into(), body }
    }

    /// The place to resume from after this update.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    fn into_event(self) -> Event {
        let event = Event::default().event(one_line(&self.name)).data(self.body.to_string());
        match self.id {
            Some(id) => event.id(one_line(&id)),
            None => event,
        }
    }
}

/// A line break in a name or id would end the field, and with it the frame.
fn one_line(text: &str) -> String {
    text.chars().filter(|letter| !matches!(letter, '\r' | '\n' | '\0')).collect()
}

/// The stream as a response; ends when `updates` ends, `stop` is cancelled or the caller no longer stands. A browser that comes back then
/// is told why.
pub fn sse(updates: impl Stream<Item = Update> + Send + 'static, standing: Standing, stop: CancellationToken) -> Response {
    let end = async move {
        tokio::select! {
            () = stop.cancelled_owned() => {}
            () = standing.lost() => {}
        }
    };
    let hello = futures::stream::once(async { Ok::<_, Infallible>(Event::default().retry(RETRY)) });
    let events = hello.chain(updates.map(|update| Ok(update.into_event()))).take_until(Box::pin(end));
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response();
    // Buffering proxies would hold every update back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A bus channel as updates; `turn` leaves out what this reader must not or need not see. When messages were lost the
/// reader gets an update named `lagged` and reads the state again.
pub fn follow(subscription: Subscription, turn: impl FnMut(&[u8]) -> Option<Update> + Send + 'static) -> impl Stream<Item = Update> + Send {
    futures::stream::unfold((subscription, turn), |(mut subscription, mut turn)| async move {
        loop {
            let message = subscription.next().await?;
            let update = match message.body() {
                Some(body) => turn(body),
                None => Some(Update::new("lagged", serde_json::Value::Null)),
            };
            if let Some(update) = update {
                return Some((update, (subscription, turn)));
            }
        }
    })
}

/// The id of the last update the reader saw (`Last-Event-ID`), when it comes back.
#[derive(Debug, Clone)]
pub struct LastEventId(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok());
        Ok(Self(id.filter(|id| !id.is_empty() && id.len() <= 128).map(str::to_owned)))
    }
}
