//! Any text as a signed token, an encrypted token, a Play Integrity token and a proof of possession.
#![no_main]

use attestation::dpop::{Demand, verify as verify_proof};
use attestation::jose::{Algorithm, DecryptionKey, VerificationKey, decrypt, verify};
use attestation::play::{Policy, verify as verify_play};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let at = DateTime::UNIX_EPOCH;
    let Ok(key) = DecryptionKey::new(vec![7; 32]) else { return };
    let mut policy = Policy::at(at);
    policy.decryption = Some(key.clone());
    assert!(!verify_play(bytes, &policy).is_verified());
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(decrypt(text, &key, "A256GCM").is_err());
    let jwk = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let keys: Vec<VerificationKey> =
        jwk.as_object().and_then(|jwk| VerificationKey::from_jwk(jwk, Algorithm::EdDsa).ok()).into_iter().collect();
    let _ = verify(text, &keys);
    if let Ok(url) = Url::parse("https://example.com/") {
        let _ = verify_proof(text, &Demand::new(at, "GET", &url));
    }
});
