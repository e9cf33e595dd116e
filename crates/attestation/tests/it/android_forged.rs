//! Every check of the Android verifier made to fail, each alone where that is possible, so that a check
//! which is switched off fails a test that names it.

use std::sync::Arc;

use attestation::android::{self, Policy, SecurityLevel};
use attestation::{Level, Report, RevocationList, Verdict};

use crate::forge::{self, Description, Link, integer, null, octets, put, root_of_trust};
use crate::moment;

/// Verifies a factory chain around a changed description, under changed demands.
pub(crate) fn judge(describe: impl FnOnce(&mut Description), demand: impl FnOnce(&mut Policy)) -> Report {
    let mut description = Description::honest();
    describe(&mut description);
    judge_links(&forge::factory(&description), demand)
}

pub(crate) fn judge_links(links: &[Link], demand: impl FnOnce(&mut Policy)) -> Report {
    let forged = forge::chain(links);
    let mut policy = forge::policy(&forged);
    demand(&mut policy);
    android::verify(forged.chain.as_bytes(), &policy)
}

pub(crate) fn assert_refused(report: &Report, failed: &[&str]) {
    assert_eq!((report.verdict, report.failed().as_slice(), report.level), (Verdict::Refused, failed, Level::None), "{:#?}", report.checks);
}

pub(crate) fn everything(policy: &mut Policy) {
    policy.challenge = Some(b"nonce".to_vec());
    policy.verified_boot = true;
    policy.packages.insert("com.example.app".to_owned());
    policy.signers.insert(forge::SIGNER.to_vec());
    policy.least_os_version = Some(140_000);
    (policy.least_os_patch, policy.least_vendor_patch, policy.least_boot_patch) = (Some(202_408), Some(202_408), Some(202_408));
    policy.purposes.insert(2);
    policy.algorithms.insert(3);
    (policy.rollback_resistance, policy.user_authentication) = (true, true);
    policy.revoked = Some(Arc::new(RevocationList::read(br#"{"entries":{"aa":{"status":"REVOKED"}}}"#).unwrap()));
}

#[test]
fn an_honest_key_meets_every_demand() {
    let report = judge(|_| {}, everything);
    assert_eq!((report.verdict, report.level), (Verdict::Verified, Level::TrustedEnvironment), "{:#?}", report.checks);
    assert!(report.checks.iter().all(|check| (check.required || check.name == "known_tags") && check.passed == Some(true)));
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
        let report = judge(|_| {}, |policy| policy.revoked = Some(Arc::new(RevocationList::read(list.as_bytes()).unwrap())));
        assert_refused(&report, &["revocation"]);
        assert!(report.check("revocation").unwrap().detail.contains("KEY_COMPROMISE"));
    }
}

#[test]
fn a_suspended_certificate_and_a_stale_list_are_refused() {
    let list = || RevocationList::read(br#"{"entries":{"7a03":{"status":"SUSPENDED"}}}"#).unwrap();
    assert_refused(&judge(|_| {}, |policy| policy.revoked = Some(Arc::new(list()))), &["revocation"]);
    let stale = judge(
        |_| {},
        |policy| {
            let mut list = RevocationList::read(br#"{"entries":{}}"#).unwrap();
            list.fetched_at = Some(moment("2024-08-01T00:00:00Z"));
            list.longest_age = Some(chrono::TimeDelta::hours(24));
            policy.revoked = Some(Arc::new(list));
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
fn a_tag_of_a_vendor_is_told_and_decides_nothing() {
    let judged = [
        judge(|description| put(&mut description.hardware, 799, null()), |_| {}),
        judge(|description| put(&mut description.software, 799, integer(1)), |_| {}),
    ];
    for report in judged {
        assert_eq!(report.verdict, Verdict::Verified, "{:#?}", report.checks);
        let told = report.checks.iter().find(|check| check.name == "known_tags").unwrap();
        assert!(told.passed == Some(false) && !told.required && told.detail.contains("799"), "{told:?}");
    }
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
