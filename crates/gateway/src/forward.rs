//! Hands requests on to a role that another process runs. Streams both ways; hop-by-hop headers stay here, except for the upgrade to a
//! WebSocket, which becomes a tunnel.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use backends::Tasks;
use base::Origin;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use url::Url;
use web::Problem;

use crate::errors;

/// RFC 9110 §7.6.1, and what old intermediaries add.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

struct Upstream {
    role: String,
    scheme: Scheme,
    authority: Authority,
    client: Client<HttpConnector, Body>,
    tasks: Tasks,
}

/// What a tunnel holds of each direction.
const TUNNEL_BUFFER: usize = 4 * 1024;
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");

/// A router that sends everything below it to `role` at `base`.
///
/// # Errors
/// `Invalid` when `base` is not an http URL with a host.
pub fn forward(role: &str, base: &Url, tasks: &Tasks) -> base::Result<Router> {
    let uri: Uri = base.as_str().parse().map_err(|_| errors::upstream_url(role, base))?;
    let (Some(scheme), Some(authority)) = (uri.scheme().filter(|scheme| **scheme == Scheme::HTTP), uri.authority()) else {
        return Err(errors::upstream_url(role, base));
    };
    let upstream = Upstream {
        role: role.to_owned(),
        scheme: scheme.clone(),
        authority: authority.clone(),
        client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
        tasks: tasks.clone(),
    };
    Ok(Router::new().fallback(hand_on).with_state(Arc::new(upstream)))
}

async fn hand_on(State(upstream): State<Arc<Upstream>>, mut request: Request) -> Response {
    let path =
        request.extensions().get::<axum::extract::OriginalUri>().map_or_else(|| request.uri().clone(), |original| original.0.clone());
    let target = Uri::builder()
        .scheme(upstream.scheme.clone())
        .authority(upstream.authority.clone())
        .path_and_query(path.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")))
        .build();
    let Ok(target) = target else { return Problem::from(errors::upstream_down(&upstream.role)).into_response() };
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
    *request.uri_mut() = target;
    *request.version_mut() = http::Version::HTTP_11;
    let wants_websocket = request.headers().get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let upgrade = request.extensions_mut().remove::<OnUpgrade>().filter(|_| wants_websocket);
    let headers = request.headers_mut();
    strip(headers);
    if upgrade.is_some() {
        // The host stays too: whoever opens the socket compares it with the page that asks.
        headers.insert(header::UPGRADE, WEBSOCKET);
        headers.insert(header::CONNECTION, UPGRADE);
    } else {
        headers.remove(header::HOST);
    }
    headers.remove("x-forwarded-for");
    // Remembered here already; the role would take the same key for a repetition.
    headers.remove(web::idempotency::HEADER);
    for (name, value) in [("x-forwarded-for", origin.ip.map(|ip| ip.to_string())), ("x-request-id", origin.correlation_id)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    match upstream.client.request(request).await {
        Ok(mut response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            let Some(ours) = upgrade else { return Problem::from(errors::upstream_down(&upstream.role)).into_response() };
            let theirs = hyper::upgrade::on(&mut response);
            upstream.tasks.spawn("gateway.tunnel", tunnel(ours, theirs, upstream.tasks.clone()));
            let (mut parts, _) = response.into_parts();
            strip(&mut parts.headers);
            parts.headers.insert(header::UPGRADE, WEBSOCKET);
            parts.headers.insert(header::CONNECTION, UPGRADE);
            Response::from_parts(parts, Body::empty())
        }
        Ok(response) => {
            let (mut parts, body) = response.into_parts();
            strip(&mut parts.headers);
            Response::from_parts(parts, Body::new(body))
        }
        Err(error) => {
            tracing::warn!(role = upstream.role, %error, "upstream does not answer");
            Problem::from(errors::upstream_down(&upstream.role)).into_response()
        }
    }
}

/// Carries bytes between both ends until one is done; a process that stops cuts it, and the client comes back to another.
async fn tunnel(ours: OnUpgrade, theirs: OnUpgrade, tasks: Tasks) {
    let (Ok(ours), Ok(theirs)) = tokio::join!(ours, theirs) else { return };
    let (mut ours, mut theirs) = (TokioIo::new(ours), TokioIo::new(theirs));
    let stop = tasks.stop();
    tokio::select! {
        () = stop.cancelled() => {}
        _ = tokio::io::copy_bidirectional_with_sizes(&mut ours, &mut theirs, TUNNEL_BUFFER, TUNNEL_BUFFER) => {}
    }
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(*name);
    }
}
