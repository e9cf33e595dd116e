//! Android Key Attestation through the routes: chains under a root of our own, around the phone's own key.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use devices::{Android, Config};
use http::StatusCode;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair, SerialNumber,
    date_time_ymd,
};
use serde_json::json;
use testkit::{Engine, engines};

use crate::handset::{Ask, Handset, Reply};
use crate::judging::{OWNER, STRANGER, Walk, patient, worst};
use crate::stage::{Stage, config, refusal_of};

const EXTENSION: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 1, 17];
const SIGNER: [u8; 32] = [0x51; 32];

/// DER: tag, length, content.
fn der(tag: &[u8], content: &[u8]) -> Vec<u8> {
    let length = if content.len() < 128 { vec![content.len() as u8] } else { vec![0x82, (content.len() >> 8) as u8, content.len() as u8] };
    [tag, &length, content].concat()
}

fn integer(value: u32) -> Vec<u8> {
    // A leading zero keeps it positive; surplus ones are not canonical.
    let bytes: Vec<u8> = [&[0], &value.to_be_bytes()[..]].concat();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(4);
    let from = if bytes[first] >= 0x80 { first - 1 } else { first };
    der(&[2], &bytes[from..])
}

fn tagged(tag: u32, content: &[u8]) -> Vec<u8> {
    let head = match tag {
        0..=30 => vec![0xa0 | tag as u8],
        31..=127 => vec![0xbf, tag as u8],
        _ => vec![0xbf, 0x80 | (tag >> 7) as u8, (tag & 0x7f) as u8],
    };
    der(&head, content)
}

/// A signing key in the trusted environment of a locked phone, made for this challenge.
fn description(challenge: &str) -> Vec<u8> {
    let octets = |content: &[u8]| der(&[4], content);
    let sequence = |parts: &[Vec<u8>]| der(&[0x30], &parts.concat());
    let set = |content: Vec<u8>| der(&[0x31], &content);
    let package = sequence(&[octets(b"com.example.app"), integer(7)]);
    let application = sequence(&[set(package), set(octets(&SIGNER))]);
    let root_of_trust = sequence(&[octets(&[0x42; 32]), der(&[1], &[0xff]), der(&[10], &[0]), octets(&[9; 32])]);
    let hardware = [
        (1, set(integer(2))),
        (2, integer(3)),
        (3, integer(256)),
        (10, integer(1)),
        (702, integer(0)),
        (704, root_of_trust),
        (705, integer(140_000)),
        (706, integer(202_512)),
    ];
    let list = |entries: &[(u32, Vec<u8>)]| sequence(&entries.iter().map(|(tag, value)| tagged(*tag, value)).collect::<Vec<_>>());
    sequence(&[
        integer(300),
        der(&[10], &[1]),
        integer(300),
        der(&[10], &[1]),
        octets(challenge.as_bytes()),
        octets(b""),
        list(&[(709, octets(&application))]),
        list(&hardware),
    ])
}

/// A factory that makes phones.
struct Factory {
    root: CertificateParams,
    key: KeyPair,
    folder: tempfile::TempDir,
}

fn params(title: Option<&str>, name: &str, serial: u8) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    let mut named = DistinguishedName::new();
    if let Some(title) = title {
        named.push(DnType::from_oid(&[2, 5, 4, 12]), DnValue::Utf8String(title.to_owned()));
    }
    named.push(DnType::from_oid(&[2, 5, 4, 5]), DnValue::PrintableString(name.try_into().unwrap()));
    params.distinguished_name = named;
    params.serial_number = Some(SerialNumber::from_slice(&[0x7a, serial]));
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, 1));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn pair() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

impl Factory {
    fn new() -> Self {
        let (root, key) = (params(None, "root", 1), pair());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("root.pem"), root.self_signed(&key).unwrap().pem()).unwrap();
        Self { root, key, folder }
    }

    fn config(&self) -> Config {
        let android = Android {
            roots: Some(self.folder.path().join("root.pem")),
            packages: vec!["com.example.app".to_owned()],
            signers: vec![hex::encode(SIGNER)],
            verified_boot: true,
            ..Android::default()
        };
        Config { android, software_keys: false, ..config() }
    }

    /// The chain of `target` made for this challenge, leaf first.
    fn chain(&self, target: &KeyPair, challenge: &str) -> String {
        let mut pems = vec![self.root.self_signed(&self.key).unwrap().pem()];
        let (mut above, mut above_key) = (self.root.clone(), KeyPair::try_from(self.key.serialize_der()).unwrap());
        for (name, serial) in [("intermediate", 2), ("attestation", 3)] {
            let (own, own_key) = (params(Some("TEE"), name, serial), pair());
            pems.push(own.signed_by(&own_key, &Issuer::new(above, above_key)).unwrap().pem());
            (above, above_key) = (own, own_key);
        }
        let mut leaf = params(None, "target", 4);
        leaf.custom_extensions = vec![CustomExtension::from_oid_content(EXTENSION, description(challenge))];
        pems.push(leaf.signed_by(target, &Issuer::new(above, above_key)).unwrap().pem());
        pems.reverse();
        pems.concat()
    }
}

async fn enrol(stage: &Stage, phone: &Handset, code: &str, nonce: &str, evidence: &str) -> Reply {
    let body = json!({ "key": phone.jwk, "platform": "android-key", "nonce": nonce, "evidence": evidence });
    phone.ask(stage, Ask { method: "POST", path: "/device/enrol", token: None, code: Some(code), body: Some(body) }).await
}

#[tokio::test]
async fn an_attested_key_enrols_itself_and_vouches_again_with_a_fresh_one() {
    for engine in engines() {
        let factory = Factory::new();
        let stage = Stage::with(engine, factory.config()).await;
        let code = stage.code(json!({})).await;
        let key = pair();
        let mut phone = Handset::of(&key.serialize_der());
        let nonce = stage.nonce(&phone, &code).await;
        let reply = enrol(&stage, &phone, &code, &nonce, &factory.chain(&key, &nonce)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        assert_eq!(reply.body["device"]["attestation_level"].as_str(), Some("trusted_environment"));
        phone.take(&reply.body["tokens"]);
        assert_eq!(phone.knocks(&stage).await.status, StatusCode::OK);

        let attest = async |challenge: &dyn Fn(&str) -> String| {
            let nonce = phone.challenge(&stage).await;
            let body = json!({ "nonce": nonce, "evidence": factory.chain(&pair(), &challenge(&nonce)) });
            phone.keyed(&stage, "POST", "/device/attest", Some(body)).await
        };
        let mine = phone.thumbprint();
        let again = attest(&|nonce| format!("{nonce}.{mine}")).await;
        assert_eq!((again.status, again.body["state"].as_str()), (StatusCode::OK, Some("passed")), "{}", again.body);
        // A fresh key of another phone vouches for that one.
        for wrong in [Handset::new().thumbprint(), String::new()] {
            let refused = attest(&|nonce| format!("{nonce}.{wrong}")).await;
            assert_eq!(refused.code(), "devices.attestation");
            assert!(refused.body["detail"].as_str().unwrap().contains("challenge"), "{}", refused.body);
        }
    }
}

#[tokio::test]
async fn an_attested_key_vouches_for_no_other_key_root_or_nonce() {
    let (factory, other) = (Factory::new(), Factory::new());
    let stage = Stage::with(Engine::Embedded, factory.config()).await;
    let code = stage.code(json!({})).await;
    let key = pair();
    let phone = Handset::of(&key.serialize_der());
    let nonce = async || stage.nonce(&phone, &code).await;
    let (first, second, third) = (nonce().await, nonce().await, nonce().await);
    for (nonce, evidence, check) in [
        (&first, factory.chain(&pair(), &first), "device_key"),
        (&second, other.chain(&key, &second), "trusted_root"),
        (&third, factory.chain(&key, &first), "challenge"),
    ] {
        let refused = enrol(&stage, &phone, &code, nonce, &evidence).await;
        assert_eq!(refused.code(), "devices.attestation", "{check}");
        assert!(refused.body["detail"].as_str().unwrap().ends_with(&format!(": {check}")), "{}", refused.body);
    }
    assert_eq!(stage.world.count("devices").await, 0);
}

/// A list of revoked certificates, fetched when `at` says.
fn publish(path: &Path, serials: &[&str], at: SystemTime) {
    let entries: serde_json::Map<_, _> = serials.iter().map(|serial| ((*serial).to_owned(), json!({ "status": "REVOKED" }))).collect();
    std::fs::write(path, json!({ "entries": entries }).to_string()).unwrap();
    std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

/// A genuine phone, enrolled.
async fn enrolled(stage: &Stage, factory: &Factory) -> Handset {
    let code = stage.code(json!({})).await;
    let key = pair();
    let mut phone = Handset::of(&key.serialize_der());
    let nonce = stage.nonce(&phone, &code).await;
    let reply = enrol(stage, &phone, &code, &nonce, &factory.chain(&key, &nonce)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
    phone.id = reply.body["device"]["id"].as_str().unwrap().to_owned();
    phone.take(&reply.body["tokens"]);
    phone
}

/// It vouches again, with a fresh key.
async fn attest(stage: &Stage, factory: &Factory, phone: &Handset) -> Reply {
    let nonce = phone.challenge(stage).await;
    let evidence = factory.chain(&pair(), &format!("{nonce}.{}", phone.thumbprint()));
    phone.keyed(stage, "POST", "/device/attest", Some(json!({ "nonce": nonce, "evidence": evidence }))).await
}

/// Believes a list of revocations for two days: the configuration, the list, and when it was fetched.
fn listed(factory: &Factory) -> (Config, PathBuf, SystemTime) {
    let path = factory.folder.path().join("status.json");
    let base = factory.config();
    let android = Android { revocations: Some(path.clone()), revocations_hours: 48, ..base.android.clone() };
    let start = UNIX_EPOCH + Duration::from_micros("2026-01-02T03:04:05Z".parse::<base::Time>().unwrap().micros() as u64);
    publish(&path, &[], start);
    (Config { android, ..base }, path, start)
}

/// Why a genuine phone is refused; nothing when it is enrolled.
async fn refusal(stage: &Stage, factory: &Factory) -> String {
    let code = stage.code(json!({})).await;
    let key = pair();
    let phone = Handset::of(&key.serialize_der());
    let nonce = stage.nonce(&phone, &code).await;
    let reply = enrol(stage, &phone, &code, &nonce, &factory.chain(&key, &nonce)).await;
    if reply.status == StatusCode::CREATED { String::new() } else { reply.body["detail"].as_str().unwrap().to_owned() }
}

#[tokio::test]
async fn a_list_of_revocations_is_read_again_when_it_changes_and_refused_when_it_is_too_old() {
    let factory = Factory::new();
    let (config, path, start) = listed(&factory);
    let stage = Stage::with(Engine::Embedded, config).await;
    let refusal = || refusal(&stage, &factory);
    assert_eq!(refusal().await, "");
    stage.pass(61);
    publish(&path, &["7a02"], start + Duration::from_secs(61));
    assert!(refusal().await.ends_with(": revocation"), "the attesting certificate is listed now");
    // What cannot be read leaves what was read.
    stage.pass(61);
    std::fs::write(&path, "half a li").unwrap();
    assert!(refusal().await.ends_with(": revocation"));
    stage.pass(61);
    publish(&path, &["aa"], start + Duration::from_secs(200));
    assert_eq!(refusal().await, "");
    stage.pass(48 * 3600 + 60);
    assert!(refusal().await.contains("too old to judge by"), "nobody knows what was revoked since");
}

#[tokio::test]
async fn a_list_that_was_not_fetched_in_time_is_no_failure_of_any_phone() {
    for engine in engines() {
        let factory = Factory::new();
        let (config, path, start) = listed(&factory);
        let stage = Stage::with(engine, config).await;
        let phone = enrolled(&stage, &factory).await;
        stage.pass(49 * 3600);
        for _ in 0..6 {
            let refused = attest(&stage, &factory, &phone).await;
            assert_eq!((refused.status, refused.code()), (StatusCode::SERVICE_UNAVAILABLE, "devices.revocations_old"), "{}", refused.body);
        }
        let shown = stage.shown(&phone).await;
        assert_eq!((shown["posture"].as_str(), shown["attestation_state"].as_str()), (Some("observe"), Some("passed")), "{engine:?}");
        assert_eq!(stage.logged("devices.attest_failed").await, 0);
        publish(&path, &[], start + Duration::from_secs(49 * 3600));
        stage.pass(61);
        let passed = attest(&stage, &factory, &phone).await;
        assert_eq!((passed.status, passed.body["state"].as_str()), (StatusCode::OK, Some("passed")), "{}", passed.body);
    }
}

#[tokio::test]
async fn a_genuine_phone_with_an_old_system_is_refused_and_never_quarantined() {
    for engine in engines() {
        let factory = Factory::new();
        let stage = Stage::with(engine, factory.config()).await;
        let phone = enrolled(&stage, &factory).await;
        let trust =
            async |stage: &Stage| stage.order("GET", &format!("/devices/{}/why", phone.id), None).await["threshold"]["trust"].clone();
        let batch = Walk::new(1).batch(OWNER);
        assert_eq!(phone.served(&stage, "POST", "/device/signals", Some(batch)).await.status, StatusCode::OK);
        let before = trust(&stage).await;
        assert!(before.is_number());
        let mut config = factory.config();
        config.android.least_os_patch = 202_601;
        let backends = stage.world.backends.clone();
        let stage = stage.elsewhere(&backends, config);
        for _ in 0..6 {
            let refused = attest(&stage, &factory, &phone).await;
            assert!(refused.body["detail"].as_str().unwrap().ends_with(": os_patch_level"), "{}", refused.body);
        }
        let shown = stage.shown(&phone).await;
        assert_eq!((shown["posture"].as_str(), shown["attestation_state"].as_str()), (Some("observe"), Some("outdated")), "{engine:?}");
        assert_eq!(trust(&stage).await, before, "{engine:?}");
        let timeline = stage.order("GET", &format!("/devices/{}/timeline", phone.id), None).await;
        assert_eq!(timeline["items"][0]["kind"].as_str(), Some("attestation_outdated"), "{timeline}");
    }
}

#[tokio::test]
async fn an_old_system_confirms_nothing_that_behaviour_suspects() {
    let factory = Factory::new();
    let stage = Stage::with(Engine::Embedded, patient(factory.config())).await;
    let phone = enrolled(&stage, &factory).await;
    let mut walk = Walk::new(2);
    walk.walk(&stage, &phone, OWNER, 80).await;
    assert_eq!(worst(&walk.walk(&stage, &phone, STRANGER, 30).await), "restrict");
    let mut floor = patient(factory.config());
    floor.android.least_os_patch = 202_601;
    let backends = stage.world.backends.clone();
    let stage = stage.elsewhere(&backends, floor);
    assert_eq!(attest(&stage, &factory, &phone).await.code(), "devices.attestation");
    let replies = walk.walk(&stage, &phone, STRANGER, 30).await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK), "{}", replies.last().unwrap().body);
    assert_eq!((worst(&replies), stage.logged("devices.lock_itself").await), ("restrict", 0));
    assert_eq!(stage.shown(&phone).await["posture"].as_str(), Some("restrict"), "a policy that refuses it does not clear it either");
}

#[tokio::test]
async fn floors_and_waivers_are_the_operators() {
    let factory = Factory::new();
    let refusal = async |change: fn(&mut Android)| {
        let mut config = factory.config();
        change(&mut config.android);
        let stage = Stage::with(Engine::Embedded, config).await;
        refusal(&stage, &factory).await
    };
    assert_eq!(refusal(|android| (android.least_os_version, android.least_os_patch) = (140_000, 202_512)).await, "");
    assert!(refusal(|android| android.least_os_version = 150_000).await.contains("os_version"));
    assert!(refusal(|android| android.least_os_patch = 202_601).await.contains("os_patch_level"));
    for (wrong, key) in [
        (Android { waived: vec!["challenge".to_owned()], ..Android::default() }, "android.waived"),
        (Android { revocations_hours: 24, ..Android::default() }, "android.revocations_hours"),
    ] {
        let world = testkit::World::new(Engine::Embedded).await;
        let refused = refusal_of(&world.backends, Config { android: wrong, ..config() });
        assert!(refused.to_string().contains(key), "{refused}");
    }
}
