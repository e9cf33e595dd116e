//! Findings over HTTP: filters, sorts, pages, imports, and who may.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use base::{Actor, Role};
use serde_json::{Value as Json, json};
use testkit::engines;
use tower::ServiceExt;

use crate::story::{Story, hit, lines};

pub(crate) async fn ask(story: &Story, method: Method, path: &str, body: Body, actor: Option<&Actor>) -> (StatusCode, Json) {
    let (router, _) = results::routes(&story.results).split_for_parts();
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json").body(body).unwrap();
    if let Some(actor) = actor {
        request.extensions_mut().insert(actor.clone());
    }
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Json::Null))
}

async fn get(story: &Story, path: &str) -> (StatusCode, Json) {
    ask(story, Method::GET, path, Body::empty(), Some(&story.actor)).await
}

fn titles(page: &Json) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn findings_are_filtered_sorted_and_paged() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let mut b = hit("b_%", "critical", "https://x.example/b");
        b["info"]["classification"] = json!({ "cve-id": ["CVE-2024-1000"], "cwe-id": ["cwe-79"] });
        let text = lines(&[
            hit("a", "high", "https://x.example/"),
            b,
            hit("c", "low", "https://y.example/"),
            hit("d", "high", "https://y.example/"),
        ]);
        let (status, import) =
            ask(&story, Method::POST, "/imports?format=nuclei&filename=r.jsonl", Body::from(text.clone()), Some(&story.actor)).await;
        assert_eq!((status, import["summary"]["created"].as_u64()), (StatusCode::CREATED, Some(4)));
        let (status, again) = ask(&story, Method::POST, "/imports?filename=r.jsonl", Body::from(text), Some(&story.actor)).await;
        assert_eq!((status, again["repeated"].as_bool()), (StatusCode::OK, Some(true)));

        let (_, page) = get(&story, "/findings?limit=2").await;
        assert_eq!(page["items"][0]["title"], "b_%");
        let mut seen = titles(&page).iter().map(|title| (*title).to_owned()).collect::<Vec<_>>();
        let (_, rest) = get(&story, &format!("/findings?limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await;
        seen.extend(titles(&rest).iter().map(|title| (*title).to_owned()));
        assert_eq!((seen.len(), seen.last().map(String::as_str), rest["next_cursor"].is_null()), (4, Some("c"), true));
        let (status, problem) = get(&story, &format!("/findings?sort=title&cursor={}", page["next_cursor"].as_str().unwrap())).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("results.other_order")));

        for (query, expected) in [
            ("sort=title", vec!["a", "b_%", "c", "d"]),
            ("sort=title&severity=high&severity=low", vec!["a", "c", "d"]),
            ("q=Y.EXAMPLE&sort=title", vec!["c", "d"]),
            ("q=_%25", vec!["b_%"]),
            ("cve=cve-2024-1000", vec!["b_%"]),
            ("cwe=79", vec!["b_%"]),
            ("cwe=7", vec![]),
            ("status=fixed", vec![]),
            ("source=nuclei&sort=title&limit=1", vec!["a"]),
            ("source=nmap", vec![]),
        ] {
            let (status, page) = get(&story, &format!("/findings?{query}")).await;
            assert_eq!((status, titles(&page)), (StatusCode::OK, expected), "{query} on {engine:?}");
        }
        assert_eq!(get(&story, "/findings?severity=grave").await.0, StatusCode::BAD_REQUEST);
        let (_, counts) = get(&story, "/findings/summary").await;
        assert_eq!(
            counts,
            json!({ "total": 4, "by_severity": { "critical": 1, "high": 2, "medium": 0, "low": 1, "info": 0 },
            "by_status": { "open": 4, "not_retested": 0, "accepted": 0, "out_of_scope": 0, "mitigated": 0, "false_positive": 0, "fixed": 0 } })
        );

        let id = page["items"][0]["id"].as_str().unwrap();
        let body = Body::from(json!({ "kind": "accepted", "reason": "until the move", "valid_until": "2026-02-01T00:00:00Z" }).to_string());
        let (status, decided) = ask(&story, Method::POST, &format!("/findings/{id}/decisions"), body, Some(&story.actor)).await;
        assert_eq!((status, decided["status"].as_str()), (StatusCode::OK, Some("accepted")));
        let (_, detail) = get(&story, &format!("/findings/{id}")).await;
        assert_eq!(
            (detail["decisions"][0]["reason"].as_str(), detail["observations"].as_array().unwrap().len()),
            (Some("until the move"), 1)
        );
    }
}

#[tokio::test]
async fn every_route_needs_credentials_and_the_permission() {
    let story = Story::new(testkit::Engine::Embedded).await;
    story.import(&lines(&[hit("a", "high", "https://x.example/")]), None).await.unwrap();
    let id = story.findings().await[0].id;
    let nobody: Actor = Actor { permissions: [].into(), ..story.actor.clone() };
    for path in
        ["/findings", "/findings/summary", &format!("/findings/{id}"), "/imports", &format!("/imports/{id}"), &format!("/coverage/{id}")]
    {
        assert_eq!(ask(&story, Method::GET, path, Body::empty(), None).await.0, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(ask(&story, Method::GET, path, Body::empty(), Some(&nobody)).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    let viewer = story.world.actor(&[Role::Viewer]);
    assert_eq!(ask(&story, Method::POST, "/imports?format=nuclei", Body::from("x"), Some(&viewer)).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(&story, Method::POST, "/imports?format=word", Body::from("x"), Some(&story.actor)).await.0, StatusCode::BAD_REQUEST);
}
