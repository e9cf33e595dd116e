//! A WebSocket as the carrier of a line: JSON in text or protobuf in binary messages, as the subprotocol says.

use axum::extract::ws::{Message, WebSocket};
use base::Error;
use bytes::Bytes;

use crate::errors;
use crate::line::{Carrier, End, Heard, PATIENCE};
use crate::wire::{Said, Told};

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text, JSON.
    Json,
    /// Binary, `tyrian.v1.StreamRequest` up and `tyrian.v1.StreamResponse` down.
    Protobuf,
}

impl Format {
    /// All, the one preferred first.
    pub(crate) const ALL: [Self; 2] = [Self::Protobuf, Self::Json];

    /// The subprotocol that stands for it.
    pub(crate) const fn protocol(self) -> &'static str {
        match self {
            Self::Json => "tyrian.v1.json",
            Self::Protobuf => "tyrian.v1.protobuf",
        }
    }

    fn read(self, message: &Message) -> Result<Said, Error> {
        match (self, message) {
            (Self::Json, Message::Text(text)) => Said::from_json(text),
            (Self::Protobuf, Message::Binary(bytes)) => Said::from_bytes(bytes),
            _ => Err(errors::message()),
        }
    }
}

/// An open WebSocket.
pub(crate) struct Socket {
    pub(crate) socket: WebSocket,
    pub(crate) format: Format,
}

impl Socket {
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }
}

impl Carrier for Socket {
    const NAME: &'static str = "ws";
    const PINGS: bool = true;

    async fn hear(&mut self) -> Heard {
        match self.socket.recv().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Alive,
            Some(Ok(Message::Close(_))) | None => Heard::Gone,
            Some(Ok(message)) => match self.format.read(&message) {
                Ok(said) => Heard::Said(said),
                Err(error) => Heard::Garbled(error),
            },
            // The library has no type of its own for this that axum shows.
            Some(Err(error)) if error.to_string().starts_with("Space limit exceeded") => Heard::TooLarge,
            Some(Err(_)) => Heard::Gone,
        }
    }

    async fn tell(&mut self, told: Told) -> Result<(), End> {
        let message = match self.format {
            Format::Json => Message::Text(told.to_json().into()),
            Format::Protobuf => Message::Binary(told.into_bytes().into()),
        };
        self.send(message).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn end(mut self, end: &End) {
        if end.has_words() {
            web::socket::close(&mut self.socket, end.close_code(), &end.detail()).await;
        }
    }
}
