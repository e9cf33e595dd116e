//! From readings to postures: what is wrong with readings is counted, behaviour alone never locks, what confirms it does.

use http::StatusCode;
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};

use crate::evidence::Google;
use crate::handset::{Handset, Reply};
use crate::stage::{Stage, config};

/// How a person walks.
#[derive(Clone, Copy)]
pub(crate) struct Gait {
    steps: f64,
    strength: f64,
    swing: f64,
}

pub(crate) const OWNER: Gait = Gait { steps: 1.8, strength: 2.5, swing: 1.0 };
pub(crate) const STRANGER: Gait = Gait { steps: 2.3, strength: 4.5, swing: 2.2 };

/// Chance that is the same in every run.
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        ((mixed ^ (mixed >> 33)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A walk that goes on from batch to batch.
pub(crate) struct Walk {
    dice: Dice,
    phase: f64,
    at: i64,
}

impl Walk {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), phase: 0.0, at: 5_000_000 }
    }

    /// Five seconds at a hundred readings a second.
    pub(crate) fn batch(&mut self, gait: Gait) -> Json {
        let (mut accelerometer, mut gyroscope) = (Vec::new(), Vec::new());
        let mut vigour = 1.0;
        for index in 0..500 {
            if index % 100 == 0 {
                vigour = 1.0 + 0.1 * self.dice.normal();
            }
            self.phase += gait.steps * (1.0 + 0.02 * self.dice.normal()) / 100.0;
            let turn = std::f64::consts::TAU * self.phase;
            let bounce = vigour * gait.strength * (turn.sin() + 0.4 * (2.0 * turn).sin());
            let swing = vigour * gait.swing * (turn / 2.0).sin();
            let t = self.at + index * 10_000 + (self.dice.uniform() * 1_000.0) as i64;
            let mut near = |value: f64, size: f64| ((value + size * self.dice.normal()) * 1e5).round() / 1e5;
            accelerometer.push(json!([t, near(1.5 * swing, 0.05), near(9.4 + bounce, 0.05), near(2.5 + 0.3 * bounce, 0.05)]));
            gyroscope.push(json!([t, near(swing, 0.02), near(0.2 * bounce, 0.02), near(0.4 * swing, 0.02)]));
        }
        self.at += 5_000_000;
        json!({ "accelerometer": accelerometer, "gyroscope": gyroscope })
    }

    /// So many batches, five seconds apart, until one is refused.
    pub(crate) async fn walk(&mut self, stage: &Stage, phone: &Handset, gait: Gait, batches: usize) -> Vec<Reply> {
        let mut replies = Vec::new();
        for _ in 0..batches {
            stage.pass(5);
            let reply = phone.served(stage, "POST", "/device/signals", Some(self.batch(gait))).await;
            let is_served = reply.status == StatusCode::OK;
            replies.push(reply);
            if !is_served {
                break;
            }
        }
        replies
    }
}

pub(crate) fn patient(config: devices::Config) -> devices::Config {
    devices::Config { access_ttl_seconds: 3_600, ..config }
}

pub(crate) fn worst(replies: &[Reply]) -> &str {
    const ORDER: [&str; 5] = ["observe", "step_up", "restrict", "lock", "quarantine"];
    let place = |reply: &Reply| ORDER.iter().position(|name| reply.body["posture"] == **name).unwrap_or(0);
    ORDER[replies.iter().map(place).max().unwrap()]
}

#[tokio::test]
async fn behaviour_alone_restricts_and_never_locks_and_a_person_can_put_it_aside() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        let phone = stage.phone(json!({})).await;
        let mut walk = Walk::new(1);
        let owner = walk.walk(&stage, &phone, OWNER, 80).await;
        assert_eq!(worst(&owner), "observe");
        let stranger = walk.walk(&stage, &phone, STRANGER, 30).await;
        assert!(stranger.iter().all(|reply| reply.status == StatusCode::OK), "a phone that cannot attest is not locked for that");
        assert_eq!(worst(&stranger), "restrict");
        assert!(stranger.iter().all(|reply| reply.body["attest_now"] == false), "nobody asks it for what it cannot do");
        let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
        assert!(why["lock"].is_null() && why["accumulated"].as_f64().unwrap() > 17.0, "{why}");
        let parts: Vec<&str> = why["explanation"]["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
        assert_eq!(parts, ["accelerometer_score", "gyro_score", "touch_entropy", "network_spike"]);
        assert!(why["explanation"]["features"][0]["z"].as_f64().unwrap().abs() > 3.0 && why["threshold"]["value"].is_number());
        let seen = stage.order("GET", "/devices?posture=restrict", None).await;
        assert!(seen["items"][0]["last"]["score"].as_f64().unwrap() > 0.5, "{seen}");
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("restrict"));
        let released = stage.order("POST", &format!("/devices/{}/unlock", phone.id), Some(json!({ "reason": "lent to a friend" }))).await;
        assert_eq!(released["posture"].as_str(), Some("observe"));
        assert_eq!(worst(&walk.walk(&stage, &phone, OWNER, 6).await), "observe");
    }
}

#[tokio::test]
async fn behaviour_that_a_failed_attestation_confirms_locks_and_explains_itself() {
    let google = Google::new();
    let stage = Stage::with(Engine::Embedded, patient(google.config())).await;
    let phone = google.phone(&stage).await;
    let mut walk = Walk::new(2);
    walk.walk(&stage, &phone, OWNER, 80).await;
    assert_eq!(worst(&walk.walk(&stage, &phone, STRANGER, 30).await), "restrict", "attested and honest");
    let failed = google.attest(&stage, &phone, |payload| payload["deviceIntegrity"] = json!({})).await;
    assert_eq!(failed.code(), "devices.attestation");
    assert_eq!(stage.shown(&phone).await["attestation_state"].as_str(), Some("failed"));
    let replies = walk.walk(&stage, &phone, STRANGER, 30).await;
    assert_eq!(replies.last().unwrap().code(), "devices.locked");
    let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
    assert_eq!((why["lock"]["cause"].as_str(), why["device"]["posture"].as_str()), (Some("attestation_failed"), Some("lock")));
    let evidence = &why["lock"]["evidence"];
    assert!(evidence["explanation"]["features"].as_array().unwrap().len() > 3 && evidence["judgement"]["global"].is_number(), "{evidence}");
    let entry = stage
        .world
        .backends
        .db
        .one(backends::sql("SELECT threat_score, attestation_state FROM audit_logs WHERE action_taken = 'devices.lock_itself'"));
    let entry = entry.await.unwrap().unwrap();
    assert_eq!(entry.get::<Option<String>>("attestation_state").unwrap().as_deref(), Some("failed"));
    assert!(entry.get::<Option<f64>>("threat_score").unwrap().is_some());
}

#[tokio::test]
async fn a_phone_that_attests_as_demanded_is_restricted_no_longer_and_its_owner_is_waited_for() {
    let google = Google::new();
    let stage = Stage::with(Engine::Embedded, patient(google.config())).await;
    let phone = google.phone(&stage).await;
    let mut walk = Walk::new(7);
    walk.walk(&stage, &phone, OWNER, 80).await;
    let stranger = walk.walk(&stage, &phone, STRANGER, 30).await;
    assert_eq!(worst(&stranger), "restrict");
    let rises = stranger.iter().position(|reply| reply.body["posture"] != "observe").unwrap();
    assert_eq!(stranger[rises].body["attest_now"], true, "asked for as soon as it is suspected");
    // The reply to that may be lost.
    let still = phone.served(&stage, "POST", "/device/signals", Some(json!({}))).await;
    assert_eq!((&still.body["posture"], &still.body["attest_now"]), (&json!("restrict"), &json!(true)), "{}", still.body);
    let passed = google.attest(&stage, &phone, |_| {}).await;
    assert_eq!(passed.status, StatusCode::OK, "{}", passed.body);
    assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("step_up"), "the phone is genuine; who holds it is another question");
    let calmer = phone.served(&stage, "POST", "/device/signals", Some(json!({}))).await;
    assert_eq!(calmer.body["attest_now"], false, "and is asked no longer: {}", calmer.body);
    let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
    assert_eq!(why["accumulated"].as_f64(), Some(0.0), "{why}");
    // The owner is calm for five minutes.
    assert_eq!(worst(&walk.walk(&stage, &phone, OWNER, 70).await), "step_up");
    assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"));
    // Without suspicion an attestation changes nothing.
    assert_eq!(google.attest(&stage, &phone, |_| {}).await.status, StatusCode::OK);
    assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"));
}

/// Batches of the owner's walk as a phone sent them, and somebody kept them.
async fn record(stage: &Stage, phone: &Handset, walk: u64, batches: usize) -> Vec<Json> {
    let mut walk = Walk::new(walk);
    let mut recorded = Vec::new();
    for _ in 0..batches {
        stage.pass(5);
        let batch = walk.batch(OWNER);
        let reply = phone.served(stage, "POST", "/device/signals", Some(batch.clone())).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        recorded.push(batch);
    }
    recorded
}

/// The same readings with a time that is later by as many microseconds.
fn moved(batch: &Json, by: i64) -> Json {
    let later = |readings: &Json| {
        let moved = readings
            .as_array()
            .unwrap()
            .iter()
            .map(|reading| json!([reading[0].as_i64().unwrap() + by, reading[1], reading[2], reading[3]]));
        Json::Array(moved.collect())
    };
    json!({ "accelerometer": later(&batch["accelerometer"]), "gyroscope": later(&batch["gyroscope"]) })
}

#[tokio::test]
async fn replayed_readings_lock_and_only_watching_does_not() {
    for shadow in [false, true] {
        let stage = Stage::with(Engine::Embedded, patient(config())).await;
        stage.order("PATCH", "/devices/policy", Some(json!({ "shadow": shadow }))).await;
        let phone = stage.phone(json!({})).await;
        let recorded = record(&stage, &phone, 3, 8).await;
        let mut last = None;
        for batch in &recorded {
            stage.pass(5);
            let reply = phone.served(&stage, "POST", "/device/signals", Some(moved(batch, 40_137_000))).await;
            let is_served = reply.status == StatusCode::OK;
            last = Some(reply);
            if !is_served {
                break;
            }
        }
        let shown = stage.shown(&phone).await;
        if shadow {
            let last = last.unwrap();
            assert_eq!((shown["posture"].as_str(), last.status), (Some("restrict"), StatusCode::OK), "the stream stays broken");
            assert!(last.body.get("withheld").is_none(), "the phone is not told why: {}", last.body);
            let timeline = stage.order("GET", &format!("/devices/{}/timeline", phone.id), None).await;
            let withheld: Vec<_> = timeline["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "lock_withheld").collect();
            assert_eq!((withheld.len(), stage.logged("devices.withhold_lock").await), (1, 1), "once: {timeline}");
            let detail = &withheld[0]["detail"];
            assert_eq!((detail["withheld"].as_str(), detail["cause"].as_str()), (Some("shadow"), Some("replayed_readings")));
            assert!(detail["evidence"]["explanation"]["checks"].as_array().unwrap().contains(&json!("replayed")), "{detail}");
        } else {
            assert_eq!((shown["posture"].as_str(), last.unwrap().code()), (Some("lock"), "devices.locked"));
            let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
            assert_eq!(why["lock"]["cause"].as_str(), Some("replayed_readings"));
        }
    }
}

/// Takes a table away, or gives it back.
pub(crate) async fn rename(stage: &Stage, from: &str, to: &str) {
    let mut tx = stage.world.backends.db.begin().await.unwrap();
    tx.run(backends::Sql::built(format!("ALTER TABLE {from} RENAME TO {to}"))).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_decision_that_cannot_be_written_is_written_with_the_next_batch() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        let (phone, other) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
        // A lock.
        let recorded = record(&stage, &phone, 6, 4).await;
        rename(&stage, "device_commands", "device_commands_away").await;
        let mut failed = 0;
        for batch in &recorded {
            stage.pass(5);
            failed +=
                usize::from(phone.served(&stage, "POST", "/device/signals", Some(moved(batch, 20_137_000))).await.status.is_server_error());
        }
        assert!(failed > 0 && stage.shown(&phone).await["posture"] == "observe");
        rename(&stage, "device_commands_away", "device_commands").await;
        stage.pass(5);
        let reply = phone.served(&stage, "POST", "/device/signals", Some(json!({}))).await;
        assert_eq!(reply.code(), "devices.locked", "{engine:?}: {}", reply.body);
        let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
        assert_eq!(why["lock"]["cause"].as_str(), Some("replayed_readings"));
        assert!(why["lock"]["evidence"]["explanation"]["features"].is_array(), "{}", why["lock"]);
        stage.order("POST", &format!("/devices/{}/unlock", phone.id), Some(json!({ "reason": "r" }))).await;
        assert_eq!(phone.served(&stage, "POST", "/device/signals", Some(json!({}))).await.status, StatusCode::OK, "and only once");

        // A restriction.
        let mut walk = Walk::new(1);
        walk.walk(&stage, &other, OWNER, 80).await;
        rename(&stage, "device_timeline", "device_timeline_away").await;
        for _ in 0..30 {
            stage.pass(5);
            other.served(&stage, "POST", "/device/signals", Some(walk.batch(STRANGER))).await;
        }
        assert_eq!(stage.shown(&other).await["posture"].as_str(), Some("observe"));
        rename(&stage, "device_timeline_away", "device_timeline").await;
        assert_eq!(worst(&walk.walk(&stage, &other, OWNER, 1).await), "restrict");
        assert_eq!(stage.shown(&other).await["posture"].as_str(), Some("restrict"), "{engine:?}");
    }
}

#[tokio::test]
async fn a_phone_whose_state_was_lost_begins_where_its_row_is_and_calm_ends_that() {
    let stage = Stage::with(Engine::Embedded, patient(config())).await;
    let (asked, restricted) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
    for (phone, posture) in [(&asked, "step_up"), (&restricted, "restrict")] {
        let mut tx = stage.world.backends.db.begin().await.unwrap();
        let statement = backends::sql("UPDATE devices SET posture = $1 WHERE id = $2").bind(posture).bind(phone.id.clone());
        tx.run(statement).await.unwrap();
        tx.commit().await.unwrap();
    }
    // A process that has seen neither of them.
    let backends = stage.world.backends.clone();
    let stage = stage.elsewhere(&backends, patient(config()));
    assert_eq!(worst(&Walk::new(8).walk(&stage, &asked, OWNER, 70).await), "step_up");
    assert_eq!(stage.shown(&asked).await["posture"].as_str(), Some("observe"), "five minutes of calm");
    assert_eq!(worst(&Walk::new(9).walk(&stage, &restricted, OWNER, 2).await), "restrict");
    let why = stage.order("GET", &format!("/devices/{}/why", restricted.id), None).await;
    assert_eq!(why["device"]["posture"].as_str(), Some("restrict"), "{why}");
}

#[tokio::test]
async fn a_withheld_lock_that_could_not_be_written_down_is_told_of_again() {
    let stage = Stage::with(Engine::Embedded, patient(config())).await;
    stage.order("PATCH", "/devices/policy", Some(json!({ "shadow": true }))).await;
    let phone = stage.phone(json!({})).await;
    let recorded = record(&stage, &phone, 3, 8).await;
    rename(&stage, "device_timeline", "device_timeline_away").await;
    let mut failed = 0;
    for batch in &recorded {
        stage.pass(5);
        let reply = phone.served(&stage, "POST", "/device/signals", Some(moved(batch, 40_137_000))).await;
        if reply.status.is_server_error() && failed == 0 {
            rename(&stage, "device_timeline_away", "device_timeline").await;
            failed += 1;
        }
    }
    assert_eq!((failed, stage.logged("devices.withhold_lock").await), (1, 1));
}

#[tokio::test]
async fn readings_that_are_none_are_counted_and_never_scored() {
    let stage = Stage::with(Engine::Embedded, patient(config())).await;
    let phone = stage.phone(json!({})).await;
    let mut walk = Walk::new(4);
    walk.walk(&stage, &phone, OWNER, 2).await;
    stage.pass(5);
    let good = walk.batch(OWNER);
    let mut readings = good["accelerometer"].as_array().unwrap().clone();
    readings[10][1] = json!(null);
    readings[20][2] = json!(1e30);
    readings[30] = readings[29].clone();
    readings[499][0] = json!(readings[498][0].as_i64().unwrap() + 3_600_000_000_i64);
    let reply =
        phone.served(&stage, "POST", "/device/signals", Some(json!({ "accelerometer": readings, "gyroscope": good["gyroscope"] }))).await;
    assert_eq!((reply.status, reply.body["refused"].as_u64()), (StatusCode::OK, Some(4)), "{}", reply.body);
    let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
    let faults = &why["faults"];
    assert_eq!(
        (&faults["not_a_number"], &faults["out_of_range"], &faults["duplicate"], &faults["future"]),
        (&json!(1), &json!(1), &json!(1), &json!(1)),
        "{faults}"
    );
    for (body, pointer) in [
        (json!({ "accelerometer": [[1, "x", 0, 0]] }), "/accelerometer/0/1"),
        (json!({ "accelerometer": [[1, 0, 0]] }), "/accelerometer/0"),
        (json!({ "gyroscope": vec![json!([1, 0, 0, 0]); 10_001] }), "/gyroscope"),
        (json!({ "magnetometer": [] }), "/magnetometer"),
    ] {
        let reply = phone.served(&stage, "POST", "/device/signals", Some(body)).await;
        let found = reply.body["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, found.starts_with(&format!("#{pointer}"))), (StatusCode::BAD_REQUEST, true), "{pointer}: {}", reply.body);
    }
}

#[tokio::test]
async fn another_node_takes_a_phone_over_in_mid_stream() {
    for engine in engines() {
        let stage = Stage::with(engine, patient(config())).await;
        let phone = stage.phone(json!({})).await;
        let mut walk = Walk::new(5);
        walk.walk(&stage, &phone, OWNER, 20).await;
        let id = phone.id.clone();
        let before = stage.order("GET", &format!("/devices/{id}/why"), None).await;
        let backends = stage.world.backends.clone();
        let stage = stage.elsewhere(&backends, patient(config()));
        let after = stage.order("GET", &format!("/devices/{id}/why"), None).await;
        assert_eq!((&before["explanation"], &before["faults"]), (&after["explanation"], &after["faults"]));
        assert!(after["explanation"]["global_score"].is_number(), "{after}");
    }
}
