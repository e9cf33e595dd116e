//! A WebSocket as a phone's line, in both subprotocols.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use http::HeaderMap;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;

use super::{Came, End, Line, Opener, Refused, Said, Told};
use crate::server::Reply;

const JSON: &str = "tyrian.v1.json";
const PROTOBUF: &str = "tyrian.v1.protobuf";

/// A connection, encrypted or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open WebSocket.
pub(crate) struct Socket {
    stream: WebSocketStream<Box<dyn Duplex>>,
    is_json: bool,
}

/// Opens one.
pub(super) async fn open(opener: &Opener, target: &Url, is_json: bool, token: &str, proof: &str, after: i64) -> Result<Line, Refused> {
    let request = request(target, is_json, token, proof, after).ok_or(Refused::Silent)?;
    let plain = opener.connect(target).await.map_err(|_| Refused::Silent)?;
    let connection: Box<dyn Duplex> = if target.scheme() == "https" {
        let name = ServerName::try_from(target.host_str().unwrap_or_default().to_owned()).map_err(|_| Refused::Silent)?;
        let connector = TlsConnector::from(std::sync::Arc::clone(&opener.tls));
        Box::new(connector.connect(name, plain).await.map_err(|_| Refused::Silent)?)
    } else {
        Box::new(plain)
    };
    let buffers = WebSocketConfig::default().read_buffer_size(2048).write_buffer_size(0);
    match client_async_with_config(request, connection, Some(buffers)).await {
        Ok((stream, response)) => {
            // Neither token nor proof may come back.
            let taken = response.headers().get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
            if taken != Some(if is_json { JSON } else { PROTOBUF }) {
                return Err(Refused::Silent);
            }
            Ok(Line::Socket(Box::new(Socket { stream, is_json })))
        }
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
            let text = |name: &str| header(response.headers(), name);
            let retry_after = text("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
            Err(Refused::Told(Reply { status: response.status().as_u16(), body, nonce: text("dpop-nonce"), retry_after }))
        }
        Err(_) => Err(Refused::Silent),
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Protobuf says who it is in headers, JSON as clients in browsers do: both ways are used.
fn request(target: &Url, is_json: bool, token: &str, proof: &str, after: i64) -> Option<Request> {
    let mut address = target.clone();
    address.set_scheme(if target.scheme() == "https" { "wss" } else { "ws" }).ok()?;
    address.set_query(Some(&format!("after={after}")));
    let mut request = address.as_str().into_client_request().ok()?;
    let headers = request.headers_mut();
    if is_json {
        headers.insert("sec-websocket-protocol", format!("tyrian.token.{token}, {JSON}, tyrian.proof.{proof}").parse().ok()?);
    } else {
        headers.insert("authorization", format!("DPoP {token}").parse().ok()?);
        headers.insert("dpop", proof.parse().ok()?);
        headers.insert("sec-websocket-protocol", PROTOBUF.parse().ok()?);
    }
    Some(request)
}

impl Socket {
    pub(super) async fn say(&mut self, number: u32, said: &Said<'_>) -> bool {
        let message = if self.is_json { Message::Text(said.to_json(number).into()) } else { Message::Binary(said.to_bytes(number).into()) };
        self.stream.send(message).await.is_ok()
    }

    pub(super) async fn hear(&mut self) -> Came {
        loop {
            let (number, told) = match self.stream.next().await {
                Some(Ok(Message::Text(text))) => Told::from_json(&text),
                Some(Ok(Message::Binary(bytes))) => Told::from_bytes(&bytes),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Came::Ended(End { code: u16::from(frame.code).to_string(), wait: wait(&frame.reason) });
                }
                Some(Ok(Message::Close(None))) | None => return Came::Ended(End::named("closed")),
                Some(Err(_)) => return Came::Ended(End::named("cut")),
                Some(Ok(_)) => continue,
            };
            return Came::Told(number, told);
        }
    }
}

/// When to come back, as the reason of a close says it.
fn wait(reason: &str) -> Duration {
    let millis = reason.split_once("retry_after_ms=").and_then(|(_, rest)| rest.split(|other: char| !other.is_ascii_digit()).next());
    Duration::from_millis(millis.and_then(|millis| millis.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_close_says_when_to_come_back() {
        assert_eq!(wait("the server restarts; retry_after_ms=1250"), Duration::from_millis(1_250));
        assert_eq!(wait("the device is locked"), Duration::ZERO);
        assert_eq!(wait("retry_after_ms=soon"), Duration::ZERO);
    }
}
