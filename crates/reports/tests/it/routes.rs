//! The routes as a client sees them.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base::{Actor, Role};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::context::Stage;
use crate::forms::typesetter;

async fn ask(router: &Router, actor: Option<&Actor>, method: &str, path: &str, body: Option<Value>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(actor) = actor {
        request = request.extension(actor.clone());
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
    (head.status, head.headers, bytes.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_orders_waits_and_fetches() {
    let stage = Stage::set(testkit::Engine::Embedded, typesetter().program).await;
    let (router, _) = reports::routes(&stage.reports).split_for_parts();
    let admin = stage.world.actor(&[Role::Admin]);
    let order = json!({ "title": "Q1", "language": "es", "filter": { "minimum_severity": "high" } });
    let (status, headers, body) = ask(&router, Some(&admin), "POST", "/reports", Some(order)).await;
    let report: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, report["state"].as_str()), (StatusCode::CREATED, Some("queued")), "{report}");
    assert!(headers.contains_key("location"));
    let path = format!("/reports/{}", report["id"].as_str().unwrap());
    assert_eq!(ask(&router, Some(&admin), "GET", &format!("{path}/files/pdf"), None).await.0, StatusCode::CONFLICT);
    assert!(stage.work().await.is_empty());
    for (format, media, start) in [
        ("pdf", "application/pdf", "%PDF-"),
        ("html", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("json", "application/json", "{\""),
        ("csv", "text/csv", "id,"),
    ] {
        let (status, headers, bytes) = ask(&router, Some(&admin), "GET", &format!("{path}/files/{format}"), None).await;
        assert_eq!(status, StatusCode::OK, "{format}");
        assert!(headers["content-type"].to_str().unwrap().starts_with(media), "{format}");
        assert!(headers["content-disposition"].to_str().unwrap().ends_with(&format!(".{format}\"")));
        assert!(bytes.starts_with(start.as_bytes()), "{format}");
    }
    let (status, _, body) = ask(&router, Some(&admin), "GET", "/reports?limit=1", None).await;
    assert_eq!((status, serde_json::from_slice::<Value>(&body).unwrap()["items"][0]["state"].as_str()), (StatusCode::OK, Some("ready")));
    assert_eq!(ask(&router, None, "GET", &path, None).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&router, Some(&admin), "GET", &format!("{path}/files/docx"), None).await.0, StatusCode::BAD_REQUEST);
    for (order, pointer) in [
        (json!({ "language": "en" }), "#/title"),
        (json!({ "title": " " }), "#/title"),
        (json!({ "title": "a", "language": "xx" }), "#/language"),
        (json!({ "title": "a", "filter": { "statuses": ["gone"] } }), "#/filter/statuses/0"),
    ] {
        let (status, _, body) = ask(&router, Some(&admin), "POST", "/reports", Some(order)).await;
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (StatusCode::BAD_REQUEST, Some(pointer)), "{problem}");
    }
    assert_eq!(ask(&router, Some(&admin), "DELETE", &path, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ask(&router, Some(&admin), "GET", &path, None).await.0, StatusCode::NOT_FOUND);
}
