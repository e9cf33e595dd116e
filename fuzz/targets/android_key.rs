//! Any bytes as an Android chain, as one certificate, and as the content of an attestation extension:
//! a report or an error, never a panic, and what nobody trusted signed is never verified.
#![no_main]

use attestation::android::{EXTENSION, Policy, read_extension, verify};
use attestation::{Certificate, Report, Roots};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;

fn hold(report: &Report) {
    assert!(!report.is_verified() || report.checks.iter().all(|check| !check.required || check.passed == Some(true)));
    assert!(serde_json::to_string(report).is_ok());
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(description) = read_extension(bytes) {
        assert!(serde_json::to_string(&description).is_ok());
    }
    if let Ok(certificate) = Certificate::from_der(bytes) {
        for value in certificate.extensions(EXTENSION) {
            let _ = read_extension(value);
        }
    }
    let mut policy = Policy::at(DateTime::UNIX_EPOCH);
    hold(&verify(bytes, &policy));
    policy.roots = Roots::default();
    let report = verify(bytes, &policy);
    hold(&report);
    assert!(!report.is_verified(), "verified under no root at all");
});
