//! The routes as a client sees them.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base::{Actor, Role};
use serde_json::Value;
use testkit::Engine;
use tower::ServiceExt;

use crate::stage::Stage;

async fn ask(router: &Router, actor: &Actor, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json").extension(actor.clone());
    let response = router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (head.status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_pages_through_hits_and_is_told_what_is_wrong() {
    let stage = Stage::new(Engine::Embedded).await;
    stage.import(0, 5, "high").await;
    let (router, _) = search::routes(&stage.search).split_for_parts();
    let admin = &stage.actor;
    let (status, problem) = ask(&router, admin, "GET", "/search?q=x", "").await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::SERVICE_UNAVAILABLE, Some("search.missing")), "{problem}");
    stage.search.prepare().await.unwrap();

    let mut titles = Vec::new();
    let mut cursor = String::new();
    loop {
        let (status, page) = ask(&router, admin, "GET", &format!("/search?q=severity:%3E%3Dhigh&sort=title&limit=2{cursor}"), "").await;
        assert_eq!((status, page["total"].as_i64(), page["total_is_exact"].as_bool()), (StatusCode::OK, Some(5), Some(true)), "{page}");
        titles.extend(page["items"].as_array().unwrap().iter().map(|hit| hit["fields"]["title"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(titles, ["finding t-0", "finding t-1", "finding t-2", "finding t-3", "finding t-4"]);
    let foreign = ask(&router, admin, "GET", &format!("/search?sort=id{cursor}"), "").await;
    assert_eq!((foreign.0, foreign.1["code"].as_str()), (StatusCode::BAD_REQUEST, Some("search.cursor")));

    for (path, code, part) in [
        ("/search?q=severty:high", "search.query", "did you mean `severity`? (character 1)"),
        ("/search?q=(weak", "search.query", "character 6"),
        ("/search?sort=description", "search.sort", "sort by title"),
    ] {
        let (status, problem) = ask(&router, admin, "GET", path, "").await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code)), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    let (_, indices) = ask(&router, &stage.world.actor(&[Role::Viewer]), "GET", "/search/indices", "").await;
    let names: Vec<_> = indices.as_array().unwrap().iter().map(|index| index["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["vulnerabilities", "scan_results", "system_metrics", "assets"], "a viewer may not read the audit log");
    let (status, _) = ask(&router, &stage.world.actor(&[Role::Viewer]), "POST", "/search/rebuild", "{}").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, _) = ask(&router, admin, "POST", "/search/rebuild", r#"{"index":"assets"}"#).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(stage.find(search::IndexName::AuditLogs, "").await.total, 1);
    stage.search.catch_up().await.unwrap();
    assert_eq!(stage.find(search::IndexName::AuditLogs, "action:search.rebuild").await.total, 1);
}
