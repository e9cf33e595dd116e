//! Events are fetched by their receiver: the same again until it says that it has them, and at once when something happens.

use base::Permission;
use http::StatusCode;
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};

use crate::stage::{POLL, Stage, kind, said};

fn ids(answer: &Json) -> Vec<String> {
    answer["sets"].as_object().unwrap().keys().cloned().collect()
}

/// A polled stream that was told of a phone that was locked.
async fn lost(engine: Engine) -> (Stage, String) {
    let stage = Stage::new(engine).await;
    let id = stage.stream(json!({ "method": POLL })).await;
    let (phone, _) = stage.phone().await;
    stage.lock(phone, "lost").await;
    stage.work().await;
    (stage, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_events_come_until_they_are_acknowledged() {
    for engine in engines() {
        let (stage, id) = lost(engine).await;
        let first = stage.poll(&id, json!({ "maxEvents": 2 })).await;
        assert_eq!(first["moreAvailable"], true);
        assert_eq!(ids(&first), ids(&stage.poll(&id, json!({ "maxEvents": 2 })).await), "nothing was acknowledged");
        for (jti, token) in first["sets"].as_object().unwrap() {
            let (_, claims) = stage.verified(&id, token.as_str().unwrap()).await;
            assert_eq!(&claims["jti"], jti);
        }
        for (asked, code) in [
            (json!({ "ack": vec!["x"; 10_001] }), "integrations.too_many_answers"),
            (json!({ "setErrs": { "x": { "err": "e".repeat(257) } } }), "integrations.text"),
        ] {
            let (status, refused) = stage.ask(Some(&stage.operator), "POST", &format!("/ssf/poll/{id}"), Some(asked)).await;
            assert_eq!((status, refused["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code)));
        }
        let garbage = json!({ "ack": ["", "nonsense", "0190b8a0-0000-7000-8000-000000000000"], "setErrs": { "x": { "err": "jwtParse" } } });
        assert_eq!(ids(&stage.poll(&id, garbage).await).len(), 3, "what is not ours to acknowledge is nothing");
        let (taken, refused) = (ids(&first)[0].clone(), ids(&first)[1].clone());
        let rest = stage
            .poll(&id, json!({ "ack": [taken, taken], "setErrs": { refused.clone(): { "err": "invalid_key", "description": "unknown" } } }))
            .await;
        assert_eq!(ids(&rest).len(), 1);
        assert!(rest.get("moreAvailable").is_none());
        let dead = stage.order("GET", &format!("/ssf/events?stream_id={id}&state=dead"), None).await;
        assert_eq!((&dead["items"][0]["id"], &dead["items"][0]["error"]), (&json!(refused), &json!("invalid_key: unknown")));
        let none = stage.order("POST", &format!("/ssf/poll/{id}"), Some(json!({ "maxEvents": 0, "ack": ids(&rest) }))).await;
        assert_eq!(none, json!({ "sets": {} }), "acknowledging alone waits for nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_takes_no_event_from_its_receiver() {
    for engine in engines() {
        let (stage, id) = lost(engine).await;
        let mut onlooker = stage.operator.clone();
        onlooker.permissions.remove(&Permission::WriteIntegrations);
        let path = format!("/ssf/poll/{id}");
        let (status, seen) = stage.ask(Some(&onlooker), "POST", &path, Some(json!({ "returnImmediately": true }))).await;
        assert_eq!(status, StatusCode::OK, "{seen}");
        for taking in [json!({ "ack": ids(&seen) }), json!({ "setErrs": { ids(&seen)[0].clone(): { "err": "x", "description": "y" } } })] {
            let (status, _) = stage.ask(Some(&onlooker), "POST", &path, Some(taking)).await;
            assert_eq!(status, StatusCode::FORBIDDEN);
        }
        assert_eq!(ids(&stage.poll(&id, json!({})).await), ids(&seen), "all of it still waits");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_waits_for_what_happens_next() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let id = stage.stream(json!({ "method": POLL, "endpoint_url": "https://ignored.example" })).await;
        let (phone, _) = stage.phone().await;
        let happens = async {
            stage.lock(phone, "lost").await;
            stage.work().await;
        };
        let path = format!("/ssf/poll/{id}");
        let (answer, ()) = tokio::join!(stage.order("POST", &path, Some(json!({}))), happens);
        assert!(!ids(&answer).is_empty(), "{answer}");
        let acknowledged = stage.poll(&id, json!({ "ack": ids(&stage.poll(&id, json!({})).await) })).await;
        assert!(ids(&acknowledged).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_switch_is_one_event_about_whom_it_stops() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let id = stage.stream(json!({ "method": POLL })).await;
        let (phone, user) = stage.phone().await;
        stage.phone().await;
        stage.stop(None, "outbreak").await;
        stage.stop(Some(phone), "this one").await;
        let answer = stage.poll(&id, json!({})).await;
        let mut told = Vec::new();
        for token in answer["sets"].as_object().unwrap().values() {
            let (_, claims) = stage.verified(&id, token.as_str().unwrap()).await;
            assert_eq!((kind(&claims).as_str(), &said(&claims)["initiating_entity"]), ("session-revoked", &json!("admin")));
            told.push((said(&claims)["reason_admin"]["en"].as_str().unwrap().to_owned(), claims["sub_id"].clone()));
        }
        told.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(told.iter().map(|(reason, _)| reason.as_str()).collect::<Vec<_>>(), ["outbreak", "this one"], "releases are no events");
        assert_eq!(told[0].1, json!({ "format": "complex", "tenant": { "format": "opaque", "id": stage.operator.tenant } }));
        let (device, user) = (&told[1].1["device"]["sub"], (&told[1].1["user"]["sub"], user.to_string()));
        assert_eq!((device, user.0), (&json!(phone.to_string()), &json!(user.1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_verifies_on() {
    let stage = Stage::new(testkit::Engine::Embedded).await;
    let id = stage.stream(json!({ "method": POLL })).await;
    let (phone, _) = stage.phone().await;
    stage.lock(phone, "lost").await;
    stage.work().await;
    let signed = async || {
        let answer = stage.poll(&id, json!({ "maxEvents": 1 })).await;
        let token = answer["sets"].as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        (stage.verified(&id, &token).await.0["kid"].as_str().unwrap().to_owned(), token)
    };
    let (before, old) = signed().await;
    let rotated = stage.integrations.rotate_keys(&stage.operator).await.unwrap();
    assert_eq!((signed().await.0, &rotated.previous), (before.clone(), &before), "receivers must have had time to read the new one");
    stage.pass(3_601);
    assert_eq!(signed().await.0, rotated.next);
    stage.verified(&id, &old).await;
    stage.pass(8 * 24 * 3_600);
    let keys = stage.integrations.jwks().await.unwrap();
    assert_eq!(
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect::<Vec<_>>(),
        [rotated.next.as_str()]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_locked_out_is_told_too() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let auth = auth::Auth::new(&stage.world.backends, auth::Config::default());
        let home = base::Actor::system(auth.home_tenant().await.unwrap(), base::Source::Cli);
        let new = |name: &str, role| auth::NewUser {
            username: name.to_owned(),
            email: format!("{name}@example.org"),
            roles: vec![role],
            units: Vec::new(),
            password: Some(base::Secret::new("a sentence nobody guesses 9".to_owned())),
            language: base::Language::English,
        };
        auth.create_user(&home, new("ada", base::Role::Admin)).await.unwrap();
        let bob = auth.create_user(&home, new("bob", base::Role::Viewer)).await.unwrap().user.id;
        let stream = stage.integrations.create_stream(&home, integrations::NewStream::default()).await.unwrap();
        auth.lock_user(&home, bob, "left the company").await.unwrap();
        stage.work().await;
        let asked = integrations::PollRequest { return_immediately: true, ..integrations::PollRequest::default() };
        let answer = stage.integrations.poll(&home, stream.id, asked).await.unwrap();
        let (_, claims) = stage.verified(&stream.id.to_string(), answer.sets.values().next().unwrap()).await;
        assert_eq!(kind(&claims), "session-revoked");
        assert_eq!(claims["sub_id"]["user"]["sub"], bob.to_string());
        assert!(claims["sub_id"].get("device").is_none());
        assert_eq!(said(&claims)["reason_admin"]["en"], "left the company");
    }
}
