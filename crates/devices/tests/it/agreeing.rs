//! The row of a phone and what the threat engine holds of it: what one says and the other has not heard is made up for, either way.

use std::time::Duration;

use backends::Backends;
use http::StatusCode;
use serde_json::json;
use testkit::{Engine, World, engines};

use crate::handset::{Handset, Reply};
use crate::judging::{OWNER, STRANGER, Walk, patient, rename};
use crate::stage::{Stage, config, service};

async fn sends(stage: &Stage, phone: &Handset, walk: &mut Walk, gait: crate::judging::Gait) -> Reply {
    stage.pass(5);
    phone.served(stage, "POST", "/device/signals", Some(walk.batch(gait))).await
}

/// A phone that a stranger carried until it was restricted.
async fn restricted(stage: &Stage, walk: &mut Walk) -> Handset {
    let phone = stage.phone(json!({})).await;
    for index in 0..110 {
        let gait = if index < 80 { OWNER } else { STRANGER };
        assert_eq!(sends(stage, &phone, walk, gait).await.status, StatusCode::OK);
    }
    assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("restrict"));
    phone
}

/// A row as if another process had changed it, which is heard of.
async fn write(backends: &Backends, phone: &Handset, posture: &str) {
    let mut tx = backends.db.begin().await.unwrap();
    let statement = backends::sql("UPDATE devices SET posture = $1, version = version + 1 WHERE id = $2").bind(posture);
    tx.run(statement.bind(phone.id.clone())).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_puts_aside_on_a_node_that_cannot_say_so_stays_put_aside() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        stage.devices.start();
        let mut walk = Walk::new(1);
        let phone = restricted(&stage, &mut walk).await;
        // The node where it is released reaches no other's hot store.
        let away = World::new(Engine::Embedded).await;
        let mut backends = stage.world.backends.clone();
        backends.hot = away.backends.hot.clone();
        let other = service(&backends, patient(config()), &stage.people);
        other.unlock(&stage.operator, phone.id.parse().unwrap(), "lent to a friend").await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        for _ in 0..3 {
            let reply = sends(&stage, &phone, &mut walk, OWNER).await;
            assert_eq!(reply.body["posture"].as_str(), Some("observe"), "{engine:?}: {}", reply.body);
        }
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"), "{engine:?}");
    }
}

#[tokio::test]
async fn calm_that_cannot_be_written_is_written_with_a_later_batch() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        let phone = stage.phone(json!({})).await;
        write(&stage.world.backends, &phone, "step_up").await;
        let backends = stage.world.backends.clone();
        let stage = stage.elsewhere(&backends, patient(config()));
        let mut walk = Walk::new(8);
        let mut failed = 0;
        rename(&stage, "device_timeline", "device_timeline_away").await;
        for _ in 0..70 {
            failed += usize::from(sends(&stage, &phone, &mut walk, OWNER).await.status.is_server_error());
        }
        assert!(failed > 0, "{engine:?}: five minutes of calm end it");
        rename(&stage, "device_timeline_away", "device_timeline").await;
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("step_up"));
        let reply = sends(&stage, &phone, &mut walk, OWNER).await;
        assert_eq!((reply.status, reply.body["posture"].as_str()), (StatusCode::OK, Some("observe")), "{engine:?}: {}", reply.body);
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"), "{engine:?}");
    }
}

#[tokio::test]
async fn batches_that_come_at_once_lose_nothing_of_what_was_decided() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        let phone = stage.phone(json!({})).await;
        let mut walk = Walk::new(1);
        for _ in 0..80 {
            sends(&stage, &phone, &mut walk, OWNER).await;
        }
        // Each of a round may have seen the row before another changed it.
        for _ in 0..10 {
            let rivals: Vec<_> = (0..3).map(|_| walk.batch(STRANGER)).collect();
            stage.pass(15);
            let asks = rivals.into_iter().map(|batch| phone.served(&stage, "POST", "/device/signals", Some(batch)));
            for reply in futures::future::join_all(asks).await {
                assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
            }
        }
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("restrict"), "{engine:?}");
        let reply = sends(&stage, &phone, &mut walk, OWNER).await;
        assert_eq!(reply.body["posture"].as_str(), Some("restrict"), "{engine:?}: {}", reply.body);
    }
}
