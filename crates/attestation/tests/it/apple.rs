//! App Attest with the recorded vectors, and every check made to fail alone.

use attestation::apple::{self, AssertionPolicy, AttestationPolicy, ClientData, Environment};
use attestation::{Level, PublicKey, Report, Verdict};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::{moment, testdata};

fn vectors(kind: &str) -> Vec<Value> {
    let file = std::fs::read(testdata().join("attestation/apple/app_attest_vectors.json")).unwrap();
    let document: Value = serde_json::from_slice(&file).unwrap();
    document["vectors"].as_array().unwrap().iter().filter(|vector| vector["type"] == kind).cloned().collect()
}

fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    STANDARD.decode(vector[field].as_str().unwrap()).unwrap()
}

fn client_data(vector: &Value) -> Option<ClientData> {
    Some(ClientData::Hash(bytes(vector, "client_data_hash").try_into().unwrap()))
}

fn application(vector: &Value) -> String {
    format!("{}.{}", vector["team"].as_str().unwrap(), vector["bundle"].as_str().unwrap())
}

fn attestation_policy(vector: &Value) -> AttestationPolicy {
    let mut policy =
        AttestationPolicy::at(moment(&vector["leaf_not_before"].as_str().unwrap().replace(' ', "T")) + chrono::TimeDelta::hours(1));
    policy.client_data = client_data(vector);
    policy.key_id = Some(bytes(vector, "key_id"));
    policy.application = Some(application(vector));
    policy.environment = Some(Environment::Development);
    policy
}

fn assertion_policy(vector: &Value) -> AssertionPolicy {
    let mut policy = AssertionPolicy::at(moment("2021-01-01T00:00:00Z"));
    policy.key = Some(PublicKey::read(vector["public_key_pem"].as_str().unwrap().as_bytes()).unwrap());
    policy.client_data = client_data(vector);
    policy.application = Some(application(vector));
    policy
}

#[test]
fn recorded_attestations_are_verified_inside_the_life_of_their_certificate() {
    let vectors = vectors("attestation");
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let report = apple::verify_attestation(vector["attestation"].as_str().unwrap().as_bytes(), &attestation_policy(&vector));
        assert_eq!(report.verdict, Verdict::Verified, "{}: {:?}", vector["source"], report.failed());
        assert_eq!((report.level, report.facts["keyId"].as_str()), (Level::Basic, vector["key_id"].as_str()));
        assert_eq!(report.facts["environment"], vector["environment"]);
    }
}

#[test]
fn recorded_assertions_are_verified_because_the_nonce_is_hashed_again() {
    let vectors = vectors("assertion");
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let report = apple::verify_assertion(vector["assertion"].as_str().unwrap().as_bytes(), &assertion_policy(&vector));
        assert_eq!(report.verdict, Verdict::Verified, "{}: {:?}", vector["source"], report.failed());
        assert_eq!(report.facts["counter"], vector["counter"]);
    }
}

/// Verifies the first recorded attestation after `change`, which may touch the object and the demands.
fn attest(change: impl FnOnce(&mut Vec<u8>, &mut AttestationPolicy)) -> Report {
    let vector = &vectors("attestation")[0];
    let (mut object, mut policy) = (bytes(vector, "attestation"), attestation_policy(vector));
    change(&mut object, &mut policy);
    apple::verify_attestation(&object, &policy)
}

fn assert_refused(report: &Report, failed: &[&str]) {
    assert_eq!((report.verdict, report.failed().as_slice(), report.level), (Verdict::Refused, failed, Level::None), "{report:?}");
}

fn position(bytes: &[u8], word: &[u8]) -> usize {
    bytes.windows(word.len()).position(|window| window == word).unwrap()
}

#[test]
fn an_attestation_for_another_challenge_is_refused() {
    assert_refused(&attest(|_, policy| policy.client_data = Some(ClientData::Bytes(b"another".to_vec()))), &["nonce"]);
}

#[test]
fn an_attestation_without_a_challenge_to_compare_is_never_verified() {
    let report = attest(|_, policy| policy.client_data = None);
    assert_eq!((report.verdict, report.check("nonce").unwrap().passed), (Verdict::Refused, None));
}

#[test]
fn an_attestation_of_another_key_is_refused() {
    assert_refused(&attest(|_, policy| policy.key_id = Some(vec![7; 32])), &["key_id"]);
}

#[test]
fn an_attestation_of_another_application_is_refused() {
    assert_refused(&attest(|_, policy| policy.application = Some("6MURL8TA57.org.example".to_owned())), &["application"]);
}

#[test]
fn an_attestation_from_the_other_environment_is_refused() {
    assert_refused(&attest(|_, policy| policy.environment = Some(Environment::Production)), &["environment"]);
}

#[test]
fn an_attestation_outside_the_life_of_its_certificate_is_refused() {
    assert_refused(&attest(|_, policy| policy.at += chrono::TimeDelta::days(4)), &["validity"]);
    assert_refused(&attest(|_, policy| policy.at -= chrono::TimeDelta::days(1)), &["validity"]);
}

#[test]
fn an_attestation_under_a_root_nobody_trusts_is_refused() {
    let report = attest(|_, policy| policy.roots = attestation::Roots::google());
    assert_refused(&report, &["names", "signatures"]);
}

#[test]
fn an_attestation_in_another_format_is_refused() {
    let report = attest(|object, _| {
        let at = position(object, b"apple-appattest");
        object[at..at + 5].copy_from_slice(b"grape");
    });
    assert_refused(&report, &["format"]);
}

#[test]
fn a_changed_counter_is_refused_and_breaks_the_nonce() {
    let report = attest(|object, _| {
        let at = position(object, b"appattestdevelop");
        object[at - 1] = 1;
    });
    assert_refused(&report, &["nonce", "counter"]);
}

#[test]
fn a_changed_environment_is_refused_and_breaks_the_nonce() {
    let report = attest(|object, policy| {
        let at = position(object, b"appattestdevelop");
        object[at..at + 16].copy_from_slice(b"appattestdevelo!");
        policy.environment = None;
    });
    assert_refused(&report, &["nonce", "environment"]);
}

#[test]
fn a_changed_credential_is_refused_and_breaks_the_nonce() {
    let report = attest(|object, _| {
        let at = position(object, b"appattestdevelop");
        object[at + 18] ^= 1;
    });
    assert_refused(&report, &["nonce", "credential_id"]);
    let report = attest(|object, _| {
        let last = object.len() - 1;
        object[last] ^= 1;
    });
    assert_refused(&report, &["nonce", "credential_key"]);
}

#[test]
fn a_changed_certificate_is_refused_for_its_signature() {
    let report = attest(|object, _| {
        let at = position(object, b"Apple App Attestation CA 1");
        object[at..at + 5].copy_from_slice(b"Grape");
    });
    assert_eq!(report.verdict, Verdict::Refused);
    assert!(report.failed().contains(&"signatures") && report.failed().contains(&"names"), "{:?}", report.failed());
}

#[test]
fn a_check_that_is_waived_is_told_but_does_not_decide() {
    let report = attest(|_, policy| {
        policy.key_id = Some(vec![7; 32]);
        policy.waived.insert("key_id".to_owned());
    });
    assert_eq!((report.verdict, report.check("key_id").unwrap().passed), (Verdict::Verified, Some(false)));
}

#[test]
fn no_single_changed_bit_of_the_signed_parts_is_accepted() {
    let vector = &vectors("attestation")[0];
    let object = bytes(vector, "attestation");
    let data = position(&object, b"authData") + 10;
    for at in (data..object.len()).step_by(3) {
        let report = attest(|object, _| object[at] ^= 1);
        assert_ne!(report.verdict, Verdict::Verified, "byte {at}");
    }
}

/// Verifies the first recorded assertion after `change`.
fn claim(change: impl FnOnce(&mut Vec<u8>, &mut AssertionPolicy)) -> Report {
    let vector = &vectors("assertion")[0];
    let (mut object, mut policy) = (bytes(vector, "assertion"), assertion_policy(vector));
    change(&mut object, &mut policy);
    apple::verify_assertion(&object, &policy)
}

#[test]
fn an_assertion_by_another_key_is_refused() {
    let other = &vectors("assertion")[1];
    let key = PublicKey::read(other["public_key_pem"].as_str().unwrap().as_bytes()).unwrap();
    assert_refused(&claim(|_, policy| policy.key = Some(key)), &["signature"]);
}

#[test]
fn an_assertion_over_other_data_is_refused() {
    assert_refused(&claim(|_, policy| policy.client_data = Some(ClientData::Bytes(b"transfer".to_vec()))), &["signature"]);
}

#[test]
fn an_assertion_whose_counter_was_seen_is_refused() {
    assert_refused(&claim(|_, policy| policy.counter = 1), &["counter"]);
}

#[test]
fn an_assertion_for_another_application_is_refused() {
    assert_refused(&claim(|_, policy| policy.application = Some("TEAM.other".to_owned())), &["application"]);
}

#[test]
fn an_assertion_without_the_issued_challenge_is_refused() {
    assert_refused(&claim(|_, policy| policy.challenge = Some(b"nonce".to_vec())), &["challenge"]);
    let vector = &vectors("assertion")[0];
    assert!(claim(|_, policy| policy.challenge = None).is_verified(), "{vector}");
}

#[test]
fn a_changed_signature_or_counter_is_refused() {
    let report = claim(|object, _| {
        let last = object.len() - 1;
        object[last] = 9;
    });
    assert_refused(&report, &["signature"]);
}

#[test]
fn cbor_that_is_too_deep_or_goes_on_is_unreadable() {
    let deep = [vec![0x81; 5000], vec![0xa0]].concat();
    let report = attest(|object, _| *object = [b"\xa1\x61a".to_vec(), deep].concat());
    assert_eq!(report.verdict, Verdict::Unreadable);
    assert_eq!(attest(|object, _| object.push(0)).verdict, Verdict::Unreadable);
    assert_eq!(attest(|object, _| object.truncate(100)).verdict, Verdict::Unreadable);
}
