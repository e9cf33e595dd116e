//! Kill switches: who may throw them, whom they stop, and how they end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;
use testkit::{Engine, engines};

use crate::stage::{PASSWORD, Stage, config};

#[tokio::test]
async fn a_switch_stops_an_organisations_phones_until_it_is_released() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let (one, two) = (stage.phone(json!({})).await, stage.phone(json!({ "ownership": "byod" })).await);
        let proposed = stage.order("POST", "/devices/switches", Some(json!({ "scope": "tenant", "reason": "outbreak" }))).await;
        assert_eq!((proposed["affects"].as_i64(), one.knocks(&stage).await.status), (Some(2), StatusCode::OK), "nobody is stopped yet");
        let path = format!("/devices/switches/{}", proposed["id"].as_str().unwrap());
        for password in [json!({}), json!({ "password": "wrong" })] {
            let (status, problem) = stage.ask(&stage.operator, "POST", &format!("{path}/confirm"), Some(password)).await;
            assert!(status.is_client_error(), "{problem}");
        }
        stage.order("POST", &format!("{path}/confirm"), Some(json!({ "password": PASSWORD }))).await;
        for phone in [&one, &two] {
            let refused = phone.knocks(&stage).await;
            assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "devices.stopped"));
            assert_eq!(phone.exchange(&stage, &phone.refresh).await.code(), "devices.stopped");
        }
        stage.work().await;
        let told = two.keyed(&stage, "GET", "/device/commands", None).await.body;
        assert_eq!(
            (told["items"][0]["kind"].as_str(), told["items"][0]["reach"].as_str()),
            (Some("IMMEDIATE_QUARANTINE"), Some("application"))
        );
        let again = stage.ask(&stage.operator, "POST", &format!("{path}/confirm"), Some(json!({ "password": PASSWORD }))).await;
        assert_eq!(again.1["code"].as_str(), Some("devices.switch_over"));
        stage.order("POST", &format!("{path}/release"), Some(json!({ "reason": "over" }))).await;
        assert_eq!(one.knocks(&stage).await.status, StatusCode::OK);
        stage.work().await;
        let told = two.keyed(&stage, "GET", "/device/commands", None).await.body;
        assert_eq!(
            told["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect::<Vec<_>>(),
            ["IMMEDIATE_QUARANTINE", "RELEASE"]
        );
    }
}

#[tokio::test]
async fn a_switch_for_one_phone_stops_that_one_and_ends_by_itself() {
    let stage = Stage::new(Engine::Embedded).await;
    let (one, two) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
    let body = json!({ "scope": "device", "device_id": one.id, "reason": "r", "seconds": 60 });
    let proposed = stage.order("POST", "/devices/switches", Some(body)).await;
    let path = format!("/devices/switches/{}/confirm", proposed["id"].as_str().unwrap());
    stage.order("POST", &path, Some(json!({ "password": PASSWORD }))).await;
    assert_eq!((one.knocks(&stage).await.code(), two.knocks(&stage).await.status), ("devices.stopped", StatusCode::OK));
    stage.pass(61);
    assert_eq!(one.knocks(&stage).await.status, StatusCode::OK);
}

#[tokio::test]
async fn phones_are_told_until_when_a_switch_stops_them_why_and_that_it_ended() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({})).await;
        let proposed = stage.order("POST", "/devices/switches", Some(json!({ "scope": "tenant", "reason": "r", "seconds": 600 }))).await;
        let path = format!("/devices/switches/{}", proposed["id"].as_str().unwrap());
        stage.order("POST", &format!("{path}/confirm"), Some(json!({ "password": PASSWORD }))).await;
        stage.work().await;
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        let token = told["items"][0]["token"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["about"]["until"], proposed["expires_at"], "{claims}");
        let why = phone.keyed(&stage, "GET", "/device/why", None).await.body;
        assert_eq!(why["stopped_until"], proposed["expires_at"], "{why}");
        assert!(why["reason_user"].as_str().unwrap().contains("stopped"), "{why}");
        stage.pass(601);
        stage.work().await;
        stage.pass(60);
        stage.work().await;
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        let kinds: Vec<&str> = told["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
        assert_eq!((kinds, stage.logged("devices.expire_switch").await), (vec!["IMMEDIATE_QUARANTINE", "RELEASE"], 1));
        let why = phone.keyed(&stage, "GET", "/device/why", None).await.body;
        assert_eq!((&why["stopped_until"], why["reason_user"].as_str()), (&json!(null), Some("Everything is fine.")), "{why}");
    }
}

#[tokio::test]
async fn a_stop_that_is_late_overtakes_no_release_and_a_release_no_other_stop() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({})).await;
        let throw = async |body: serde_json::Value| {
            let proposed = stage.order("POST", "/devices/switches", Some(body)).await;
            let path = format!("/devices/switches/{}", proposed["id"].as_str().unwrap());
            stage.order("POST", &format!("{path}/confirm"), Some(json!({ "password": PASSWORD }))).await;
            path
        };
        let kinds = async || {
            stage.work().await;
            let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
            told["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        // Taken back before anybody was told.
        let path = throw(json!({ "scope": "tenant", "reason": "r" })).await;
        stage.order("POST", &format!("{path}/release"), Some(json!({ "reason": "a mistake" }))).await;
        assert_eq!(kinds().await, ["RELEASE"]);
        let one = throw(json!({ "scope": "tenant", "reason": "r" })).await;
        let other = throw(json!({ "scope": "device", "device_id": phone.id, "reason": "r" })).await;
        stage.order("POST", &format!("{one}/release"), Some(json!({ "reason": "over" }))).await;
        assert_eq!(kinds().await, ["RELEASE", "IMMEDIATE_QUARANTINE"], "the other one stops it still");
        stage.order("POST", &format!("{other}/release"), Some(json!({ "reason": "over" }))).await;
        assert_eq!(kinds().await, ["RELEASE", "IMMEDIATE_QUARANTINE", "RELEASE"]);
    }
}

#[tokio::test]
async fn the_end_of_a_switch_releases_no_phone_that_is_locked() {
    let stage = Stage::new(Engine::Embedded).await;
    let (locked, free) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
    let kinds = async |phone: &crate::handset::Handset| {
        stage.work().await;
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        told["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    stage.order("POST", &format!("/devices/{}/lock", locked.id), Some(json!({ "reason": "lost" }))).await;
    let proposed = stage.order("POST", "/devices/switches", Some(json!({ "scope": "tenant", "reason": "r" }))).await;
    let path = format!("/devices/switches/{}", proposed["id"].as_str().unwrap());
    stage.order("POST", &format!("{path}/confirm"), Some(json!({ "password": PASSWORD }))).await;
    stage.work().await;
    stage.order("POST", &format!("{path}/release"), Some(json!({ "reason": "over" }))).await;
    assert_eq!(kinds(&free).await, ["IMMEDIATE_QUARANTINE", "RELEASE"]);
    assert_eq!(kinds(&locked).await, ["CRITICAL_LOCK", "IMMEDIATE_QUARANTINE"]);
    stage.order("POST", &format!("/devices/{}/unlock", locked.id), Some(json!({ "reason": "found" }))).await;
    assert_eq!(kinds(&locked).await, ["CRITICAL_LOCK", "IMMEDIATE_QUARANTINE", "RELEASE"]);
}

#[tokio::test]
async fn the_end_of_a_lock_releases_no_phone_that_a_switch_stops() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phones = [stage.phone(json!({})).await, stage.phone(json!({})).await];
        let kinds = async |phone: &crate::handset::Handset| {
            stage.work().await;
            let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
            told["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for phone in &phones {
            stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "lost", "seconds": 60 }))).await;
        }
        let proposed = stage.order("POST", "/devices/switches", Some(json!({ "scope": "tenant", "reason": "r", "seconds": 600 }))).await;
        let path = format!("/devices/switches/{}", proposed["id"].as_str().unwrap());
        stage.order("POST", &format!("{path}/confirm"), Some(json!({ "password": PASSWORD }))).await;
        stage.work().await;
        // One by a person, the other by time.
        stage.order("POST", &format!("/devices/{}/unlock", phones[0].id), Some(json!({ "reason": "found" }))).await;
        stage.pass(61);
        stage.work().await;
        for phone in &phones {
            assert_eq!(stage.shown(phone).await["posture"].as_str(), Some("step_up"));
            assert_eq!(kinds(phone).await, ["CRITICAL_LOCK", "IMMEDIATE_QUARANTINE"], "{engine:?}: the switch stops it still");
        }
        stage.order("POST", &format!("{path}/release"), Some(json!({ "reason": "over" }))).await;
        for phone in &phones {
            assert_eq!(kinds(phone).await, ["CRITICAL_LOCK", "IMMEDIATE_QUARANTINE", "RELEASE"], "{engine:?}");
        }
    }
}

#[tokio::test]
async fn a_switch_that_cannot_be_ended_keeps_no_other_from_its_end() {
    let stage = Stage::new(Engine::Embedded).await;
    let mut ids = Vec::new();
    for seconds in [60, 120] {
        let body = json!({ "scope": "tenant", "reason": "r", "seconds": seconds });
        let id = stage.order("POST", "/devices/switches", Some(body)).await["id"].as_str().unwrap().to_owned();
        stage.order("POST", &format!("/devices/switches/{id}/confirm"), Some(json!({ "password": PASSWORD }))).await;
        ids.push(id);
    }
    stage.work().await;
    let stuck =
        format!("CREATE TRIGGER stuck BEFORE UPDATE ON device_switches WHEN OLD.id = '{}' BEGIN SELECT RAISE(ABORT, 'stuck'); END", ids[0]);
    let mut tx = stage.world.backends.db.begin().await.unwrap();
    tx.run(backends::Sql::built(stuck)).await.unwrap();
    tx.commit().await.unwrap();
    stage.pass(121);
    let drained = backends::jobs::drain(&stage.world.backends, &devices::jobs(&stage.devices)).await.unwrap();
    assert!(!drained.errors.is_empty(), "and that one failed is told");
    assert_eq!(stage.logged("devices.expire_switch").await, 1);
}

#[tokio::test]
async fn the_global_switch_takes_two_named_people() {
    let operators = vec!["User-1".to_owned(), "user-2".to_owned()];
    let stage = Stage::with(Engine::Embedded, devices::Config { global_operators: operators, ..config() }).await;
    let phone = stage.phone(json!({})).await;
    let mut second = stage.operator.clone();
    second.user = stage.world.other(&[]).user;
    second.username = "user-2".to_owned();
    let mut third = second.clone();
    third.username = "user-3".to_owned();
    let mut namesake = stage.world.other(&[base::Role::Admin]);
    namesake.username = "user-1".to_owned();
    let body = json!({ "scope": "global", "reason": "everything burns" });
    for nobody in [&third, &namesake] {
        let (status, problem) = stage.ask(nobody, "POST", "/devices/switches", Some(body.clone())).await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::FORBIDDEN, Some("devices.global_switch")));
    }
    let proposed = stage.order("POST", "/devices/switches", Some(body)).await;
    let path = format!("/devices/switches/{}/confirm", proposed["id"].as_str().unwrap());
    let password = Some(json!({ "password": PASSWORD }));
    for (actor, code) in [(&stage.operator, Some("devices.second_person")), (&third, Some("devices.global_switch")), (&second, None)] {
        assert_eq!(stage.ask(actor, "POST", &path, password.clone()).await.1["code"].as_str(), code);
    }
    assert_eq!(phone.knocks(&stage).await.code(), "devices.stopped");
}

#[tokio::test]
async fn every_organisation_hears_of_the_global_switch_and_of_no_other_ones_own() {
    for engine in engines() {
        let operators = vec!["user-1".to_owned(), "user-2".to_owned()];
        let stage = Stage::with(engine, devices::Config { global_operators: operators, ..config() }).await;
        let stranger = stage.world.other(&[base::Role::Admin]);
        let (mut own, mut foreign) = (stage.devices.news(&stage.operator).await.unwrap(), stage.devices.news(&stranger).await.unwrap());
        let mut second = stage.operator.clone();
        second.user = stage.world.other(&[]).user;
        second.username = "user-2".to_owned();
        let soon = std::time::Duration::from_secs(10);
        for (scope, everywhere) in [("tenant", false), ("global", true)] {
            let proposed = stage.order("POST", "/devices/switches", Some(json!({ "scope": scope, "reason": "r" }))).await;
            let path = format!("/devices/switches/{}/confirm", proposed["id"].as_str().unwrap());
            let (status, problem) = stage.ask(&second, "POST", &path, Some(json!({ "password": PASSWORD }))).await;
            assert_eq!(status, StatusCode::OK, "{problem}");
            assert_eq!(tokio::time::timeout(soon, own.next()).await, Ok(Some(())), "{scope}");
            if everywhere {
                assert_eq!(tokio::time::timeout(soon, foreign.next()).await, Ok(Some(())), "{scope}");
            } else {
                assert!(futures::FutureExt::now_or_never(foreign.next()).is_none(), "{scope}");
            }
        }
    }
}
