//! Promises every route keeps.

use http::{Request, StatusCode};
use testkit::Engine;
use tower::ServiceExt;

use crate::stage::Stage;

#[tokio::test]
async fn every_route_refuses_the_unknown() {
    let stage = Stage::new(Engine::Embedded).await;
    let document = serde_json::to_value(devices::routes(&stage.devices).into_openapi()).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let filled: Vec<&str> = path
                .split('/')
                .map(|part| {
                    if part == "{sequence}" {
                        "1"
                    } else if part.starts_with('{') {
                        "0190b8a0-0000-7000-8000-000000000000"
                    } else {
                        part
                    }
                })
                .collect();
            for scheme in [None, Some("DPoP nonsense"), Some("Bearer nonsense")] {
                let mut request = Request::builder()
                    .method(method.to_uppercase().as_str())
                    .uri(filled.join("/"))
                    .header("content-type", "application/json");
                if let Some(scheme) = scheme {
                    request = request.header("authorization", scheme);
                }
                let response = stage.router.clone().oneshot(request.body(axum::body::Body::from("{}")).unwrap()).await.unwrap();
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path} {scheme:?}");
                assert!(response.headers().contains_key("www-authenticate"));
            }
            asked += 1;
        }
    }
    assert_eq!(asked, 28);
}
