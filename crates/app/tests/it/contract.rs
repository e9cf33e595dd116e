//! Promises every route keeps: nothing without credentials, nothing of another organisation, nothing written without an audit entry.

use base::Kind;
use serde_json::{Value as Json, json};

use crate::limits::filled;
use crate::server::{Server, authorized_target, create_admin, create_admin_of, http};

/// Operations that need no credentials.
const PUBLIC: &[&str] = &["post /auth/login", "post /auth/invitation"];

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_route_answers_401_without_credentials() {
    let folder = tempfile::tempdir().unwrap();
    // One address asks for everything there is; how often it may is another test's question.
    let unhurried = [("TYRIAN__GATEWAY__RATE_PER_ADDRESS__BURST", "100000")];
    let server = Server::start(&["--data", &folder.path().display().to_string()], &unhurried);
    let http = http();
    let document: Json = http.get(server.base.join("openapi.json").unwrap()).send().await.unwrap().json().await.unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str())) {
            let is_public = PUBLIC.contains(&format!("{method} {path}").as_str());
            let filled = filled(path);
            for prefix in ["/api/v1", "/api/v2", "/api"] {
                let url = server.base.join(&format!("{prefix}{filled}")).unwrap();
                let response = http
                    .request(method.to_uppercase().parse().unwrap(), url)
                    .body("{}")
                    .header("content-type", "application/json")
                    .send()
                    .await
                    .unwrap();
                let status = response.status().as_u16();
                assert_eq!(status == 401, !is_public, "{method} {prefix}{path} answers {status} to nobody");
                assert!(response.headers().contains_key("x-request-id"));
                asked += 1;
            }
        }
    }
    assert!(asked > 90, "only {asked} operations are documented");
    for path in ["/metrics", "/internal/.well-known/jwks.json", "/health/ready"] {
        let outside = http.get(server.base.join(path).unwrap()).send().await.unwrap().status().as_u16();
        let inside = http.get(server.management.join(path).unwrap()).send().await.unwrap().status().as_u16();
        assert!(outside != 200 && inside == 200, "{path}: {outside} at the edge, {inside} on the management listener");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_cannot_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    create_admin(&["--data", &data], &[], "ada");
    create_admin_of(&["--data", &data], "Other Ltd", "eve");
    create_admin_of(&["--data", &data], "Third Ltd", "mallory");
    let server = Server::embedded(folder.path());
    let ada = server.sign_in("ada").await;
    let target = authorized_target(&ada, "127.0.0.1").await;
    let authorization = ada.all("authorizations").await.unwrap().remove(0);
    let scan: Json = ada.post("scans", &json!({ "target_id": target["id"], "scan_type": "quick" })).await.unwrap();
    let line = br#"{"template-id":"t","info":{"name":"n","severity":"high"},"type":"http","host":"http://127.0.0.1","matched-at":"http://127.0.0.1/"}"#;
    ada.upload::<Json>("imports?format=nuclei&filename=a.jsonl", line.to_vec(), "application/octet-stream").await.unwrap();
    testkit::eventually("the import is in", async || !ada.all("findings").await.unwrap().is_empty()).await;
    let finding = ada.all("findings").await.unwrap().remove(0);
    let report: Json = ada.post("reports", &json!({ "title": "r", "scan_id": scan["id"], "language": "en" })).await.unwrap();
    let user = ada.all("users").await.unwrap().remove(0);
    let entry = ada.all("audit").await.unwrap().remove(0);
    for stranger in ["eve", "mallory"] {
        let stranger = server.sign_in(stranger).await;
        for (place, thing) in [
            ("targets", &target),
            ("authorizations", &authorization),
            ("scans", &scan),
            ("findings", &finding),
            ("reports", &report),
            ("users", &user),
            ("audit", &entry),
        ] {
            let path = format!("{place}/{}", thing["id"].as_str().unwrap());
            let refused = stranger.get::<Json>(&path).await.unwrap_err();
            assert_eq!(refused.kind(), Kind::NotFound, "{path}: {}", refused.detail());
            let listed = stranger.all(place).await.unwrap();
            assert!(listed.iter().all(|item| item["id"] != thing["id"]), "{place} of another organisation is listed");
        }
        let refused = stranger.post::<Json>("scans", &json!({ "target_id": target["id"], "scan_type": "quick" })).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_leaves_an_entry_and_a_repeated_post_writes_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    create_admin(&["--data", &data], &[], "ada");
    let server = Server::embedded(folder.path());
    let ada = server.sign_in("ada").await;
    let before = ada.all("audit").await.unwrap().len();
    let target = authorized_target(&ada, "127.0.0.1").await;
    let id = target["id"].as_str().unwrap();
    ada.patch::<Json>(&format!("targets/{id}"), &json!({ "tags": ["lab"] })).await.unwrap();
    ada.delete(&format!("targets/{id}")).await.unwrap();
    let entries = ada.all("audit").await.unwrap();
    let actions: Vec<&str> = entries[..entries.len() - before].iter().map(|entry| entry["action_taken"].as_str().unwrap()).collect();
    assert_eq!(actions.len(), 4, "{actions:?}");

    let http = http();
    let token: Json =
        server.anonymous().post("auth/login", &json!({ "username": "ada", "password": crate::server::PASSWORD })).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = http.post(server.base.join("api/targets").unwrap()).bearer_auth(token["access_token"].as_str().unwrap());
        let response = request
            .header("idempotency-key", "once-and-for-all")
            .json(&json!({ "name": "127.0.0.1", "type": "host" }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201);
        ids.push(response.json::<Json>().await.unwrap()["id"].clone());
    }
    assert_eq!(ids[0], ids[1], "the second POST is the first one's answer");
}
