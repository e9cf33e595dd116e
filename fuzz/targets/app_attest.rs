//! Any bytes as an App Attest attestation and assertion, as CBOR or as base64 of it.
#![no_main]

use attestation::apple::{AssertionPolicy, AttestationPolicy, ClientData, verify_assertion, verify_attestation};
use attestation::{PublicKey, Report};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;

const GENERATOR: &str = "BGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU=";

fn hold(report: &Report) {
    assert!(!report.is_verified(), "nobody asked for this");
    assert!(serde_json::to_string(report).is_ok());
}

fuzz_target!(|bytes: &[u8]| {
    let at = DateTime::UNIX_EPOCH;
    let mut attestation = AttestationPolicy::at(at);
    attestation.client_data = Some(ClientData::Bytes(bytes.to_vec()));
    hold(&verify_attestation(bytes, &attestation));
    let mut assertion = AssertionPolicy::at(at);
    assertion.client_data = Some(ClientData::Bytes(b"challenge".to_vec()));
    // The generator of P-256 is as good a public key as any.
    assertion.key = PublicKey::read(GENERATOR.as_bytes()).ok();
    assert!(assertion.key.is_some());
    hold(&verify_assertion(bytes, &assertion));
});
