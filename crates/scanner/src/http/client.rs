//! A small web client for one origin on one pinned address, every request asked of the guard.
//! Invariant: bodies and headers are capped, one deadline per request, no redirect is followed unasked.

use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use url::Url;

use super::USER_AGENT;
use super::heard::{Doubtful, Flaw};
use crate::session::{Endpoint, Session};
use crate::tls;
use crate::wire::{Flow, Wire};

/// Most bytes of a body that are looked at.
const BODY_CAP: usize = 512 * 1024;
/// Requests at once to one origin.
const AT_ONCE: usize = 8;

pub(crate) struct Client<'a> {
    session: &'a Session,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) tls: bool,
    /// Answers that may not be those of their pages, since they were last asked for.
    doubtful: Mutex<Vec<Doubtful>>,
}

/// A request.
pub(crate) struct Fetch<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: &'static str,
}

impl<'a> Fetch<'a> {
    pub(crate) fn get(url: &'a Url) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), body: "" }
    }

    /// A JSON question by POST, for interfaces that read that way.
    pub(crate) fn question(url: &'a Url, body: &'static str) -> Self {
        Self { method: Method::POST, url, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// True when the body ended before it should; one that is only too long to be looked at did not.
    pub(crate) is_cut: bool,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Every value of a header that may occur more than once.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    pub(crate) fn is_html(&self) -> bool {
        match self.header("content-type") {
            Some(kind) => kind.to_ascii_lowercase().contains("html"),
            None => self.body.trim_ascii_start().starts_with(b"<"),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl<'a> Client<'a> {
    pub(crate) fn new(session: &'a Session, endpoint: &'a Endpoint, tls: bool) -> Self {
        Self { session, endpoint, tls, doubtful: Mutex::default() }
    }

    /// Takes the answers since the last call that may not be those of their pages.
    pub(crate) fn doubtful(&self) -> Vec<Doubtful> {
        std::mem::take(&mut *self.doubtful.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hear(&self, doubtful: Option<Doubtful>) {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner).extend(doubtful);
    }

    /// The URL of a path on this origin.
    pub(crate) fn url(&self, path: &str) -> Result<Url, String> {
        let scheme = match self.tls {
            true => "https",
            false => "http",
        };
        let host = match self.endpoint.host.parse::<std::net::Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => self.endpoint.host.clone(),
        };
        let port = self.endpoint.address.port();
        Url::parse(&format!("{scheme}://{host}:{port}{path}")).map_err(|error| error.to_string())
    }

    /// True when the URL is served by this origin.
    pub(crate) fn is_origin_of(&self, url: &Url) -> bool {
        self.url("/").is_ok_and(|own| own.origin() == url.origin())
    }

    /// Gets a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Page, String> {
        let url = self.url(path)?;
        self.fetch(Fetch::get(&url)).await
    }

    /// Gets many paths, a few at once and each a second time when it fails; answers keep the order.
    pub(crate) async fn get_all(&self, paths: &[String]) -> Vec<Result<Page, String>> {
        let requests: Vec<BoxFuture<'_, Result<Page, String>>> = paths
            .iter()
            .map(|path| -> BoxFuture<'_, Result<Page, String>> {
                Box::pin(async move {
                    match self.get(path).await {
                        Ok(page) => Ok(page),
                        Err(_) => self.get(path).await.map_err(|error| format!("{path}: {error}")),
                    }
                })
            })
            .collect();
        futures::stream::iter(requests).buffered(AT_ONCE).collect().await
    }

    /// Makes one request on a connection of its own.
    pub(crate) async fn fetch(&self, fetch: Fetch<'_>) -> Result<Page, String> {
        let flow = self.open(fetch.url).await?;
        let page =
            timeout(self.session.dialer.read_timeout, exchange(flow, &fetch)).await.map_err(|_| "no answer in time".to_owned())??;
        self.hear(Doubtful::of(&page));
        Ok(page)
    }

    /// Asks for a path whose query no library would send unescaped; returns head and body as text.
    pub(crate) async fn fetch_unescaped(&self, path: &str, query: &str) -> Result<String, String> {
        let url = self.url(path)?;
        let mut wire = Wire::new(self.open(&url).await?, self.session.dialer.read_timeout);
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let mark = if query.is_empty() { "" } else { "?" };
        let request = format!(
            "GET {path}{mark}{query} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        wire.send(request.as_bytes()).await.map_err(|error| error.to_string())?;
        let reply = wire.read_until(is_whole).await.map_err(|error| error.to_string())?;
        let status = reply.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        self.hear(status.and_then(|status| Flaw::of(status, false)).map(|flaw| Doubtful { url, flaw }));
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }

    /// Opens a connection to the pinned address for a URL that the guard permits.
    async fn open(&self, url: &Url) -> Result<Box<dyn Flow>, String> {
        let dialer = &self.session.dialer;
        dialer.permit_url(url).map_err(|refusal| format!("refused by the guard: {refusal}"))?;
        let stream = dialer.connect(self.endpoint.address).await.map_err(|error| error.to_string())?;
        Ok(match self.tls {
            true => Box::new(tls::client::connect(stream, &self.endpoint.host, dialer.read_timeout).await?),
            false => Box::new(stream),
        })
    }
}

/// True when the reply has as many bytes as it says; one that does not say ends with the connection.
fn is_whole(reply: &[u8]) -> bool {
    let Some(end) = reply.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(reply.get(..end).unwrap_or_default());
    let length = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse::<usize>().ok()).is_some_and(|length| reply.len() >= end + 4 + length)
}

async fn exchange(flow: Box<dyn Flow>, fetch: &Fetch<'_>) -> Result<Page, String> {
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(128 * 1024).handshake(TokioIo::new(flow)).await.map_err(|error| error.to_string())?;
    let asking = async {
        let url = fetch.url;
        let authority = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err("the URL names no host".to_owned()),
        };
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = Request::builder()
            .method(fetch.method.clone())
            .uri(path)
            .header("host", authority)
            .header("user-agent", USER_AGENT)
            .header("accept", "*/*")
            .header("connection", "close");
        for (name, value) in &fetch.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from_static(fetch.body.as_bytes()))).map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = answer.into_parts();
        let mut body = Limited::new(body, BODY_CAP);
        let mut kept = BytesMut::new();
        let mut is_cut = false;
        // A body that is too long or breaks off is judged by what came.
        while let Some(frame) = body.frame().await {
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => kept.extend_from_slice(&data),
                Ok(Err(_)) => {}
                Err(error) => {
                    is_cut = !error.is::<LengthLimitError>();
                    break;
                }
            }
        }
        Ok(Page { url: url.clone(), status: head.status.as_u16(), headers: head.headers, body: kept.freeze(), is_cut })
    };
    tokio::pin!(asking);
    tokio::pin!(connection);
    let mut driving = true;
    loop {
        tokio::select! {
            biased;
            page = &mut asking => return page,
            _ = &mut connection, if driving => driving = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_whole_when_its_length_says_so() {
        assert!(is_whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\n\r\nab"));
    }
}
