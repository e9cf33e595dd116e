//! Failures look the same wherever they arise.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use base::{Error, Origin};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use web::{Answer, Caller};

async fn ask(request: Request<Body>) -> (StatusCode, http::HeaderMap, Value) {
    let router = Router::new()
        .route("/me", get(async |Caller(actor): Caller| actor.username))
        .route("/lost", get(async || -> Answer<()> { Err(Error::not_found("scans.not_found", "scan 7 does not exist").into()) }))
        .route("/broken", get(async || -> Answer<()> { Err(Error::internal("secret path /etc/x").because("disk on fire").into()) }))
        .route(
            "/busy",
            post(async || -> Answer<()> {
                Err(Error::too_many("scans.busy", "too many scans").retry_after(Duration::from_millis(1200)).into())
            }),
        )
        .layer(axum::middleware::from_fn(web::problems));
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    (parts.status, parts.headers, serde_json::from_slice(&bytes).unwrap())
}

fn of(method: &str, path: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Origin { correlation_id: Some("req-1".into()), ..Origin::default() });
    request
}

#[tokio::test]
async fn a_problem_names_code_path_and_request() {
    let (status, headers, problem) = ask(of("GET", "/lost")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(
        problem,
        json!({
            "type": "urn:tyrian:error:scans.not_found", "title": "Not Found", "status": 404, "detail": "scan 7 does not exist",
            "instance": "/lost", "code": "scans.not_found", "request_id": "req-1",
        })
    );
}

#[tokio::test]
async fn an_internal_failure_shows_nothing_of_itself() {
    let (status, _, problem) = ask(of("GET", "/broken")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!problem.to_string().contains("/etc/x") && !problem.to_string().contains("fire"), "{problem}");
}

#[tokio::test]
async fn refusals_say_how_to_go_on() {
    let (status, headers, _) = ask(of("POST", "/busy")).await;
    assert_eq!((status, headers["retry-after"].as_bytes()), (StatusCode::TOO_MANY_REQUESTS, b"2".as_slice()));
    let (status, headers, problem) = ask(of("GET", "/me")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("web.unauthenticated")));
    assert!(headers.contains_key("www-authenticate"));
    let (status, headers, problem) = ask(of("POST", "/lost")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("web.method")));
    assert_eq!(headers["allow"], "GET,HEAD");
    let (status, _, problem) = ask(of("GET", "/nowhere")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("web.no_route")));
}
