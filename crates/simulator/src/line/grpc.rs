//! A gRPC stream as a phone's line, over a connection of its own that has shown a client certificate.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::SinkExt;
use futures::channel::mpsc;
use futures::future::BoxFuture;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};
use url::Url;

use super::words::v1::device_service_client::DeviceServiceClient;
use super::words::v1::{StreamRequest, StreamResponse};
use super::{Came, End, Line, Opener, Refused, Said, Told};
use crate::server::Reply;

/// Path of the call.
pub(super) const STREAM: &str = "/tyrian.v1.DeviceService/Stream";
/// Messages that wait for the server to take them.
const WAITING: usize = 8;

/// Both directions of a stream.
pub(crate) struct Stream {
    up: mpsc::Sender<StreamRequest>,
    down: Streaming<StreamResponse>,
}

/// Opens one.
pub(super) async fn open(opener: &Opener, target: &Url, token: &str, proof: &str, after: i64) -> Result<Line, Refused> {
    let channel = connect(opener, target).await.ok_or(Refused::Silent)?;
    let (up, waiting) = mpsc::channel(WAITING);
    let mut request = Request::new(waiting);
    for (name, value) in [("authorization", format!("DPoP {token}")), ("dpop", proof.to_owned()), ("after", after.to_string())] {
        request.metadata_mut().insert(name, value.parse().map_err(|_| Refused::Silent)?);
    }
    match DeviceServiceClient::new(channel).stream(request).await {
        Ok(response) => Ok(Line::Stream(Box::new(Stream { up, down: response.into_inner() }))),
        Err(status) => Err(refusal(&status)),
    }
}

/// A connection of its own that shows the phone's certificate.
fn connect(opener: &Opener, target: &Url) -> BoxFuture<'static, Option<Channel>> {
    let (plain, tls, host) = (opener.connect(target), Arc::clone(&opener.tls), target.host_str().map(str::to_owned));
    let mut origin = target.clone();
    origin.set_path("");
    Box::pin(async move {
        let name = ServerName::try_from(host?).ok()?;
        let encrypted = TlsConnector::from(tls).connect(name, plain.await.ok()?).await.ok()?;
        let endpoint = Endpoint::from_shared(origin.to_string()).ok()?;
        endpoint.connect_with_connector(Once(Some(TokioIo::new(encrypted)))).await.ok()
    })
}

/// Hands out one connection. A line that breaks is opened anew, with new words: the channel itself never connects twice.
struct Once(Option<TokioIo<TlsStream<TcpStream>>>);

impl tower::Service<http::Uri> for Once {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = std::io::Error;
    type Future = Ready<std::io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected)))
    }
}

/// A refusal in the words of the other carriers.
fn refusal(status: &Status) -> Refused {
    let word = |name: &str| status.metadata().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(code) = word("tyrian-code") else { return Refused::Silent };
    let status_of = match status.code() {
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::ResourceExhausted => 429,
        Code::InvalidArgument => 400,
        _ => 503,
    };
    let body = json!({ "code": code, "detail": status.message() });
    Refused::Told(Reply { status: status_of, body, nonce: word("dpop-nonce"), retry_after: Some(wait(status)) })
}

fn wait(status: &Status) -> Duration {
    let millis = status.metadata().get("grpc-retry-pushback-ms").and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_millis(millis.unwrap_or(0))
}

impl Stream {
    pub(super) async fn say(&mut self, number: u32, said: &Said<'_>) -> bool {
        self.up.send(said.to_message(number)).await.is_ok()
    }

    pub(super) async fn hear(&mut self) -> Came {
        match self.down.message().await {
            Ok(Some(response)) => {
                let (number, told) = Told::from_message(response);
                Came::Told(number, told)
            }
            Ok(None) => Came::Ended(End::named("closed")),
            Err(status) => {
                let word = status.metadata().get("tyrian-code").and_then(|code| code.to_str().ok());
                Came::Ended(End { code: word.unwrap_or("cut").to_owned(), wait: wait(&status) })
            }
        }
    }
}
