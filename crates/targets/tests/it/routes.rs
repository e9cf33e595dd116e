//! The routes as a client sees them.

use axum::Router;
use axum::body::Body;
use base::{Actor, Role};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use targets::Targets;
use testkit::{Engine, World};
use tower::ServiceExt;

async fn ask(router: &Router, actor: Option<&Actor>, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(actor) = actor {
        request = request.extension(actor.clone());
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_load_test_of_the_documents_and_what_follows_it() {
    let world = World::new(Engine::Embedded).await;
    let (router, _) = targets::routes(&Targets::new(&world.backends)).split_for_parts();
    let ana = world.actor(&[Role::Admin]);
    let (status, target) = ask(&router, Some(&ana), "POST", "/targets", Some(json!({ "name": "127.0.0.1", "type": "host" }))).await;
    assert_eq!((status, target["address"].as_str()), (StatusCode::CREATED, Some("127.0.0.1")));
    let id = target["id"].as_str().unwrap();
    let granted = json!({ "target": id, "valid_until": "2026-02-01T00:00:00Z", "granted_by": "CISO", "evidence": "ticket 1" });
    let (status, granted) = ask(&router, Some(&ana), "POST", "/authorizations", Some(granted)).await;
    assert_eq!((status, &granted["rules"]), (StatusCode::CREATED, &json!([{ "kind": "host", "value": "127.0.0.1" }])));
    let (_, listed) = ask(&router, Some(&ana), "GET", &format!("/targets/{id}/authorizations?limit=1"), None).await;
    assert_eq!(listed["items"][0]["id"], granted["id"]);
    let (_, found) = ask(&router, Some(&ana), "GET", "/targets?type=host&q=127&limit=5", None).await;
    assert_eq!(found["items"][0]["id"], target["id"]);

    let path = format!("/targets/{id}");
    assert_eq!(ask(&router, None, "GET", &path, None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&router, Some(&world.other(&[Role::Admin])), "GET", &path, None).await.0, StatusCode::NOT_FOUND);
    for (method, path, body, pointer) in [
        ("POST", "/targets", json!({ "name": "x" }), "#/type"),
        ("POST", "/targets", json!({ "name": "x", "type": "web", "colour": 1 }), "#/colour"),
        ("POST", "/targets", json!({ "name": "x", "type": "host", "address": "http://x/" }), "#/address"),
        ("PATCH", path.as_str(), json!({ "tags": ["a,b"] }), "#/tags/0"),
        (
            "POST",
            "/authorizations",
            json!({ "target": id, "valid_until": "2020-01-01T00:00:00Z", "granted_by": "a", "evidence": "b" }),
            "#/valid_until",
        ),
        (
            "POST",
            "/authorizations",
            json!({ "rules": [{ "kind": "cidr", "value": "10.0.0.0/99" }], "valid_until": "2026-02-01T00:00:00Z", "granted_by": "a", "evidence": "b" }),
            "#/rules/0/value",
        ),
    ] {
        let (status, problem) = ask(&router, Some(&ana), method, path, Some(body)).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (StatusCode::BAD_REQUEST, Some(pointer)), "{problem}");
    }
}
