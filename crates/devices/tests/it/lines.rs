//! Open lines: who gets one, what comes down it on which node, and how it ends.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value as Json, json};
use testkit::{Engine, engines, eventually, serve};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::handset::Handset;
use crate::stage::{Stage, config};
use crate::wire::{Came, JSON, PROTOBUF, Wire, ask, commands, dial, request};

async fn open(phone: &Handset, stage: &Stage, query: &str) -> Wire {
    let mut wire = dial(phone, serve(stage.router.clone()).await, JSON, query).await.unwrap();
    let welcome = wire.told().await;
    assert!(welcome["welcome"]["proof_nonce"].is_string(), "{welcome}");
    phone.learn(welcome["welcome"]["proof_nonce"].as_str().unwrap());
    wire
}

async fn overlay(stage: &Stage, phone: &Handset, message: &str) {
    stage.order("POST", &format!("/devices/{}/overlay", phone.id), Some(json!({ "message": message }))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_speak_is_refused_before_the_line_opens() {
    let stage = Stage::new(Engine::Embedded).await;
    let address = serve(stage.router.clone()).await;
    let phone = stage.phone(json!({})).await;
    phone.knocks(&stage).await;
    let wire = dial(&phone, address, PROTOBUF, "").await.unwrap();
    assert_eq!(wire.protocol, PROTOBUF, "neither token nor proof is echoed");
    let refused = async |change: &dyn Fn(&mut http::Request<()>), query: &str| {
        let mut request = request(&phone, JSON, query);
        change(&mut request);
        let (status, body, nonce) = ask(request, TcpStream::connect(address).await.unwrap()).await.err().unwrap();
        assert!(nonce.is_some(), "every answer to a phone tells the nonce");
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let protocols = |text: &str| {
        let text = text.to_owned();
        move |request: &mut http::Request<()>| drop(request.headers_mut().insert("sec-websocket-protocol", text.parse().unwrap()))
    };
    let proof = || phone.proof("GET", "/device/stream", Some(&phone.access), |_| {});
    let elsewhere = phone.proof("GET", "/device/commands", Some(&phone.access), |_| {});
    let token = &phone.access;
    let stranger = Handset::new().proof("GET", "/device/stream", Some(token), |claims| {
        let own = phone.proof("GET", "/device/stream", Some(token), |_| {});
        let payload = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, own.split('.').nth(1).unwrap()).unwrap();
        claims["nonce"] = serde_json::from_slice::<Json>(&payload).unwrap()["nonce"].clone();
    });
    let origin = |request: &mut http::Request<()>| drop(request.headers_mut().insert("origin", "https://evil.example".parse().unwrap()));
    for (change, query, expected) in [
        (&origin as &dyn Fn(&mut http::Request<()>), "", (403, "devices.foreign_origin")),
        (&|_| {}, "?token=abc", (400, "devices.token_in_address")),
        (&|_| {}, "?after=many", (400, "devices.field")),
        (&protocols(JSON), "", (401, "devices.token")),
        (&protocols(&format!("tyrian.token.{token}, {JSON}")), "", (401, "devices.proof")),
        (&protocols(&format!("tyrian.token.{token}, {JSON}, tyrian.proof.{elsewhere}")), "", (401, "devices.proof")),
        (&protocols(&format!("tyrian.token.{token}, {JSON}, tyrian.proof.{stranger}")), "", (401, "devices.proof")),
        (&protocols(&format!("tyrian.token.{token}, tyrian.proof.{}", proof())), "", (400, "devices.no_upgrade")),
    ] {
        assert_eq!(refused(change, query).await, (expected.0, expected.1.to_owned()));
    }
    stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "r" }))).await;
    assert_eq!(refused(&|_| {}, "").await, (403, "devices.locked".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_arrives_on_another_node_at_once_and_ends_the_line() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.devices.start();
        let (_, router) = stage.node();
        let phone = stage.phone(json!({})).await;
        phone.knocks(&stage).await;
        let mut wire = dial(&phone, serve(router).await, JSON, "").await.unwrap();
        assert_eq!(wire.told().await["welcome"]["posture"].as_str(), Some("observe"));
        stage.order("POST", &format!("/devices/{}/lock", phone.id), Some(json!({ "reason": "lost" }))).await;
        let ordered = std::time::Instant::now();
        let command = wire.told().await;
        assert_eq!((command["command"]["kind"].as_str(), command["command"]["sequence"].as_i64()), (Some("CRITICAL_LOCK"), Some(1)));
        let farewell = wire.told().await;
        assert_eq!(farewell["farewell"]["code"].as_str(), Some("devices.locked"), "{farewell}");
        assert!(ordered.elapsed() < Duration::from_secs(1), "{:?}", ordered.elapsed());
        wire.say(json!({ "number": 9, "acknowledgement": { "sequence": 1, "outcome": "done" } })).await;
        let (told, code, _) = wire.rest().await;
        assert_eq!((told[0]["acknowledged"]["outcome"].as_str(), code), (Some("done"), 4403), "{told:?}");
        assert_eq!(dial(&phone, serve(stage.router.clone()).await, JSON, "").await.err().as_deref(), Some("devices.locked"));
        stage.order("POST", &format!("/devices/{}/unlock", phone.id), Some(json!({ "reason": "found" }))).await;
        let mut wire = open(&phone, &stage, "?after=1").await;
        assert_eq!(wire.told().await["command"]["kind"].as_str(), Some("RELEASE"), "what was answered is not told again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_nobody_answered_are_told_again_once_after_the_line_broke() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.devices.start();
        let phone = stage.phone(json!({})).await;
        phone.knocks(&stage).await;
        let mut wire = open(&phone, &stage, "").await;
        for message in ["one", "two", "three"] {
            overlay(&stage, &phone, message).await;
        }
        let mut told = Vec::new();
        while commands(&told).len() < 3 {
            told.push(wire.told().await);
        }
        let done = |sequence: i64| json!({ "acknowledgement": { "sequence": sequence, "outcome": "done" } });
        assert_eq!(wire.answer(1, done(1)).await["acknowledged"]["sequence"].as_i64(), Some(1));
        assert_eq!(commands(&told), [1, 2, 3], "each once, however often the line was woken");
        drop(wire);
        overlay(&stage, &phone, "four").await;
        let mut wire = open(&phone, &stage, "?after=3").await;
        let mut told = Vec::new();
        while commands(&told).len() < 3 {
            told.push(wire.told().await);
        }
        assert_eq!(commands(&told), [2, 3, 4]);
        for sequence in [2, 3, 4] {
            wire.answer(7, done(sequence)).await;
        }
        let refused = json!({ "acknowledgement": { "sequence": 2, "outcome": "failed" } });
        assert_eq!(wire.answer(8, refused).await["acknowledged"]["outcome"].as_str(), Some("done"), "the first answer stands");
        drop(wire);
        let mut wire = open(&phone, &stage, "").await;
        let first = wire.answer(1, json!({ "challenge": {} })).await;
        assert!(first["challenge"]["nonce"].is_string(), "nothing stands before the first answer: {first}");
        let mine = stage.order("GET", &format!("/devices/{}/commands", phone.id), None).await;
        assert!(mine["items"].as_array().unwrap().iter().all(|command| command["outcome"] == "done"), "{mine}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_lives_as_long_as_its_token_and_a_newer_one_keeps_it_open() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.devices.start();
        let mut phone = stage.phone(json!({})).await;
        phone.knocks(&stage).await;
        let mut wire = open(&phone, &stage, "").await;
        stage.pass(200);
        let tokens = phone.exchange(&stage, &phone.refresh).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        phone.take(&tokens.body);
        let renewal = |proof: String| json!({ "renewal": { "access_token": phone.access, "proof": proof } });
        let proof = || phone.proof("GET", "/device/stream", Some(&phone.access), |_| {});
        phone.learn("an old one");
        let stale = wire.answer(1, renewal(proof())).await;
        assert_eq!(stale["refusal"]["code"].as_str(), Some("devices.use_dpop_nonce"));
        phone.learn(stale["refusal"]["proof_nonce"].as_str().unwrap());
        let good = proof();
        assert!(wire.answer(2, renewal(good.clone())).await["renewed"]["expires_at"].is_string());
        assert_eq!(wire.answer(3, renewal(good)).await["refusal"]["code"].as_str(), Some("devices.proof_used"));
        // The first token and the skew between our nodes are over.
        stage.pass(140);
        assert!(wire.answer(4, json!({ "readings": {} })).await["receipt"].is_object(), "the newer token counts");
        stage.pass(200);
        let (told, code, _) = wire.rest().await;
        assert_eq!((told[0]["farewell"]["code"].as_str(), code), (Some("devices.token"), 4401), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_refresh_token_and_a_kill_switch_end_lines() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.devices.start();
        stage.order("PATCH", "/devices/policy", Some(json!({ "shadow": true }))).await;
        let (robbed, other) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
        robbed.knocks(&stage).await;
        other.knocks(&stage).await;
        let (mut one, mut two) = (open(&robbed, &stage, "").await, open(&other, &stage, "").await);
        Handset::new().exchange(&stage, &robbed.refresh).await;
        let (told, code, _) = one.rest().await;
        assert_eq!((told.last().unwrap()["farewell"]["code"].as_str(), code), (Some("devices.revoked"), 4401), "{told:?}");
        let proposed = stage.order("POST", "/devices/switches", Some(json!({ "scope": "tenant", "reason": "outbreak" }))).await;
        let path = format!("/devices/switches/{}/confirm", proposed["id"].as_str().unwrap());
        stage.order("POST", &path, Some(json!({ "password": crate::stage::PASSWORD }))).await;
        let (told, code, _) = two.rest().await;
        assert_eq!((told[0]["farewell"]["code"].as_str(), code), (Some("devices.stopped"), 4403), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_has_one_line_and_the_newer_one_wins_on_any_node() {
    for engine in engines() {
        let stage = Stage::new(engine).await;
        stage.devices.start();
        let (_, router) = stage.node();
        let elsewhere = serve(router).await;
        let phone = stage.phone(json!({})).await;
        phone.knocks(&stage).await;
        let mut first = open(&phone, &stage, "").await;
        // The first node hears of the second line when it listens to the bus.
        let mut second = None;
        eventually("the older line ends", async || {
            second = Some(dial(&phone, elsewhere, JSON, "").await.unwrap());
            matches!(tokio::time::timeout(Duration::from_millis(300), first.came()).await, Ok(Came::Told(told)) if told["farewell"]["code"] == "replaced")
        })
        .await;
        assert!(matches!(first.came().await, Came::Closed(4409, _)));
        let mut second = second.unwrap();
        assert!(second.answer(1, json!({ "readings": {} })).await["receipt"].is_object());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused_and_what_is_too_much_ends_the_line() {
    let stage = Stage::with(Engine::Embedded, devices::Config { requests_per_minute: 10, ..config() }).await;
    stage.devices.start();
    let (loud, large) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
    let mut wire = open(&loud, &stage, "").await;
    let oversize = json!({ "readings": { "accelerometer": vec![json!([1, 0, 0, 0]); 10_001] } });
    for (message, code, field) in [
        (json!({ "readings": { "magnetometer": [] } }), "web.body_shape", Some("/readings/magnetometer")),
        (json!({}), "devices.message", None),
        (oversize, "devices.batch", Some("/accelerometer")),
        (json!({ "acknowledgement": { "sequence": 77, "outcome": "done" } }), "devices.no_command", None),
    ] {
        wire.say(message).await;
        let told = wire.told().await;
        assert_eq!((told["refusal"]["code"].as_str(), told["refusal"]["field"].as_str()), (Some(code), field), "{told}");
    }
    for _ in 0..7 {
        wire.say(json!({ "readings": {} })).await;
    }
    let (told, code, _) = wire.rest().await;
    assert_eq!((told.last().unwrap()["farewell"]["code"].as_str(), code), (Some("devices.too_often"), 4429));
    assert!(told.last().unwrap()["farewell"]["retry_after_ms"].as_u64().unwrap() > 0);
    let mut wire = open(&large, &stage, "").await;
    wire.say(json!({ "readings": { "x": "y".repeat(3 << 20) } })).await;
    let (told, code, _) = wire.rest().await;
    assert_eq!((told[0]["farewell"]["code"].as_str(), code), (Some("too_large"), 1009));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_phone_is_pinged_and_then_given_up() {
    let stage = Stage::new(Engine::Embedded).await;
    stage.devices.start();
    let phone = stage.phone(json!({})).await;
    phone.knocks(&stage).await;
    let mut wire = open(&phone, &stage, "").await;
    for _ in 0..2 {
        stage.pass(31);
        // Read past the client, which would answer.
        let mut frame = [0; 2];
        wire.socket.get_mut().read_exact(&mut frame).await.unwrap();
        assert_eq!(frame, [0x89, 0], "an empty ping");
    }
    stage.pass(31);
    let (told, code, _) = wire.rest().await;
    assert_eq!((told[0]["farewell"]["code"].as_str(), code), (Some("silent"), 4408));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_takes_nothing_is_given_up() {
    let stage = Stage::new(Engine::Embedded).await;
    stage.devices.start();
    let phone = stage.phone(json!({})).await;
    phone.knocks(&stage).await;
    let (near, far) = tokio::io::duplex(2_048);
    let service = hyper_util::service::TowerToHyperService::new(stage.router.clone());
    tokio::spawn(async move {
        let builder = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
        let _ = builder.serve_connection_with_upgrades(hyper_util::rt::TokioIo::new(far), service).await;
    });
    let mut wire = ask(request(&phone, JSON, ""), near).await.ok().unwrap();
    for number in 0..12 {
        overlay(&stage, &phone, &format!("{number} {}", "x".repeat(500))).await;
    }
    // Nothing is read meanwhile: the first few fill what lies between, then the line waits and ends.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let mut told = Vec::new();
    loop {
        match wire.came().await {
            Came::Told(word) => told.push(word),
            Came::Cut | Came::Closed(..) => break,
            Came::Bytes(other) => panic!("{other:?}"),
        }
    }
    assert!(commands(&told).len() < 12, "{}", told.len());
    let mut wire = open(&phone, &stage, "").await;
    let mut told = Vec::new();
    while commands(&told).len() < 12 {
        told.push(wire.told().await);
    }
    assert_eq!(commands(&told), (1..=12).collect::<Vec<_>>(), "all of it waited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_tells_each_phone_when_to_come_back() {
    let stage = Stage::new(Engine::Embedded).await;
    stage.devices.start();
    let (one, two) = (stage.phone(json!({})).await, stage.phone(json!({})).await);
    one.knocks(&stage).await;
    two.knocks(&stage).await;
    let mut wires = [open(&one, &stage, "").await, open(&two, &stage, "").await];
    let backends = stage.world.backends.clone();
    let closing = tokio::spawn(async move { backends.close(Duration::from_secs(10)).await });
    let mut waits = Vec::new();
    for wire in &mut wires {
        let (told, code, reason) = wire.rest().await;
        let wait = told[0]["farewell"]["retry_after_ms"].as_u64().unwrap();
        assert_eq!((code, reason), (1012, format!("the server restarts; retry_after_ms={wait}")));
        waits.push(wait);
    }
    assert!(waits[0] != waits[1] && waits.iter().all(|wait| (500..20_500).contains(wait)), "{waits:?}");
    drop(wires);
    assert!(closing.await.unwrap(), "every line ended");
}
