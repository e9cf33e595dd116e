//! App Attest objects made to measure: what no recording has, and shapes that only a forger makes.

use attestation::apple::{self, AssertionPolicy, AttestationPolicy, ClientData};
use attestation::{Level, PublicKey, Report, Roots, Verdict};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use ciborium::Value;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::forge::{octets, sequence, tagged};
use crate::moment;

const APPLICATION: &str = "TEAM123456.com.example.app";

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

/// What a forger may turn.
struct Recipe {
    aaguid: [u8; 16],
    declared_length: u16,
    leaf_is_authority: bool,
    intermediate_is_authority: bool,
    certificates: usize,
    nonces: usize,
    nonce_tag: u32,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            aaguid: *b"appattest\0\0\0\0\0\0\0",
            declared_length: 32,
            leaf_is_authority: false,
            intermediate_is_authority: true,
            certificates: 2,
            nonces: 1,
            nonce_tag: 1,
        }
    }
}

fn params(name: &str, is_authority: bool) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2026, 1, 1));
    params.is_ca = if is_authority { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
    params
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// Makes an attestation and verifies it under every demand.
fn attest(recipe: &Recipe) -> Report {
    let key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let (root_key, middle_key, leaf_key) = (key(), key(), key());
    let root_params = params("root", true);
    let root = root_params.self_signed(&root_key).unwrap();
    let middle_params = params("middle", recipe.intermediate_is_authority);
    let middle = middle_params.signed_by(&middle_key, &Issuer::new(root_params, root_key)).unwrap();

    let point = leaf_key.public_key_raw().to_vec();
    let id = sha256(&[&point]);
    let head = [sha256(&[APPLICATION.as_bytes()]), vec![0x40, 0, 0, 0, 0]].concat();
    let cose = Value::Map(vec![
        (1.into(), 2.into()),
        (3.into(), (-7).into()),
        ((-1).into(), 1.into()),
        ((-2).into(), Value::Bytes(point[1..33].to_vec())),
        ((-3).into(), Value::Bytes(point[33..].to_vec())),
    ]);
    let length = recipe.declared_length.to_be_bytes();
    let data = [&head[..], &recipe.aaguid, &length, &id, &encoded(&cose)].concat();
    let nonce = sha256(&[&data, &sha256(&[b"challenge"])]);
    let mut leaf_params = params("leaf", recipe.leaf_is_authority);
    for _ in 0..recipe.nonces {
        let value = sequence(&[tagged(recipe.nonce_tag, &octets(&nonce))]);
        leaf_params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 2, 840, 113_635, 100, 8, 2], value));
    }
    let leaf = leaf_params.signed_by(&leaf_key, &Issuer::new(middle_params, middle_key)).unwrap();

    let ders = [leaf.der().to_vec(), middle.der().to_vec(), root.der().to_vec()];
    let chain = ders.into_iter().take(recipe.certificates).map(Value::Bytes).collect();
    let statement = Value::Map(vec![(text("x5c"), Value::Array(chain)), (text("receipt"), Value::Bytes(vec![1, 2, 3]))]);
    let object =
        Value::Map(vec![(text("fmt"), text("apple-appattest")), (text("attStmt"), statement), (text("authData"), Value::Bytes(data))]);
    let mut policy = AttestationPolicy::at(moment("2025-01-01T00:00:00Z"));
    policy.roots = Roots::read(root.pem().as_bytes()).unwrap();
    policy.client_data = Some(ClientData::Bytes(b"challenge".to_vec()));
    (policy.key_id, policy.application) = (Some(id), Some(APPLICATION.to_owned()));
    apple::verify_attestation(&encoded(&object), &policy)
}

fn assert_refused(report: &Report, failed: &[&str]) {
    assert_eq!((report.verdict, report.failed().as_slice()), (Verdict::Refused, failed), "{:#?}", report.checks);
}

#[test]
fn an_attestation_from_production_is_worth_the_most() {
    let report = attest(&Recipe::default());
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::Strong), "{:#?}", report.checks);
    assert_eq!((&report.facts["environment"], &report.facts["receiptBytes"]), (&"production".into(), &3.into()));
}

#[test]
fn a_wrongly_declared_length_of_the_credential_is_told_and_survived() {
    let report = attest(&Recipe { declared_length: 8192, ..Recipe::default() });
    assert_eq!((report.verdict, &report.facts["credentialIdLength"]), (Verdict::Verified, &8192.into()));
}

#[test]
fn an_environment_that_apple_does_not_have_is_refused() {
    assert_refused(&attest(&Recipe { aaguid: *b"appattestsandbox", ..Recipe::default() }), &["environment"]);
}

#[test]
fn a_chain_of_another_shape_is_refused() {
    assert_refused(&attest(&Recipe { certificates: 3, ..Recipe::default() }), &["chain_shape"]);
    assert_refused(&attest(&Recipe { leaf_is_authority: true, ..Recipe::default() }), &["chain_shape"]);
    assert_refused(&attest(&Recipe { intermediate_is_authority: false, ..Recipe::default() }), &["chain_shape"]);
    assert_refused(&attest(&Recipe { certificates: 1, ..Recipe::default() }), &["chain_shape", "names", "signatures"]);
    assert_eq!(attest(&Recipe { certificates: 0, ..Recipe::default() }).verdict, Verdict::Refused);
}

#[test]
fn a_certificate_without_one_nonce_in_its_place_is_refused() {
    assert_refused(&attest(&Recipe { nonces: 0, ..Recipe::default() }), &["nonce"]);
    assert_refused(&attest(&Recipe { nonce_tag: 2, ..Recipe::default() }), &["nonce"]);
    assert_ne!(attest(&Recipe { nonces: 2, ..Recipe::default() }).verdict, Verdict::Verified);
}

/// Makes an assertion over JSON client data, hashing as many times as told.
fn claim(again: bool, extensions: &[u8], change: impl FnOnce(&mut AssertionPolicy)) -> Report {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let client_data = br#"{"challenge":"bm9uY2U","action":"pay"}"#.to_vec();
    let data = [sha256(&[APPLICATION.as_bytes()]), vec![0x40, 0, 0, 0, 7], extensions.to_vec()].concat();
    let composite = [&data[..], &sha256(&[&client_data])].concat();
    let message = if again { sha256(&[&composite]) } else { composite };
    let signature = pair.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec();
    let object = Value::Map(vec![(text("signature"), Value::Bytes(signature)), (text("authenticatorData"), Value::Bytes(data))]);
    let mut policy = AssertionPolicy::at(moment("2025-01-01T00:00:00Z"));
    policy.key = Some(PublicKey::read(pair.public_key().as_ref()).unwrap());
    (policy.client_data, policy.application) = (Some(ClientData::Bytes(client_data)), Some(APPLICATION.to_owned()));
    (policy.challenge, policy.counter) = (Some(b"nonce".to_vec()), 6);
    change(&mut policy);
    apple::verify_assertion(&encoded(&object), &policy)
}

#[test]
fn an_assertion_carries_the_challenge_inside_its_request() {
    let report = claim(true, b"", |policy| policy.attested = Level::Basic);
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::Basic), "{:#?}", report.checks);
    assert_refused(&claim(true, b"", |policy| policy.challenge = Some(b"other".to_vec())), &["challenge"]);
}

#[test]
fn a_raw_key_may_end_in_what_looks_like_a_space() {
    let points = std::iter::repeat_with(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap().public_key().as_ref().to_vec());
    let point = points.take(10_000).find(|point| point.last().is_some_and(u8::is_ascii_whitespace)).unwrap();
    assert_eq!(PublicKey::read(&point).unwrap().bits, point);
}

#[test]
fn an_assertion_that_was_hashed_only_once_is_refused() {
    assert_refused(&claim(false, b"", |_| {}), &["signature"]);
}

#[test]
fn the_extensions_of_newer_systems_are_told() {
    let extensions = encoded(&Value::Map(vec![(text("bundleVersion"), text("1.2"))]));
    let report = claim(true, &extensions, |_| {});
    assert_eq!((report.verdict, &report.facts["extensions"]["bundleVersion"]), (Verdict::Verified, &"1.2".into()));
}
