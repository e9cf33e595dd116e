//! The database goes away while the server runs: it says so, loses nothing, and goes on when the database is back.

use serde_json::{Value as Json, json};
use testkit::servers::{Durability, Postgres, fresh_redis};

use crate::server::{Server, create_admin, http};

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
