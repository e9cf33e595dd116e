//! Every check of the Android verifier made to fail, each alone where that is possible, so that a check
//! which is switched off fails a test that names it.

use attestation::android::{self, Policy, SecurityLevel};
use attestation::{Level, Report, RevocationList, Verdict};

use crate::forge::{self, Description, Link, enumerated, integer, null, octets, put, root_of_trust, set};
use crate::moment;

/// Verifies a factory chain around a changed description, under changed demands.
fn judge(describe: impl FnOnce(&mut Description), demand: impl FnOnce(&mut Policy)) -> Report {
    let mut description = Description::honest();
    describe(&mut description);
    judge_links(&forge::factory(&description), demand)
}

fn judge_links(links: &[Link], demand: impl FnOnce(&mut Policy)) -> Report {
    let forged = forge::chain(links);
    let mut policy = forge::policy(&forged);
    demand(&mut policy);
    android::verify(forged.chain.as_bytes(), &policy)
}

fn assert_refused(report: &Report, failed: &[&str]) {
    assert_eq!((report.verdict, report.failed().as_slice(), report.level), (Verdict::Refused, failed, Level::None), "{:#?}", report.checks);
}

fn everything(policy: &mut Policy) {
    policy.challenge = Some(b"nonce".to_vec());
    policy.verified_boot = true;
    policy.packages.insert("com.example.app".to_owned());
    policy.signers.insert(forge::SIGNER.to_vec());
    policy.least_os_version = Some(140_000);
    (policy.least_os_patch, policy.least_vendor_patch, policy.least_boot_patch) = (Some(202_408), Some(202_408), Some(202_408));
    policy.purposes.insert(2);
    policy.algorithms.insert(3);
    (policy.rollback_resistance, policy.user_authentication) = (true, true);
    policy.revoked = Some(RevocationList::read(br#"{"entries":{"aa":{"status":"REVOKED"}}}"#).unwrap());
}

#[test]
fn an_honest_key_meets_every_demand() {
    let report = judge(|_| {}, everything);
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::TrustedEnvironment), "{:#?}", report.checks);
    assert!(report.checks.iter().all(|check| check.required && check.passed == Some(true)));
    let report = judge_links(&forge::remote(&Description::honest()), everything);
    assert_eq!(
        (report.verdict, &report.facts["provisioning"], &report.facts["certificatesIssued"]),
        (Verdict::Verified, &"remote".into(), &16.into())
    );
}

#[test]
fn a_root_that_only_carries_the_trusted_name_is_refused() {
    let forged = forge::chain(&forge::factory(&Description::honest()));
    let other = forge::chain(&forge::factory(&Description::honest()));
    assert_refused(&android::verify(other.chain.as_bytes(), &forge::policy(&forged)), &["trusted_root"]);
    assert_refused(&android::verify(forged.chain.as_bytes(), &Policy::at(moment("2024-09-01T00:00:00Z"))), &["trusted_root"]);
}

#[test]
fn a_chain_without_its_root_is_verified_by_the_trusted_one_and_no_other() {
    let forged = forge::chain(&forge::factory(&Description::honest()));
    let shortened = forged.chain.replace(&forged.root, "");
    assert!(android::verify(shortened.as_bytes(), &forge::policy(&forged)).is_verified());
    let other = forge::chain(&forge::factory(&Description::honest()));
    assert_refused(&android::verify(shortened.as_bytes(), &forge::policy(&other)), &["signatures"]);
}

#[test]
fn a_certificate_that_names_another_issuer_is_refused() {
    let mut links = forge::factory(&Description::honest());
    links[2].issuer_name = Some("somebody".to_owned());
    assert_refused(&judge_links(&links, |_| {}), &["names"]);
}

#[test]
fn a_certificate_signed_by_another_key_is_refused() {
    for at in 0..3 {
        let mut links = forge::factory(&Description::honest());
        links[at].signed_by_another = true;
        assert_refused(&judge_links(&links, |_| {}), &["signatures"]);
    }
}

#[test]
fn an_expired_certificate_counts_for_fetched_keys_and_not_for_factory_keys() {
    let mut links = forge::remote(&Description::honest());
    links[2].years = (2020, 2022);
    assert_refused(&judge_links(&links, |_| {}), &["validity"]);
    let mut links = forge::factory(&Description::honest());
    links[1].years = (2020, 2022);
    assert!(judge_links(&links, |_| {}).is_verified());
}

#[test]
fn a_certificate_that_is_not_good_yet_is_refused() {
    let mut links = forge::factory(&Description::honest());
    links[1].years = (2026, 2030);
    assert_refused(&judge_links(&links, |_| {}), &["validity"]);
}

#[test]
fn the_dates_of_the_target_are_not_looked_at() {
    let mut links = forge::remote(&Description::honest());
    links[3].years = (1970, 1971);
    assert!(judge_links(&links, |_| {}).is_verified());
}

#[test]
fn a_revoked_certificate_is_refused_wherever_it_stands_and_however_its_number_is_written() {
    for serial in ["7a02", "7A03", "0x7a04", "00007a01"] {
        let list = format!(r#"{{"entries":{{"{serial}":{{"status":"REVOKED","reason":"KEY_COMPROMISE"}}}}}}"#);
        let report = judge(|_| {}, |policy| policy.revoked = Some(RevocationList::read(list.as_bytes()).unwrap()));
        assert_refused(&report, &["revocation"]);
        assert!(report.check("revocation").unwrap().detail.contains("KEY_COMPROMISE"));
    }
}

#[test]
fn a_suspended_certificate_and_a_stale_list_are_refused() {
    let list = || RevocationList::read(br#"{"entries":{"7a03":{"status":"SUSPENDED"}}}"#).unwrap();
    assert_refused(&judge(|_| {}, |policy| policy.revoked = Some(list())), &["revocation"]);
    let stale = judge(
        |_| {},
        |policy| {
            let mut list = RevocationList::read(br#"{"entries":{}}"#).unwrap();
            list.fetched_at = Some(moment("2024-08-01T00:00:00Z"));
            list.longest_age = Some(chrono::TimeDelta::hours(24));
            policy.revoked = Some(list);
        },
    );
    assert_refused(&stale, &["revocation"]);
    assert!(RevocationList::read(b"{}").is_err() && RevocationList::read(b"").is_err());
}

#[test]
fn a_chain_that_goes_on_below_the_attested_key_is_refused() {
    let mut links = forge::factory(&Description::honest());
    links.push(Link::new(None, "extended", 9));
    let report = judge_links(&links, |_| {});
    assert_refused(&report, &["chain_shape", "extension_in_target", "extension_only_in_target"]);
}

#[test]
fn a_chain_extended_by_a_false_attestation_is_refused() {
    for links in [forge::factory(&Description::honest()), forge::remote(&Description::honest())] {
        let mut links = links;
        links.push(Link::new(None, "extended", 9).attested(Description::honest().der()));
        let report = judge_links(&links, |_| {});
        assert!(report.failed().contains(&"chain_shape") && report.failed().contains(&"extension_only_in_target"), "{report:?}");
    }
    let mut links = forge::factory(&Description::honest());
    links[1] = Link::new(Some("TEE"), "attestation", 3).attested(Description::honest().der());
    assert_refused(&judge_links(&links, |_| {}), &["extension_only_in_target"]);
}

#[test]
fn a_chain_that_is_too_long_for_its_provisioning_is_refused_for_its_shape() {
    let mut links = forge::factory(&Description::honest());
    links.insert(1, Link::new(None, "between", 8));
    links.swap(0, 1);
    assert_refused(&judge_links(&links, |_| {}), &["chain_shape"]);
}

#[test]
fn a_target_without_an_attestation_or_with_two_is_refused() {
    let mut links = forge::factory(&Description::honest());
    links[2] = Link::new(None, "target", 4);
    assert_refused(&judge_links(&links, |_| {}), &["extension_in_target"]);
    let der = Description::honest().der();
    links[2] = Link::new(None, "target", 4).attested(der.clone()).attested(der);
    assert_eq!(judge_links(&links, |_| {}).verdict, Verdict::Refused);
}

#[test]
fn an_extension_that_breaks_the_schema_is_refused() {
    let breaks: [fn(&mut Description); 8] = [
        |description| description.level = 3,
        |description| put(&mut description.hardware, 702, integer(9)),
        |description| put(&mut description.hardware, 3, octets(b"256")),
        |description| put(&mut description.hardware, 503, integer(1)),
        |description| put(&mut description.software, 709, octets(b"not DER")),
        |description| put(&mut description.hardware, 710, octets(&[0xff, 0xfe])),
        |description| description.hardware.push((719, integer(1))),
        |description| put(&mut description.hardware, 704, root_of_trust(&[1; 32], true, 7)),
    ];
    for change in breaks {
        assert_refused(&judge(change, |_| {}), &["extension_readable"]);
    }
}

#[test]
fn a_tag_nobody_knows_is_refused() {
    assert_refused(&judge(|description| put(&mut description.hardware, 799, null()), |_| {}), &["known_tags"]);
    assert_refused(&judge(|description| put(&mut description.software, 799, integer(1)), |_| {}), &["known_tags"]);
}

#[test]
fn tags_that_do_not_ascend_are_refused() {
    assert_refused(&judge(|description| description.hardware.swap(0, 1), |_| {}), &["tag_order"]);
    assert_refused(&judge(|description| description.software.swap(0, 1), |_| {}), &["tag_order"]);
}

#[test]
fn every_published_version_is_read_and_others_are_refused() {
    for version in [1, 2, 3, 4, 100, 200, 300, 400, 500] {
        assert!(judge(|description| description.version = version, |_| {}).is_verified(), "{version}");
    }
    for version in [0, 5, 99, 301] {
        assert_refused(&judge(|description| description.version = version, |_| {}), &["attestation_version"]);
    }
}

#[test]
fn an_attestation_and_a_key_in_different_places_are_refused() {
    let strong = judge(|description| description.level = 2, |_| {});
    assert_refused(&strong, &["security_levels_agree"]);
    let soft = judge(|description| description.key_level = 0, |policy| policy.least_level = SecurityLevel::Software);
    assert_refused(&soft, &["security_levels_agree", "security_level_of_certificate"]);
}

#[test]
fn a_software_key_is_refused() {
    let soften = |description: &mut Description| (description.level, description.key_level) = (0, 0);
    let mut description = Description::honest();
    soften(&mut description);
    let mut links = forge::factory(&description);
    links[1] = Link::new(None, "attestation", 3);
    assert_refused(&judge_links(&links, |_| {}), &["security_level"]);
    let report = judge_links(&links, |policy| policy.least_level = SecurityLevel::Software);
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::Basic));
}

#[test]
fn a_weaker_key_than_demanded_is_refused() {
    assert_refused(&judge(|_| {}, |policy| policy.least_level = SecurityLevel::StrongBox), &["security_level"]);
}

#[test]
fn a_secure_element_that_its_maker_did_not_certify_as_one_is_refused() {
    let strong = |description: &mut Description| (description.level, description.key_level) = (2, 2);
    assert_refused(&judge(strong, |_| {}), &["security_level_of_certificate"]);
    let mut description = Description::honest();
    strong(&mut description);
    let mut links = forge::factory(&description);
    links[1].title = Some("StrongBox");
    let report = judge_links(&links, |_| {});
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::Strong));
}

#[test]
fn an_imported_key_is_refused_and_so_is_one_of_unknown_origin() {
    assert_refused(&judge(|description| put(&mut description.hardware, 702, integer(2)), |_| {}), &["origin"]);
    assert_refused(&judge(|description| description.hardware.retain(|(tag, _)| *tag != 702), |_| {}), &["origin"]);
}

#[test]
fn a_certified_key_of_another_kind_than_described_is_refused() {
    for (tag, value) in [(2, 1), (3, 384), (10, 2)] {
        assert_refused(&judge(|description| put(&mut description.hardware, tag, integer(value)), |_| {}), &["key_matches"]);
    }
}

#[test]
fn a_key_without_a_root_of_trust_of_the_hardware_is_refused() {
    assert_refused(&judge(|description| description.hardware.retain(|(tag, _)| *tag != 704), |_| {}), &["root_of_trust"]);
    let both = |description: &mut Description| put(&mut description.software, 704, root_of_trust(&[1; 32], true, 0));
    assert_refused(&judge(both, |_| {}), &["root_of_trust"]);
}

#[test]
fn another_challenge_is_refused_and_an_empty_one_proves_nothing() {
    assert_refused(&judge(|description| description.challenge = b"replayed".to_vec(), everything), &["challenge"]);
    let empty = judge(|description| description.challenge.clear(), |policy| policy.challenge = Some(Vec::new()));
    assert_refused(&empty, &["challenge"]);
}

#[test]
fn an_unlocked_boot_loader_is_noted_and_refused_when_a_verified_system_is_demanded() {
    let unlock = |description: &mut Description| put(&mut description.hardware, 704, root_of_trust(&forge::BOOT_KEY, false, 0));
    let noted = judge(unlock, |_| {});
    assert_eq!((noted.verdict, noted.level, noted.check("device_locked").unwrap().passed), (Verdict::Verified, Level::Basic, Some(false)));
    assert_refused(&judge(unlock, everything), &["device_locked"]);
}

#[test]
fn a_system_nobody_verified_is_refused_when_a_verified_one_is_demanded() {
    for state in [1, 2, 3] {
        let start = |description: &mut Description| put(&mut description.hardware, 704, root_of_trust(&forge::BOOT_KEY, true, state));
        assert_refused(&judge(start, everything), &["verified_boot"]);
        assert_eq!(judge(start, |_| {}).level, Level::Basic);
    }
}

#[test]
fn another_system_is_accepted_by_its_boot_key_when_the_device_is_locked() {
    let start = |state, locked| {
        move |description: &mut Description| put(&mut description.hardware, 704, root_of_trust(&forge::BOOT_KEY, locked, state))
    };
    let allow = |policy: &mut Policy| policy.boot_keys.push(forge::BOOT_KEY.to_vec());
    let report = judge(start(1, true), allow);
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::TrustedEnvironment));
    assert_refused(&judge(start(1, true), |policy| policy.boot_keys.push(vec![0x43; 32])), &["verified_boot"]);
    assert_refused(&judge(start(2, true), allow), &["verified_boot"]);
    assert_refused(&judge(start(1, false), allow), &["device_locked", "verified_boot"]);
    let zeros = |description: &mut Description| put(&mut description.hardware, 704, root_of_trust(&[0; 32], true, 1));
    assert_refused(&judge(zeros, |policy| policy.boot_keys.push(vec![0; 32])), &["verified_boot"]);
}

#[test]
fn another_application_or_another_signer_is_refused() {
    let another = |policy: &mut Policy| {
        everything(policy);
        policy.packages = ["com.example.other".to_owned()].into();
    };
    assert_refused(&judge(|_| {}, another), &["package"]);
    let unsigned = |policy: &mut Policy| {
        everything(policy);
        policy.signers = [vec![1; 32]].into();
    };
    assert_refused(&judge(|_| {}, unsigned), &["signers"]);
    let nobody = |description: &mut Description| description.software.retain(|(tag, _)| *tag != 709);
    assert_refused(&judge(nobody, everything), &["package", "signers"]);
}

#[test]
fn an_older_system_than_demanded_is_refused() {
    let cases = [
        (705, 130_000, "os_version"),
        (706, 202_407, "os_patch_level"),
        (718, 20_240_705, "vendor_patch_level"),
        (719, 202_407, "boot_patch_level"),
    ];
    for (tag, value, name) in cases {
        assert_refused(&judge(|description| put(&mut description.hardware, tag, integer(value)), everything), &[name]);
        assert_refused(&judge(|description| description.hardware.retain(|(own, _)| *own != tag), everything), &[name]);
    }
    assert_refused(&judge(|description| put(&mut description.hardware, 706, integer(202_499)), everything), &["os_patch_level"]);
}

#[test]
fn a_key_that_may_do_more_or_other_than_demanded_is_refused() {
    assert_refused(&judge(|description| put(&mut description.hardware, 1, set(&[integer(2), integer(0)])), everything), &["purpose"]);
    let rsa_only = |policy: &mut Policy| {
        everything(policy);
        policy.algorithms = [1].into();
    };
    assert_refused(&judge(|_| {}, rsa_only), &["algorithm"]);
    assert_refused(&judge(|description| description.hardware.retain(|(tag, _)| *tag != 303), everything), &["rollback_resistance"]);
    assert_refused(&judge(|description| put(&mut description.hardware, 503, null()), everything), &["user_authentication"]);
}

#[test]
fn a_key_outside_its_own_period_is_refused() {
    let millis = |text: &str| u64::try_from(moment(text).timestamp_millis()).unwrap();
    let (past, future) = (millis("2024-01-01T00:00:00Z"), millis("2025-01-01T00:00:00Z"));
    for (tag, when) in [(400, future), (401, past), (402, past)] {
        assert_refused(&judge(|description| put(&mut description.hardware, tag, integer(when)), |_| {}), &["usage_period"]);
        assert_refused(&judge(|description| put(&mut description.software, tag, integer(when)), |_| {}), &["usage_period"]);
    }
}

#[test]
fn a_waived_check_is_told_but_does_not_decide() {
    let import = |description: &mut Description| put(&mut description.hardware, 702, integer(2));
    let report = judge(import, |policy| {
        policy.waived.insert("origin".to_owned());
    });
    assert_eq!((report.verdict, report.check("origin").unwrap().passed), (Verdict::Verified, Some(false)));
}

#[test]
fn chains_are_read_as_json_and_base64_too_and_bounded() {
    let forged = forge::chain(&forge::factory(&Description::honest()));
    let policy = forge::policy(&forged);
    let blocks: Vec<String> = forged
        .chain
        .split_inclusive("-----END CERTIFICATE-----")
        .filter(|block| block.contains("BEGIN"))
        .map(|block| block.trim().to_owned())
        .collect();
    let bare: Vec<String> =
        blocks.iter().map(|block| block.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect()).collect();
    let forms = [
        serde_json::to_string(&blocks).unwrap(),
        serde_json::to_string(&bare).unwrap(),
        bare.join("\n"),
        format!(r#"{{"x5c":{}}}"#, serde_json::to_string(&bare).unwrap()),
    ];
    for form in forms {
        assert!(android::verify(form.as_bytes(), &policy).is_verified(), "{form}");
    }
    for junk in [
        "",
        "hello",
        "{}",
        "[1]",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        &forged.chain.repeat(4),
        &" x".repeat(200_000),
    ] {
        assert_eq!(android::verify(junk.as_bytes(), &policy).verdict, Verdict::Unreadable);
    }
    assert_eq!(enumerated(1), [10, 1, 1]);
}
