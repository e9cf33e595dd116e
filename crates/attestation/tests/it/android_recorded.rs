//! Chains of real devices, with the facts that Google's own parser found in them.

use std::path::PathBuf;

use attestation::android::{self, Policy};
use attestation::{Report, Roots, Verdict};
use serde_json::{Value, json};

use crate::{moment, testdata};

fn folder() -> PathBuf {
    testdata().join("attestation/android")
}

fn verify(chain: &str, at: &str) -> Report {
    android::verify(&std::fs::read(folder().join(chain)).unwrap(), &Policy::at(moment(at)))
}

/// Recorded chains with a moment at which all of their certificates above the leaf are good.
const GENUINE: &[(&str, &str, &[&str])] = &[
    ("akita/sdk34", "2024-10-01T00:00:00Z", &["SB_RSA_NONE", "TEE_EC_NONE", "TEE_RSA_BASE+IMEI", "TEE_RSA_NONE", "TEE_RSA_NONE_USERAUTH"]),
    (
        "blueline/sdk28",
        "2024-10-01T00:00:00Z",
        &["SB_RSA_NONE", "SB_RSA_NONE_USERAUTH", "TEE_EC_NONE", "TEE_RSA_BASE+IMEI", "TEE_RSA_NONE"],
    ),
    ("tegu/sdk36", "2026-02-25T00:00:00Z", &["SB_EC_2026_ROOT", "TEE_EC_2026_ROOT"]),
    ("tegu/sdk37", "2026-07-10T00:00:00Z", &["TEE_MAX_USAGE_COUNT", "TEE_TRUSTED_CONF"]),
];

#[test]
fn chains_of_real_devices_are_verified_and_their_facts_are_those_google_found() {
    let mut seen = 0;
    for (device, at, names) in GENUINE {
        for name in *names {
            let report = verify(&format!("{device}/{name}.pem"), at);
            assert_eq!(report.verdict, Verdict::Verified, "{device}/{name}: {:?}", report.failed());
            seen += 1;
            let recorded = std::fs::read_to_string(folder().join(device).join(format!("{name}.json"))).unwrap();
            // One recording has comments.
            let recorded: String = recorded.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let mut expected: Value = serde_json::from_str(&recorded).unwrap();
            for list in ["softwareEnforced", "hardwareEnforced"] {
                // Older recordings do not say it, and mean that they are.
                expected[list]["areTagsOrdered"] = json!(true);
            }
            for (field, value) in expected.as_object().unwrap() {
                assert_eq!(&report.facts[field], value, "{device}/{name}: {field}");
            }
        }
    }
    assert_eq!(seen, 14);
}

#[test]
fn a_damaged_root_of_trust_is_refused_for_that_alone() {
    let report = verify("invalid/malformed_rot_device_locked.pem", "2026-03-01T00:00:00Z");
    assert_eq!((report.verdict, report.failed()), (Verdict::Refused, vec!["extension_readable"]), "{report:?}");
    assert!(report.check("extension_readable").unwrap().detail.contains("deviceLocked"));
}

#[test]
fn tags_out_of_order_are_refused_and_so_is_the_signature_their_author_broke() {
    let report = verify("invalid/tags_not_in_ascending_order.pem", "2024-10-01T00:00:00Z");
    assert_eq!((report.verdict, report.failed()), (Verdict::Refused, vec!["signatures", "tag_order"]), "{report:?}");
}

#[test]
fn the_published_list_of_roots_is_the_one_in_the_binary() {
    let published = Roots::read(&std::fs::read(folder().join("roots.json")).unwrap()).unwrap();
    assert_eq!(published.len(), 2);
    for (chain, at) in
        [("blueline/sdk28/TEE_EC_NONE.pem", "2024-10-01T00:00:00Z"), ("tegu/sdk36/TEE_EC_2026_ROOT.pem", "2026-02-25T00:00:00Z")]
    {
        let mut policy = Policy::at(moment(at));
        policy.roots = published.clone();
        assert!(android::verify(&std::fs::read(folder().join(chain)).unwrap(), &policy).is_verified(), "{chain}");
    }
}
