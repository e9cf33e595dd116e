//! WebSockets as every context uses them: small buffers, bounded messages, a client that takes nothing is given up. That the reason of a
//! close arrives is up to the connection ([`crate::Linger`]).

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade};
use futures::{Sink, SinkExt};

/// Proxies cut silent connections after half a minute or more.
pub const ALIVE: Duration = Duration::from_secs(15);
/// A client that does not take a message for this long is gone.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Longest reason of a close frame (RFC 6455 §5.5: 125 bytes with the code).
const REASON: usize = 123;

/// The upgrade with buffers that cost an idle socket three kilobytes instead of 137, and messages of `largest` bytes at most.
pub fn trimmed<F>(upgrade: WebSocketUpgrade<F>, largest: usize) -> WebSocketUpgrade<F> {
    upgrade.read_buffer_size(1024).write_buffer_size(0).max_message_size(largest).max_frame_size(largest)
}

/// Sends a message; false when the client is gone or did not take it within `patience`.
pub async fn send<S: Sink<Message> + Unpin>(out: &mut S, message: Message, patience: Duration) -> bool {
    matches!(tokio::time::timeout(patience, out.send(message)).await, Ok(Ok(())))
}

/// Sends a close frame; false when the client is gone.
pub async fn close<S: Sink<Message> + Unpin>(out: &mut S, code: u16, reason: &str) -> bool {
    let cut = reason.char_indices().map(|(at, character)| at + character.len_utf8()).take_while(|end| *end <= REASON).last().unwrap_or(0);
    let reason = reason.get(..cut).unwrap_or_default().into();
    send(out, Message::Close(Some(CloseFrame { code, reason })), PATIENCE).await
}
