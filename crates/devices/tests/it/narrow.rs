//! A change that has its connection waits for no second one: else as many changes as there are connections stand still together.

use backends::{Backends, jobs, sql};
use http::StatusCode;
use serde_json::json;
use testkit::{Engine, eventually};

use crate::handset::Handset;
use crate::stage::{PASSWORD, Stage, config};

/// What the busy reader waits for.
const GATE: i64 = 77;

#[tokio::test]
async fn a_lock_ends_and_the_end_of_a_switch_is_told_while_every_reading_connection_is_busy() {
    let stage = Stage::new(Engine::Distributed).await;
    let phones: Vec<Handset> = vec![stage.phone(json!({})).await, stage.phone(json!({})).await];
    stage.order("POST", &format!("/devices/{}/lock", phones[0].id), Some(json!({ "reason": "lost" }))).await;
    let switch = stage.order("POST", "/devices/switches", Some(json!({ "scope": "tenant", "reason": "drill" }))).await;
    let switch = format!("/devices/switches/{}", switch["id"].as_str().unwrap());
    stage.order("POST", &format!("{switch}/confirm"), Some(json!({ "password": PASSWORD }))).await;
    stage.work().await;
    stage.order("POST", &format!("{switch}/release"), Some(json!({ "reason": "over" }))).await;

    let wide = stage.world.backends.clone();
    let narrow = backends::Config { db_connections: 1, ..stage.world.config.clone() };
    let narrow = Backends::connect_with(&narrow, wide.clock.clone()).await.unwrap();
    let stage = stage.elsewhere(&narrow, config());
    let mut gate = wide.db.begin().await.unwrap();
    gate.lock(GATE).await.unwrap();
    let db = narrow.db.clone();
    let busy = tokio::spawn(async move { db.one(sql("SELECT pg_advisory_xact_lock($1)").bind(GATE)).await });
    let waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    eventually("the reader waits", async || wide.db.one(sql(waiting)).await.unwrap().is_some()).await;

    let path = format!("/devices/{}/unlock", phones[0].id);
    let (status, freed) = stage.ask(&stage.operator, "POST", &path, Some(json!({ "reason": "found" }))).await;
    assert_eq!((status, freed["posture"].as_str()), (StatusCode::OK, Some("step_up")), "{freed}");
    let drained = jobs::drain(&wide, &devices::jobs(&stage.devices)).await.unwrap();
    assert!(drained.errors.is_empty(), "{:?}", drained.errors);
    gate.commit().await.unwrap();
    busy.await.unwrap().unwrap();
    let told = phones[1].keyed(&stage, "GET", "/device/commands", None).await.body;
    assert_eq!(told["items"].as_array().unwrap().last().unwrap()["kind"].as_str(), Some("RELEASE"), "{told}");
}
