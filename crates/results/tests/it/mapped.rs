//! Files of tools nobody else knows: a mapping is tried, saved, named by an import, and never used unasked.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use base::{Actor, Role};
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};

use crate::risk::{work, world};
use crate::routes::ask;
use crate::story::Story;

const MAPPING: &str = r#"{
  "name": "acme",
  "fields": {"title": "Name", "check": "ID", "severity": "Risk", "host": "Host"},
  "keys": ["Host", "ID"]
}"#;
const ROWS: &str = "ID,Name,Risk,Host\nA-1,Weak,high,lab.example\nA-2,Other,low,lab.example\n";

async fn put(story: &Story, name: &str, text: &str, actor: &Actor) -> (StatusCode, Json) {
    ask(story, Method::PUT, &format!("/imports/mappings/{name}"), Body::from(text.to_owned()), Some(actor)).await
}

async fn import(story: &Story, query: &str, text: &str) -> (StatusCode, Json) {
    ask(story, Method::POST, &format!("/imports?{query}"), Body::from(text.to_owned()), Some(&story.actor)).await
}

#[tokio::test]
async fn a_mapping_is_tried_saved_used_and_dropped() {
    for engine in engines() {
        let story = world(engine).await;
        let attempt = Body::from(json!({ "mapping": MAPPING, "sample": ROWS }).to_string());
        let (status, trial) = ask(&story, Method::POST, "/imports/mappings/try", attempt, Some(&story.actor)).await;
        assert_eq!((status, &trial["fits"], &trial["observation_count"]), (StatusCode::OK, &json!(true), &json!(2)), "{trial}");
        assert_eq!((&trial["observations"][0]["title"], &trial["by_severity"]["high"]), (&json!("Weak"), &json!(1)));
        assert_eq!(story.world.count("import_mappings").await, 0);

        assert_eq!(put(&story, "acme", MAPPING, &story.actor).await.0, StatusCode::CREATED);
        let (status, saved) = put(&story, "acme", MAPPING, &story.actor).await;
        assert_eq!((status, &saved["mapping"]["fields"]["title"]), (StatusCode::OK, &json!("Name")));
        let (status, problem) = import(&story, "filename=acme.csv", ROWS).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("results.mapping_proposed")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("`mapping:acme`"), "{problem}");
        assert_eq!(import(&story, "filename=x.csv", &ROWS.replace("Risk", "Grade")).await.1["code"], "results.unknown_format");

        let (status, taken) = import(&story, "format=mapping:acme", ROWS).await;
        assert_eq!(
            (status, &taken["format"], &taken["summary"]["created"]),
            (StatusCode::CREATED, &json!("mapping:acme"), &json!(2)),
            "{taken}"
        );
        let findings = story.findings().await;
        assert_eq!(
            (findings[1].source.as_str(), findings[1].title.as_str(), findings[1].severity.as_str()),
            ("mapped:acme", "Weak", "high")
        );
        assert_eq!(import(&story, "format=mapping:acme", ROWS).await.1["repeated"], true);
        // Another mapping of the name reads the same file in another way.
        put(&story, "acme", &MAPPING.replace("\"severity\": \"Risk\"", "\"severity\": {\"constant\": \"critical\"}"), &story.actor).await;
        let (_, again) = import(&story, "format=mapping:acme&wait=false", ROWS).await;
        assert_eq!((&again["state"], &again["repeated"]), (&json!("queued"), &json!(false)), "{again}");
        work(&story).await;
        assert!(story.findings().await.iter().all(|finding| finding.severity.as_str() == "critical"));

        let (_, waiting) = import(&story, "format=mapping:acme&wait=false", &ROWS.replace("A-2", "A-3")).await;
        let (status, _) = ask(&story, Method::DELETE, "/imports/mappings/acme", Body::empty(), Some(&story.actor)).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        work(&story).await;
        let path = format!("/imports/{}", waiting["id"].as_str().unwrap());
        let (_, failed) = ask(&story, Method::GET, &path, Body::empty(), Some(&story.actor)).await;
        assert_eq!((&failed["state"], story.findings().await.len()), (&json!("failed"), 2), "{failed}");
        let (status, problem) = import(&story, "format=mapping:acme", ROWS).await;
        assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("results.mapping_not_found")));
    }
}

#[tokio::test]
async fn a_name_of_another_platform_may_be_made_of_anything_that_a_mapping_is_called() {
    let finding = |scheme: &str, digit: &str| {
        let key = json!({ "scheme": scheme, "version": 1, "digest": digit.repeat(64) });
        json!({ "id": digit, "source": "mapped:acme", "check": "c", "title": digit, "severity": "low", "state": "present", "identity": [key] })
    };
    for engine in engines() {
        let story = world(engine).await;
        let findings = [finding("mapped:acme, inc: 2", "1"), finding("mapped:x:1:00\nB\t9\t00", "2"), finding("place", "3")];
        let export = json!({ "format": "tyrian-findings/1", "findings": findings }).to_string();
        let (status, taken) = import(&story, "filename=findings.json", &export).await;
        assert_eq!((status, &taken["summary"]["created"]), (StatusCode::CREATED, &json!(3)), "{taken}");
    }
}

#[tokio::test]
async fn a_wrong_mapping_names_its_field_and_place() {
    let story = Story::new(Engine::Embedded).await;
    let wrong = MAPPING.replace("\"Risk\"", "{\"form\": \"Risk\"}");
    let (status, problem) = put(&story, "acme", &wrong, &story.actor).await;
    assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("results.mapping")));
    assert_eq!(problem["errors"][0]["pointer"], "#/fields/severity/form", "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("line 3"), "{problem}");
    assert_eq!(put(&story, "other", MAPPING, &story.actor).await.1["code"], "results.mapping_name");
    assert_eq!(put(&story, "a%20b", &MAPPING.replace("acme", "a b"), &story.actor).await.1["code"], "results.mapping_name");
    let (_, broken) = put(&story, "acme", "{\n\"name\":", &story.actor).await;
    assert!(broken["detail"].as_str().unwrap().contains("line 2"), "{broken}");
    let viewer = story.world.actor(&[Role::Viewer]);
    assert_eq!(put(&story, "acme", MAPPING, &viewer).await.0, StatusCode::FORBIDDEN);
    put(&story, "acme", MAPPING, &story.actor).await;
    let stranger = story.world.other(&[Role::Admin]);
    let (_, theirs) = ask(&story, Method::GET, "/imports/mappings", Body::empty(), Some(&stranger)).await;
    assert_eq!(theirs, json!([]));
    let (status, _) = ask(&story, Method::GET, "/imports/mappings/acme", Body::empty(), Some(&stranger)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
