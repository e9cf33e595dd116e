//! An echo over WebSockets with the framing every context uses, for judges of the protocol. Argument: the address to listen on.

use std::error::Error;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use web::socket::{PATIENCE, send, trimmed};

/// The largest message the judge sends.
const LARGEST: usize = 16 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("which address?")?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, Router::new().route("/", any(open))).await?)
}

async fn open(upgrade: WebSocketUpgrade) -> Response {
    trimmed(upgrade, LARGEST).on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let is_said = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_said && !send(&mut socket, message, PATIENCE).await {
            return;
        }
    }
}
