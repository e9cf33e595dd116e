//! The other end of a line: a WebSocket client that speaks JSON or protobuf.

use std::net::SocketAddr;

use devices::v1;
use futures::{SinkExt, StreamExt};
use prost::Message as _;
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::handset::Handset;

pub(crate) const JSON: &str = "tyrian.v1.json";
pub(crate) const PROTOBUF: &str = "tyrian.v1.protobuf";

/// An open line.
pub(crate) struct Wire<S = TcpStream> {
    pub(crate) socket: WebSocketStream<S>,
    /// The subprotocol the server took.
    pub(crate) protocol: String,
}

/// What came down a line.
#[derive(Debug, PartialEq)]
pub(crate) enum Came {
    Told(Json),
    Bytes(v1::stream_response::Told),
    Closed(u16, String),
    Cut,
}

/// How a phone asks for a line.
pub(crate) fn request(phone: &Handset, format: &str, query: &str) -> Request {
    let mut request = format!("ws://phones.test/device/stream{query}").into_client_request().unwrap();
    let proof = phone.proof("GET", "/device/stream", Some(&phone.access), |_| {});
    let protocols = format!("tyrian.token.{}, {format}, tyrian.proof.{proof}", phone.access);
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    request
}

/// Asks for a line over an open connection; status and body when it is refused.
pub(crate) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(request: Request, stream: S) -> Result<Wire<S>, (u16, Json, Option<String>)> {
    match client_async(request, stream).await {
        Ok((socket, response)) => {
            let protocol = response.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned();
            Ok(Wire { socket, protocol })
        }
        Err(Error::Http(response)) => {
            let nonce = response.headers().get("dpop-nonce").map(|nonce| nonce.to_str().unwrap().to_owned());
            let body = response.body().as_ref().map(|body| serde_json::from_slice(body).unwrap_or_default()).unwrap_or_default();
            Err((response.status().as_u16(), body, nonce))
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// Opens a line, or tells the code of the refusal.
pub(crate) async fn dial(phone: &Handset, address: SocketAddr, format: &str, query: &str) -> Result<Wire, String> {
    for _ in 0..2 {
        let stream = TcpStream::connect(address).await.unwrap();
        match ask(request(phone, format, query), stream).await {
            Ok(wire) => return Ok(wire),
            Err((_, body, nonce)) if body["code"] == "devices.use_dpop_nonce" => phone.learn(&nonce.unwrap()),
            Err((_, body, _)) => return Err(body["code"].as_str().unwrap_or_default().to_owned()),
        }
    }
    panic!("the nonce was asked for twice");
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) async fn say(&mut self, message: Json) {
        self.socket.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    pub(crate) async fn send(&mut self, number: u32, said: v1::stream_request::Said) {
        let bytes = v1::StreamRequest { number, said: Some(said) }.encode_to_vec();
        self.socket.send(Message::Binary(bytes.into())).await.unwrap();
    }

    /// The next thing that is not a ping.
    pub(crate) async fn came(&mut self) -> Came {
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => return Came::Told(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Binary(bytes))) => return Came::Bytes(v1::StreamResponse::decode(bytes).unwrap().told.unwrap()),
                    Some(Ok(Message::Close(Some(frame)))) => return Came::Closed(frame.code.into(), frame.reason.to_string()),
                    Some(Ok(Message::Close(None)) | Err(_)) | None => return Came::Cut,
                    Some(Ok(_)) => {}
                }
            }
        });
        waited.await.expect("something comes")
    }

    /// The next message, which must be JSON.
    pub(crate) async fn told(&mut self) -> Json {
        match self.came().await {
            Came::Told(told) => told,
            other => panic!("{other:?}"),
        }
    }

    /// Asks, and waits for the answer to that.
    pub(crate) async fn answer(&mut self, number: u32, mut message: Json) -> Json {
        message["number"] = number.into();
        self.say(message).await;
        loop {
            let told = self.told().await;
            if told["number"] == number {
                return told;
            }
        }
    }

    /// What comes until the line is closed, and how.
    pub(crate) async fn rest(&mut self) -> (Vec<Json>, u16, String) {
        let mut told = Vec::new();
        loop {
            match self.came().await {
                Came::Told(word) => told.push(word),
                Came::Closed(code, reason) => return (told, code, reason),
                other => panic!("{other:?} after {told:?}"),
            }
        }
    }
}

/// Numbers of the commands among what was told.
pub(crate) fn commands(told: &[Json]) -> Vec<i64> {
    told.iter().filter_map(|word| word["command"]["sequence"].as_i64()).collect()
}
