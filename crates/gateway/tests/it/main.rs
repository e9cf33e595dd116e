//! The edge over real sockets.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests are clients and start tasks")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use gateway::{Config, Door, RateConfig, TlsConfig};
use serde_json::Value as Json;
use testkit::{Engine, World};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn config() -> Config {
    let rate = RateConfig { burst: 5, per_minute: 60 };
    Config {
        maximum_body_bytes: 1_000,
        maximum_connections: 50,
        maximum_connections_per_address: 40,
        header_timeout_seconds: 1,
        request_timeout_seconds: 1,
        rate_per_address: rate,
        rate_per_user: rate,
        cors_origins: vec!["https://portal.example.org".to_owned()],
        trusted_proxies: Vec::new(),
        tls: None,
        upstreams: gateway::Upstreams::new(),
    }
}

async fn start(world: &World, config: &Config, door: Door, router: Router) -> SocketAddr {
    let listener = gateway::bind("127.0.0.1:0".parse().unwrap(), config, true).await.unwrap();
    let address = listener.address().unwrap();
    listener.serve(gateway::edge(router, &world.backends, config, door, |router| router), &world.backends.tasks);
    address
}

fn routes() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
        .route("/slow", get(async || std::future::pending::<&'static str>().await))
        .route("/take", post(async |body: Bytes| body.len().to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_is_a_problem_document_with_a_request_id() {
    let world = World::new(Engine::Embedded).await;
    let mut config = config();
    config.rate_per_address.burst = 100;
    let address = start(&world, &config, Door::Outside(&[]), routes()).await;
    let http = reqwest::Client::new();
    let cases = [("/panic", 500), ("/slow", 504), ("/nowhere", 404)];
    for (path, status) in cases {
        let response = http.get(format!("http://{address}{path}")).header("x-request-id", "my-request-1").send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        for header in ["x-content-type-options", "content-security-policy", "referrer-policy", "cache-control"] {
            assert!(response.headers().contains_key(header), "{path} lacks {header}");
        }
        assert_eq!(response.headers()["x-request-id"], "my-request-1");
        let problem: Json = response.json().await.unwrap();
        assert_eq!((problem["status"].as_u64(), problem["request_id"].as_str()), (Some(status.into()), Some("my-request-1")), "{problem}");
    }
    let large = http.post(format!("http://{address}/take")).body(vec![0_u8; 2_000]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    // Written in one go before anything is read: all of it is taken off the wire, or the answer would be lost to a reset.
    let mut hasty = TcpStream::connect(address).await.unwrap();
    hasty.write_all(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 33554432\r\n\r\n").await.unwrap();
    hasty.write_all(&vec![0; 32 << 20]).await.unwrap();
    let mut answer = String::new();
    hasty.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let forged = http.get(format!("http://{address}/")).header("x-request-id", "a b\tc{}").send().await.unwrap();
    assert_ne!(forged.headers()["x-request-id"], "a b\tc{}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_when_to_come_back() {
    for engine in testkit::engines() {
        let world = World::new(engine).await;
        let address = start(&world, &config(), Door::Outside(&[]), routes()).await;
        let http = reqwest::Client::new();
        let mut answers = Vec::new();
        for _ in 0..7 {
            answers.push(http.get(format!("http://{address}/")).send().await.unwrap());
        }
        assert!(answers[..5].iter().all(|answer| answer.status() == 200), "{engine:?}");
        let refused = &answers[6];
        assert_eq!(refused.status(), 429, "{engine:?}");
        assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
        assert_eq!(refused.headers()["ratelimit-remaining"], "0");
        let behind = start(&world, &config(), Door::Role, routes()).await;
        assert_eq!(http.get(format!("http://{behind}/")).send().await.unwrap().status(), 200, "a gateway has counted already");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_never_end_are_cut_off_and_shutdown_lets_requests_end() {
    let world = World::new(Engine::Embedded).await;
    let address = start(&world, &config(), Door::Outside(&[]), routes()).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let mut rest = Vec::new();
    let cut = tokio::time::timeout(Duration::from_secs(10), slow.read_to_end(&mut rest)).await;
    assert!(cut.is_ok(), "the connection is still open");
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    assert!(world.backends.close(Duration::from_secs(10)).await, "every task ends");
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}

/// A connection whose peer sent `bytes` and waits.
async fn waiting(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_loses_its_place() {
    let world = World::new(Engine::Embedded).await;
    let address = start(&world, &Config { maximum_connections: 3, ..config() }, Door::Outside(&[]), routes()).await;
    // Nothing, and half of what HTTP/2 begins with, which leaves open whether it will be HTTP/1.
    let mut silent = [waiting(address, b"").await, waiting(address, b"PRI * HT").await, waiting(address, b"P").await];
    let served = tokio::time::timeout(Duration::from_secs(8), reqwest::get(format!("http://{address}/"))).await;
    assert_eq!(served.expect("somebody else is served").unwrap().status(), 200);
    for stream in &mut silent {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(8), stream.read_to_end(&mut rest)).await.expect("the connection is closed").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_holds_only_its_share_of_the_connections() {
    let world = World::new(Engine::Embedded).await;
    let config = Config { maximum_connections_per_address: 2, header_timeout_seconds: 30, ..config() };
    let address = start(&world, &config, Door::Outside(&[]), routes()).await;
    let answered = async |mut stream: TcpStream| {
        let mut answer = String::new();
        let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
        asked.is_ok() && stream.read_to_string(&mut answer).await.is_ok() && answer.starts_with("HTTP/1.0 200 ")
    };
    let held = [waiting(address, b"").await, waiting(address, b"").await];
    assert!(!answered(TcpStream::connect(address).await.unwrap()).await, "the share is used up");
    let other = tokio::net::TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    assert!(answered(other.connect(address).await.unwrap()).await, "others are served");
    drop(held);
    for _ in 0..50 {
        if answered(TcpStream::connect(address).await.unwrap()).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a place that was given back stays taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_and_gateways_bring_the_connections_of_many() {
    let world = World::new(Engine::Embedded).await;
    let config = Config { maximum_connections_per_address: 1, ..config() };
    let proxied = Config { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..config.clone() };
    let behind = gateway::bind("127.0.0.1:0".parse().unwrap(), &config, false).await.unwrap();
    let inside = behind.address().unwrap();
    behind.serve(gateway::edge(routes(), &world.backends, &config, Door::Role, |router| router), &world.backends.tasks);
    for address in [inside, start(&world, &proxied, Door::Outside(&[]), routes()).await] {
        let _held = [waiting(address, b"").await, waiting(address, b"").await];
        assert_eq!(reqwest::get(format!("http://{address}/")).await.unwrap().status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configured_certificate_is_served_over_tls_1_3_only() {
    let world = World::new(Engine::Embedded).await;
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let config = Config { tls: Some(TlsConfig { certificate: certificate.clone(), key: key.clone(), allow_tls12: false }), ..config() };
    let address = start(&world, &config, Door::Outside(&[]), routes()).await;
    let connect = |version: &str| {
        let output = std::process::Command::new("openssl")
            .args(["s_client", "-connect", &address.to_string(), version])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(connect("-tls1_3").contains("TLSv1.3"), "TLS 1.3 is spoken");
    assert!(connect("-tls1_2").contains("Cipher is (NONE)"), "TLS 1.2 is not");
    std::fs::write(&key, "not a key").unwrap();
    let refused = gateway::bind("127.0.0.1:0".parse().unwrap(), &config, true).await.err().unwrap();
    assert!(refused.detail().contains("key.pem"), "{}", refused.detail());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_elsewhere_answers_through_the_edge() {
    let world = World::new(Engine::Embedded).await;
    let role = Router::new().nest(
        "/api/v1/scans",
        Router::new().route(
            "/{id}",
            get(async |headers: http::HeaderMap| {
                format!("{} {}", headers["x-forwarded-for"].to_str().unwrap(), headers.contains_key("proxy-authorization"))
            }),
        ),
    );
    let behind = start(&world, &config(), Door::Role, role).await;
    let upstream = format!("http://{behind}").parse().unwrap();
    let front = Router::new().nest("/api/v1/scans", gateway::forward("scans", &upstream, &world.backends.tasks).unwrap());
    let address = start(&world, &config(), Door::Outside(&[]), front).await;
    let http = reqwest::Client::new();
    let answer = http
        .get(format!("http://{address}/api/v1/scans/7"))
        .header("x-forwarded-for", "6.6.6.6")
        .header("proxy-authorization", "x")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "127.0.0.1 false");
    let refused = gateway::forward("scans", &"ftp://example.org".parse().unwrap(), &world.backends.tasks).unwrap_err();
    assert!(refused.detail().contains("gateway.upstreams.scans"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_of_a_role_elsewhere_is_tunnelled() {
    use axum::extract::ws::{Message as Said, WebSocketUpgrade};
    use futures::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let world = World::new(Engine::Embedded).await;
    let open = async |headers: http::HeaderMap, upgrade: WebSocketUpgrade| {
        let host = headers["host"].to_str().unwrap().to_owned();
        upgrade.protocols(["echo"]).on_upgrade(async move |mut socket| {
            while let Some(Ok(Said::Text(text))) = socket.recv().await {
                socket.send(Said::Text(format!("{host} {text}").into())).await.unwrap();
            }
        })
    };
    let role = Router::new().nest("/api/v1/device", Router::new().route("/stream", get(open)));
    let behind = start(&world, &config(), Door::Role, role).await;
    let upstream = format!("http://{behind}").parse().unwrap();
    let front = Router::new().nest("/api/v1/device", gateway::forward("devices", &upstream, &world.backends.tasks).unwrap());
    let address = start(&world, &config(), Door::Outside(&[]), front).await;
    let mut request =
        tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(format!("ws://{address}/api/v1/device/stream"));
    request.as_mut().unwrap().headers_mut().insert("sec-websocket-protocol", "secret, echo".parse().unwrap());
    let (mut socket, response) = tokio_tungstenite::connect_async(request.unwrap()).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "echo");
    for text in ["one", "two"] {
        socket.send(Message::Text(text.into())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap().as_str(), format!("{address} {text}"));
    }
    assert!(world.backends.close(Duration::from_secs(10)).await, "a tunnel does not hold the process up");
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))));
}
