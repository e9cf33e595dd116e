//! A phone opens its line as a WebSocket. Credentials come in headers or, from clients that cannot set them, as offered subprotocols
//! beside the real one; only the real one is echoed (SPEC BR-10).

use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use base::{Result, Source};
use http::request::Parts;
use http::{HeaderMap, header};
use serde::Deserialize;
use web::Params;

use super::LARGEST_BATCH;
use super::presented::{Answer, presented};
use crate::errors;
use crate::line::Line;
use crate::service::{Devices, Opening};
use crate::socket::{Format, Socket};

const TOKEN: &str = "tyrian.token.";
const PROOF: &str = "tyrian.proof.";
/// When to come back to a process that has no room.
const LATER: Duration = Duration::from_secs(10);

/// What a client offers in `Sec-WebSocket-Protocol`.
#[derive(Default)]
struct Offered<'h> {
    format: Option<Format>,
    token: Option<&'h str>,
    proof: Option<&'h str>,
}

fn offered(headers: &HeaderMap) -> Offered<'_> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut offered = Offered::default();
    for protocol in values.flat_map(|value| value.split(',')).map(str::trim) {
        if let Some(token) = protocol.strip_prefix(TOKEN) {
            offered.token = Some(token);
        } else if let Some(proof) = protocol.strip_prefix(PROOF) {
            offered.proof = Some(proof);
        } else if offered.format.is_none() {
            offered.format = Format::ALL.into_iter().find(|format| format.protocol() == protocol);
        }
    }
    offered
}

/// From where commands are told.
#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: i64,
}

/// Opens a line; refusals are HTTP answers like those of any other route for phones.
pub(super) async fn open(State(devices): State<Devices>, request: Request) -> Answer<Response> {
    let (mut parts, _) = request.into_parts();
    check_address(&parts)?;
    let (mut presented, mut origin) = presented(&mut parts, &devices).await;
    origin.source = Source::Ws;
    let offered = offered(&parts.headers);
    let format = offered.format;
    presented.token = presented.token.or_else(|| offered.token.map(str::to_owned));
    presented.proof = presented.proof.or_else(|| offered.proof.map(str::to_owned));
    let admitted = devices.admit(&presented, None, &origin).await?;
    let opening = Opening { method: "GET", host: presented.host, path: presented.path, is_direct: false, certificate: None };
    let Params(After { after }) =
        Params::from_request_parts(&mut parts, &devices).await.map_err(|_| errors::field("/after", "it must be a whole number"))?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &devices).await;
    let upgrade = upgrade.map_err(|refusal| errors::no_upgrade(&refusal.body_text()))?;
    let format = format.ok_or_else(|| errors::no_upgrade("offer the subprotocol `tyrian.v1.protobuf` or `tyrian.v1.json`"))?;
    devices.has_room()?;
    let line = Line::new(&devices, admitted, opening, after.max(0));
    let tasks = devices.backends().tasks.clone();
    let upgrade = web::socket::trimmed(upgrade.protocols([format.protocol()]), LARGEST_BATCH);
    Ok(upgrade.on_upgrade(async move |socket| tasks.spawn("devices.line", line.run(Socket { socket, format }))))
}

fn check_address(parts: &Parts) -> Result<()> {
    let names_token = |pair: &str| ["token=", "access_token="].iter().any(|name| pair.starts_with(name));
    if parts.uri.query().is_some_and(|query| query.split('&').any(names_token)) {
        return Err(errors::token_in_address());
    }
    if web::is_own_origin(&parts.headers) { Ok(()) } else { Err(errors::foreign_origin()) }
}

impl Devices {
    /// Refuses further lines while this process stops or holds as many as it may.
    pub(crate) fn has_room(&self) -> Result<()> {
        let is_full = self.inner.hub.len() >= self.config().lines;
        if is_full || self.backends().tasks.stop().is_cancelled() { Err(errors::no_room(LATER)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_the_real_subprotocol_are_told_apart() {
        let mut headers = HeaderMap::new();
        headers.append(header::SEC_WEBSOCKET_PROTOCOL, "tyrian.token.a.b.c, tyrian.v1.json".parse().unwrap());
        headers.append(header::SEC_WEBSOCKET_PROTOCOL, "tyrian.proof.d.e.f,tyrian.v1.protobuf".parse().unwrap());
        let offered = offered(&headers);
        assert_eq!((offered.token, offered.proof, offered.format), (Some("a.b.c"), Some("d.e.f"), Some(Format::Json)));
    }
}
