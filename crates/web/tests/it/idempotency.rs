//! The same request sent twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::routing::post;
use base::{Actor, Error, Role};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use testkit::World;
use tokio::sync::Notify;
use tower::ServiceExt;
use web::{Answer, Body as Json};

#[derive(Clone, Default)]
struct Orders {
    taken: Arc<AtomicU32>,
    gate: Arc<Notify>,
}

async fn order(State(orders): State<Orders>, Json(order): Json<Value>) -> Answer<axum::response::Response> {
    let number = orders.taken.fetch_add(1, Ordering::SeqCst) + 1;
    if order["slow"] == true {
        orders.gate.notified().await;
    }
    if order["fail"] == true {
        return Err(Error::conflict("orders.full", "no more orders").into());
    }
    Ok(web::created(format!("orders/{number}"), &json!({ "number": number, "secret": "hunter2" })))
}

fn router(world: &World, orders: &Orders) -> Router {
    Router::new().route("/orders", post(order)).with_state(orders.clone()).layer(web::idempotency::layer(&world.backends, &[]))
}

async fn send(router: &Router, actor: Option<&Actor>, key: &str, body: &str) -> (StatusCode, HeaderMap, Value) {
    let mut request = Request::post("/orders")
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .header("idempotency-key", key)
        .body(Body::from(body.to_owned()))
        .unwrap();
    if let Some(actor) = actor {
        request.extensions_mut().insert(actor.clone());
    }
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, 1 << 16).await.unwrap();
    (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn a_repeated_post_gets_the_first_answer_and_another_one_is_refused() {
    for engine in testkit::engines() {
        let world = World::new(engine).await;
        let orders = Orders::default();
        let router = router(&world, &orders);
        let (ada, eve) = (world.actor(&[Role::Admin]), world.other(&[Role::Admin]));
        let first = send(&router, Some(&ada), "k1", r#"{"a":1}"#).await;
        let again = send(&router, Some(&ada), "k1", r#"{"a":1}"#).await;
        assert_eq!((first.0, &first.2, &first.1["location"]), (again.0, &again.2, &again.1["location"]));
        assert!(!first.1.contains_key("idempotency-replayed") && again.1.contains_key("idempotency-replayed"));
        assert_eq!(again.1["content-type"], "application/json");

        let other = send(&router, Some(&ada), "k1", r#"{"a":2}"#).await;
        assert_eq!((other.0, &other.2["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("web.idempotency_mismatch")));
        assert_eq!(send(&router, Some(&eve), "k1", r#"{"a":1}"#).await.2["number"], 2, "keys belong to their actor");
        assert_eq!(send(&router, None, "k1", r#"{"a":1}"#).await.2["number"], 3, "nobody has no answers of their own");
        let mut token = ada.clone();
        (token.kind, token.jti) = (base::ActorKind::Token, Some("another credential".to_owned()));
        assert_eq!(send(&router, Some(&token), "k1", r#"{"a":1}"#).await.2["number"], 4, "and to the credential: it may allow less");

        assert_eq!(send(&router, Some(&ada), "k2", r#"{"fail":true}"#).await.0, StatusCode::CONFLICT);
        assert_eq!(send(&router, Some(&ada), "k2", r#"{"a":1}"#).await.0, StatusCode::CREATED, "a failure is not kept");
        assert_eq!(send(&router, Some(&ada), &"k".repeat(256), "{}").await.2["code"], "web.idempotency_key");
    }
}

#[tokio::test]
async fn the_work_goes_on_when_the_caller_hangs_up() {
    for engine in testkit::engines() {
        let world = World::new(engine).await;
        let orders = Orders::default();
        let router = router(&world, &orders);
        let ada = world.actor(&[Role::Admin]);
        let body = r#"{"slow":true}"#;
        tokio::select! {
            _ = send(&router, Some(&ada), "k", body) => panic!("answered before the gate opened"),
            () = testkit::eventually("the order is taken", async || orders.taken.load(Ordering::SeqCst) == 1) => {}
        }
        let early = send(&router, Some(&ada), "k", body).await;
        assert_eq!(
            (early.0, &early.2["code"], early.1["retry-after"].as_bytes()),
            (StatusCode::CONFLICT, &json!("web.in_flight"), &b"1"[..])
        );
        orders.gate.notify_one();
        testkit::eventually("the answer is there", async || send(&router, Some(&ada), "k", body).await.0 == StatusCode::CREATED).await;
        assert_eq!(orders.taken.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn what_is_kept_for_one_user_is_bounded_and_questions_are_not_kept_at_all() {
    let world = World::new(testkit::Engine::Embedded).await;
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    let large = post(async || "x".repeat(500_000));
    let question = post(async move || counted.fetch_add(1, Ordering::SeqCst).to_string());
    let nothing = post(async || StatusCode::NO_CONTENT);
    let routes = Router::new().route("/large", large).route("/question", question).route("/nothing", nothing);
    let router = routes.layer(web::idempotency::layer(&world.backends, &["/question"]));
    let ada = world.actor(&[Role::Admin]);
    let send = async |path: &str, key: String| {
        let mut request = Request::post(path).header("idempotency-key", key).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ada.clone());
        router.clone().oneshot(request).await.unwrap().status()
    };
    // An answer without a body is kept with its key and what was asked.
    let budget = format!("idempotency:budget:{}:{}", ada.tenant, ada.user.unwrap());
    let counted = async || world.backends.hot.count(&budget, 0, std::time::Duration::from_secs(60)).await.unwrap().value;
    for number in 1..=3 {
        assert_eq!(send("/nothing", format!("nothing {number}")).await, StatusCode::NO_CONTENT);
        assert!(counted().await >= 150 * number, "{}", counted().await);
    }
    let mut kept = 0;
    while send("/large", kept.to_string()).await == StatusCode::OK {
        kept += 1;
        assert!(kept < 100, "without end");
    }
    assert_eq!((kept, send("/large", "one more".to_owned()).await), (68, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(send("/large", "0".to_owned()).await, StatusCode::OK, "what is kept is answered");
    for _ in 0..2 {
        assert_eq!(send("/question", "same".to_owned()).await, StatusCode::OK);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
