//! Following a scan over a WebSocket: one JSON text message per word, then a close.
//! Invariant: credentials come from header or session, never from the address; a foreign page cannot open a socket; it ends with them.

use std::pin::pin;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use bytes::Bytes;
use futures::future::{Either, select};
use futures::{Stream, StreamExt};
use http::{HeaderMap, Uri};
use tokio_util::sync::CancellationToken;
use web::socket::{ALIVE, PATIENCE, close, send, trimmed};
use web::{Answer, Caller, PathId, Standing};

use crate::errors;
use crate::model::Scan;
use crate::progress::Progress;
use crate::service::Scans;

/// A client has nothing to say but pongs and a close.
const LARGEST_MESSAGE: usize = 1024;

pub(crate) async fn open(
    State(scans): State<Scans>,
    Caller(actor): Caller,
    PathId(id): PathId<Scan>,
    uri: Uri,
    headers: HeaderMap,
    standing: Standing,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Answer<Response> {
    if uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("token=") || pair.starts_with("access_token="))) {
        return Err(errors::token_in_address().into());
    }
    if !web::is_own_origin(&headers) {
        return Err(errors::foreign_origin().into());
    }
    let words = scans.progress(&actor, id, None).await?;
    let upgrade = upgrade.map_err(|refusal| errors::no_upgrade(&refusal.body_text()))?;
    let stop = scans.backends.tasks.stop();
    Ok(trimmed(upgrade, LARGEST_MESSAGE).on_upgrade(move |socket| follow(socket, words, standing, stop)))
}

async fn follow(socket: WebSocket, words: impl Stream<Item = Progress> + Send, standing: Standing, stop: CancellationToken) {
    let (mut out, mut incoming) = socket.split();
    let listening = pin!(async move {
        while let Some(Ok(message)) = incoming.next().await
            && !matches!(message, Message::Close(_))
        {}
    });
    let speaking = pin!(async move {
        let (mut words, mut lost) = (pin!(words), pin!(standing.lost()));
        let (code, reason) = loop {
            let message = tokio::select! {
                () = stop.cancelled() => break (close_code::AWAY, "the server stops"),
                () = &mut lost => break (close_code::POLICY, "the credentials are no longer good"),
                word = words.next() => match word {
                    Some(word) => Message::Text(serde_json::to_string(&word).unwrap_or_default().into()),
                    None => break (close_code::NORMAL, "that was the last word"),
                },
                () = tokio::time::sleep(ALIVE) => Message::Ping(Bytes::new()),
            };
            if !send(&mut out, message, PATIENCE).await {
                return;
            }
        };
        close(&mut out, code, reason).await;
    });
    match select(listening, speaking).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}
