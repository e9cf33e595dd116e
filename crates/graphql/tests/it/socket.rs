//! A scan followed over `graphql-transport-ws`, and who is sent away.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use scans::{NewScan, Profile};
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

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
