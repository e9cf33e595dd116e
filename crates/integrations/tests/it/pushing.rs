//! Events are brought to their receiver: signed, in order, again until they are taken, and visibly dead when they never will be.

use std::net::Ipv4Addr;

use serde_json::json;
use testkit::engines;

use crate::receiver::Receiver;
use crate::stage::{PUSH, Stage, kind, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_reaches_its_receiver_as_signed_events_about_phone_and_person() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let receiver = Receiver::start().await;
        let id = stage.stream(json!({ "method": PUSH, "endpoint_url": receiver.url(), "authorization_header": "Bearer of-theirs" })).await;
        let (phone, user) = stage.phone().await;
        stage.lock(phone, "left in a taxi").await;
        assert!(stage.work().await.is_empty());
        let came = receiver.take();
        assert_eq!(came.len(), 3);
        let mut kinds = Vec::new();
        let mut transactions = Vec::new();
        for one in &came {
            assert_eq!(one.headers["content-type"], "application/secevent+jwt");
            assert_eq!(one.headers["authorization"], "Bearer of-theirs");
            assert_eq!(one.headers["accept"], "application/json");
            let (header, claims) = stage.verified(&id, &one.token).await;
            assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("secevent+jwt"), Some("RS256")));
            assert!(claims.get("exp").is_none() && claims.get("sub").is_none() && claims.get("nbf").is_none(), "{claims}");
            assert_eq!(claims["iat"], stage.world.backends.clock.now().seconds());
            assert_eq!(claims["sub_id"]["format"], "complex");
            assert_eq!(claims["sub_id"]["device"]["sub"], phone.to_string());
            assert_eq!(claims["sub_id"]["user"]["sub"], user.to_string());
            assert_eq!(claims["sub_id"]["tenant"]["id"], stage.operator.tenant.to_string());
            assert_eq!(said(&claims)["initiating_entity"], "admin");
            assert_eq!(said(&claims)["reason_admin"]["en"], "left in a taxi");
            transactions.push(claims["txn"].clone());
            kinds.push(kind(&claims));
        }
        assert_eq!(kinds, ["session-revoked", "device-compliance-change", "risk-level-change"]);
        transactions.dedup();
        assert_eq!(transactions.len(), 1, "one thing happened");
        stage.unlock(phone, "found").await;
        assert!(stage.work().await.is_empty());
        let (_, claims) = stage.verified(&id, &receiver.take()[0].token).await;
        assert_eq!(
            (said(&claims)["previous_status"].as_str(), said(&claims)["current_status"].as_str()),
            (Some("not-compliant"), Some("compliant"))
        );
        let shown = stage.order("GET", &format!("/ssf/stream?stream_id={id}"), None).await;
        assert!(!shown.to_string().contains("of-theirs"), "a secret is never shown: {shown}");
        assert_eq!(stage.world.count("held_events").await, 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_gets_everything_once_and_in_order_when_it_is_back() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let port = testkit::free_port(Ipv4Addr::LOCALHOST.into());
        let id = stage.stream(json!({ "method": PUSH, "endpoint_url": format!("http://127.0.0.1:{port}/events") })).await;
        let (phone, _) = stage.phone().await;
        stage.lock(phone, "first").await;
        assert_eq!(stage.work().await[0].code(), "integrations.receiver");
        stage.unlock(phone, "second").await;
        stage.work().await;
        let shown = stage.integrations.stream(&stage.operator, id.parse().unwrap()).await.unwrap();
        assert!(shown.trouble.is_some(), "what is wrong is visible");
        // The process ends meanwhile.
        let stage = stage.restarted();
        let receiver = Receiver::on(port).await;
        receiver.answer(&[(503, ""), (401, r#"{"err":"authentication_failed","description":"who?"}"#)]);
        for _ in 0..4 {
            stage.pass(600);
            stage.work().await;
        }
        let mut told = Vec::new();
        for one in receiver.take() {
            let (_, claims) = stage.verified(&id, &one.token).await;
            told.push((claims["jti"].clone(), said(&claims)["reason_admin"]["en"].as_str().unwrap().to_owned(), kind(&claims)));
        }
        let refused = told[0].clone();
        assert_eq!((&told[1], &told[2]), (&refused, &refused), "the same event again, with the same id");
        let reasons: Vec<&str> = told[2..].iter().map(|(_, reason, _)| reason.as_str()).collect();
        assert_eq!(reasons, ["first", "first", "first", "second", "second"]);
        let shown = stage.integrations.stream(&stage.operator, id.parse().unwrap()).await.unwrap();
        assert!(shown.trouble.is_none(), "{:?}", shown.trouble);
        stage.pass(600);
        stage.work().await;
        assert!(receiver.take().is_empty(), "what was taken is not brought again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_refuses_is_dead_told_and_can_be_sent_again() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let receiver = Receiver::start().await;
        receiver.answer(&[(400, r#"{"err":"invalid_audience","description":"not for me"}"#)]);
        let id = stage.stream(json!({ "method": PUSH, "endpoint_url": receiver.url() })).await;
        let (phone, _) = stage.phone().await;
        stage.lock(phone, "lost").await;
        assert!(stage.work().await.is_empty(), "a refusal stops nothing");
        assert_eq!(receiver.take().len(), 3);
        let dead = stage.order("GET", &format!("/ssf/events?stream_id={id}&state=dead"), None).await;
        assert_eq!(dead["items"].as_array().unwrap().len(), 1);
        assert_eq!(dead["items"][0]["error"], "400 invalid_audience: not for me");
        let again = stage.order("POST", &format!("/ssf/resend?stream_id={id}"), None).await;
        assert_eq!(again["events"], 1);
        assert!(stage.work().await.is_empty());
        assert_eq!(receiver.take().len(), 1);
        let tally = stage.integrations.tally(&stage.operator, id.parse().unwrap()).await.unwrap();
        assert_eq!((tally.waiting, tally.delivered, tally.dead), (0, 3, 0));
        stage.pass(8 * 24 * 3_600);
        stage.work().await;
        // The lock's own end meanwhile is news.
        let left = stage.order("GET", &format!("/ssf/events?stream_id={id}&state=delivered"), None).await;
        let events: Vec<&str> = left["items"].as_array().unwrap().iter().map(|held| held["event"].as_str().unwrap()).collect();
        assert!(events.len() == 2 && !events.iter().any(|event| event.ends_with("session-revoked")), "forgotten after a week: {left}");
    }
}
