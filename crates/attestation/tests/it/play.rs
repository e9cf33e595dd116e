//! Play Integrity with tokens made as Google makes them, every check made to fail alone.

use attestation::jose::DecryptionKey;
use attestation::play::{self, Policy, Request};
use attestation::{Level, Report, Verdict};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::moment;
use crate::token::{Signer, encode, encrypt};

const KEK: [u8; 32] = [5; 32];
const HEADER: &str = r#"{"alg":"A256KW","enc":"A256GCM"}"#;
const NOW: &str = "2025-11-22T12:00:00Z";

fn honest() -> Value {
    json!({
        "requestDetails": {
            "requestPackageName": "com.example.app",
            "requestHash": "aGVsbG8",
            "timestampMillis": moment(NOW).timestamp_millis().to_string(),
        },
        "appIntegrity": {
            "appRecognitionVerdict": "PLAY_RECOGNIZED",
            "packageName": "com.example.app",
            "certificateSha256Digest": [encode([6; 32])],
            "versionCode": "42",
        },
        "deviceIntegrity": { "deviceRecognitionVerdict": ["MEETS_BASIC_INTEGRITY", "MEETS_DEVICE_INTEGRITY", "MEETS_STRONG_INTEGRITY"] },
        "accountDetails": { "appLicensingVerdict": "LICENSED" },
        "environmentDetails": {
            "appAccessRiskVerdict": { "appsDetected": ["KNOWN_INSTALLED"] },
            "playProtectVerdict": "NO_ISSUES",
        },
    })
}

fn everything(signer: &Signer) -> Policy {
    let mut policy = Policy::at(moment(NOW));
    policy.decryption = Some(DecryptionKey::new(KEK.to_vec()).unwrap());
    policy.verification = Some(signer.key());
    policy.request = Some(Request::Hash("aGVsbG8".to_owned()));
    policy.packages.insert("com.example.app".to_owned());
    policy.signers.insert(vec![6; 32]);
    policy.least_version = Some(42);
    (policy.licensed, policy.no_access_risk, policy.play_protect) = (true, true, true);
    policy
}

/// Verifies a verdict after `change`, under everything that can be demanded.
fn judge(change: impl FnOnce(&mut Value, &mut Policy)) -> Report {
    let signer = Signer::new();
    let (mut payload, mut policy) = (honest(), everything(&signer));
    change(&mut payload, &mut policy);
    let token = encrypt(HEADER, &KEK, &signer.sign(r#"{"alg":"ES256"}"#, payload.to_string()));
    play::verify(token.as_bytes(), &policy)
}

fn assert_refused(report: &Report, failed: &[&str]) {
    assert_eq!((report.verdict, report.failed().as_slice(), report.level), (Verdict::Refused, failed, Level::None), "{:#?}", report.checks);
}

#[test]
fn an_honest_verdict_meets_every_demand() {
    let report = judge(|_, _| {});
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::Strong), "{:#?}", report.checks);
    assert!(report.checks.iter().all(|check| check.required && check.passed == Some(true)));
    assert_eq!(report.facts["appIntegrity"]["versionCode"], "42");
}

#[test]
fn a_device_is_worth_its_best_label_and_an_emulator_nothing() {
    let label = |labels: Value| {
        move |payload: &mut Value, _: &mut Policy| payload["deviceIntegrity"] = json!({ "deviceRecognitionVerdict": labels })
    };
    assert_eq!(judge(label(json!(["MEETS_DEVICE_INTEGRITY"]))).level, Level::Device);
    assert_eq!(judge(label(json!(["MEETS_BASIC_INTEGRITY"]))).level, Level::Basic);
    for nothing in [json!([]), json!(null), json!("MEETS_STRONG_INTEGRITY"), json!(["MEETS_VIRTUAL_INTEGRITY"]), json!(["UNKNOWN"])] {
        assert_refused(&judge(label(nothing)), &["device"]);
    }
    let demand = judge(|payload, policy| {
        payload["deviceIntegrity"]["deviceRecognitionVerdict"] = json!(["MEETS_BASIC_INTEGRITY"]);
        policy.least_device = Level::Device;
    });
    assert_refused(&demand, &["device"]);
}

#[test]
fn a_verdict_about_another_request_is_refused() {
    assert_refused(&judge(|payload, _| payload["requestDetails"]["requestHash"] = json!("b3RoZXI")), &["request"]);
    assert_refused(&judge(|_, policy| policy.request = Some(Request::Nonce(b"hello".to_vec()))), &["request"]);
    assert_refused(&judge(|_, policy| policy.request = Some(Request::Hash(String::new()))), &["request"]);
}

#[test]
fn the_nonce_of_a_classic_request_is_compared_in_every_spelling() {
    for spelling in ["-_8AAQ", "-_8AAQ==", "+/8AAQ==", "+/8AAQ"] {
        let report = judge(|payload, policy| {
            payload["requestDetails"]["nonce"] = json!(spelling);
            policy.request = Some(Request::Nonce(URL_SAFE_NO_PAD.decode("-_8AAQ").unwrap()));
        });
        assert_eq!(report.verdict, Verdict::Verified, "{spelling}: {:?}", report.failed());
    }
}

#[test]
fn a_verdict_about_another_package_is_refused() {
    let other = |payload: &mut Value, _: &mut Policy| {
        payload["requestDetails"]["requestPackageName"] = json!("com.example.other");
        payload["appIntegrity"]["packageName"] = json!("com.example.other");
    };
    assert_refused(&judge(other), &["package"]);
    assert_refused(&judge(|payload, _| payload["appIntegrity"]["packageName"] = json!("com.example.other")), &["application"]);
}

#[test]
fn a_verdict_from_another_time_is_refused() {
    let shift = |seconds: i64| {
        move |payload: &mut Value, _: &mut Policy| {
            payload["requestDetails"]["timestampMillis"] = json!(moment(NOW).timestamp_millis() + seconds * 1000);
        }
    };
    assert!(judge(shift(-600)).is_verified() && judge(shift(60)).is_verified());
    assert_refused(&judge(shift(-601)), &["timestamp"]);
    assert_refused(&judge(shift(61)), &["timestamp"]);
    assert_refused(&judge(|payload, _| payload["requestDetails"]["timestampMillis"] = json!("soon")), &["timestamp"]);
}

#[test]
fn an_application_that_play_does_not_recognise_is_refused() {
    assert_refused(&judge(|payload, _| payload["appIntegrity"]["appRecognitionVerdict"] = json!("UNRECOGNIZED_VERSION")), &["recognition"]);
    assert_refused(&judge(|payload, _| payload["appIntegrity"]["certificateSha256Digest"] = json!([encode([9; 32])])), &["signers"]);
    assert_refused(&judge(|payload, _| payload["appIntegrity"]["certificateSha256Digest"] = json!([])), &["signers"]);
    assert_refused(&judge(|payload, _| payload["appIntegrity"]["versionCode"] = json!("41")), &["version"]);
}

#[test]
fn surroundings_count_when_they_are_demanded() {
    assert_refused(&judge(|payload, _| payload["accountDetails"]["appLicensingVerdict"] = json!("UNLICENSED")), &["account"]);
    assert_refused(&judge(|payload, _| payload["environmentDetails"]["playProtectVerdict"] = json!("HIGH_RISK")), &["play_protect"]);
    let capturing =
        |payload: &mut Value| payload["environmentDetails"]["appAccessRiskVerdict"]["appsDetected"] = json!(["UNKNOWN_CAPTURING"]);
    assert_refused(&judge(|payload, _| capturing(payload)), &["access_risk"]);
    let noted = judge(|payload, policy| {
        capturing(payload);
        policy.no_access_risk = false;
    });
    assert_eq!((noted.verdict, noted.check("access_risk").unwrap().passed), (Verdict::Verified, Some(false)));
}

#[test]
fn a_token_encrypted_or_signed_with_other_keys_is_refused() {
    assert_refused(&judge(|_, policy| policy.decryption = Some(DecryptionKey::new(vec![9; 32]).unwrap())), &["decryption"]);
    assert_refused(&judge(|_, policy| policy.verification = Some(Signer::new().key())), &["signature"]);
    let keyless = judge(|_, policy| (policy.decryption, policy.verification) = (None, None));
    assert_eq!((keyless.verdict, keyless.check("signature").unwrap().passed), (Verdict::Refused, None));
}

#[test]
fn what_is_inside_the_encryption_must_be_a_signed_token_and_say_nothing_twice() {
    let signer = Signer::new();
    let policy = everything(&signer);
    let verify = |content: &str| play::verify(encrypt(HEADER, &KEK, content).as_bytes(), &policy);
    assert_refused(&verify(&honest().to_string()), &["signature"]);
    assert_refused(&verify(&format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(honest().to_string()))), &["signature"]);
    let twice = honest().to_string().replacen('{', r#"{"deviceIntegrity":{},"#, 1);
    assert_refused(&verify(&signer.sign(r#"{"alg":"ES256"}"#, twice)), &["payload"]);
    for junk in ["", "a.b.c", "a.b.c.d.e.f", "{}", "a.b.c.d.\u{e9}"] {
        assert_eq!(play::verify(junk.as_bytes(), &policy).verdict, Verdict::Unreadable, "{junk}");
    }
    assert_refused(&play::verify(b"a.b.c.d.e", &policy), &["decryption"]);
}
