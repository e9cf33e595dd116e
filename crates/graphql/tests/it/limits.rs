//! A hostile question is refused before anything is read, and told in GraphQL's words.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;
use testkit::Engine;

use crate::story::Story;

#[tokio::test]
async fn deep_wide_aliased_and_circular_questions_are_refused_without_a_statement() {
    let story = Story::new(Engine::Embedded).await;
    let deep = format!("{{ findings {{ nodes {{ {} id {} }} }} }}", "target { findings { nodes { ".repeat(8), "} } }".repeat(8));
    let wide = "{ findings(first: 500) { nodes { target { findings(first: 500) { nodes { id } } } } } }".to_owned();
    let aliased = format!("{{ {} }}", (0..800).map(|n| format!("a{n}: targets {{ nodes {{ id }} }} ")).collect::<String>());
    let circular = "{ targets { nodes { ...A } } } fragment A on Target { id ...B } fragment B on Target { ...A }".to_owned();
    let nested = format!("{}{}", "{ a ".repeat(10_000), "}".repeat(10_000));
    let directives = format!("{{ targets {{ nodes {{ id {} }} }} }}", "@include(if: true) ".repeat(200));
    let many = "targets { nodes { findings(first: 500) { nodes { target { findings(first: 500) { nodes { id } } } } } } } ";
    let overflowing = format!("{{ {} }}", (0..500).map(|n| format!("b{n}: {many}")).collect::<String>());
    let clustered = "{ clusters(first: 500) { nodes { findings { cluster { cluster { findings { id } } } } } } }".to_owned();
    let hostile = [
        ("overflowing", overflowing),
        ("clustered", clustered),
        ("deep", deep),
        ("wide", wide),
        ("aliased", aliased),
        ("circular", circular),
        ("nested", nested),
        ("directives", directives),
    ];
    for (what, query) in hostile {
        let before = story.world.backends.db.statements();
        let answer = story.post(&story.actor, &json!({ "query": query })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}: {}", answer.body);
        assert!(answer.body.get("data").is_none() && answer.body["errors"][0]["message"].is_string(), "{what}: {}", answer.body);
        assert_eq!(story.world.backends.db.statements(), before, "{what} was read for");
    }
    assert!(story.data("{ targets(first: -5) { nodes { id } } }", json!({})).await["targets"]["nodes"].is_array());
    let too_large = json!({ "query": format!("{{ targets {{ nodes {{ id }} }} }} # {}", "x".repeat(300_000)) });
    assert_eq!(story.post(&story.actor, &too_large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_no_request_is_told_with_the_right_status_and_media_type() {
    let story = Story::new(Engine::Embedded).await;
    let post = async |media: &str, accept: &str, body: &str| {
        let request = Request::builder().method(Method::POST).uri("/graphql");
        let request = request.header(header::CONTENT_TYPE, media).header(header::ACCEPT, accept);
        story.send(&story.actor, request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let (old, new) = ("application/json", "application/graphql-response+json");
    for body in ["", "{", "[]", "{}", r#"{"query": 7}"#, r#"{"query":"{__typename}","variables":"x"}"#] {
        let answer = post(old, new, body).await;
        let told = (answer.status, answer.media.as_str());
        assert_eq!(told, (StatusCode::BAD_REQUEST, "application/graphql-response+json; charset=utf-8"), "{body}");
        assert!(answer.body["errors"].is_array() && answer.body.get("data").is_none(), "{body}");
    }
    let unknown = r#"{"query":"{ nothing }"}"#;
    assert_eq!(post(old, new, unknown).await.status, StatusCode::BAD_REQUEST);
    let answer = post(old, old, unknown).await;
    assert_eq!((answer.status, answer.media.as_str()), (StatusCode::OK, "application/json; charset=utf-8"));
    assert_eq!(post("text/plain", old, unknown).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let nulls = r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}"#;
    assert_eq!(post(old, new, nulls).await.body["data"], json!({ "__typename": "Query" }));
    let mutation = Request::builder().uri("/graphql?query=mutation%7B__typename%7D").body(Body::empty()).unwrap();
    assert_eq!(story.send(&story.actor, mutation).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let variables = "/graphql?query=query(%24n%3AInt)%7Btargets(first%3A%24n)%7Bnodes%7Bid%7D%7D%7D&variables=%7B%22n%22%3A1%7D";
    let answer = story.send(&story.actor, Request::builder().uri(variables).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.body["data"]["targets"]["nodes"], json!([]), "{}", answer.body);
}

#[tokio::test]
async fn common_tools_can_read_the_schema() {
    let story = Story::new(Engine::Embedded).await;
    let mut kind = "kind name".to_owned();
    for _ in 0..7 {
        kind = format!("kind name ofType {{ {kind} }}");
    }
    let fields = format!("fields(includeDeprecated: true) {{ name args {{ name type {{ {kind} }} }} type {{ {kind} }} }}");
    let query = format!("{{ __schema {{ queryType {{ name }} subscriptionType {{ name }} types {{ name {fields} }} }} }}");
    let schema = story.data(&query, json!({})).await;
    assert_eq!(schema["__schema"]["queryType"]["name"], "Query");
    assert_eq!(schema["__schema"]["subscriptionType"]["name"], "Subscription");
}

#[tokio::test]
async fn only_queries_that_can_be_answered_are_kept_and_few_of_each() {
    let story = Story::new(Engine::Embedded).await;
    let hash = |query: &str| hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, query.as_bytes()));
    let extensions = |query: &str| json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(query) } });
    let is_kept = async |query: &str| {
        story.post(&story.actor, &json!({ "query": query, "extensions": extensions(query) })).await;
        let answer = story.post(&story.actor, &json!({ "extensions": extensions(query) })).await;
        answer.body["errors"][0]["message"] != "PersistedQueryNotFound"
    };
    let deep = format!("{{ findings {{ nodes {{ {} id {} }} }} }}", "target { findings { nodes { ".repeat(8), "} } }".repeat(8));
    let large = format!("{{ __typename }} # {}", "x".repeat(17_000));
    for junk in ["no query at all", "{ nothing }", &deep, &large] {
        assert!(!is_kept(junk).await, "{}", &junk[..15]);
    }
    // Asked by its hash alone it lives on, and no longer.
    let living = "{ __typename } # living";
    assert!(is_kept(living).await);
    let asked = async || story.post(&story.actor, &json!({ "extensions": extensions(living) })).await.body["data"].is_object();
    for _ in 0..3 {
        story.world.backends.clock.advance(std::time::Duration::from_secs(5 * 24 * 3600));
        assert!(asked().await);
    }
    story.world.backends.clock.advance(std::time::Duration::from_secs(8 * 24 * 3600));
    assert!(!asked().await);
    for number in 0..100 {
        assert!(is_kept(&format!("{{ __typename }} # {number}")).await, "{number}");
    }
    assert!(!is_kept("{ __typename } # one more").await);
    assert!(is_kept("{ __typename } # 7").await, "what is kept stays so");
}
