//! Subscriptions over `graphql-transport-ws`: one socket, a bounded number of operations, closed when the client falls silent
//! before it began, asks for too much, or the server stops. Credentials come from the headers of the upgrade, are looked at again with
//! each operation and every few seconds, and the socket ends with them.

use std::collections::HashSet;
use std::future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::Data;
use async_graphql::http::{ClientMessage, WebSocket as Protocol, WebSocketProtocols, WsMessage};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use backends::{Backends, Hot};
use base::Actor;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::HeaderMap;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use web::socket::{ALIVE, PATIENCE, close, send, trimmed};
use web::{Answer, Standing, UserLimit};

use crate::http::Door;
use crate::loaders::Asking;
use crate::{Schema, errors};

const PROTOCOL: &str = "graphql-transport-ws";
const LARGEST_MESSAGE: usize = 64 * 1024;
/// Sockets of one user at a time, in one process.
pub(crate) const MOST_SOCKETS: usize = 16;
/// Operations of one socket at a time.
const MOST_OPERATIONS: usize = 32;
/// The protocol's own close codes.
const UNAUTHORISED: u16 = 4401;
const NO_INITIALISATION: u16 = 4408;
const TOO_MANY: u16 = 4429;
/// "Try again later" (RFC 6455's registry): clients of the protocol open the socket anew after it.
const LATER: u16 = 1013;
/// How long a client may take to say `connection_init`.
const PATIENCE_BEFORE: Duration = Duration::from_secs(10);

/// What is looked at with each operation.
pub(crate) struct Caution {
    pub(crate) standing: Standing,
    /// The limit that counts operations as it counts requests; none where nothing is counted.
    pub(crate) limit: Option<UserLimit>,
}

impl Caution {
    /// Why one more operation may not begin.
    async fn objection(&self, hot: &Hot) -> Option<End> {
        if !self.standing.holds().await {
            return Some(gone());
        }
        let limit = self.limit.as_ref()?;
        // As at the edge: a store that is down must not be what stops the service.
        let verdict = hot.limit(&limit.key, limit.quota).await.ok()?;
        (!verdict.allowed).then(|| (LATER, "too many requests".to_owned()))
    }
}

/// A close code and its reason.
type End = (u16, String);

fn gone() -> End {
    (UNAUTHORISED, "the credentials are no longer good".to_owned())
}

pub(crate) fn open(
    door: &Door,
    actor: Actor,
    headers: &HeaderMap,
    caution: Caution,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    if !web::is_own_origin(headers) {
        return Err(errors::foreign_origin().into());
    }
    let upgrade = upgrade.map_err(|refusal| errors::no_upgrade(&refusal.body_text()))?.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(errors::no_upgrade("offer the subprotocol `graphql-transport-ws`").into());
    }
    let share = door.sockets.take(actor.user).ok_or_else(|| errors::too_many_sockets(MOST_SOCKETS))?;
    let (schema, backends) = (door.schema.clone(), door.services.backends.clone());
    let asking = Asking::new(&door.services, &actor);
    Ok(trimmed(upgrade, LARGEST_MESSAGE).on_upgrade(async move |socket| {
        speak(socket, schema, asking, caution, &backends).await;
        drop(share);
    }))
}

/// Ids of the operations that run on one socket.
type Running = Arc<Mutex<HashSet<String>>>;

async fn speak(socket: WebSocket, schema: Schema, asking: Asking, caution: Caution, backends: &Backends) {
    let (mut out, incoming) = socket.split();
    let (running, begun, stop) = (Running::default(), CancellationToken::new(), backends.tasks.stop());
    let (refuse, mut refused) = mpsc::channel(1);
    let mut lost = pin!(caution.standing.clone().lost());
    let heard = heard(incoming, running.clone(), begun.clone(), Gate { caution, hot: backends.hot.clone(), refuse });
    let mut data = Data::default();
    data.insert(asking);
    let mut answers = pin!(Protocol::from_message_stream(schema, heard, WebSocketProtocols::GraphQLWS).connection_data(data));
    let mut silence = pin!(tokio::time::sleep(PATIENCE_BEFORE));
    let end = loop {
        let message = tokio::select! {
            biased;
            Some(end) = refused.recv() => break Some(end),
            () = stop.cancelled() => break Some((close_code::AWAY, "the server stops".to_owned())),
            () = &mut lost => break Some(gone()),
            () = &mut silence, if !begun.is_cancelled() => break Some((NO_INITIALISATION, "connection initialisation timeout".to_owned())),
            answer = answers.next() => match answer {
                None => break None,
                Some(WsMessage::Close(code, reason)) => break Some((code, reason)),
                Some(WsMessage::Text(text)) => {
                    ended(&running, &text);
                    Message::Text(text.into())
                }
            },
            () = tokio::time::sleep(ALIVE) => Message::Ping(Bytes::new()),
        };
        if !send(&mut out, message, PATIENCE).await {
            return;
        }
    };
    if let Some((code, reason)) = end {
        close(&mut out, code, &reason).await;
    }
}

/// What each operation passes before it begins.
struct Gate {
    caution: Caution,
    hot: Hot,
    refuse: mpsc::Sender<End>,
}

impl Gate {
    /// Whether the operation may begin; else the socket is told to end.
    async fn admits(&self, operations: usize) -> bool {
        let objection = if operations > MOST_OPERATIONS {
            Some((TOO_MANY, format!("more than {MOST_OPERATIONS} operations at a time")))
        } else {
            self.caution.objection(&self.hot).await
        };
        let Some(end) = objection else { return true };
        // One reason to end is enough.
        let _ = self.refuse.try_send(end);
        false
    }
}

/// The client's messages. Notes which operations run, and passes none on that may not begin.
fn heard(
    incoming: impl Stream<Item = Result<Message, axum::Error>>,
    running: Running,
    begun: CancellationToken,
    gate: Gate,
) -> impl Stream<Item = serde_json::Result<ClientMessage>> {
    let gate = Arc::new(gate);
    incoming
        .take_while(|message| future::ready(matches!(message, Ok(message) if !matches!(message, Message::Close(_)))))
        .filter_map(|message| {
            future::ready(match message {
                Ok(Message::Text(text)) => Some(ClientMessage::from_bytes(text.as_str())),
                Ok(Message::Binary(bytes)) => Some(ClientMessage::from_bytes(bytes)),
                _ => None,
            })
        })
        .filter(move |message| {
            let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
            let mut begins = false;
            match message {
                Ok(ClientMessage::ConnectionInit { .. }) => begun.cancel(),
                Ok(ClientMessage::Start { id, .. }) => {
                    running.insert(id.clone());
                    begins = true;
                }
                Ok(ClientMessage::Stop { id }) => {
                    running.remove(id);
                }
                _ => {}
            }
            let (gate, operations) = (gate.clone(), running.len());
            async move { !begins || gate.admits(operations).await }
        })
}

/// What the library sends, as far as the end of an operation shows in it.
#[derive(Deserialize)]
struct Sent {
    r#type: String,
    id: Option<String>,
}

fn ended(running: &Running, text: &str) {
    if let Ok(Sent { r#type, id: Some(id) }) = serde_json::from_str(text)
        && r#type == "complete"
    {
        running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}
