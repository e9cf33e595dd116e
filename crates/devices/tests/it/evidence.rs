//! Attestation through the routes: verdicts made as Google makes them with the operator's own keys, and recorded genuine evidence that
//! is about another challenge.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use devices::{Config, Play};
use http::StatusCode;
use serde_json::{Value as Json, json};
use testkit::{Engine, engines};

use crate::handset::{Ask, Handset, Reply, encode, sha256};
use crate::stage::{Stage, config};

/// What is made wrong of a verdict.
type Change = Box<dyn FnOnce(&mut Json)>;

const KEK: [u8; 32] = [5; 32];
/// SubjectPublicKeyInfo of a P-256 key up to its point.
const SPKI: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";

/// Google Play, as far as a phone needs it.
pub(crate) struct Google {
    signer: Handset,
    folder: tempfile::TempDir,
}

impl Google {
    pub(crate) fn new() -> Self {
        let signer = Handset::new();
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(signer.jwk[name].as_str().unwrap()).unwrap();
        let der = [hex::decode(SPKI).unwrap(), coordinate("x"), coordinate("y")].concat();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("decryption"), STANDARD.encode(KEK)).unwrap();
        std::fs::write(folder.path().join("verification"), der).unwrap();
        Self { signer, folder }
    }

    pub(crate) fn config(&self) -> Config {
        let file = |name: &str| Some(self.folder.path().join(name));
        let play = Play {
            decryption_key: file("decryption"),
            verification_key: file("verification"),
            packages: vec!["com.example.app".to_owned()],
            signers: vec![hex::encode([6; 32])],
        };
        Config { play, software_keys: false, ..config() }
    }

    /// A verdict about this nonce and phone, changed by `change`.
    pub(crate) fn verdict(&self, stage: &Stage, handset: &Handset, nonce: &str, change: impl FnOnce(&mut Json)) -> String {
        let mut payload = json!({
            "requestDetails": {
                "requestPackageName": "com.example.app",
                "requestHash": sha256(&format!("{nonce}.{}", handset.thumbprint())),
                "timestampMillis": (stage.world.backends.clock.now().micros() / 1000).to_string(),
            },
            "appIntegrity": {
                "appRecognitionVerdict": "PLAY_RECOGNIZED", "packageName": "com.example.app",
                "certificateSha256Digest": [encode([6; 32])], "versionCode": "42",
            },
            "deviceIntegrity": { "deviceRecognitionVerdict": ["MEETS_DEVICE_INTEGRITY", "MEETS_STRONG_INTEGRITY"] },
        });
        change(&mut payload);
        encrypt(&self.signer.sign(&json!({ "alg": "ES256" }), &payload))
    }

    pub(crate) async fn enrol(&self, stage: &Stage, handset: &Handset, code: &str, change: impl FnOnce(&mut Json)) -> Reply {
        let nonce = stage.nonce(handset, code).await;
        let evidence = self.verdict(stage, handset, &nonce, change);
        let body = json!({ "key": handset.jwk, "platform": "play-integrity", "nonce": nonce, "evidence": evidence });
        handset.ask(stage, Ask { method: "POST", path: "/device/enrol", token: None, code: Some(code), body: Some(body) }).await
    }

    /// An enrolled phone with strong integrity.
    pub(crate) async fn phone(&self, stage: &Stage) -> Handset {
        let code = stage.code(json!({})).await;
        let mut handset = Handset::new();
        let reply = self.enrol(stage, &handset, &code, |_| {}).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        handset.id = reply.body["device"]["id"].as_str().unwrap().to_owned();
        handset.take(&reply.body["tokens"]);
        handset
    }

    pub(crate) async fn attest(&self, stage: &Stage, handset: &Handset, change: impl FnOnce(&mut Json)) -> Reply {
        let nonce = handset.challenge(stage).await;
        let evidence = self.verdict(stage, handset, &nonce, change);
        handset.keyed(stage, "POST", "/device/attest", Some(json!({ "nonce": nonce, "evidence": evidence }))).await
    }
}

fn encrypt(content: &str) -> String {
    let (content_key, iv) = ([3; 32], [4; 12]);
    let mut wrapped = [0; 40];
    let wrapped = AesKek::new(&AES_256, &KEK).unwrap().wrap(&content_key, &mut wrapped).unwrap().to_vec();
    let header = encode(r#"{"alg":"A256KW","enc":"A256GCM"}"#);
    let mut sealed = content.as_bytes().to_vec();
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).unwrap())
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::from(header.as_bytes()), &mut sealed)
        .unwrap();
    let (ciphertext, tag) = sealed.split_at(sealed.len() - 16);
    [header, encode(wrapped), encode(iv), encode(ciphertext), encode(tag)].join(".")
}

#[tokio::test]
async fn an_attested_phone_is_worth_what_its_evidence_says_and_that_fades() {
    for engine in engines() {
        let google = Google::new();
        let stage = Stage::with(engine, google.config()).await;
        let phone = google.phone(&stage).await;
        let shown = stage.shown(&phone).await;
        assert_eq!((shown["attestation_state"].as_str(), shown["attestation_level"].as_str()), (Some("passed"), Some("strong")));
        let why = async || stage.order("GET", &format!("/devices/{}/why", phone.id), None).await;
        assert_eq!(why().await["attestation_score"].as_f64(), Some(1.0));
        stage.pass(24 * 3600);
        let faded = why().await;
        assert!((faded["attestation_score"].as_f64().unwrap() - 0.368).abs() < 0.001);
        assert!(faded["attestation_report"]["checks"].as_array().unwrap().len() > 5);
        let weaker = |payload: &mut Json| payload["deviceIntegrity"] = json!({ "deviceRecognitionVerdict": ["MEETS_DEVICE_INTEGRITY"] });
        let again = google.attest(&stage, &phone, weaker).await;
        assert_eq!((again.body["level"].as_str(), again.body["score"].as_f64()), (Some("device"), Some(0.7)), "{}", again.body);
    }
}

#[tokio::test]
async fn evidence_about_another_nonce_key_or_application_is_refused_by_name() {
    let google = Google::new();
    let stage = Stage::with(Engine::Embedded, google.config()).await;
    let code = stage.code(json!({})).await;
    let phone = Handset::new();
    let other = sha256(&format!("x.{}", phone.thumbprint()));
    let cases: [(&str, Change); 4] = [
        ("request", Box::new(move |payload| payload["requestDetails"]["requestHash"] = json!(other))),
        ("package", Box::new(|payload| payload["requestDetails"]["requestPackageName"] = json!("com.evil"))),
        ("recognition", Box::new(|payload| payload["appIntegrity"]["appRecognitionVerdict"] = json!("UNRECOGNIZED_VERSION"))),
        ("device", Box::new(|payload| payload["deviceIntegrity"] = json!({}))),
    ];
    for (check, change) in cases {
        let refused = google.enrol(&stage, &phone, &code, change).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "devices.attestation"));
        assert!(refused.body["detail"].as_str().unwrap().contains(check), "{check}: {}", refused.body);
    }
    assert_eq!(stage.world.count("devices").await, 0);
    assert_eq!(google.enrol(&stage, &phone, &code, |_| {}).await.status, StatusCode::CREATED, "failures spend no code");
}

#[tokio::test]
async fn failures_count_only_by_the_phones_own_key_and_a_lost_reply_counts_nothing() {
    for engine in engines() {
        let google = Google::new();
        let stage = Stage::with(engine, google.config()).await;
        let phone = google.phone(&stage).await;
        // A lost reply, repeated again and again.
        let nonce = phone.challenge(&stage).await;
        let body = json!({ "nonce": nonce, "evidence": google.verdict(&stage, &phone, &nonce, |_| {}) });
        for _ in 0..20 {
            let reply = phone.keyed(&stage, "POST", "/device/attest", Some(body.clone())).await;
            assert_eq!((reply.status, reply.body["state"].as_str()), (StatusCode::OK, Some("passed")), "{}", reply.body);
        }
        // Somebody else's failures, with the phone's nonce.
        let stranger = Handset::new();
        for _ in 0..20 {
            let reply = stranger.keyed(&stage, "POST", "/device/attest", Some(body.clone())).await;
            assert_eq!(reply.code(), "devices.unknown_key");
        }
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"));
        // Its own, over or forgotten.
        for count in 0..20 {
            for nonce in ["unknown.nonce", "nonsense"] {
                let body = json!({ "nonce": nonce, "evidence": format!("evidence {count}") });
                assert_eq!(phone.keyed(&stage, "POST", "/device/attest", Some(body)).await.code(), "devices.nonce");
            }
        }
        assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("observe"));
        let nonce = phone.challenge(&stage).await;
        let body = json!({ "nonce": nonce, "evidence": google.verdict(&stage, &phone, &nonce, |_| {}) });
        assert_eq!(phone.keyed(&stage, "POST", "/device/attest", Some(body)).await.status, StatusCode::OK);
        // Its own: replays of a spent nonce with something else.
        for count in 1..=5 {
            let replay = json!({ "nonce": nonce, "evidence": format!("another {count}") });
            assert_eq!(phone.keyed(&stage, "POST", "/device/attest", Some(replay)).await.code(), "devices.nonce");
        }
        let shown = stage.shown(&phone).await;
        assert_eq!(shown["posture"].as_str(), Some("quarantine"));
        assert_eq!(phone.knocks(&stage).await.code(), "devices.locked");
        let told = phone.keyed(&stage, "GET", "/device/commands", None).await.body;
        assert_eq!(told["items"][0]["kind"].as_str(), Some("IMMEDIATE_QUARANTINE"));
        let nonce = phone.challenge(&stage).await;
        let good = json!({ "nonce": nonce, "evidence": google.verdict(&stage, &phone, &nonce, |_| {}), "wants_tokens": true });
        let reply = phone.keyed(&stage, "POST", "/device/attest", Some(good)).await;
        assert_eq!(reply.code(), "devices.locked", "proof opens no lock");
    }
}

#[tokio::test]
async fn a_recorded_genuine_chain_is_about_another_challenge() {
    let Some(chain) = testkit::data("attestation/android/akita/sdk34/TEE_EC_NONE.pem") else { return };
    let stage = Stage::with(Engine::Embedded, config()).await;
    let code = stage.code(json!({})).await;
    let phone = Handset::new();
    let nonce = stage.nonce(&phone, &code).await;
    let body = json!({ "key": phone.jwk, "platform": "android-key", "nonce": nonce, "evidence": std::fs::read_to_string(chain).unwrap() });
    let reply = phone.ask(&stage, Ask { method: "POST", path: "/device/enrol", token: None, code: Some(&code), body: Some(body) }).await;
    let detail = reply.body["detail"].as_str().unwrap();
    assert_eq!(reply.code(), "devices.attestation");
    assert!(detail.contains("challenge") && detail.contains("device_key"), "{detail}");
}
