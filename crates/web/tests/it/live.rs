//! Live streams.

use axum::body::to_bytes;
use futures::StreamExt;
use serde_json::json;
use testkit::World;
use tokio_util::sync::CancellationToken;
use web::live::{Update, follow, sse};

#[tokio::test]
async fn a_stream_frames_updates_and_ends_at_shutdown() {
    let updates = futures::stream::iter([
        Update::new("progress", json!({ "text": "two\nlines" })).with_id("7\nevent: forged"),
        Update::new("done", json!(null)),
    ]);
    let response = sse(updates, CancellationToken::new());
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = String::from_utf8(to_bytes(response.into_body(), 4096).await.unwrap().to_vec()).unwrap();
    let expected = "retry: 2000\n\nevent: progress\ndata: {\"text\":\"two\\nlines\"}\nid: 7event: forged\n\nevent: done\ndata: null\n\n";
    assert_eq!(text, expected);

    let stop = CancellationToken::new();
    let endless = sse(futures::stream::pending(), stop.clone());
    stop.cancel();
    to_bytes(endless.into_body(), 4096).await.unwrap();
}

#[tokio::test]
async fn a_channel_becomes_updates_for_those_who_may_see_them() {
    for engine in testkit::engines() {
        let world = World::new(engine).await;
        let subscription = world.backends.bus.subscribe("live:test").await.unwrap();
        let updates = follow(subscription, |body| body.starts_with(b"yes").then(|| Update::new("seen", json!(body.len()))));
        let mut updates = Box::pin(updates);
        for body in ["no", "yes!"] {
            world.backends.bus.publish("live:test", body.as_bytes().to_vec()).await.unwrap();
        }
        assert_eq!(updates.next().await.unwrap().body, json!(4));
    }
}
