//! What somebody may demand of a genuine key, each demand missed alone.

use attestation::android::{self, Policy};
use attestation::{Level, Verdict};

use crate::android_forged::{assert_refused, everything, judge};
use crate::forge::{self, Description, enumerated, integer, null, put, root_of_trust, set};
use crate::moment;

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
