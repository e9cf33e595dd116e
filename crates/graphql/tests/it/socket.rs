//! A scan followed over `graphql-transport-ws`, and who is sent away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Extension;
use backends::Quota;
use futures::{SinkExt, StreamExt};
use scans::{NewScan, Profile};
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use web::{Recheck, UserLimit};

use crate::story::Story;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

async fn served(story: &Story) -> String {
    format!("ws://{}/graphql", testkit::serve(story.router(&story.actor)).await)
}

async fn connect(address: &str, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
    let mut request = address.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

async fn say(socket: &mut Socket, message: Json) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

/// The next message of the protocol; the close code otherwise.
async fn hear(socket: &mut Socket) -> Result<Json, u16> {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return Ok(serde_json::from_str(text.as_str()).unwrap()),
            Message::Close(frame) => return Err(frame.unwrap().code.into()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_scan_is_followed_to_its_last_word() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let target = story.target("127.0.0.1").await;
        let authorization = json!({
            "target": target.id, "granted_by": "Ada", "evidence": "ours",
            "valid_until": story.world.backends.clock.now() + Duration::from_secs(3600),
        });
        story.services.targets.authorize(&story.actor, serde_json::from_value(authorization).unwrap()).await.unwrap();
        let scan = story.services.scans.start(&story.actor, NewScan::of(target.id, Profile::Quick)).await.unwrap();
        let mut socket = connect(&served(&story).await, &[PROTOCOL]).await.unwrap();
        say(&mut socket, json!({ "type": "connection_init" })).await;
        assert_eq!(hear(&mut socket).await.unwrap()["type"], "connection_ack");
        let query = format!("subscription {{ scanProgress(id: \"{}\") {{ state fraction }} }}", scan.id);
        say(&mut socket, json!({ "type": "subscribe", "id": "1", "payload": { "query": query } })).await;
        let word = hear(&mut socket).await.unwrap();
        assert_eq!(word["payload"]["data"]["scanProgress"]["state"], "QUEUED", "{word}");
        story.services.scans.cancel(&story.actor, scan.id).await.unwrap();
        let word = hear(&mut socket).await.unwrap();
        assert_eq!(word["payload"]["data"]["scanProgress"]["state"], "CANCELLED", "{word}");
        assert_eq!(hear(&mut socket).await.unwrap(), json!({ "type": "complete", "id": "1" }));
    }
}

#[tokio::test]
async fn foreign_pages_other_protocols_and_greed_are_sent_away() {
    let story = Story::new(Engine::Embedded).await;
    let address = served(&story).await;
    let refused = |outcome: Result<Socket, Error>| match outcome {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(refused(connect(&address, &[PROTOCOL, ("origin", "https://evil.example")]).await), 403);
    assert_eq!(refused(connect(&address, &[]).await), 400);
    assert_eq!(refused(connect(&address, &[("sec-websocket-protocol", "graphql-ws")]).await), 400);

    let mut socket = connect(&address, &[PROTOCOL]).await.unwrap();
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await.unwrap()["type"], "connection_ack");
    let frames = (0..40).map(|number| {
        let payload = json!({ "query": "subscription { scanProgress(id: \"0190b5a0-0000-7000-8000-000000000000\") { state } }" });
        Ok(Message::text(json!({ "type": "subscribe", "id": number.to_string(), "payload": payload }).to_string()))
    });
    // All at once: before the first can end.
    socket.send_all(&mut futures::stream::iter(frames)).await.unwrap();
    let mut heard = hear(&mut socket).await;
    while heard.is_ok() {
        heard = hear(&mut socket).await;
    }
    assert_eq!(heard, Err(4429));

    let mut socket = connect(&address, &[PROTOCOL]).await.unwrap();
    say(&mut socket, json!({ "no": "type" })).await;
    assert_eq!(hear(&mut socket).await, Err(1002));
}

/// A router in front of which the edge and the auth layer stand: `good` says whether the credential still is, three operations are allowed.
async fn guarded(story: &Story, good: &Arc<AtomicBool>) -> String {
    let (actor, good) = (story.actor.clone(), good.clone());
    let recheck = Recheck::new(move || {
        let now =
            if good.load(Ordering::Relaxed) { Ok(actor.clone()) } else { Err(base::Error::unauthenticated("test.revoked", "revoked")) };
        Box::pin(async move { now })
    });
    let limit = UserLimit { key: "rl:user:test".to_owned(), quota: Quota { burst: 3, per: Duration::from_secs(3600) } };
    let router = story.router(&story.actor).layer(Extension(recheck)).layer(Extension(limit));
    format!("ws://{}/graphql", testkit::serve(router).await)
}

async fn opened(address: &str) -> Socket {
    let mut socket = connect(address, &[PROTOCOL]).await.unwrap();
    say(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut socket).await.unwrap()["type"], "connection_ack");
    socket
}

async fn ask(socket: &mut Socket, id: u32) -> Result<Json, u16> {
    say(socket, json!({ "type": "subscribe", "id": id.to_string(), "payload": { "query": "{ __typename }" } })).await;
    hear(socket).await
}

#[tokio::test]
async fn a_socket_ends_with_its_credentials() {
    let story = Story::new(Engine::Embedded).await;
    let good = Arc::new(AtomicBool::new(true));
    let address = guarded(&story, &good).await;
    let (mut busy, mut idle) = (opened(&address).await, opened(&address).await);
    assert_eq!(ask(&mut busy, 1).await.unwrap()["type"], "next");
    assert_eq!(hear(&mut busy).await.unwrap()["type"], "complete");
    good.store(false, Ordering::Relaxed);
    assert_eq!(ask(&mut busy, 2).await, Err(4401), "nothing new begins");
    assert_eq!(tokio::time::timeout(Duration::from_secs(8), hear(&mut idle)).await.expect("not even silence lasts"), Err(4401));
}

#[tokio::test]
async fn operations_count_as_requests_and_sockets_of_one_user_are_few() {
    let story = Story::new(Engine::Embedded).await;
    let address = guarded(&story, &Arc::new(AtomicBool::new(true))).await;
    let mut socket = opened(&address).await;
    for id in 1..=3 {
        assert_eq!(ask(&mut socket, id).await.unwrap()["type"], "next");
        assert_eq!(hear(&mut socket).await.unwrap()["type"], "complete");
    }
    assert_eq!(ask(&mut socket, 4).await, Err(1013));
    let mut open = Vec::new();
    let refused = loop {
        match connect(&address, &[PROTOCOL]).await {
            Ok(socket) if open.len() < 20 => open.push(socket),
            other => break other,
        }
    };
    assert!(matches!(refused, Err(Error::Http(response)) if response.status() == 429));
    assert!(open.len() >= 15, "{}", open.len());
}
