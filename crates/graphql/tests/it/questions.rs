//! What is asked is answered, in few statements, to those who may.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base::Role;
use results::NewNote;
use serde_json::json;
use testkit::{Engine, engines};

use crate::story::Story;

const PAGE: &str = "query($after: Cursor) { findings(sort: TITLE, first: 50, after: $after) {
    nodes { id title severity status location { url } cluster { id reason } risk dueAt target { id name criticality } scan { id state stages { name } } }
    pageInfo { hasNextPage endCursor } } }";

#[tokio::test]
async fn a_page_of_findings_with_target_and_scan_costs_few_statements() {
    for engine in engines() {
        let story = Story::new(engine).await;
        for name in ["a", "b", "c"] {
            let target = story.target(&format!("{name}.example")).await;
            story.findings(&target, 0..20).await;
        }
        let db = &story.world.backends.db;
        let before = db.statements();
        let first = story.data(PAGE, json!({})).await;
        let cost = db.statements() - before;
        assert!(cost <= 6, "{engine:?}: {cost} statements");
        let nodes = first["findings"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 50);
        assert!(nodes.iter().all(|node| node["target"]["name"].as_str().unwrap().ends_with(".example") && node["severity"] == "HIGH"));
        let next = story.data(PAGE, json!({ "after": first["findings"]["pageInfo"]["endCursor"] })).await;
        assert_eq!(next["findings"]["nodes"].as_array().unwrap().len(), 10);
        assert_eq!(next["findings"]["pageInfo"]["hasNextPage"], false);
    }
}

#[tokio::test]
async fn what_belongs_to_others_does_not_exist_and_what_is_not_allowed_is_an_error() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let target = story.target("a.example").await;
        story.findings(&target, 0..2).await;
        let query = format!("{{ target(id: \"{}\") {{ name }} targets {{ nodes {{ id }} }} findings {{ nodes {{ id }} }} }}", target.id);
        assert_eq!(story.data(&query, json!({})).await["target"]["name"], "a.example");
        let other = story.world.other(&[Role::Admin]);
        let theirs = story.post(&other, &json!({ "query": query })).await.body;
        assert_eq!(theirs["data"], json!({ "target": null, "targets": { "nodes": [] }, "findings": { "nodes": [] } }), "{theirs}");
        let device = story.world.actor(&[Role::Device]);
        let refused = story.post(&device, &json!({ "query": "{ targets { nodes { id } } }" })).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["code"], "auth.permission_missing", "{}", refused.body);
    }
}

const CLUSTERS: &str = "{ clusters(first: 20) { nodes { id reason members sources standing severity findings(first: 2) {
    title falsePositive { probability } target { name } cluster { byHand cluster { members findings { id } } } } } pageInfo { hasNextPage } } }";

#[tokio::test]
async fn clusters_with_their_members_cost_few_statements() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let target = story.target("a.example").await;
        for tool in ["one", "two", "three"] {
            story.packages(&target, tool, 12).await;
        }
        let db = &story.world.backends.db;
        let before = db.statements();
        let found = story.data(CLUSTERS, json!({})).await;
        let cost = db.statements() - before;
        assert!(cost <= 6, "{engine:?}: {cost} statements");
        let nodes = found["clusters"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 12);
        for node in nodes {
            assert_eq!((&node["members"], &node["sources"], &node["severity"]), (&json!(3), &json!(3), &json!("HIGH")), "{node}");
            assert_eq!(node["findings"].as_array().unwrap().len(), 2);
            let of = &node["findings"][0]["cluster"];
            assert_eq!((&of["byHand"], of["cluster"]["findings"].as_array().unwrap().len()), (&json!(false), 3));
            assert_eq!(node["findings"][0]["falsePositive"], json!(null));
        }
        let one = story.data("query($id: ID!) { cluster(id: $id) { reason members } }", json!({ "id": nodes[0]["id"] })).await;
        assert_eq!(one["cluster"]["members"], 3);
        assert_eq!(story.data("{ cluster(id: \"nobody\") { reason } }", json!({})).await["cluster"], json!(null));
        let other = story.world.other(&[Role::Admin]);
        let theirs = story.post(&other, &json!({ "query": "{ clusters { nodes { id } } }" })).await.body;
        assert_eq!(theirs["data"]["clusters"]["nodes"], json!([]), "{theirs}");
        let device = story.world.actor(&[Role::Device]);
        let refused = story.post(&device, &json!({ "query": "{ clusters { nodes { id } } }" })).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["code"], "auth.permission_missing");
    }
}

#[tokio::test]
async fn the_notes_of_a_page_of_findings_cost_one_statement() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let target = story.target("a.example").await;
        story.findings(&target, 0..20).await;
        let query = |notes: &str| format!("{{ findings(sort: TITLE, first: 20) {{ nodes {{ id title {notes} }} }} }}");
        let listed = story.data(&query(""), json!({})).await;
        for node in listed["findings"]["nodes"].as_array().unwrap() {
            for text in ["asked the team", "they fixed it"] {
                let note = NewNote { text: format!("{text}: {}", node["title"].as_str().unwrap()) };
                story.services.results.note(&story.actor, node["id"].as_str().unwrap().parse().unwrap(), &note).await.unwrap();
            }
        }
        let db = &story.world.backends.db;
        let cost = async |query: String| {
            let before = db.statements();
            let found = story.data(&query, json!({})).await;
            (found, db.statements() - before)
        };
        let (_, plain) = cost(query("")).await;
        let (found, noted) = cost(query("notes { id text writtenByName createdAt }")).await;
        assert_eq!(noted, plain + 1, "{engine:?}");
        for node in found["findings"]["nodes"].as_array().unwrap() {
            let texts: Vec<&str> = node["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
            let title = node["title"].as_str().unwrap();
            assert_eq!(texts, [format!("they fixed it: {title}"), format!("asked the team: {title}")], "{engine:?}");
            assert_eq!(node["notes"][0]["writtenByName"], story.actor.username);
        }
        for (query, expected) in [("notes(first: 1) { text }", 1), ("notes(first: -3) { text }", 1), ("notes(first: 900) { text }", 2)] {
            let found = story.data("{ findings(first: 1) { nodes { NOTES } } }".replace("NOTES", query).as_str(), json!({})).await;
            assert_eq!(found["findings"]["nodes"][0]["notes"].as_array().unwrap().len(), expected, "{query}");
        }
        let wide = json!({ "query": "{ findings(first: 500) { nodes { notes { id text } } } }" });
        assert_eq!(story.post(&story.actor, &wide).await.status, StatusCode::BAD_REQUEST, "notes count for what a question costs");
    }
}

#[tokio::test]
async fn trends_are_those_of_the_rest_api() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let target = story.target("a.example").await;
        story.findings(&target, 0..3).await;
        let query = "query($target: ID, $days: Int) { trends(target: $target, days: $days) {
            standing { high low } overdue { critical } opened fixed secondsToFix days { day opened standing } checks { name findings } assets { name } sources { name findings } } }";
        let db = &story.world.backends.db;
        let before = db.statements();
        let found = story.data(query, json!({ "target": target.id, "days": 7 })).await["trends"].clone();
        let cost = db.statements() - before;
        assert!(cost <= 6, "{engine:?}: {cost} statements");
        assert_eq!((&found["standing"]["high"], &found["opened"], &found["fixed"]), (&json!(3), &json!(3), &json!(0)), "{found}");
        assert_eq!(found["days"].as_array().unwrap().last().unwrap()["standing"], 3);
        assert_eq!(found["sources"], json!([{ "name": "nuclei", "findings": 3 }]));
        assert_eq!(story.data(query, json!({ "target": "x" })).await["trends"], json!(null));
        // Days that cannot be are taken as the nearest that can.
        for days in [-5, 0, 2_000_000_000] {
            let found = story.data(query, json!({ "days": days })).await["trends"].clone();
            assert_eq!(found["days"].as_array().unwrap().last().unwrap()["standing"], 3, "{days}");
        }
    }
}

#[tokio::test]
async fn filters_are_those_of_the_rest_api() {
    let story = Story::new(Engine::Embedded).await;
    let target = story.target("a.example").await;
    story.findings(&target, 0..3).await;
    let query = "query($f: FindingFilter) { findings(filter: $f) { nodes { title } } }";
    let found =
        async |filter: serde_json::Value| story.data(query, json!({ "f": filter })).await["findings"]["nodes"].as_array().unwrap().len();
    assert_eq!(found(json!({ "q": "n 1" })).await, 1);
    assert_eq!(found(json!({ "severity": ["LOW", "HIGH"], "status": ["OPEN"], "target": target.id })).await, 3);
    assert_eq!(found(json!({ "severity": ["LOW"] })).await, 0);
    for nothing in [json!({ "target": "x" }), json!({ "cwe": 0 }), json!({ "cve": "C".repeat(100) })] {
        assert_eq!(found(nothing.clone()).await, 0, "{nothing}");
    }
    let cursor = story.post(&story.actor, &json!({ "query": "{ findings(after: \"x\") { nodes { title } } }" })).await;
    assert_eq!(cursor.body["errors"][0]["extensions"]["code"], "page.cursor", "{}", cursor.body);
    assert_eq!(
        story.data("{ findings(first: 9000) { nodes { title } } }", json!({})).await["findings"]["nodes"].as_array().unwrap().len(),
        3
    );
}

#[tokio::test]
async fn a_query_sent_once_can_be_asked_by_its_hash() {
    for engine in engines() {
        let story = Story::new(engine).await;
        let query = "{ targets { nodes { name } } }";
        let ask = async |query: Option<&str>, hash: &str| {
            let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
            let body = match query {
                Some(query) => json!({ "query": query, "extensions": extensions }),
                None => json!({ "extensions": extensions }),
            };
            story.post(&story.actor, &body).await.body
        };
        let foreign = "0".repeat(64);
        assert_eq!(ask(None, &foreign).await["errors"][0]["message"], "PersistedQueryNotFound");
        assert_eq!(ask(Some(query), &foreign).await["errors"][0]["extensions"]["code"], "graphql.persisted_hash");
        let hash = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, query.as_bytes()));
        assert_eq!(ask(Some(query), &hash).await["data"]["targets"]["nodes"], json!([]));
        assert_eq!(ask(None, &hash).await["data"]["targets"]["nodes"], json!([]));
        let address = format!("/graphql?extensions=%7B%22persistedQuery%22%3A%7B%22version%22%3A1%2C%22sha256Hash%22%3A%22{hash}%22%7D%7D");
        let request = Request::builder().method(Method::GET).uri(address).body(Body::empty()).unwrap();
        let answer = story.send(&story.actor, request).await;
        assert_eq!((answer.status, &answer.body["data"]["targets"]["nodes"]), (StatusCode::OK, &json!([])));
    }
}
