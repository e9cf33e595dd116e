//! `--kind app-attest`: one object, or a JSON file that carries objects with the values to compare them with.

use attestation::apple::{AssertionPolicy, AttestationPolicy, ClientData, Environment, verify_assertion, verify_attestation};
use attestation::{PublicKey, Report, Roots};
use base::Result;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{base64_bytes, digest, read, roots, value};
use crate::cli::{AttestEnvironment, AttestVerify};
use crate::errors;

/// Objects of one file that are verified.
const VECTORS: usize = 1000;

pub(super) fn verify(input: &[u8], options: &AttestVerify, at: DateTime<Utc>) -> Result<Vec<Report>> {
    let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(input) else {
        return one(input, &Value::Null, options, at).map(|report| vec![report]);
    };
    let vectors: Vec<&Value> = match document.get("vectors").and_then(Value::as_array) {
        Some(vectors) => vectors.iter().take(VECTORS).collect(),
        None => vec![&document],
    };
    let chosen = match options.vector {
        None => vectors,
        Some(number) => {
            let vector = number.checked_sub(1).and_then(|at| vectors.get(at).copied());
            vec![vector.ok_or_else(|| errors::attest_option("--vector", "the file has fewer"))?]
        }
    };
    chosen
        .into_iter()
        .map(|vector| {
            let object = ["attestation", "assertion"].iter().find_map(|name| vector.get(name)?.as_str());
            one(object.unwrap_or_default().as_bytes(), vector, options, at)
        })
        .collect()
}

/// Options come before what the file says.
fn one(object: &[u8], vector: &Value, options: &AttestVerify, at: DateTime<Utc>) -> Result<Report> {
    let bytes = |name: &str| vector.get(name)?.as_str().and_then(base64_bytes);
    let text = |name: &str| vector.get(name).and_then(Value::as_str).map(str::to_owned);
    let challenge = options.challenge.as_deref().map(|text| value("--challenge", text)).transpose()?;
    let hash = match &options.client_data_hash {
        Some(text) => Some(digest("--client-data-hash", text)?),
        None => bytes("client_data_hash").and_then(|bytes| bytes.try_into().ok()),
    };
    let data = options.client_data.as_deref().map(read).transpose()?;
    let application = match (&options.app_id, text("team"), text("bundle")) {
        (Some(id), ..) => Some(id.clone()),
        (None, Some(team), Some(bundle)) => Some(format!("{team}.{bundle}")),
        _ => text("app_id"),
    };
    let client_data = data.map(ClientData::Bytes).or(hash.map(ClientData::Hash));
    let waived = options.waive.iter().cloned().collect();
    if is_assertion(object, vector) {
        let mut policy = AssertionPolicy::at(at);
        policy.key = match (&options.public_key, text("public_key_pem").or_else(|| text("public_key"))) {
            (Some(path), _) => Some(key(&read(path)?)?),
            (None, Some(pem)) => Some(key(pem.as_bytes())?),
            (None, None) => None,
        };
        policy.client_data = client_data.or_else(|| challenge.clone().map(ClientData::Bytes));
        (policy.challenge, policy.application, policy.counter, policy.waived) = (challenge, application, options.counter, waived);
        return Ok(verify_assertion(object, &policy));
    }
    let mut policy = AttestationPolicy::at(at);
    policy.roots = roots(options, Roots::apple)?;
    policy.client_data = client_data.or_else(|| challenge.map(ClientData::Bytes));
    policy.key_id = match &options.key_id {
        Some(text) => Some(digest("--key-id", text)?.to_vec()),
        None => bytes("key_id"),
    };
    policy.environment = match (options.environment, text("environment").as_deref()) {
        (Some(AttestEnvironment::Production), _) | (None, Some("production")) => Some(Environment::Production),
        (Some(AttestEnvironment::Development), _) | (None, Some("development")) => Some(Environment::Development),
        _ => None,
    };
    (policy.application, policy.waived) = (application, waived);
    Ok(verify_attestation(object, &policy))
}

/// The member `signature` is what only assertions have.
fn is_assertion(object: &[u8], vector: &Value) -> bool {
    if vector.get("assertion").is_some() {
        return true;
    }
    let decoded = std::str::from_utf8(object).ok().and_then(|text| base64_bytes(text.trim()));
    let bytes = decoded.as_deref().unwrap_or(object);
    bytes.windows(18).any(|window| window == b"\x71authenticatorData")
}

fn key(input: &[u8]) -> Result<PublicKey> {
    PublicKey::read(input).map_err(|cause| errors::attest_option("--public-key", &cause.to_string()))
}
