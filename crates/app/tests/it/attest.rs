//! Attestations from the command line: the verdict is the exit code.

use std::path::PathBuf;

use serde_json::Value as Json;

use crate::server::{stderr, stdout, tyrian};

fn recorded(path: &str) -> String {
    let folder = std::env::var("TYRIAN_TESTDATA")
        .map_or_else(|_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    folder.join("attestation").join(path).display().to_string()
}

fn verify(words: &[&str]) -> (Option<i32>, Json) {
    let done = tyrian(&[&["attest", "verify", "--json"][..], words].concat(), &[], "");
    let document = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}{}", stdout(&done), stderr(&done)));
    (done.status.code(), document)
}

#[test]
fn the_exit_code_of_an_attestation_is_its_verdict() {
    let chain = recorded("android/akita/sdk34/TEE_EC_NONE.pem");
    let words = ["--kind", "android-key", &chain, "--at"];
    let (code, report) = verify(&[&words[..], &["2024-10-01T00:00:00Z"]].concat());
    assert_eq!((code, report["verdict"].as_str()), (Some(0), Some("verified")), "{report}");
    assert!(report["checks"].as_array().unwrap().len() > 25 && report["facts"]["hardwareEnforced"]["osVersion"] == "140000");
    let (code, report) = verify(&[&words[..], &["2025-01-01T00:00:00Z"]].concat());
    assert_eq!((code, report["verdict"].as_str()), (Some(12), Some("refused")), "{report}");
    let (code, _) = verify(&[&words[..], &["2025-01-01T00:00:00Z", "--waive", "validity"]].concat());
    assert_eq!(code, Some(0));
    let (code, _) = verify(&[&words[..], &["2024-10-01T00:00:00Z", "--verified-boot"]].concat());
    assert_eq!(code, Some(12), "the recorded phone is unlocked");
    let (code, report) = verify(&["--kind", "android-key", &recorded("android/LICENSE")]);
    assert_eq!((code, report["verdict"].as_str()), (Some(3), Some("unreadable")));
}

#[test]
fn a_file_of_vectors_is_verified_one_by_one() {
    let file = recorded("apple/app_attest_vectors.json");
    let words = ["--kind", "app-attest", &file, "--at", "2020-11-21T12:00:00Z", "--vector"];
    for (vector, expected) in [("1", 0), ("2", 0), ("3", 12), ("6", 0)] {
        let (code, report) = verify(&[&words[..], &[vector]].concat());
        assert_eq!(code, Some(expected), "{vector}: {report}");
    }
    let (_, all) = verify(&words[..5]);
    assert_eq!(all["reports"].as_array().map(Vec::len), Some(9));
}
