//! Subscriptions over `graphql-transport-ws`: one socket, a bounded number of operations, closed when the client falls silent
//! before it began, asks for too much, or the server stops. Credentials come from the headers of the upgrade.

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
use base::Actor;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::HeaderMap;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use web::Answer;
use web::socket::{ALIVE, PATIENCE, close, send, trimmed};

use crate::http::Door;
use crate::loaders::Asking;
use crate::{Schema, errors};

const PROTOCOL: &str = "graphql-transport-ws";
const LARGEST_MESSAGE: usize = 64 * 1024;
/// Operations of one socket at a time.
const MOST_OPERATIONS: usize = 32;
/// The protocol's own close codes.
const NO_INITIALISATION: u16 = 4408;
const TOO_MANY: u16 = 4429;
/// How long a client may take to say `connection_init`.
const PATIENCE_BEFORE: Duration = Duration::from_secs(10);

pub(crate) fn open(
    door: &Door,
    actor: Actor,
    headers: &HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    if !web::is_own_origin(headers) {
        return Err(errors::foreign_origin().into());
    }
    let upgrade = upgrade.map_err(|refusal| errors::no_upgrade(&refusal.body_text()))?.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(errors::no_upgrade("offer the subprotocol `graphql-transport-ws`").into());
    }
    let (schema, stop) = (door.schema.clone(), door.services.backends.tasks.stop());
    let asking = Asking::new(&door.services, &actor);
    Ok(trimmed(upgrade, LARGEST_MESSAGE).on_upgrade(move |socket| speak(socket, schema, asking, stop)))
}

/// Ids of the operations that run on one socket.
type Running = Arc<Mutex<HashSet<String>>>;

async fn speak(socket: WebSocket, schema: Schema, asking: Asking, stop: CancellationToken) {
    let (mut out, incoming) = socket.split();
    let running = Running::default();
    let (begun, overdone) = (CancellationToken::new(), CancellationToken::new());
    let heard = heard(incoming, running.clone(), begun.clone(), overdone.clone());
    let mut data = Data::default();
    data.insert(asking);
    let mut answers = pin!(Protocol::from_message_stream(schema, heard, WebSocketProtocols::GraphQLWS).connection_data(data));
    let mut silence = pin!(tokio::time::sleep(PATIENCE_BEFORE));
    let end = loop {
        let message = tokio::select! {
            biased;
            () = overdone.cancelled() => break Some((TOO_MANY, format!("more than {MOST_OPERATIONS} operations at a time"))),
            () = stop.cancelled() => break Some((close_code::AWAY, "the server stops".to_owned())),
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

/// The client's messages. Notes which operations run, and passes nothing on once they are too many.
fn heard(
    incoming: impl Stream<Item = Result<Message, axum::Error>>,
    running: Running,
    begun: CancellationToken,
    overdone: CancellationToken,
) -> impl Stream<Item = serde_json::Result<ClientMessage>> {
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
            match message {
                Ok(ClientMessage::ConnectionInit { .. }) => begun.cancel(),
                Ok(ClientMessage::Start { id, .. }) => {
                    running.insert(id.clone());
                }
                Ok(ClientMessage::Stop { id }) => {
                    running.remove(id);
                }
                _ => {}
            }
            let may_go_on = running.len() <= MOST_OPERATIONS;
            if !may_go_on {
                overdone.cancel();
            }
            future::ready(may_go_on)
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
