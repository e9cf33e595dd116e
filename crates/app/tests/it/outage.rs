//! The database goes away while the server runs: it says so, loses nothing, and goes on when the database is back.

use serde_json::{Value as Json, json};
use testkit::Lab;
use testkit::servers::{Durability, Postgres, fresh_redis};

use crate::server::{Server, authorized_target, create_admin, ended, http};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_is_named_and_work_goes_on_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let mut postgres = Postgres::start(Durability::Safe);
    let database = postgres.fresh_database();
    let redis = fresh_redis();
    let environment =
        [("TYRIAN__BACKENDS__DB", database.url()), ("TYRIAN__BACKENDS__HOT", redis.as_str()), ("TYRIAN__BACKENDS__BUS", redis.as_str())];
    create_admin(&["--data", &data], &environment, "ada");
    let server = Server::start(&["--data", &data], &environment);
    let ada = server.sign_in("ada").await;
    let target: Json = ada.post("targets", &json!({ "name": "127.0.0.1", "type": "host" })).await.unwrap();

    postgres.kill();
    let refused = ada.post::<Json>("targets", &json!({ "name": "127.0.0.2", "type": "host" })).await.unwrap_err();
    assert_eq!(refused.kind(), base::Kind::Unavailable, "{}", refused.detail());
    let ready = http().get(server.management.join("health/ready").unwrap()).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let told: Json = ready.json().await.unwrap();
    let down: Vec<&Json> = told["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["ok"] == false).collect();
    assert!(down.len() == 1 && down[0]["name"] == "db", "{told}");
    let live = http().get(server.management.join("health/live").unwrap()).send().await.unwrap();
    assert_eq!(live.status(), 200, "it is not restarted for somebody else's fault");

    postgres.restart();
    let path = format!("targets/{}", target["id"].as_str().unwrap());
    testkit::eventually("the database answers again", async || ada.get::<Json>(&path).await.is_ok()).await;
    assert_eq!(ada.all("targets").await.unwrap().len(), 1, "what was refused was not half done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_ends_well_though_the_database_was_away_in_the_middle_of_it() {
    let lab = Lab::weak();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let mut postgres = Postgres::start(Durability::Safe);
    let database = postgres.fresh_database();
    let redis = fresh_redis();
    let environment =
        [("TYRIAN__BACKENDS__DB", database.url()), ("TYRIAN__BACKENDS__HOT", redis.as_str()), ("TYRIAN__BACKENDS__BUS", redis.as_str())];
    create_admin(&["--data", &data], &environment, "ada");
    let server = Server::start(&["--data", &data], &environment);
    let ada = server.sign_in("ada").await;
    let target = authorized_target(&ada, &lab.address().to_string()).await;
    let ports: Vec<String> = lab.ports().iter().map(u16::to_string).collect();
    let order = json!({ "target_id": target["id"], "scan_type": "standard", "ports": ports.join(",") });
    let scan: Json = ada.post("scans", &order).await.unwrap();
    let path = format!("scans/{}", scan["id"].as_str().unwrap());
    testkit::eventually("the scan is in the middle", async || ada.get::<Json>(&path).await.is_ok_and(|scan| scan["state"] == "running"))
        .await;

    postgres.kill();
    ada.get::<Json>(&path).await.expect_err("the database is away");
    postgres.restart();

    let scan = ended(&ada, &scan).await;
    assert_eq!(scan["state"], "completed", "{scan}");
    let findings = ada.all(&format!("findings?scan={}", scan["id"].as_str().unwrap())).await.unwrap();
    let mut names: Vec<String> = findings.iter().map(|finding| format!("{} {}", finding["check"], finding["location"])).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert!(all > 0 && names.len() == all, "nothing is lost, nothing is there twice: {names:#?}");
}
