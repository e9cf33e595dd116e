//! Scores against published vectors, a second implementation, and the laws that no vector may break.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests find their data through the environment")]

mod assessing;
mod due;
mod false_positives;
mod feeding;
mod published;
mod second_opinion;
mod wild;

use std::path::PathBuf;

/// A file of the recorded outside bytes.
fn testdata(path: &str) -> PathBuf {
    let folder = std::env::var("TYRIAN_TESTDATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let file = folder.join(path);
    assert!(file.exists(), "{} is missing: set TYRIAN_TESTDATA to the folder of the test data", file.display());
    file
}
