//! Outbound requests against local servers: where they may go, and what they may cost.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backends::{Authorities, Limits, Outbound, OutboundConfig, Request};
use base::{Error, Kind};
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderValue, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use url::Url;

use crate::engines::authorities;

/// A server that answers every connection with what `answer` makes of the request's head.
struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0", None, answer).await
    }

    async fn start_at(at: &str, tls: Option<TlsAcceptor>, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&heard), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer, tls) = (Arc::clone(&log), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => drop(converse(tls.accept(stream).await?, &log, &*answer).await),
                        None => drop(converse(stream, &log, &*answer).await),
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        Self { address, heard }
    }

    fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn converse(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    log: &Mutex<Vec<String>>,
    answer: &(impl Fn(&str) -> Vec<u8> + ?Sized),
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => request.extend_from_slice(&buffer[..length]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let answer = answer(&request);
    log.lock().unwrap().push(request);
    stream.write_all(&answer).await?;
    stream.shutdown().await
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

fn redirect(status: u16, to: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

fn allowing(allow: &[&str]) -> Outbound {
    let config = OutboundConfig { allow: allow.iter().map(|&entry| entry.to_owned()).collect(), ..OutboundConfig::default() };
    Outbound::new(&config, &authorities()).unwrap()
}

async fn refusal(outbound: &Outbound, url: &str) -> Error {
    outbound.fetch(Request::get(url.parse().unwrap())).await.unwrap_err()
}

#[tokio::test]
async fn this_machine_is_out_of_reach_unless_listed() {
    let server = Server::start(|_| ok("hello")).await;
    let port = server.address.port();
    let outbound = allowing(&[]);
    for host in
        ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254"]
    {
        let error = refusal(&outbound, &format!("http://{host}:{port}/")).await;
        assert_eq!((error.kind(), error.code()), (Kind::Forbidden, "outbound.refused"), "{host}: {error}");
    }
    for url in ["ftp://example.org/", "file:///etc/passwd", "http://user:password@example.org/"] {
        assert_eq!(refusal(&outbound, url).await.code(), "outbound.refused", "{url}");
    }
    assert!(server.heard().is_empty());

    for (allow, host) in [("127.0.0.0/8", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("127.0.0.1", "localhost")]
    {
        let url = format!("http://{host}:{port}/").parse().unwrap();
        let response = allowing(&[allow]).fetch(Request::get(url)).await.unwrap();
        assert_eq!((response.status.as_u16(), response.body.as_slice()), (200, &b"hello"[..]), "{allow} {host}");
    }
}

#[tokio::test]
async fn a_redirect_is_checked_like_a_first_request() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/private" => redirect(302, "http://127.0.0.2:9/"),
        "/scheme" => redirect(302, "file:///etc/passwd"),
        "/user" => redirect(302, "http://user@127.0.0.1/"),
        "/loop" => redirect(307, "/loop"),
        "/relative" => redirect(303, "end"),
        _ => ok("end"),
    })
    .await;
    let outbound = allowing(&["127.0.0.1"]);
    for path in ["/private", "/scheme", "/user"] {
        assert_eq!(refusal(&outbound, server.url(path).as_str()).await.code(), "outbound.refused", "{path}");
    }
    let response = outbound.fetch(Request::get(server.url("/loop"))).await.unwrap();
    assert_eq!(response.status.as_u16(), 307, "after five redirects the sixth is the answer");
    let response = outbound.fetch(Request::post(server.url("/relative"), "text/plain", b"x".to_vec())).await.unwrap();
    assert_eq!((response.url, response.body), (server.url("/end"), b"end".to_vec()));
    let last = server.heard().pop().unwrap();
    assert!(last.starts_with("GET /end ") && !last.contains("content-type"), "{last}");
}

#[tokio::test]
async fn confidential_headers_stay_with_their_origin() {
    let stranger = Server::start(|_| ok("stranger")).await;
    let elsewhere = stranger.url("/").to_string();
    let server =
        Server::start(move |request| if request.starts_with("GET /here") { redirect(302, "/") } else { redirect(308, &elsewhere) }).await;
    let mut request = Request::get(server.url("/here"));
    request.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
    request.headers.insert(COOKIE, HeaderValue::from_static("a=b"));
    request.headers.insert("x-api-key", HeaderValue::from_static("secret"));
    request.headers.insert("accept", HeaderValue::from_static("application/json"));
    assert_eq!(allowing(&["127.0.0.1"]).fetch(request).await.unwrap().body, b"stranger");
    assert!(server.heard().iter().all(|request| request.contains("Bearer secret")));
    let heard = stranger.heard().pop().unwrap();
    assert!(heard.contains("application/json") && !heard.contains("secret") && !heard.contains("a=b"), "{heard}");
}

#[tokio::test]
async fn time_and_size_are_limited() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/declared" => b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n".to_vec(),
        "/streamed" => {
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(8)).into_bytes()
        }
        _ => ok(&"x".repeat(1000)),
    })
    .await;
    let outbound = allowing(&["127.0.0.1"]);
    let limits = Limits { bytes: 1000, ..outbound.limits() };
    assert_eq!(outbound.fetch_within(Request::get(server.url("/fits")), limits).await.unwrap().body.len(), 1000);
    for path in ["/declared", "/streamed"] {
        let error = outbound.fetch_within(Request::get(server.url(path)), limits).await.unwrap_err();
        assert_eq!(error.code(), "outbound.too_large", "{path}");
    }

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/", silent.local_addr().unwrap()).parse().unwrap();
    let limits = Limits { timeout: Duration::from_millis(100), ..outbound.limits() };
    let error = outbound.fetch_within(Request::get(url.clone()), limits).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    drop(silent);
    let error = outbound.fetch(Request { method: Method::HEAD, ..Request::get(url) }).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn only_known_authorities_vouch_for_a_server() {
    let issuer = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    authorities();
    let key = PrivateKeyDer::try_from(issuer.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![issuer.cert.der().clone()], key).unwrap();
    let server = Server::start_at("127.0.0.1:0", Some(Arc::new(config).into()), |_| ok("over tls")).await;
    let url: Url = format!("https://localhost:{}/", server.address.port()).parse().unwrap();

    let error = refusal(&allowing(&["localhost"]), url.as_str()).await;
    assert_eq!(error.kind(), Kind::Unavailable);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, "no certificate").unwrap();
    assert_eq!(Authorities::load(Some(&file)).err().unwrap().code(), "config.authorities");
    std::fs::write(&file, issuer.cert.pem()).unwrap();
    let config = OutboundConfig { allow: vec!["localhost".to_owned()], ..OutboundConfig::default() };
    let outbound = Outbound::new(&config, &Authorities::load(Some(&file)).unwrap()).unwrap();
    assert_eq!(outbound.fetch(Request::get(url)).await.unwrap().body, b"over tls");
}
