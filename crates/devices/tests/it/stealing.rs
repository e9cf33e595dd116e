//! Tokens in the wrong hands, and a revocation that nothing forgets.

use http::StatusCode;
use serde_json::json;
use testkit::{Engine, engines, eventually};

use crate::handset::{Ask, Handset, Reply};
use crate::stage::{Stage, config, service};

#[tokio::test]
async fn a_refresh_token_with_another_key_locks_the_phone_before_its_next_request() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({})).await;
        // Another node, which only hears of it.
        let other = service(&stage.world.backends, config(), &stage.people);
        other.start();
        let thief = Handset::new();
        let refused = thief.exchange(&stage, &phone.refresh).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::UNAUTHORIZED, "devices.grant"), "the thief learns nothing more");
        let refused = phone.knocks(&stage).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "devices.locked"));
        let why = stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
        assert_eq!((why["lock"]["cause"].as_str(), why["lock"]["automatic"].as_bool()), (Some("refresh_reuse"), Some(true)));
        assert!(why["lock"]["expires_at"].is_string() && why["lock"]["evidence"]["generation"] == 1, "{}", why["lock"]);
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        assert_eq!(told["items"][0]["kind"].as_str(), Some("CRITICAL_LOCK"));
        assert_eq!(stage.logged("devices.lock_itself").await, 1);

        // After the release the old tokens stay dead; the key gets new ones.
        stage.order("POST", &format!("/devices/{}/unlock", phone.id), Some(json!({ "reason": "clean" }))).await;
        assert_eq!(phone.knocks(&stage).await.code(), "devices.revoked");
        assert_eq!(phone.exchange(&stage, &phone.refresh).await.code(), "devices.grant");
        let anew = anew(&stage, &phone).await;
        let mut phone = phone;
        phone.take(&anew.body["tokens"]);
        assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_spent_token_is_forgiven_within_the_grace_and_theft_after_it() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({})).await;
        let first = phone.exchange(&stage, &phone.refresh).await;
        stage.pass(9);
        let again = phone.exchange(&stage, &phone.refresh).await;
        assert_eq!(first.body["refresh_token"], again.body["refresh_token"], "the same successor: {}", again.body);
        stage.pass(2);
        assert_eq!(phone.exchange(&stage, &phone.refresh).await.code(), "devices.grant");
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("lock"));
        let successor = first.body["refresh_token"].as_str().unwrap();
        assert_eq!(phone.exchange(&stage, successor).await.code(), "devices.grant", "the whole chain is dead");
    }
}

#[tokio::test]
async fn unknown_and_expired_tokens_lock_nobody() {
    let stage = Stage::new(Engine::Embedded).await;
    let phone = stage.phone(json!({})).await;
    let mut forged = phone.refresh.clone().into_bytes();
    forged[10] = if forged[10] == b'A' { b'B' } else { b'A' };
    for token in ["", "tdr_", "nonsense", &phone.access, &String::from_utf8(forged).unwrap()] {
        assert_eq!(Handset::new().exchange(&stage, token).await.code(), "devices.grant", "{token}");
    }
    stage.pass(8 * 24 * 3600);
    assert_eq!(phone.exchange(&stage, &phone.refresh).await.code(), "devices.grant", "over, not stolen");
    assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"));
}

#[tokio::test]
async fn a_revocation_survives_the_loss_of_everything_hot_and_reaches_other_nodes() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let (phone, honest) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
        Handset::new().exchange(&stage, &phone.refresh).await;
        // Restarted on an empty hot store: nothing but the database is left.
        let hot = match engine {
            Engine::Embedded => format!("{}-after", stage.world.config.hot),
            Engine::Distributed => testkit::servers::fresh_redis(),
        };
        let stage = stage.restarted(hot).await;
        // Before it has read anything, and after.
        assert_eq!(phone.knocks(&stage).await.code(), "devices.locked");
        stage.devices.start();
        for _ in 0..3 {
            assert_eq!(phone.knocks(&stage).await.code(), "devices.locked");
            assert_eq!(phone.exchange(&stage, &phone.refresh).await.code(), "devices.grant");
            assert_eq!(honest.knocks(&stage).await.status, StatusCode::OK);
        }
        assert_eq!(honest.exchange(&stage, &honest.refresh).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn after_a_restart_a_proof_from_before_is_made_again_whether_it_was_used_or_not() {
    let stage = Stage::new(Engine::Embedded).await;
    let phone = stage.phone(json!({})).await;
    let ask = Ask { method: "POST", path: "/device/signals", token: Some(&phone.access), code: None, body: Some(json!({})) };
    let [used, unused] = [(); 2].map(|()| phone.proof("POST", "/device/signals", Some(&phone.access), |_| {}));
    assert_eq!(phone.once(&stage, &ask, &used).await.status, StatusCode::OK);
    let hot = stage.world.config.hot.clone();
    let stage = stage.restarted(hot).await;
    for proof in [used, unused] {
        assert_eq!(phone.once(&stage, &ask, &proof).await.code(), "devices.use_dpop_nonce");
    }
    assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_node_that_only_keeps_watch_refuses_within_a_second_and_serves_again_after_the_release() {
    for engine in engines() {
        let here = Stage::new(engine).await;
        let phone = here.phone(json!({})).await;
        let backends = here.world.backends.clone();
        let devices = here.devices.clone();
        let operator = here.operator.clone();
        let there = here.elsewhere(&backends, config());
        there.devices.start();
        assert_eq!(phone.knocks(&there).await.status, StatusCode::OK);
        let id = phone.id.parse().unwrap();
        let order = serde_json::from_value(json!({ "reason": "test" })).unwrap();
        devices.lock(&operator, id, order).await.unwrap();
        eventually("the other node refuses", async || phone.knocks(&there).await.code() == "devices.locked").await;
        devices.unlock(&operator, id, "over").await.unwrap();
        eventually("the other node serves again", async || phone.knocks(&there).await.status == StatusCode::OK).await;
    }
}

/// What another context tells of a person.
#[derive(serde::Serialize)]
struct Barred {
    user_id: base::UserId,
    reason: &'static str,
}

impl backends::Event for Barred {
    const NAME: &'static str = "user.barred";

    fn subject(&self) -> String {
        self.user_id.to_string()
    }
}

/// Attests with a phone to get new tokens.
async fn anew(stage: &Stage, phone: &Handset) -> Reply {
    let nonce = phone.challenge(stage).await;
    phone.keyed(stage, "POST", "/device/attest", Some(json!({ "nonce": nonce, "wants_tokens": true }))).await
}

/// Another context keeps a person out.
async fn bar(stage: &Stage, user: base::UserId) {
    const BAR: base::Action = base::Action::open("test.bar");
    let mut change = audit::Change::begin(&stage.world.backends, &stage.operator, BAR).await.unwrap();
    change.subject("user", user);
    change.publish(&Barred { user_id: user, reason: "left" }).await.unwrap();
    change.commit().await.unwrap();
    stage.people.bar(user);
}

/// The job that was told of it runs once more, because nobody could write down that it had ended.
async fn told_again(stage: &Stage) {
    let mut tx = stage.world.backends.db.begin().await.unwrap();
    let unfinished = "UPDATE jobs SET state = 'ready', finished_at = NULL WHERE name = 'devices.revoke_barred'";
    assert_eq!(tx.run(backends::sql(unfinished)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    stage.work().await;
}

#[tokio::test]
async fn what_the_phones_of_a_barred_person_hold_is_worth_nothing() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let user = stage.operator.user.unwrap();
        let (own, other) = (stage.phone(json!({ "user_id": user })).await, stage.phone(json!({})).await);
        let (code, anybodys) = (stage.code(json!({ "user_id": user })).await, stage.code(json!({})).await);
        bar(&stage, user).await;
        // Nobody told this context yet, and nothing new is given out.
        assert_eq!(anew(&stage, &own).await.code(), "devices.user_barred");
        assert_eq!(Handset::new().enrols(&stage, &code).await.code(), "devices.user_barred");
        let refused = stage.ask(&stage.operator, "POST", "/devices/codes", Some(json!({ "name": "x", "user_id": user }))).await;
        assert_eq!((refused.0, refused.1["code"].as_str()), (StatusCode::FORBIDDEN, Some("devices.user_barred")));
        assert_eq!(refused.1["errors"][0]["pointer"].as_str(), Some("#/user_id"), "{}", refused.1);
        stage.work().await;
        assert_eq!(Handset::new().enrols(&stage, &code).await.code(), "devices.code", "it is over for good");
        assert_eq!(anew(&stage, &own).await.code(), "devices.user_barred");
        assert_eq!(anew(&stage, &other).await.status, StatusCode::OK);
        assert_eq!(Handset::new().enrols(&stage, &anybodys).await.status, StatusCode::CREATED);
        assert_eq!(own.knocks(&stage).await.code(), "devices.revoked");
        assert_eq!(own.exchange(&stage, &own.refresh).await.code(), "devices.grant");
        assert_eq!(other.knocks(&stage).await.status, StatusCode::OK);
        let timeline = stage.order("GET", &format!("/devices/{}/timeline", own.id), None).await;
        assert_eq!(timeline["items"][0]["kind"].as_str(), Some("tokens_revoked"), "{timeline}");
        assert_eq!((stage.logged("devices.end_codes").await, stage.logged("devices.revoke_barred").await), (1, 1));
        // Streams of events about the device hear of it.
        let told = backends::sql("SELECT body FROM events WHERE name = 'device.tokens_revoked'");
        let told = stage.world.backends.db.one(told).await.unwrap().unwrap().get::<String>("body").unwrap();
        assert!(told.contains(&own.id) && told.contains(&user.to_string()), "{told}");
        stage.people.welcome(user);
        let again = anew(&stage, &own).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.body);
        let mut own = own;
        own.take(&again.body["tokens"]);
        told_again(&stage).await;
        assert_eq!(own.knocks(&stage).await.status, StatusCode::OK, "{engine:?}");
        assert_eq!(stage.logged("devices.revoke_barred").await, 1);
    }
}

#[tokio::test]
async fn a_phone_that_holds_nothing_is_revoked_once_however_often_that_is_told() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let user = stage.operator.user.unwrap();
        let phone = stage.phone(json!({ "user_id": user })).await;
        let path = format!("/devices/{}", phone.id);
        // What it held is gone with a quarantine that is over.
        stage.order("POST", &format!("{path}/lock"), Some(json!({ "reason": "lost", "quarantine": true }))).await;
        stage.order("POST", &format!("{path}/unlock"), Some(json!({ "reason": "found" }))).await;
        bar(&stage, user).await;
        stage.work().await;
        let version = async || {
            let row = stage.world.backends.db.one(backends::sql("SELECT version FROM devices")).await.unwrap().unwrap();
            row.get::<i64>("version").unwrap()
        };
        let before = (version().await, stage.world.count("device_timeline").await, stage.world.count("audit_logs").await);
        assert_eq!(stage.logged("devices.revoke_barred").await, 1, "an access token may be left");
        told_again(&stage).await;
        let after = (version().await, stage.world.count("device_timeline").await, stage.world.count("audit_logs").await);
        assert_eq!((after, stage.logged("devices.revoke_barred").await), (before, 1), "{engine:?}");
        // Told of anew it is done anew.
        bar(&stage, user).await;
        stage.work().await;
        assert_eq!(stage.logged("devices.revoke_barred").await, 2, "{engine:?}");
    }
}
