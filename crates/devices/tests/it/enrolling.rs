//! How a phone becomes known, and how its requests are proven.

use http::StatusCode;
use serde_json::json;
use testkit::{Engine, engines};

use crate::handset::{Ask, Handset};
use crate::stage::{Stage, config};

#[tokio::test]
async fn a_phone_enrols_sends_signals_is_locked_told_and_released() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let mut phone = stage.phone(json!({ "ownership": "corporate", "plan": "professional" })).await;
        let shown = stage.shown(&phone).await;
        assert_eq!((shown["posture"].as_str(), shown["plan"].as_str()), (Some("observe"), Some("professional")));
        assert_eq!((phone.knocks(&stage).await.status, shown["attestation_state"].as_str()), (StatusCode::OK, Some("never")));

        let order = json!({ "reason": "reported stolen", "seconds": 3600 });
        let lock = stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(order)).await;
        assert_eq!((lock["cause"].as_str(), lock["created_by"].as_str()), (Some("operator"), Some("user-1")));
        // The very next request, and the refresh token as well.
        let refused = phone.knocks(&stage).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "devices.locked"));
        let refused = phone.exchange(&stage, &phone.refresh).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "devices.locked"));

        // A locked phone still learns why, in its user's words, and gets its command until it answers.
        let why = phone.keyed(&stage, "GET", "/device/why", None).await;
        assert_eq!(
            (why.status, why.body["posture"].as_str(), why.body["cause"].as_str()),
            (StatusCode::OK, Some("lock"), Some("operator"))
        );
        for _ in 0..2 {
            let told = phone.keyed(&stage, "GET", "/device/commands?after=1", None).await.body;
            assert_eq!((told["items"][0]["kind"].as_str(), told["items"][0]["sequence"].as_i64()), (Some("CRITICAL_LOCK"), Some(1)));
        }
        for outcome in ["done", "failed"] {
            let answered = phone.keyed(&stage, "POST", "/device/commands/1/acknowledge", Some(json!({ "outcome": outcome }))).await;
            assert_eq!(answered.body["outcome"].as_str(), Some("done"), "the first answer stands: {}", answered.body);
        }
        assert_eq!(phone.keyed(&stage, "GET", "/device/commands?after=1", None).await.body["items"], json!([]));

        let released = stage.order("POST", &format!("/devices/{}/unlock", phone.id), Some(json!({ "reason": "found again" }))).await;
        assert_eq!(released["posture"].as_str(), Some("step_up"), "the owner still has to prove to be there");
        assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);
        let told = phone.keyed(&stage, "GET", "/device/commands?after=1", None).await.body;
        assert_eq!(told["items"][0]["kind"].as_str(), Some("RELEASE"));
        let tokens = phone.exchange(&stage, &phone.refresh).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        phone.take(&tokens.body);
        assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);

        let timeline = stage.order("GET", &format!("/devices/{}/timeline", phone.id), None).await;
        let kinds: Vec<&str> = timeline["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["released", "acknowledged", "locked", "enrolled"]);
        let locks = stage.order("GET", &format!("/devices/{}/locks", phone.id), None).await;
        assert_eq!(locks["items"][0]["release_reason"].as_str(), Some("found again"));
        for action in ["devices.enrol", "devices.lock", "devices.acknowledge", "devices.unlock", "devices.refresh"] {
            assert_eq!(stage.logged(action).await, 1, "{action}");
        }
    }
}

#[tokio::test]
async fn a_code_makes_one_phone_and_a_lost_answer_is_given_again_to_the_same_key_only() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let code = stage.code(json!({})).await;
        let (phone, thief) = (Handset::new(), Handset::new());
        let nonce = stage.nonce(&phone, &code).await;
        let ask = |handset: &Handset, nonce: &str| json!({ "key": handset.jwk, "platform": "none", "nonce": nonce });
        let enrol = async |handset: &Handset, nonce: &str| {
            let ask = Ask { method: "POST", path: "/device/enrol", token: None, code: Some(&code), body: Some(ask(handset, nonce)) };
            handset.ask(&stage, ask).await
        };
        let first = enrol(&phone, &nonce).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        let again = enrol(&phone, &nonce).await;
        assert_eq!((again.status, &again.body["device"]["id"]), (StatusCode::CREATED, &first.body["device"]["id"]), "{}", again.body);
        // The tokens nobody received are worth nothing.
        let lost = phone.exchange(&stage, first.body["tokens"]["refresh_token"].as_str().unwrap()).await;
        assert_eq!((lost.status, lost.code()), (StatusCode::UNAUTHORIZED, "devices.grant"));
        let other = enrol(&thief, &nonce).await;
        assert_eq!((other.status, other.code()), (StatusCode::UNAUTHORIZED, "devices.code"));
        assert_eq!(stage.world.count("devices").await, 1);
        assert!(stage.order("GET", "/devices/codes", None).await["items"][0].get("code").is_none(), "codes are shown once");

        let old = stage.code(json!({})).await;
        stage.pass(25 * 3600);
        let ask = Ask { method: "POST", path: "/device/nonce", token: None, code: Some(&old), body: None };
        assert_eq!(phone.ask(&stage, ask).await.code(), "devices.code");
    }
}

#[tokio::test]
async fn an_enrolment_is_answered_again_for_minutes_a_few_times_and_never_after_a_revocation() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let enrolled = async || {
            let (code, mut phone) = (stage.code(json!({})).await, Handset::new());
            let nonce = stage.nonce(&phone, &code).await;
            let body = json!({ "key": phone.jwk, "platform": "none", "nonce": nonce });
            let ask = || Ask { method: "POST", path: "/device/enrol", token: None, code: Some(&code), body: Some(body.clone()) };
            let reply = phone.ask(&stage, ask()).await;
            phone.id = reply.body["device"]["id"].as_str().unwrap().to_owned();
            (phone, code, body)
        };
        let again = async |(phone, code, body): &(Handset, String, serde_json::Value)| {
            let ask = Ask { method: "POST", path: "/device/enrol", token: None, code: Some(code), body: Some(body.clone()) };
            phone.ask(&stage, ask).await
        };
        let (late, often, revoked) = (enrolled().await, enrolled().await, enrolled().await);
        assert_eq!(again(&late).await.status, StatusCode::CREATED);
        for _ in 0..5 {
            assert_eq!(again(&often).await.status, StatusCode::CREATED);
        }
        assert_eq!(again(&often).await.code(), "devices.too_often");
        let id = &revoked.0.id;
        stage.order("POST", &format!("/devices/{id}/lock"), Some(json!({ "reason": "r", "quarantine": true }))).await;
        stage.order("POST", &format!("/devices/{id}/unlock"), Some(json!({ "reason": "r" }))).await;
        assert_eq!(again(&revoked).await.code(), "devices.code");
        stage.pass(601);
        assert_eq!(again(&late).await.code(), "devices.code");
    }
}

#[tokio::test]
async fn a_request_needs_a_fresh_proof_about_itself_by_the_tokens_key() {
    let stage = Stage::new(Engine::Embedded).await;
    let phone = stage.phone(json!({})).await;
    let stranger = stage.phone(json!({})).await;
    let ask = Ask { method: "POST", path: "/device/signals", token: Some(&phone.access), code: None, body: Some(json!({})) };
    let proof = phone.proof("POST", "/device/signals", Some(&phone.access), |_| {});
    assert_eq!(phone.once(&stage, &ask, &proof).await.status, StatusCode::OK);
    let replayed = phone.once(&stage, &ask, &proof).await;
    assert_eq!((replayed.status, replayed.code()), (StatusCode::UNAUTHORIZED, "devices.proof_used"));
    assert!(replayed.headers["www-authenticate"].to_str().unwrap().contains("invalid_dpop_proof"));

    let by_stranger = stranger.proof("POST", "/device/signals", Some(&phone.access), |_| {});
    assert_eq!(phone.once(&stage, &ask, &by_stranger).await.code(), "devices.proof");
    for (name, value) in [
        ("htu", json!("https://phones.test/device/why")),
        ("htu", json!("https://elsewhere.test/device/signals")),
        ("htm", json!("GET")),
        ("ath", json!("AAAA")),
        ("jti", json!("")),
    ] {
        let wrong = phone.proof("POST", "/device/signals", Some(&phone.access), |claims| claims[name] = value);
        assert_eq!(phone.once(&stage, &ask, &wrong).await.code(), "devices.proof", "{name}");
    }
    let stale = phone.proof("POST", "/device/signals", Some(&phone.access), |claims| claims["nonce"] = json!("old"));
    let told = phone.once(&stage, &ask, &stale).await;
    assert_eq!((told.status, told.code()), (StatusCode::UNAUTHORIZED, "devices.use_dpop_nonce"));
    assert!(told.headers["www-authenticate"].to_str().unwrap().contains("use_dpop_nonce") && told.headers.contains_key("dpop-nonce"));

    // A refresh token is bound the same way, and is no access token; nor is a person's token.
    let ask = Ask { token: Some(&phone.refresh), ..ask };
    assert_eq!(phone.ask(&stage, ask).await.code(), "devices.token");
    stage.pass(331);
    let late = phone.knocks(&stage).await;
    assert_eq!((late.status, late.code()), (StatusCode::UNAUTHORIZED, "devices.token"), "over, also by the skew that is allowed");
}

#[tokio::test]
async fn who_cannot_attest_enrols_only_where_the_organisation_says_so() {
    let stage = Stage::with(Engine::Embedded, devices::Config { software_keys: false, ..config() }).await;
    let code = stage.code(json!({})).await;
    let phone = Handset::new();
    for (platform, allowed, expected) in [
        ("none", false, "devices.attestation_required"),
        ("app-attest", false, "devices.not_configured"),
        ("play-integrity", false, "devices.not_configured"),
        ("android-key", false, "devices.attestation"),
        ("none", true, ""),
    ] {
        stage.order("PATCH", "/devices/policy", Some(json!({ "software_keys": allowed }))).await;
        let nonce = stage.nonce(&phone, &code).await;
        let body = json!({ "key": phone.jwk, "platform": platform, "nonce": nonce, "evidence": "none" });
        let ask = Ask { method: "POST", path: "/device/enrol", token: None, code: Some(&code), body: Some(body) };
        assert_eq!(phone.ask(&stage, ask).await.code(), expected, "{platform}");
    }
}
