//! What comes to a lock that stands: each cause once, and nothing by itself where nothing may lock by itself.

use serde_json::{Value as Json, json};
use testkit::engines;

use crate::evidence::Google;
use crate::handset::Handset;
use crate::stage::Stage;

async fn lock_of(stage: &Stage, phone: &Handset) -> Json {
    stage.order("GET", &format!("/devices/{}/why", phone.id), None).await["lock"].clone()
}

#[tokio::test]
async fn a_lock_that_a_person_laid_lasts_no_longer_by_itself_where_nothing_locks_by_itself() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let (listed, watched) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
        stage.order("PATCH", &format!("/devices/{}", listed.id), Some(json!({ "allow_listed": true }))).await;
        for (phone, why) in [(&listed, "allow_list"), (&watched, "shadow")] {
            stage.order("PATCH", "/devices/policy", Some(json!({ "shadow": why == "shadow" }))).await;
            let order = json!({ "reason": "a minute", "seconds": 60 });
            let laid = stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(order)).await;
            Handset::new().exchange(&stage, &phone.refresh).await;
            let lock = lock_of(&stage, phone).await;
            assert_eq!((&lock["expires_at"], &lock["reach"]), (&laid["expires_at"], &laid["reach"]), "{engine:?} {why}");
            assert_eq!(lock["evidence"]["also"][0]["cause"].as_str(), Some("refresh_reuse"), "what came is kept: {lock}");
            let timeline = stage.order("GET", &format!("/devices/{}/timeline", phone.id), None).await;
            let newest = &timeline["items"][0];
            assert_eq!(
                (newest["kind"].as_str(), newest["detail"]["withheld"].as_str()),
                (Some("lock_reinforced"), Some(why)),
                "{timeline}"
            );
            stage.pass(61);
            stage.work().await;
            assert_eq!(phone.knocks(&stage).await.code(), "devices.revoked", "tokens die all the same");
        }
    }
}

#[tokio::test]
async fn a_cause_comes_to_a_lock_once() {
    for engine in engines() {
        let google = Google::new();
        let stage = Stage::with(engine, google.config()).await;
        let phone = google.phone(&stage).await;
        stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "lost", "quarantine": true }))).await;
        let mut seen = Vec::new();
        for _ in 0..9 {
            google.attest(&stage, &phone, |payload| payload["deviceIntegrity"] = json!({})).await;
            stage.pass(1);
            seen.push(lock_of(&stage, &phone).await);
        }
        assert_eq!(seen[8]["evidence"]["also"].as_array().unwrap().len(), 1, "{engine:?}: {}", seen[8]);
        assert_eq!(seen[8]["expires_at"], seen[4]["expires_at"], "{engine:?}");
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        assert_eq!(told["items"].as_array().unwrap().len(), 2, "the lock, and its later end: {told}");
        assert_eq!(stage.logged("devices.lock_itself").await, 1);
    }
}
