//! Input is refused with the name of the place at fault.

use axum::Router;
use axum::body::Body as Bytes;
use axum::routing::{get, post};
use base::{PageRequest, UserId};
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;
use web::{Body, Params, PathId};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[expect(dead_code, reason = "only its shape matters")]
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[expect(dead_code, reason = "only its shape matters")]
    count: u32,
}

#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    severity: Vec<String>,
    q: Option<String>,
}

fn router() -> Router {
    Router::new()
        .route("/orders", post(async |Body(_): Body<Order>| "ok"))
        .route("/users/{id}", get(async |PathId(id): PathId<base::User>| -> String { UserId::to_string(&id) }))
        .route(
            "/list",
            get(async |Params(filter): Params<Filter>, Params(page): Params<PageRequest>| {
                format!("{} {:?} {:?}", filter.severity.join("+"), filter.q, page.limit)
            }),
        )
        .layer(axum::extract::DefaultBodyLimit::max(256))
        .layer(axum::middleware::from_fn(web::problems))
}

async fn ask(request: Request<Bytes>) -> (StatusCode, String) {
    let response = router().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn order(kind: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::post("/orders").header("content-type", kind).body(Bytes::from(body.to_owned())).unwrap();
    let (status, text) = ask(request).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_wrong_body_names_the_json_pointer() {
    for (body, pointer, code) in [
        (r#"{"lines":[{"count":1},{"count":"two"}]}"#, json!("#/lines/1/count"), "web.body_shape"),
        (r#"{"lines":[{}]}"#, json!("#/lines/0/count"), "web.body_shape"),
        (r#"{"lines":[],"extra":1}"#, json!("#/extra"), "web.body_shape"),
        (r#"[]"#, json!(null), "web.body_shape"),
        (r#"{"lines":[]"#, json!(null), "web.body_syntax"),
        (r#"{"lines":[]} {}"#, json!(null), "web.body_syntax"),
        (r#"{"lines":"\\\u0000"}"#, json!(null), "web.nul"),
        (r#"{"lines":"\\u0000"}"#, json!("#/lines"), "web.body_shape"),
    ] {
        let (status, problem) = order("application/json", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(problem["code"], code, "{body} {problem}");
        if !pointer.is_null() {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{body} {problem}");
        }
    }
}

#[tokio::test]
async fn another_media_type_is_415_and_a_large_body_413() {
    let (status, problem) = order("text/plain", "{}").await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!("web.media_type")));
    let (status, problem) = order("application/json", &" ".repeat(300)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("web.body_too_large")));
}

#[tokio::test]
async fn a_query_string_repeats_lists_and_names_the_wrong_parameter() {
    let (status, text) = ask(Request::get("/list?severity=high&severity=low&limit=7&q=a%20b").body(Bytes::empty()).unwrap()).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "high+low Some(\"a b\") Some(7)"));
    let (status, text) = ask(Request::get("/list?limit=many").body(Bytes::empty()).unwrap()).await;
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(problem["errors"][0]["parameter"], "limit", "{problem}");
}

#[tokio::test]
async fn a_path_part_that_is_no_id_is_a_problem() {
    let (status, text) = ask(Request::get("/users/me").body(Bytes::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("id.malformed"), "{text}");
    let id = uuid::Uuid::from_u128(7).to_string();
    assert_eq!(ask(Request::get(format!("/users/{id}")).body(Bytes::empty()).unwrap()).await, (StatusCode::OK, id));
}
