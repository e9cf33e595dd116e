//! Readings however they are written and carried: the same answers, the same counts, the same state.

use devices::v1;
use http::StatusCode;
use prost::Message;
use serde_json::{Value as Json, json};
use testkit::{Engine, engines, serve};

use crate::judging::{OWNER, Walk, patient};
use crate::stage::{Stage, config};
use crate::wire::{Came, JSON, PROTOBUF, dial};

/// The batch as the contract carries it.
pub(crate) fn readings(batch: &Json) -> v1::Readings {
    let series = |name: &str| {
        let rows = batch[name].as_array().unwrap();
        let mut before = 0;
        let t = rows.iter().map(|row| {
            let now = row[0].as_i64().unwrap();
            let step = now - before;
            before = now;
            step
        });
        let axis = |index: usize| rows.iter().map(|row| row[index].as_f64().map_or(f32::NAN, |value| value as f32)).collect();
        Some(v1::Series { t: t.collect(), x: axis(1), y: axis(2), z: axis(3) })
    };
    v1::Readings { accelerometer: series("accelerometer"), gyroscope: series("gyroscope"), ..v1::Readings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_and_carrier_gives_the_same_answers() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        // One recording on four phones is found out; here it is only to be counted.
        stage.order("PATCH", "/devices/policy", Some(json!({ "shadow": true }))).await;
        let address = serve(stage.router.clone()).await;
        let mut phones = Vec::new();
        for _ in 0..4 {
            phones.push(stage.phone(json!({})).await);
        }
        for phone in &phones {
            phone.knocks(&stage).await;
        }
        let mut text = dial(&phones[2], address, JSON, "").await.unwrap();
        let mut bytes = dial(&phones[3], address, PROTOBUF, "").await.unwrap();
        assert!(text.told().await["welcome"].is_object());
        assert!(matches!(bytes.came().await, Came::Bytes(v1::stream_response::Told::Welcome(_))));
        let mut walk = Walk::new(11);
        for round in 1..=4_u32 {
            stage.pass(5);
            let mut batch = walk.batch(OWNER);
            batch["accelerometer"][3][1] = json!(null);
            batch["accelerometer"][4][2] = json!(1e-42);
            batch["gyroscope"][9][0] = batch["gyroscope"][2][0].clone();
            let by_json = phones[0].served(&stage, "POST", "/device/signals", Some(batch.clone())).await;
            let by_bytes = phones[1].sends(&stage, "application/x-protobuf", readings(&batch).encode_to_vec()).await;
            assert_eq!((by_json.status, by_bytes.status), (StatusCode::OK, StatusCode::OK), "{} {}", by_json.body, by_bytes.body);
            let counts = |receipt: &Json| ["received", "refused", "windows"].map(|name| receipt[name].as_u64().unwrap());
            let expected = counts(&by_json.body);
            assert!(expected[0] == 1_000 && expected[1] >= 1, "{expected:?}");
            assert_eq!(counts(&by_bytes.body), expected);
            let answer = text.answer(round, json!({ "readings": batch })).await;
            assert_eq!(counts(&answer["receipt"]), expected, "{answer}");
            bytes.send(round, v1::stream_request::Said::Readings(readings(&batch))).await;
            let Came::Bytes(v1::stream_response::Told::Receipt(receipt)) = bytes.came().await else { panic!("no receipt") };
            assert_eq!([receipt.received, receipt.refused, receipt.windows], expected);
        }
        for (content_type, body, status, code) in [
            ("application/x-protobuf", vec![0xff; 3], 400, "devices.undecodable"),
            ("application/protobuf; proto=tyrian.v1.Readings", vec![0; 3 << 20], 413, "web.body_too_large"),
            ("text/plain", Vec::new(), 415, "web.media_type"),
        ] {
            let reply = phones[1].sends(&stage, content_type, body).await;
            assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{content_type}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_goes_on_where_the_line_broke() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        stage.devices.start();
        let phone = stage.phone(json!({})).await;
        phone.knocks(&stage).await;
        let (_, router) = stage.node();
        let mut walk = Walk::new(12);
        let nodes = [serve(stage.router.clone()).await, serve(router).await];
        let mut windows = 0;
        for (number, node) in nodes.into_iter().enumerate() {
            let mut wire = dial(&phone, node, JSON, "").await.unwrap();
            assert!(wire.told().await["welcome"].is_object());
            for batch in 1..=6 {
                stage.pass(5);
                let told = wire.answer(batch, json!({ "readings": walk.batch(OWNER) })).await;
                windows += told["receipt"]["windows"].as_u64().unwrap();
                assert!(number == 0 || told["receipt"]["score"].is_number(), "the second node knows the phone: {told}");
            }
        }
        let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
        assert!(windows >= 10 && why["explanation"]["global_score"].is_number(), "{windows} {why}");
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_over_a_line_are_written_down_as_such() {
    let stage = Stage::new(Engine::Embedded).await;
    let phone = stage.phone(json!({})).await;
    phone.knocks(&stage).await;
    let mut wire = dial(&phone, serve(stage.router.clone()).await, JSON, "").await.unwrap();
    stage.order("POST", &format!("/devices/{}/overlay", phone.id), Some(json!({ "message": "m" }))).await;
    wire.answer(1, json!({ "acknowledgement": { "sequence": 1, "outcome": "done" } })).await;
    let statement = backends::sql("SELECT source FROM audit_logs WHERE action_taken = 'devices.acknowledge'");
    let entry = stage.world.backends.db.one(statement).await.unwrap().unwrap();
    assert_eq!(entry.get::<String>("source").unwrap(), "ws");
}
