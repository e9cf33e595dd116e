//! Locks end, are kept, are withheld, and never reach further than a phone's owner allows.

use base::Role;
use http::StatusCode;
use serde_json::json;
use testkit::{Engine, engines};

use crate::handset::Handset;
use crate::stage::Stage;

#[tokio::test]
async fn a_lock_ends_by_itself_unless_a_person_keeps_it() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let (left, kept) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
        for phone in [&left, &kept] {
            stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "lost" }))).await;
        }
        let confirmed = stage.order("POST", &format!("/devices/{}/lock/confirm", kept.id), Some(json!({ "reason": "really lost" }))).await;
        assert!(confirmed["expires_at"].is_null() && confirmed["confirmed_by"] == "user-1", "{confirmed}");
        stage.pass(24 * 3600 - 1);
        stage.work().await;
        assert_eq!(left.exchange(&stage, &left.refresh).await.code(), "devices.locked");
        stage.pass(2);
        // The time decides, not the job that writes it down.
        let mut left = left;
        let tokens = left.exchange(&stage, &left.refresh).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        left.take(&tokens.body);
        assert_eq!(left.knocks(&stage).await.status, StatusCode::OK);
        stage.pass(60);
        stage.work().await;
        assert_eq!(stage.shown(&left).await["posture"].as_str(), Some("step_up"));
        let told = left.keyed(&stage, "GET", "/device/commands", None).await.body;
        assert_eq!(told["items"].as_array().unwrap().last().unwrap()["kind"].as_str(), Some("RELEASE"));
        assert_eq!(kept.exchange(&stage, &kept.refresh).await.code(), "devices.locked");
        stage.pass(72 * 3600);
        stage.work().await;
        assert_eq!(stage.shown(&kept).await["posture"].as_str(), Some("lock"));
        assert_eq!(stage.logged("devices.expire_lock").await, 1);
    }
}

#[tokio::test]
async fn an_order_beside_a_lock_that_ends_soon_makes_it_last_and_is_written_down() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({})).await;
        Handset::new().exchange(&stage, &phone.refresh).await;
        let path = format!("/devices/{}", phone.id);
        let first = stage.order("GET", &format!("{path}/why"), None).await["lock"].clone();
        stage.pass(24 * 3600 - 120);
        let lock = stage.order("POST", &format!("{path}/lock"), Some(json!({ "reason": "reported stolen" }))).await;
        assert_eq!((&lock["id"], lock["cause"].as_str()), (&first["id"], Some("refresh_reuse")), "{lock}");
        assert!(lock["expires_at"].as_str() > first["expires_at"].as_str(), "{lock}");
        let also = &lock["evidence"]["also"][0];
        assert_eq!(
            (also["cause"].as_str(), also["reason"].as_str(), also["by"].as_str()),
            (Some("operator"), Some("reported stolen"), Some("user-1"))
        );
        assert_eq!(lock["evidence"]["generation"], first["evidence"]["generation"], "what it rested on stays");
        assert_eq!(stage.logged("devices.lock").await, 1);
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        assert_eq!(told["items"].as_array().unwrap().len(), 2, "the phone is told of the new end");
        stage.pass(180);
        stage.work().await;
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("lock"));
        assert_eq!(phone.keyed(&stage, "GET", "/device/why", None).await.body["posture"].as_str(), Some("lock"));
        // A shorter one shortens nothing.
        let again = stage.order("POST", &format!("{path}/lock"), Some(json!({ "reason": "again", "seconds": 60 }))).await;
        assert_eq!((&again["expires_at"], stage.logged("devices.lock").await), (&lock["expires_at"], 2));
        let timeline = stage.order("GET", &format!("{path}/timeline"), None).await;
        assert_eq!(timeline["items"][0]["kind"].as_str(), Some("lock_reinforced"));
    }
}

#[tokio::test]
async fn a_phone_of_its_user_is_reached_no_further_than_the_application() {
    let stage = Stage::new(Engine::Embedded).await;
    let own = stage.phone(json!({ "ownership": "byod" })).await;
    let ours = stage.phone(json!({ "ownership": "corporate" })).await;
    for (verb, body) in [("lock", json!({ "reason": "r", "reach": "device" })), ("overlay", json!({ "message": "m", "reach": "device" }))] {
        let (status, problem) = stage.ask(&stage.operator, "POST", &format!("/devices/{}/{verb}", own.id), Some(body.clone())).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::FORBIDDEN, Some("devices.byod")), "{verb}");
        stage.order("POST", &format!("/devices/{}/{verb}", ours.id), Some(body)).await;
    }
    assert_eq!(own.knocks(&stage).await.status, StatusCode::OK, "a refused order leaves nothing behind");
    let lock = stage.order("POST", &format!("/devices/{}/lock", own.id), Some(json!({ "reason": "r" }))).await;
    assert_eq!(lock["reach"].as_str(), Some("application"));
    let told = ours.keyed(&stage, "GET", "/device/commands", None).await.body;
    let kinds: Vec<&str> = told["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CRITICAL_LOCK", "force_overlay"]);
}

#[tokio::test]
async fn a_second_order_reaches_as_far_as_the_wider_of_both() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({ "ownership": "corporate" })).await;
        let path = format!("/devices/{}", phone.id);
        // Wider, then as wide and shorter, then narrower and longer: the phone hears of the first and the last.
        for (reach, seconds, row) in
            [("application", 3_600, "application"), ("device", 3_600, "device"), ("device", 60, "device"), ("application", 7_200, "device")]
        {
            let order = json!({ "reason": "r", "reach": reach, "seconds": seconds });
            let lock = stage.order("POST", &format!("{path}/lock"), Some(order)).await;
            let kept = stage.order("GET", &format!("{path}/why"), None).await["lock"].clone();
            assert_eq!((&lock["reach"], &kept["reach"]), (&json!(row), &json!(row)), "{reach} for {seconds}");
        }
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        let reaches: Vec<&str> = told["items"].as_array().unwrap().iter().map(|item| item["reach"].as_str().unwrap()).collect();
        assert_eq!(reaches, ["application", "device", "device"]);
    }
}

#[tokio::test]
async fn commands_are_signed_for_one_phone_by_the_keys_it_learned() {
    use attestation::jose::{Algorithm, VerificationKey, verify};
    let stage = Stage::new(Engine::Embedded).await;
    let phone = stage.phone(json!({})).await;
    stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "r", "quarantine": true }))).await;
    let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
    let token = told["items"][0]["token"].as_str().unwrap();
    let keys = stage.world.backends.keys.public("device-commands").await.unwrap();
    let keys: Vec<VerificationKey> =
        keys.iter().map(|key| VerificationKey::from_jwk(key.jwk.as_object().unwrap(), Algorithm::Es256).unwrap()).collect();
    let signed = verify(token, &keys).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&signed.payload).unwrap();
    assert_eq!(signed.kind.as_deref(), Some("tyrian-command+jwt"));
    assert_eq!(
        (claims["aud"].as_str(), claims["seq"].as_i64(), claims["cmd"].as_str()),
        (Some(phone.id.as_str()), Some(1), Some("IMMEDIATE_QUARANTINE"))
    );
    let access = stage.world.backends.keys.public("jwt").await.unwrap();
    let access: Vec<VerificationKey> =
        access.iter().map(|key| VerificationKey::from_jwk(key.jwk.as_object().unwrap(), Algorithm::Es256).unwrap()).collect();
    assert!(verify(token, &access).is_err(), "no access token's key signs commands");
    // A quarantine kills the tokens as well.
    stage.order("POST", &format!("/devices/{}/unlock", phone.id), Some(json!({ "reason": "r" }))).await;
    assert_eq!(phone.knocks(&stage).await.code(), "devices.revoked");
}

#[tokio::test]
async fn only_watching_and_the_allow_list_lay_no_lock_and_still_kill_stolen_tokens() {
    let stage = Stage::new(Engine::Embedded).await;
    let (watched, listed) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
    stage.order("PATCH", &format!("/devices/{}", listed.id), Some(json!({ "allow_listed": true }))).await;
    Handset::new().exchange(&stage, &listed.refresh).await;
    stage.order("PATCH", "/devices/policy", Some(json!({ "shadow": true }))).await;
    Handset::new().exchange(&stage, &watched.refresh).await;
    for (phone, why) in [(&watched, "shadow"), (&listed, "allow_list")] {
        assert_eq!(phone.knocks(&stage).await.code(), "devices.revoked", "{why}");
        assert_eq!(stage.shown(phone).await["posture"].as_str(), Some("observe"));
        let timeline = stage.order("GET", &format!("/devices/{}/timeline", phone.id), None).await;
        assert_eq!(timeline["items"][1]["detail"]["withheld"].as_str(), Some(why), "{timeline}");
    }
    stage.order("POST", &format!("/devices/{}/lock", watched.id), Some(json!({ "reason": "a person is not shadowed" }))).await;
    assert_eq!(watched.knocks(&stage).await.code(), "devices.locked");
}

#[tokio::test]
async fn locking_stops_by_itself_when_one_rule_hits_too_many_and_a_person_resumes_it() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let mut phones = Vec::new();
        for _ in 0..13 {
            phones.push(stage.phone(json!({})).await);
        }
        for phone in &phones[..12] {
            assert_eq!(Handset::new().exchange(&stage, &phone.refresh).await.code(), "devices.grant");
        }
        let locked = stage.order("GET", "/devices?posture=lock", None).await["items"].as_array().unwrap().len();
        assert_eq!(locked, 10, "the eleventh would be one rule too many");
        let policy = stage.order("GET", "/devices/policy", None).await;
        assert_eq!(policy["halt"]["because"].as_str(), Some("shared"), "{policy}");
        assert_eq!(phones[11].knocks(&stage).await.code(), "devices.revoked", "tokens die all the same");
        stage.pass(1);
        stage.order("POST", "/devices/policy/resume", Some(json!({ "reason": "it was a real theft" }))).await;
        Handset::new().exchange(&stage, &phones[12].refresh).await;
        assert_eq!(stage.shown(&phones[12]).await["posture"].as_str(), Some("lock"));
    }
}

#[tokio::test]
async fn other_organisations_see_nothing_and_readers_change_nothing() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({})).await;
        let reason = Some(json!({ "reason": "r" }));
        let id = &phone.id;
        let (other, reader) = (stage.world.other(&[Role::Admin]), stage.world.actor(&[Role::Viewer]));
        for (method, path, body) in [
            ("GET", format!("/devices/{id}"), None),
            ("GET", format!("/devices/{id}/timeline"), None),
            ("GET", format!("/devices/{id}/why"), None),
            ("GET", format!("/devices/{id}/locks"), None),
            ("GET", format!("/devices/{id}/commands"), None),
            ("PATCH", format!("/devices/{id}"), Some(json!({ "name": "mine" }))),
            ("POST", format!("/devices/{id}/lock"), reason.clone()),
            ("POST", format!("/devices/{id}/lock/confirm"), reason.clone()),
            ("POST", format!("/devices/{id}/unlock"), reason.clone()),
            ("POST", format!("/devices/{id}/overlay"), Some(json!({ "message": "m" }))),
            ("POST", "/devices/switches".to_owned(), Some(json!({ "scope": "device", "device_id": id, "reason": "r" }))),
        ] {
            let (status, answer) = stage.ask(&other, method, &path, body.clone()).await;
            assert_eq!((status, answer["code"].as_str()), (StatusCode::NOT_FOUND, Some("devices.not_found")), "{method} {path}: {answer}");
            if method != "GET" {
                assert_eq!(stage.ask(&reader, method, &path, body).await.0, StatusCode::FORBIDDEN, "{method} {path}");
            }
        }
        assert_eq!(stage.ask(&other, "GET", "/devices", None).await.1["items"], json!([]));
        assert_eq!(stage.ask(&reader, "GET", "/devices", None).await.1["items"].as_array().unwrap().len(), 1);
        assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);
    }
}
