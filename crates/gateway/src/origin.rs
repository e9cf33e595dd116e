//! Where a request came from: peer address (through trusted proxies), agent and correlation id, put into the request
//! once, measured and logged once.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use backends::Ids;
use base::{Origin, Source};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The connection's other end, put into every request by the listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) SocketAddr);

/// What the layer needs.
#[derive(Clone)]
pub(crate) struct Marking {
    pub(crate) ids: Ids,
    pub(crate) trusted: Arc<[IpNet]>,
}

/// Marks ids given to requests that brought none.
enum Correlation {}

/// Which route a request came to: told from inside, where routes are known, to the outside, where requests are measured.
#[derive(Clone, Default)]
struct Route(Arc<OnceLock<MatchedPath>>);

/// Tells `mark` the route; stands around each route.
pub(crate) fn name_route(request: Request) -> Request {
    if let (Some(route), Some(path)) = (request.extensions().get::<Route>(), request.extensions().get::<MatchedPath>()) {
        tracing::Span::current().record("route", path.as_str());
        drop(route.0.set(path.clone()));
    }
    request
}

/// Marks, measures and logs one request.
pub(crate) async fn mark(State(marking): State<Marking>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<PeerAddress>().map(|peer| peer.0.ip());
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|text| is_id(text));
    let correlation = given.map_or_else(|| marking.ids.next::<Correlation>().to_string(), str::to_owned);
    let ip = peer.map(|peer| client(peer, request.headers(), &marking.trusted));
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let origin = Origin {
        source: Source::Http,
        ip,
        user_agent: agent.map(|agent| agent.chars().take(512).collect()),
        correlation_id: Some(correlation.clone()),
    };
    request.extensions_mut().insert(origin);
    let method = request.method().clone();
    let route = Route::default();
    request.extensions_mut().insert(route.clone());
    let span = tracing::info_span!("request", correlation_id = %correlation, %method, route = tracing::field::Empty);
    let mut response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    let route = route.0.get().map_or("unmatched", MatchedPath::as_str).to_owned();
    let status = response.status();
    metrics::counter!("http_requests_total", "route" => route.clone(), "method" => method.to_string(), "status" => status.as_u16().to_string()).increment(1);
    metrics::histogram!("http_request_duration_seconds", "route" => route, "method" => method.to_string()).record(elapsed.as_secs_f64());
    span.in_scope(|| {
        tracing::info!(status = status.as_u16(), duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX), "answered");
    });
    if let Ok(value) = HeaderValue::from_str(&correlation) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A caller's own id is kept when it is short and plain, so that it cannot forge log lines.
fn is_id(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The nearest address that is not one of our proxies, read from the right. An IPv4 address that a socket for both families wrote as
/// IPv6 is told as IPv4, so that networks hold it and limits count it once.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip));
    if !is_trusted(peer) {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    forwarded
        .rsplit(',')
        .map_while(|part| part.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical()))
        .find(|ip| !is_trusted(*ip))
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.2".parse().unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let stranger: IpAddr = "198.51.100.1".parse().unwrap();
        assert_eq!(client(stranger, &headers, &trusted), stranger);
        assert_eq!(client("10.0.0.1".parse().unwrap(), &headers, &trusted), "203.0.113.9".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_is_the_same_address() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "::ffff:203.0.113.9".parse().unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client("::ffff:10.0.0.1".parse().unwrap(), &headers, &trusted), "203.0.113.9".parse::<IpAddr>().unwrap());
        assert_eq!(client("::ffff:198.51.100.1".parse().unwrap(), &headers, &trusted), "198.51.100.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn a_request_id_cannot_carry_a_log_line() {
        assert!(is_id("abc-123_XYZ.9"));
        assert!(!is_id("short"));
        assert!(!is_id("line\nbreak--"));
    }
}
