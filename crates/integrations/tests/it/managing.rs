//! Streams are discovered, made, changed, paused, verified and ended; nobody else's are there.

use base::Role;
use http::StatusCode;
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};

use crate::stage::{ISSUER, POLL, PUSH, Stage, kind, said};

const RISK: &str = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change";

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_finds_everything_it_needs_from_one_address() {
    let stage = Stage::new(Engine::Embedded).await;
    let (status, found) = stage.ask(None, "GET", "/.well-known/ssf-configuration", None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((found["issuer"].as_str(), found["spec_version"].as_str()), (Some(ISSUER), Some("1_0")));
    assert_eq!(found["delivery_methods_supported"], json!([PUSH, POLL]));
    assert_eq!(found["jwks_uri"], format!("{ISSUER}/.well-known/ssf-jwks.json"));
    assert!(found["authorization_schemes"].as_array().unwrap().contains(&json!({ "spec_urn": "urn:ietf:rfc:6749" })));
    for endpoint in ["configuration", "status", "add_subject", "remove_subject", "verification"] {
        let address = found[format!("{endpoint}_endpoint")].as_str().unwrap();
        let path = address.strip_prefix(&format!("{ISSUER}/api/v1")).unwrap();
        let (status, _) = stage.ask(None, "POST", path, Some(json!({}))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{address} is there, for whom it knows");
    }
    let (_, keys) = stage.ask(None, "GET", "/.well-known/ssf-jwks.json", None).await;
    let modulus = keys["keys"][0]["n"].as_str().unwrap();
    assert!(modulus.len() * 3 / 4 >= 256, "at least 2048 bits");
    assert!(keys["keys"][0].get("d").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_made_changed_and_ended() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let wanted = json!({ "events_requested": [RISK, "urn:of:tomorrow"], "format": "iss_sub", "description": "our identity provider" });
        let made = stage.order("POST", "/ssf/stream", Some(wanted)).await;
        let id = made["stream_id"].as_str().unwrap();
        assert_eq!(made["events_delivered"], json!([RISK]), "what is unknown is kept and not brought");
        assert_eq!(made["delivery"], json!({ "method": POLL, "endpoint_url": format!("{ISSUER}/api/v1/ssf/poll/{id}") }));
        assert_eq!(stage.order("GET", &format!("/ssf/stream?stream_id={id}"), None).await, made);
        assert_eq!(stage.order("GET", "/ssf/stream", None).await, json!([made]));

        let pushed =
            json!({ "stream_id": id, "aud": made["aud"], "delivery": { "method": PUSH, "endpoint_url": "https://idp.example/events" } });
        let changed = stage.order("PATCH", "/ssf/stream", Some(pushed)).await;
        assert_eq!((&changed["delivery"]["method"], &changed["events_delivered"]), (&json!(PUSH), &json!([RISK])), "the rest stays");
        let whole = stage.order("PUT", "/ssf/stream", Some(json!({ "stream_id": id }))).await;
        assert_eq!((&whole["delivery"]["method"], whole.get("description")), (&json!(POLL), None), "what is not said is taken back");
        for (wrong, code) in [
            (json!({ "stream_id": id, "iss": "https://other.example" }), "integrations.read_only"),
            (json!({ "stream_id": id, "delivery": { "method": PUSH } }), "integrations.endpoint"),
            (json!({ "stream_id": id, "delivery": { "method": PUSH, "endpoint_url": "http://idp.example/" } }), "integrations.endpoint"),
            (json!({ "stream_id": id, "delivery": { "method": PUSH, "endpoint_url": "file:///etc/passwd" } }), "integrations.endpoint"),
            (
                json!({ "stream_id": id, "delivery": { "method": PUSH, "endpoint_url": "https://a.example", "authorization_header": "a\nb" } }),
                "integrations.authorization",
            ),
            (json!({ "stream_id": id, "description": "two\nlines" }), "integrations.text"),
        ] {
            let (status, problem) = stage.ask(Some(&stage.operator), "PATCH", "/ssf/stream", Some(wrong)).await;
            assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code)), "{problem}");
        }
        assert_eq!(stage.order("DELETE", &format!("/ssf/stream?stream_id={id}"), None).await, Json::Null);
        let (gone, _) = stage.ask(Some(&stage.operator), "GET", &format!("/ssf/stream?stream_id={id}"), None).await;
        assert_eq!(gone, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_stream_keeps_events_a_disabled_one_does_not_and_both_can_be_verified() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let id = stage.stream(json!({ "method": POLL })).await;
        let (phone, _) = stage.phone().await;
        stage.order("POST", "/ssf/status", Some(json!({ "stream_id": id, "status": "paused", "reason": "maintenance" }))).await;
        assert_eq!(stage.order("GET", &format!("/ssf/status?stream_id={id}"), None).await["reason"], "maintenance");
        stage.lock(phone, "lost").await;
        stage.work().await;
        stage.order("POST", "/ssf/verify", Some(json!({ "stream_id": id, "state": "do you hear me?" }))).await;
        let (soon, problem) = stage.ask(Some(&stage.operator), "POST", "/ssf/verify", Some(json!({ "stream_id": id }))).await;
        assert_eq!(soon, StatusCode::TOO_MANY_REQUESTS, "{problem}");
        let answer = stage.poll(&id, json!({})).await;
        let (jti, token) = answer["sets"].as_object().unwrap().iter().next().unwrap();
        let (_, claims) = stage.verified(&id, token.as_str().unwrap()).await;
        assert_eq!(kind(&claims), "verification");
        assert_eq!(claims["sub_id"], json!({ "format": "opaque", "id": id }));
        assert_eq!(said(&claims)["state"], "do you hear me?");
        assert!(stage.poll(&id, json!({ "ack": [jti] })).await["sets"].as_object().unwrap().is_empty(), "the rest is kept");
        stage.order("POST", "/ssf/status", Some(json!({ "stream_id": id, "status": "enabled" }))).await;
        assert_eq!(stage.poll(&id, json!({})).await["sets"].as_object().unwrap().len(), 3);
        stage.order("POST", "/ssf/status", Some(json!({ "stream_id": id, "status": "disabled" }))).await;
        stage.unlock(phone, "found").await;
        stage.work().await;
        stage.order("POST", "/ssf/status", Some(json!({ "stream_id": id, "status": "enabled" }))).await;
        assert!(stage.poll(&id, json!({})).await["sets"].as_object().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_about_whom_a_receiver_took_out() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let id = stage.stream(json!({ "method": POLL })).await;
        let (one, user) = stage.phone().await;
        let (other, _) = stage.phone().await;
        let person = json!({ "format": "iss_sub", "iss": ISSUER, "sub": user });
        stage.order("POST", "/ssf/subjects/remove", Some(json!({ "stream_id": id, "subject": person }))).await;
        stage.lock(one, "lost").await;
        stage.lock(other, "lost").await;
        stage.work().await;
        let answer = stage.poll(&id, json!({})).await;
        assert_eq!(answer["sets"].as_object().unwrap().len(), 3, "of one phone alone");
        stage.order("POST", "/ssf/subjects/add", Some(json!({ "stream_id": id, "subject": person, "verified": true }))).await;
        stage.unlock(one, "found").await;
        stage.work().await;
        assert_eq!(stage.poll(&id, json!({})).await["sets"].as_object().unwrap().len(), 5);
        let (status, problem) = stage
            .ask(Some(&stage.operator), "POST", "/ssf/subjects/add", Some(json!({ "stream_id": id, "subject": { "format": "email" } })))
            .await;
        assert_eq!((status, problem["code"].as_str()), (StatusCode::BAD_REQUEST, Some("integrations.subject")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_other_organisations_are_not_there_and_readers_change_nothing() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let id = stage.stream(json!({ "method": POLL })).await;
        let subject = json!({ "format": "opaque", "id": "x" });
        let asked = [
            ("GET", format!("/ssf/stream?stream_id={id}"), None, true),
            ("PATCH", "/ssf/stream".to_owned(), Some(json!({ "stream_id": id })), false),
            ("PUT", "/ssf/stream".to_owned(), Some(json!({ "stream_id": id })), false),
            ("GET", format!("/ssf/status?stream_id={id}"), None, true),
            ("POST", "/ssf/status".to_owned(), Some(json!({ "stream_id": id, "status": "paused" })), false),
            ("POST", "/ssf/subjects/add".to_owned(), Some(json!({ "stream_id": id, "subject": subject })), false),
            ("POST", "/ssf/subjects/remove".to_owned(), Some(json!({ "stream_id": id, "subject": subject })), false),
            ("POST", "/ssf/verify".to_owned(), Some(json!({ "stream_id": id })), false),
            ("POST", format!("/ssf/poll/{id}"), Some(json!({ "returnImmediately": true })), true),
            ("GET", format!("/ssf/events?stream_id={id}"), None, true),
            ("POST", format!("/ssf/resend?stream_id={id}"), None, false),
            ("DELETE", format!("/ssf/stream?stream_id={id}"), None, false),
        ];
        let (stranger, reader, viewer) =
            (stage.world.other(&[Role::Admin]), stage.world.actor(&[Role::BlueTeam]), stage.world.actor(&[Role::Viewer]));
        for (method, path, body, is_reading) in asked {
            let (status, _) = stage.ask(Some(&stranger), method, &path, body.clone()).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
            let (status, _) = stage.ask(Some(&viewer), method, &path, body.clone()).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
            let (status, _) = stage.ask(None, method, &path, body.clone()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
            let (status, _) = stage.ask(Some(&reader), method, &path, body).await;
            assert_eq!(status == StatusCode::FORBIDDEN, !is_reading, "{method} {path}: {status}");
        }
        let (status, listed) = stage.ask(Some(&stranger), "GET", "/ssf/stream", None).await;
        assert_eq!((status, listed), (StatusCode::OK, json!([])));
        let (phone, _) = stage.phone().await;
        let theirs = stage.integrations.create_stream(&stranger, integrations::NewStream::default()).await.unwrap();
        stage.lock(phone, "lost").await;
        stage.work().await;
        let tally = stage.integrations.tally(&stranger, theirs.id).await.unwrap();
        assert_eq!(tally.waiting, 0, "what happens elsewhere is nobody's business");
    }
}
