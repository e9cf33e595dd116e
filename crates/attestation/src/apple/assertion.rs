//! An assertion by an attested key. What is signed is the 32-byte nonce as a message, so it is hashed once more
//! by the signature algorithm: a verifier that takes the nonce for the digest refuses every honest device.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::authenticator::{self, Head};
use super::{ClientData, object, relying_party, sha256};
use crate::cbor;
use crate::certificate::{KeyKind, PublicKey};
use crate::errors::Unreadable;
use crate::report::{Checks, Finding, Kind, READABLE, Report, Waived};
use crate::score::Level;

/// Demands on one assertion.
#[derive(Clone, Debug)]
pub struct AssertionPolicy {
    /// The moment it is verified for.
    pub at: DateTime<Utc>,
    /// The key of the attestation.
    pub key: Option<PublicKey>,
    /// The request the assertion is for, or its hash. Without it nothing can be verified.
    pub client_data: Option<ClientData>,
    /// The challenge that the request must carry.
    pub challenge: Option<Vec<u8>>,
    /// Team and bundle, `TEAMID.com.example.app`.
    pub application: Option<String>,
    /// The last counter seen from this key; only higher ones are accepted.
    pub counter: u32,
    /// What the attestation of this key was worth.
    pub attested: Level,
    /// Checks that are told but do not decide.
    pub waived: Waived,
}

impl AssertionPolicy {
    /// The first assertion of a key, nothing else known yet.
    pub fn at(at: DateTime<Utc>) -> Self {
        let (client_data, challenge, application) = (None, None, None);
        Self { at, key: None, client_data, challenge, application, counter: 0, attested: Level::Strong, waived: Waived::new() }
    }
}

struct Assertion {
    signature: Vec<u8>,
    data: Vec<u8>,
    head: Head,
    extensions: Option<Value>,
}

/// Verifies an assertion, CBOR or base64 of it.
pub fn verify(input: &[u8], policy: &AssertionPolicy) -> Report {
    match object(input).and_then(|bytes| read(&bytes)) {
        Ok(assertion) => judge(&assertion, policy),
        Err(error) => Report::unreadable(Kind::AppAttestAssertion, policy.at, &error),
    }
}

fn read(bytes: &[u8]) -> Result<Assertion, Unreadable> {
    let map = cbor::map(bytes, "assertion")?;
    let data = map.bytes("authenticatorData")?.to_vec();
    let (head, rest) = authenticator::head(&data)?;
    let extensions = authenticator::extensions(rest);
    Ok(Assertion { signature: map.bytes("signature")?.to_vec(), head, extensions, data })
}

fn judge(assertion: &Assertion, policy: &AssertionPolicy) -> Report {
    let mut checks = Checks::new(&policy.waived);
    checks.require(READABLE, Ok(format!("{} bytes of authenticator data", assertion.data.len())));
    match (&policy.key, &policy.client_data) {
        (Some(key), Some(data)) => checks.require("signature", signature(assertion, key, data)),
        (None, _) => checks.unmade(&["signature"], "without the attested key nothing can be verified"),
        (_, None) => checks.unmade(&["signature"], "without the client data or its hash nothing can be verified"),
    }
    match &policy.application {
        Some(application) => checks.require("application", relying_party(&assertion.head.relying_party, application)),
        None => checks.unasked("application", "no expected application given"),
    }
    let told = format!("{}, the last one was {}", assertion.head.counter, policy.counter);
    checks.require("counter", if assertion.head.counter > policy.counter { Ok(told) } else { Err(told) });
    match &policy.challenge {
        None => checks.unasked("challenge", "no expected challenge given"),
        Some(challenge) => checks.require("challenge", carries(policy.client_data.as_ref(), challenge)),
    }
    let facts = json!({
        "rpIdHash": STANDARD.encode(assertion.head.relying_party),
        "flags": assertion.head.flags,
        "counter": assertion.head.counter,
        "extensions": assertion.extensions,
    });
    checks.report(Kind::AppAttestAssertion, policy.at, policy.attested, facts)
}

fn signature(assertion: &Assertion, key: &PublicKey, data: &ClientData) -> Finding {
    if key.kind != KeyKind::P256 {
        return Err(format!("the key is of kind {}, attested keys are P-256", key.kind.name()));
    }
    let nonce = sha256(&[&assertion.data, &data.hash()]);
    match UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.bits).verify(&nonce, &assertion.signature) {
        Ok(()) => Ok("signed by the attested key".to_owned()),
        Err(_) => Err("not signed by this key over this data".to_owned()),
    }
}

/// The request is the challenge itself, or JSON whose member `challenge` is it, as text or base64.
fn carries(data: Option<&ClientData>, challenge: &[u8]) -> Finding {
    let found = match data {
        Some(ClientData::Bytes(bytes)) if bytes == challenge => true,
        Some(ClientData::Bytes(bytes)) => {
            let member = serde_json::from_slice::<Value>(bytes).ok().and_then(|value| Some(value.get("challenge")?.as_str()?.to_owned()));
            member.is_some_and(|text| {
                text.as_bytes() == challenge || text == STANDARD.encode(challenge) || text == URL_SAFE_NO_PAD.encode(challenge)
            })
        }
        Some(ClientData::Hash(hash)) => *hash == sha256(&[challenge]),
        None => false,
    };
    if found && !challenge.is_empty() {
        Ok("the client data carries the challenge".to_owned())
    } else {
        Err("the client data does not carry the challenge".to_owned())
    }
}
