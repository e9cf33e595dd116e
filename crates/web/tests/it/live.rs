//! Live streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::to_bytes;
use axum::extract::FromRequestParts;
use base::{Actor, Error, Role};
use futures::StreamExt;
use serde_json::json;
use testkit::World;
use tokio_util::sync::CancellationToken;
use web::live::{Update, follow, sse};
use web::{Recheck, Standing};

/// What a handler gets of a request with this actor, whose credential is asked for again like this.
async fn standing(of: Option<(Actor, Recheck)>) -> Standing {
    let mut parts = http::Request::new(()).into_parts().0;
    if let Some((actor, recheck)) = of {
        parts.extensions.insert(actor);
        parts.extensions.insert(recheck);
    }
    Standing::from_request_parts(&mut parts, &()).await.unwrap()
}

async fn nobody() -> Standing {
    standing(None).await
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_credential_that_opened_it() {
    let actor = Actor::system(base::TenantId::from_uuid(uuid::Uuid::from_u128(1)), base::Source::Http);
    let revoked = Arc::new(AtomicBool::new(false));
    let (known, is_revoked) = (actor.clone(), revoked.clone());
    let recheck = Recheck::new(move || {
        let answer =
            if is_revoked.load(Ordering::Relaxed) { Err(Error::unauthenticated("test.revoked", "revoked")) } else { Ok(known.clone()) };
        Box::pin(async move { answer })
    });
    let open = sse(futures::stream::pending(), standing(Some((actor, recheck))).await, CancellationToken::new());
    let mut read = Box::pin(to_bytes(open.into_body(), 1 << 20));
    assert!(tokio::time::timeout(std::time::Duration::from_secs(60), &mut read).await.is_err(), "it goes on while the credential is good");
    revoked.store(true, Ordering::Relaxed);
    tokio::time::timeout(std::time::Duration::from_secs(6), read).await.expect("the stream ends").unwrap();
}

#[tokio::test]
async fn a_caller_with_other_rights_than_at_the_beginning_no_longer_stands_and_a_store_that_is_down_proves_nothing() {
    let mut actor = Actor::system(base::TenantId::from_uuid(uuid::Uuid::from_u128(1)), base::Source::Http);
    let opened = actor.clone();
    actor.permissions.retain(|permission| Role::Viewer.permissions().contains(permission));
    let answers = |answer: fn(&Actor) -> base::Result<Actor>| {
        let now = actor.clone();
        Recheck::new(move || {
            let answer = answer(&now);
            Box::pin(async move { answer })
        })
    };
    let fewer = standing(Some((opened.clone(), answers(|now| Ok(now.clone()))))).await;
    assert!(!fewer.holds().await);
    let down = standing(Some((opened, answers(|_| Err(Error::unavailable("test.down", "down")))))).await;
    assert!(down.holds().await);
}

#[tokio::test]
async fn a_stream_frames_updates_and_ends_at_shutdown() {
    let updates = futures::stream::iter([
        Update::new("progress", json!({ "text": "two\nlines" })).with_id("7\nevent: forged"),
        Update::new("done", json!(null)),
    ]);
    let response = sse(updates, nobody().await, CancellationToken::new());
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = String::from_utf8(to_bytes(response.into_body(), 4096).await.unwrap().to_vec()).unwrap();
    let expected = "retry: 2000\n\nevent: progress\ndata: {\"text\":\"two\\nlines\"}\nid: 7event: forged\n\nevent: done\ndata: null\n\n";
    assert_eq!(text, expected);

    let stop = CancellationToken::new();
    let endless = sse(futures::stream::pending(), nobody().await, stop.clone());
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
