//! Verifiers against recorded chains and vectors, and against forgeries that fail exactly one check.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests find their data through the environment")]

mod android_demands;
mod android_forged;
mod android_recorded;
mod apple;
mod apple_forged;
mod damage;
mod dpop;
mod forge;
mod jose;
mod play;
mod token;

use std::path::PathBuf;

use chrono::{DateTime, Utc};

/// Folder of the recorded attestations.
pub(crate) fn testdata() -> PathBuf {
    let folder = std::env::var("TYRIAN_TESTDATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    assert!(folder.join("attestation").is_dir(), "test data is missing: set TYRIAN_TESTDATA to its folder");
    folder
}

/// A moment in RFC 3339.
pub(crate) fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
