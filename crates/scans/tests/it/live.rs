//! Following a scan: the stream, server-sent events, the WebSocket.

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use base::Actor;
use futures::StreamExt;
use http_body_util::BodyExt;
use scans::{Config, Profile, Progress, ScanState};
use testkit::{Engine, engines};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tower::ServiceExt;

use crate::stage::{Stage, listener};

fn router(stage: &Stage) -> Router {
    scans::routes(&stage.scans).split_for_parts().0
}

fn as_actor(router: Router, actor: &Actor) -> Router {
    let actor = actor.clone();
    router.layer(axum::middleware::from_fn(move |mut request: Request, next: Next| {
        request.extensions_mut().insert(actor.clone());
        next.run(request)
    }))
}

fn check(words: &[Progress]) {
    assert!(words.windows(2).all(|pair| pair[0].sequence < pair[1].sequence && pair[0].fraction <= pair[1].fraction), "{words:#?}");
    let last = words.last().unwrap();
    assert_eq!((last.state, last.fraction), (ScanState::Completed, 1.0));
    assert!(words[..words.len() - 1].iter().all(|word| !word.state.is_final()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_hears_everything_up_to_the_last_word() {
    for engine in engines() {
        let stage = Stage::new(engine, Config::default()).await;
        let (address, _) = listener("127.0.0.1").await;
        let target = stage.host("127.0.0.1").await;
        let scan = stage.start(&target, Profile::Quick, &[address.port(), 9]).await;
        let following = stage.scans.progress(&stage.ana, scan.id, None).await.unwrap();
        let work = stage.work();
        let words: Vec<Progress> = following.collect().await;
        work.await.unwrap();
        check(&words);
        assert_eq!(words[0].state, ScanState::Queued);
        assert_eq!(words.last().unwrap().open_ports, 1);
        let late: Vec<Progress> = stage.scans.progress(&stage.ana, scan.id, Some(i64::MAX)).await.unwrap().collect().await;
        assert_eq!(late.len(), 1, "who comes late or comes back hears the last word");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_sent_events_and_the_socket_tell_the_same_story() {
    let stage = Stage::new(Engine::Embedded, Config::default()).await;
    let (address, _) = listener("127.0.0.1").await;
    let target = stage.host("127.0.0.1").await;
    let scan = stage.start(&target, Profile::Quick, &[address.port()]).await;
    let routes = as_actor(router(&stage), &stage.ana);
    let here = testkit::serve(routes.clone()).await;
    let url = format!("ws://{here}/scans/{}/ws", scan.id);
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
    let events = format!("/scans/{}/events", scan.id);
    let response = routes.clone().oneshot(Request::get(&events).body(axum::body::Body::empty()).unwrap()).await.unwrap();
    let work = stage.work();

    let mut words: Vec<Progress> = Vec::new();
    let mut is_closed = false;
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => words.push(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => is_closed = true,
            _ => {}
        }
    }
    check(&words);
    assert!(is_closed);
    work.await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let told: Vec<Progress> =
        text.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| serde_json::from_str(data).unwrap()).collect();
    check(&told);
    assert!(text.contains("event: progress") && text.contains(&format!("id: {}", told.last().unwrap().sequence)));

    let refused = async |url: &str, origin: Option<&str>| {
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&format!("{url}?token=secret"), None).await, 400);
    assert_eq!(refused(&url, Some("https://evil.example")).await, 403);
    let nobody =
        router(&stage).oneshot(Request::get(format!("/scans/{}/ws", scan.id)).body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(nobody.status(), 401);
}
