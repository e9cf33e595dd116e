//! Many at once: of all who bring a nonce or the head of a chain, one wins, and the honest loser is told what the winner got.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::json;
use testkit::engines;

use crate::evidence::Google;
use crate::handset::{Ask, Handset};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_bring_one_code_one_enrols() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        for _ in 0..4 {
            let code = stage.code(json!({})).await;
            let nonce = stage.nonce(&Handset::new(), &code).await;
            let rivals: Vec<Handset> = (0..32).map(|_| Handset::new()).collect();
            let replies = futures::future::join_all(rivals.iter().map(|rival| {
                let body = json!({ "key": rival.jwk, "platform": "none", "nonce": nonce });
                rival.ask(&stage, Ask { method: "POST", path: "/device/enrol", token: None, code: Some(&code), body: Some(body) })
            }))
            .await;
            let won = replies.iter().filter(|reply| reply.status == StatusCode::CREATED).count();
            assert_eq!(won, 1, "{engine:?}");
            assert!(replies.iter().all(|reply| ["", "devices.nonce", "devices.code"].contains(&reply.code())));
        }
        assert_eq!(stage.world.count("devices").await, 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_spend_one_nonce_one_is_judged() {
    for engine in engines() {
        let google = Google::new();
        let stage = Stage::with(engine, devices::Config { failures: 1_000, ..google.config() }).await;
        let phone = google.phone(&stage).await;
        for round in 0..4 {
            let nonce = phone.challenge(&stage).await;
            // All of it is good; each is another request.
            let evidence = (0..32).map(|rival| {
                google.verdict(&stage, &phone, &nonce, |payload| payload["appIntegrity"]["versionCode"] = json!(rival.to_string()))
            });
            let asks = evidence
                .map(|evidence| phone.keyed(&stage, "POST", "/device/attest", Some(json!({ "nonce": nonce, "evidence": evidence }))));
            let replies = futures::future::join_all(asks).await;
            let won = replies.iter().filter(|reply| reply.status == StatusCode::OK).count();
            assert_eq!(won, 1, "{engine:?}");
            assert!(replies.iter().all(|reply| ["", "devices.nonce"].contains(&reply.code())));
            assert_eq!(stage.logged("devices.attest").await, round + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_is_refused_gets_no_tokens_however_often_it_comes_at_once() {
    for engine in engines() {
        let google = Google::new();
        let stage = Stage::with(engine, devices::Config { failures: 1_000, ..google.config() }).await;
        for _ in 0..4 {
            let phone = google.phone(&stage).await;
            // Its row says that it passed; what it held is revoked.
            stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "r", "quarantine": true }))).await;
            stage.order("POST", &format!("/devices/{}/unlock", phone.id), Some(json!({ "reason": "r" }))).await;
            let nonce = phone.challenge(&stage).await;
            let evidence = google.verdict(&stage, &phone, &nonce, |payload| payload["deviceIntegrity"] = json!({}));
            let body = json!({ "nonce": nonce, "evidence": evidence, "wants_tokens": true });
            let replies =
                futures::future::join_all((0..16).map(|_| phone.keyed(&stage, "POST", "/device/attest", Some(body.clone())))).await;
            for reply in replies {
                assert!(["devices.attestation", "devices.nonce"].contains(&reply.code()), "{engine:?}: {}", reply.body);
            }
            let late = phone.keyed(&stage, "POST", "/device/attest", Some(body)).await;
            assert_eq!(late.code(), "devices.attestation", "the repetition is told what the first try was told");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refreshes_at_once_one_moves_the_head_and_all_get_the_same_successor() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let mut phone = stage.phone(json!({})).await;
        for round in 1..=3 {
            // Ask once, so that no proof is sent back for its nonce.
            phone.knocks(&stage).await;
            let replies = futures::future::join_all((0..100).map(|_| phone.exchange(&stage, &phone.refresh))).await;
            let successors: BTreeSet<String> = replies
                .iter()
                .map(|reply| {
                    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
                    reply.body["refresh_token"].as_str().unwrap().to_owned()
                })
                .collect();
            assert_eq!(successors.len(), 1, "{engine:?}");
            assert_eq!(stage.logged("devices.refresh").await, round, "the head moved once");
            phone.take(&replies[0].body);
        }
        assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"), "a lost reply locks nobody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_and_releases_at_once_leave_one_lock_or_none() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        let phone = stage.phone(json!({})).await;
        let path = |verb: &str| format!("/devices/{}/{verb}", phone.id);
        let (lock, unlock) = (path("lock"), path("unlock"));
        let asks = (0..40).map(|index| {
            let verb = if index % 2 == 0 { &lock } else { &unlock };
            stage.ask(&stage.operator, "POST", verb, Some(json!({ "reason": "race" })))
        });
        for (status, answer) in futures::future::join_all(asks).await {
            assert!(status == StatusCode::OK || answer["code"] == "devices.not_locked", "{status} {answer}");
        }
        let locks = stage.order("GET", &path("locks"), None).await;
        let open = locks["items"].as_array().unwrap().iter().filter(|lock| lock["released_at"].is_null()).count();
        let is_locked = stage.shown(&phone).await["posture"] == "lock";
        assert_eq!(open, usize::from(is_locked));
        let expected = if is_locked { StatusCode::FORBIDDEN } else { StatusCode::OK };
        assert_eq!(phone.knocks(&stage).await.status, expected);
        let commands = stage.order("GET", &path("commands"), None).await;
        let numbers: Vec<i64> = commands["items"].as_array().unwrap().iter().map(|item| item["sequence"].as_i64().unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len() as i64).rev().collect::<Vec<_>>(), "numbered without gaps");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_change_different_things_of_a_policy_at_once_lose_neither() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        for round in 0..10 {
            let wanted = round % 2 == 0;
            let patches = [json!({ "shadow": wanted }), json!({ "software_keys": wanted })];
            let asks = patches.map(|patch| stage.ask(&stage.operator, "PATCH", "/devices/policy", Some(patch)));
            for (status, answer) in futures::future::join_all(asks).await {
                assert_eq!(status, StatusCode::OK, "{answer}");
            }
            let policy = stage.order("GET", "/devices/policy", None).await;
            assert_eq!((policy["shadow"].as_bool(), policy["software_keys"].as_bool()), (Some(wanted), Some(wanted)), "{engine:?} {round}");
        }
    }
}
