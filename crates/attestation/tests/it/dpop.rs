//! Proofs of possession (RFC 9449): an honest one is accepted, each claim and the key are held to.

use attestation::dpop::{Demand, Proof, ProofError, verify};
use attestation::jose::JoseError;
use chrono::TimeDelta;
use serde_json::{Value, json};
use url::Url;

use crate::moment;
use crate::token::{Signer, encode};

const NOW: &str = "2025-11-22T12:00:00Z";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// SHA-256 of the token, from the examples of RFC 9449.
const HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

fn url() -> Url {
    Url::parse("https://api.example.com/devices/signals?batch=1").unwrap()
}

fn claims() -> Value {
    json!({"jti": "e1j3V_bKic8-LAEB", "htm": "POST", "htu": "https://api.example.com/devices/signals", "iat": moment(NOW).timestamp(), "ath": HASH})
}

/// Verifies a proof whose header and claims were changed, under a changed demand.
fn judge(
    signer: &Signer,
    change: impl FnOnce(&mut Value, &mut Value),
    demand: impl for<'d> FnOnce(&mut Demand<'d>),
) -> Result<Proof, ProofError> {
    let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.jwk});
    let mut claims = claims();
    change(&mut header, &mut claims);
    let url = url();
    let mut wanted = Demand::new(moment(NOW), "POST", &url);
    wanted.access_token = Some(TOKEN);
    demand(&mut wanted);
    verify(&signer.sign(header.to_string(), claims.to_string()), &wanted)
}

#[test]
fn an_honest_proof_names_its_key_and_itself() {
    let signer = Signer::new();
    let proof = judge(&signer, |_, _| {}, |_| {}).unwrap();
    assert_eq!((proof.jti.as_str(), Some(proof.thumbprint.as_str())), ("e1j3V_bKic8-LAEB", signer.key().thumbprint.as_deref()));
    let thumbprint = proof.thumbprint.clone();
    let url = url();
    let mut demand = Demand::new(moment(NOW), "POST", &url);
    (demand.access_token, demand.thumbprint) = (Some(TOKEN), Some(thumbprint.as_str()));
    let token = signer.sign(json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": signer.jwk}).to_string(), claims().to_string());
    assert_eq!(verify(&token, &demand), Ok(proof));
}

#[test]
fn a_proof_by_another_key_than_the_tokens_is_refused() {
    assert_eq!(
        judge(&Signer::new(), |_, _| {}, |demand| demand.thumbprint = Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")),
        Err(ProofError::Binding)
    );
}

#[test]
fn a_proof_about_another_request_or_token_is_refused() {
    let signer = Signer::new();
    let cases: [(&str, Value); 9] = [
        ("htm", json!("GET")),
        ("htm", json!("post")),
        ("htu", json!("https://api.example.com/devices")),
        ("htu", json!("http://api.example.com/devices/signals")),
        ("htu", json!("https://api.example.com:8443/devices/signals")),
        ("htu", json!("/devices/signals")),
        ("ath", json!(encode([1; 32]))),
        ("jti", json!("")),
        ("jti", json!("x".repeat(129))),
    ];
    for (name, value) in cases {
        let refusal = judge(&signer, |_, claims| claims[name] = value, |_| {});
        assert!(matches!(refusal, Err(ProofError::Claim(claim)) if claim == name), "{name}: {refusal:?}");
    }
    for name in ["htm", "htu", "ath", "jti", "iat"] {
        let refusal = judge(&signer, |_, claims| drop(claims.as_object_mut().unwrap().remove(name)), |_| {});
        assert!(matches!(refusal, Err(ProofError::Claim(claim)) if claim == name), "{name}: {refusal:?}");
    }
    // A proof for a token is no proof for a request without one.
    assert_eq!(judge(&signer, |_, _| {}, |demand| demand.access_token = None), Err(ProofError::Claim("ath")));
}

#[test]
fn the_address_is_compared_as_browsers_write_it() {
    let signer = Signer::new();
    for same in [
        "https://API.example.com:443/devices/signals",
        "https://api.example.com/devices/./signals",
        "https://api.example.com/devices/signals?x#y",
    ] {
        assert!(judge(&signer, |_, claims| claims["htu"] = json!(same), |_| {}).is_ok(), "{same}");
    }
}

#[test]
fn a_proof_from_another_time_is_refused_unless_a_nonce_ties_it_to_now() {
    let signer = Signer::new();
    let at = |seconds: i64| {
        move |_: &mut Value, claims: &mut Value| claims["iat"] = json!((moment(NOW) + TimeDelta::seconds(seconds)).timestamp())
    };
    assert!(judge(&signer, at(-60), |_| {}).is_ok() && judge(&signer, at(5), |_| {}).is_ok());
    assert_eq!(judge(&signer, at(-61), |_| {}), Err(ProofError::Time));
    assert_eq!(judge(&signer, at(6), |_| {}), Err(ProofError::Time));
    assert_eq!(judge(&signer, at(0), |demand| demand.nonce = Some("n-1")), Err(ProofError::Nonce));
    let carry = |_: &mut Value, claims: &mut Value| {
        claims["nonce"] = json!("n-1");
        claims["iat"] = json!(1);
    };
    assert!(judge(&signer, carry, |demand| demand.nonce = Some("n-1")).is_ok());
    assert_eq!(judge(&signer, carry, |demand| demand.nonce = Some("n-2")), Err(ProofError::Nonce));
}

#[test]
fn a_proof_with_an_abused_header_is_refused() {
    let signer = Signer::new();
    let cases: [(&str, Value); 9] = [
        ("typ", json!("JWT")),
        ("typ", json!(null)),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("jwk", json!({"kty": "oct", "k": "AA"})),
        ("jwk", json!(null)),
        ("crit", json!(["htm"])),
        ("jku", json!("https://attacker.example")),
    ];
    for (name, value) in cases {
        assert!(matches!(judge(&signer, |header, _| header[name] = value, |_| {}), Err(ProofError::Token(_))), "{name}");
    }
    let private = judge(&signer, |header, _| header["jwk"]["d"] = json!("AA"), |_| {});
    assert!(matches!(private, Err(ProofError::Token(JoseError::Key(_)))));
    let another = judge(&signer, |header, _| header["jwk"] = Value::Object(Signer::new().jwk), |_| {});
    assert_eq!(another, Err(ProofError::Token(JoseError::Signature)));
    let long = judge(&signer, |_, claims| claims["x"] = json!("x".repeat(5_000)), |_| {});
    assert_eq!(long, Err(ProofError::Token(JoseError::TooLarge)));
}
