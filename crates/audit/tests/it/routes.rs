//! The log over HTTP: who may read, and what an export looks like on the wire.

use audit::verify::{self, Trust};
use audit::{Audit, routes};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use base::{Actor, Role};
use serde_json::{Value as Json, json};
use testkit::{World, engines};
use tower::ServiceExt;

use crate::thing::reader;

async fn get(audit: &Audit, path: &str, actor: Option<&Actor>) -> (StatusCode, Vec<u8>) {
    let (router, _) = routes(audit).split_for_parts();
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    if let Some(actor) = actor {
        request.extensions_mut().insert(actor.clone());
    }
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
}

#[tokio::test]
async fn the_log_is_read_and_exported_over_http() {
    for engine in engines() {
        let world = World::new(engine).await;
        let audit = Audit::new(&world.backends);
        let actor = reader(&world);
        for number in 0..3 {
            audit.record(&actor, audit::actions::READ, ("thing", &number.to_string()), json!({}), None).await.unwrap();
        }
        audit.sequence().await.unwrap();
        let (status, body) = get(&audit, "/audit?subject_kind=thing&limit=2", Some(&actor)).await;
        let page: Json = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, page["items"].as_array().unwrap().len(), page["next_cursor"].is_string()), (StatusCode::OK, 2, true));
        let id = page["items"][0]["id"].as_str().unwrap();
        let (_, body) = get(&audit, &format!("/audit/{id}"), Some(&actor)).await;
        let proven: Json = serde_json::from_slice(&body).unwrap();
        assert_eq!(proven["proof"]["tree_size"], 3);
        assert_eq!(get(&audit, "/audit/tile/0/000.p/3", Some(&actor)).await.1.len(), 96);
        assert!(get(&audit, "/audit/checkpoint", Some(&actor)).await.1.starts_with(b"tyrian.local/audit/"));
        let (_, body) = get(&audit, "/audit/export", Some(&actor)).await;
        let report = verify::export(body.as_slice(), Trust::default()).unwrap();
        assert!(report.is_intact() && report.entries == 4, "{report:?}");

        for path in ["/audit", "/audit/checkpoint", "/audit/export", "/audit/tile/0/000.p/3", &format!("/audit/{id}")] {
            assert_eq!(get(&audit, path, None).await.0, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(get(&audit, path, Some(&world.actor(&[Role::Viewer]))).await.0, StatusCode::FORBIDDEN, "{path}");
        }
        assert_eq!(get(&audit, &format!("/audit/{id}"), Some(&world.other(&[Role::Admin]))).await.0, StatusCode::NOT_FOUND);
        assert_eq!(get(&audit, "/audit?limit=0", Some(&actor)).await.0, StatusCode::BAD_REQUEST);
    }
}
