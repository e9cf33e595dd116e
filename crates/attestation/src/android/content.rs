//! Checks on what the attestation extension says, against what the caller demands.

use super::chain::Chain;
use super::description::{AuthorizationList, KeyDescription, Origin, SecurityLevel, VerifiedBootState};
use super::policy::Policy;
use crate::certificate::{KeyKind, PublicKey};
use crate::report::{Checks, Finding};

/// Names of the checks made here, in order, for when there is nothing to make them on.
pub(super) const NAMES: &[&str] = &[
    "known_tags",
    "tag_order",
    "attestation_version",
    "security_levels_agree",
    "security_level",
    "security_level_of_certificate",
    "origin",
    "key_matches",
    "root_of_trust",
];

/// Names of the checks that [`Policy::waived`] may hold without a key being any less genuine: phones in the field fail them.
pub const WAIVABLE: [&str; 4] = ["tag_order", "attestation_version", "security_level_of_certificate", "key_matches"];

/// Names of the checks on versions and patch levels: who fails only these is genuine, and merely not up to date. They are made only once
/// the extension could be read.
pub const FLOORS: [&str; 4] = ["os_version", "os_patch_level", "vendor_patch_level", "boot_patch_level"];

pub(super) fn judge(description: &KeyDescription, chain: &Chain<'_>, key: &PublicKey, policy: &Policy, checks: &mut Checks<'_>) {
    let hardware = &description.hardware_enforced;
    let software = &description.software_enforced;
    // Vendors add tags of their own, and later versions new ones: none takes anything from what the known ones say.
    checks.judge("known_tags", false, known_tags(software, hardware));
    checks.require("tag_order", tag_order(software, hardware));
    checks.require("attestation_version", version(description));
    checks.require("security_levels_agree", levels_agree(description));
    checks.require("security_level", level(description, policy));
    checks.require("security_level_of_certificate", certificate_level(description, chain));
    checks.require("origin", origin(hardware));
    checks.require("key_matches", key_matches(hardware, key));
    checks.require("root_of_trust", root_of_trust(software, hardware));
    match &policy.challenge {
        None => checks.unasked("challenge", "no expected challenge given"),
        Some(expected) => checks.require("challenge", challenge(description, expected)),
    }
    let boot = policy.verified_boot || !policy.boot_keys.is_empty();
    checks.judge("device_locked", boot, device_locked(hardware));
    checks.judge("verified_boot", boot, verified_boot(hardware, policy));
    application(software, hardware, policy, checks);
    patches(hardware, policy, checks);
    usage(software, hardware, policy, checks);
}

fn known_tags(software: &AuthorizationList, hardware: &AuthorizationList) -> Finding {
    let unknown: Vec<String> = software.unknown_tags.iter().chain(&hardware.unknown_tags).map(u32::to_string).collect();
    if unknown.is_empty() { Ok("every tag is known".to_owned()) } else { Err(format!("unknown tags {}", unknown.join(", "))) }
}

fn tag_order(software: &AuthorizationList, hardware: &AuthorizationList) -> Finding {
    if software.are_tags_ordered && hardware.are_tags_ordered {
        Ok("tags ascend".to_owned())
    } else {
        Err("tags do not ascend, as the schema has them".to_owned())
    }
}

/// 1 to 4 belong to Keymaster 2 to 4.1, hundreds to KeyMint; later versions only add tags, which `known_tags` notices.
fn version(description: &KeyDescription) -> Finding {
    let version = description.attestation_version.0;
    let told = format!("attestation version {version}, key store version {}", description.key_mint_version.0);
    if (1..=4).contains(&version) || (version >= 100 && version.is_multiple_of(100)) { Ok(told) } else { Err(told) }
}

fn levels_agree(description: &KeyDescription) -> Finding {
    let (attestation, key) = (description.attestation_security_level, description.key_mint_security_level);
    let told = format!("attestation by {}, key in {}", attestation.name(), key.name());
    if attestation == key { Ok(told) } else { Err(told) }
}

fn level(description: &KeyDescription, policy: &Policy) -> Finding {
    let level = description.attestation_security_level.min(description.key_mint_security_level);
    let told = format!("{}, at least {} is demanded", level.name(), policy.least_level.name());
    if level >= policy.least_level { Ok(told) } else { Err(told) }
}

/// Older chains claim nothing for a trusted environment; secure elements always say what they are.
fn certificate_level(description: &KeyDescription, chain: &Chain<'_>) -> Finding {
    let level = description.key_mint_security_level;
    let claim = chain.claimed_level();
    let told = format!("key in {}, attestation certificate says {}", level.name(), claim.unwrap_or("nothing"));
    let fits = match level {
        SecurityLevel::Software => claim.is_none(),
        SecurityLevel::TrustedEnvironment => claim.is_none_or(|claim| claim == "TEE"),
        SecurityLevel::StrongBox => claim == Some("StrongBox"),
    };
    if fits { Ok(told) } else { Err(told) }
}

fn origin(hardware: &AuthorizationList) -> Finding {
    match hardware.origin {
        Some(Origin::Generated) => Ok("generated in the key store".to_owned()),
        Some(other) => Err(format!("not generated in the key store: {other:?}")),
        None => Err("the secure hardware does not say where the key came from".to_owned()),
    }
}

/// The certified key is of the kind and size the extension describes.
fn key_matches(hardware: &AuthorizationList, key: &PublicKey) -> Finding {
    let told = format!("certified key is {} {}", key.kind.name(), key.size);
    let algorithm = match key.kind {
        KeyKind::Rsa => Some(1),
        KeyKind::P224 | KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 | KeyKind::X25519 => Some(3),
        KeyKind::MlDsa44 | KeyKind::MlDsa65 | KeyKind::MlDsa87 | KeyKind::Unknown => None,
    };
    let curve = match key.kind {
        KeyKind::P224 => Some(0),
        KeyKind::P256 => Some(1),
        KeyKind::P384 => Some(2),
        KeyKind::P521 => Some(3),
        KeyKind::Ed25519 | KeyKind::X25519 => Some(4),
        _ => None,
    };
    let size = (key.size > 0).then_some(key.size as u64);
    let differs = |said: Option<super::Number>, found: Option<u64>| matches!((said, found), (Some(said), Some(found)) if said.0 != found);
    if differs(hardware.algorithms, algorithm) || differs(hardware.ec_curve, curve) || differs(hardware.key_size, size) {
        return Err(format!("{told}, the extension describes another"));
    }
    Ok(told)
}

fn root_of_trust(software: &AuthorizationList, hardware: &AuthorizationList) -> Finding {
    match (&hardware.root_of_trust, &software.root_of_trust) {
        (Some(_), None) => Ok("the secure hardware vouches for what was started".to_owned()),
        (Some(_), Some(_)) => Err("Android claims a root of trust beside the secure hardware's".to_owned()),
        (None, _) => Err("the secure hardware does not vouch for what was started".to_owned()),
    }
}

fn challenge(description: &KeyDescription, expected: &[u8]) -> Finding {
    if aws_lc_rs::constant_time::verify_slices_are_equal(&description.attestation_challenge.0, expected).is_ok() && !expected.is_empty() {
        Ok("the challenge is the expected one".to_owned())
    } else {
        Err("the challenge is another".to_owned())
    }
}

fn device_locked(hardware: &AuthorizationList) -> Finding {
    match hardware.root_of_trust.as_ref().map(|root| root.device_locked) {
        Some(true) => Ok("the boot loader is locked".to_owned()),
        Some(false) => Err("the boot loader is unlocked".to_owned()),
        None => Err("unknown without a root of trust".to_owned()),
    }
}

fn verified_boot(hardware: &AuthorizationList, policy: &Policy) -> Finding {
    let root = hardware.root_of_trust.as_ref().ok_or("unknown without a root of trust")?;
    let key = &root.verified_boot_key.0;
    let is_listed = key.iter().any(|byte| *byte != 0) && policy.boot_keys.iter().any(|listed| listed == key);
    match root.verified_boot_state {
        VerifiedBootState::Verified => Ok("the maker's system was started".to_owned()),
        VerifiedBootState::SelfSigned if root.device_locked && is_listed => {
            Ok(format!("a system with the accepted boot key {} was started", hex::encode(key)))
        }
        VerifiedBootState::SelfSigned => Err(format!("a system with boot key {} was started", hex::encode(key))),
        VerifiedBootState::Unverified => Err("what was started is not verified".to_owned()),
        VerifiedBootState::Failed => Err("verification of what was started failed".to_owned()),
    }
}

fn application(software: &AuthorizationList, hardware: &AuthorizationList, policy: &Policy, checks: &mut Checks<'_>) {
    let application = software.attestation_application_id.as_ref().or(hardware.attestation_application_id.as_ref());
    if policy.packages.is_empty() {
        checks.unasked("package", "no expected package given");
    } else {
        checks.require("package", {
            let names: Vec<&str> =
                application.iter().flat_map(|application| &application.packages).map(|package| package.name.as_str()).collect();
            let told = format!("asked for by {}", if names.is_empty() { "nobody known".to_owned() } else { names.join(", ") });
            if names.iter().any(|name| policy.packages.contains(*name)) { Ok(told) } else { Err(told) }
        });
    }
    if policy.signers.is_empty() {
        checks.unasked("signers", "no expected signer given");
    } else {
        checks.require("signers", {
            let signers: Vec<&Vec<u8>> =
                application.iter().flat_map(|application| &application.signatures).map(|digest| &digest.0).collect();
            let told = format!("{} signers", signers.len());
            let fits = !signers.is_empty() && signers.iter().all(|signer| policy.signers.contains(*signer));
            if fits { Ok(told) } else { Err(format!("{told}, not all of them expected")) }
        });
    }
}

/// Patch levels are YYYYMM or YYYYMMDD; anything else is not a patch level.
fn month(level: u64) -> Option<u64> {
    let month = match level {
        100_000..=999_999 => level,
        10_000_000..=99_999_999 if (1..=31).contains(&(level % 100)) => level / 100,
        _ => return None,
    };
    (1..=12).contains(&(month % 100)).then_some(month)
}

fn patches(hardware: &AuthorizationList, policy: &Policy, checks: &mut Checks<'_>) {
    match policy.least_os_version {
        None => checks.unasked("os_version", told("version", hardware.os_version)),
        Some(least) => checks.require("os_version", {
            let told = format!("{}, at least {least} is demanded", told("version", hardware.os_version));
            if hardware.os_version.is_some_and(|version| version.0 >= least) { Ok(told) } else { Err(told) }
        }),
    }
    let levels = [
        ("os_patch_level", hardware.os_patch_level, policy.least_os_patch),
        ("vendor_patch_level", hardware.vendor_patch_level, policy.least_vendor_patch),
        ("boot_patch_level", hardware.boot_patch_level, policy.least_boot_patch),
    ];
    for (name, level, least) in levels {
        match least {
            None => checks.unasked(name, told("patch level", level)),
            Some(least) => checks.require(name, {
                let told = format!("{}, at least {least} is demanded", told("patch level", level));
                if level.and_then(|level| month(level.0)).is_some_and(|month| month >= least) { Ok(told) } else { Err(told) }
            }),
        }
    }
}

fn told(what: &str, value: Option<super::Number>) -> String {
    value.map_or_else(|| format!("no {what}"), |value| format!("{what} {}", value.0))
}

fn usage(software: &AuthorizationList, hardware: &AuthorizationList, policy: &Policy, checks: &mut Checks<'_>) {
    let purposes: Vec<u64> = hardware.purposes.iter().flatten().map(|purpose| purpose.0).collect();
    let told = format!("purposes {purposes:?}");
    if policy.purposes.is_empty() {
        checks.unasked("purpose", told);
    } else {
        let fits = !purposes.is_empty() && purposes.iter().all(|purpose| policy.purposes.contains(purpose));
        checks.require("purpose", if fits { Ok(told) } else { Err(told) });
    }
    let told = hardware.algorithms.map_or_else(|| "no algorithm".to_owned(), |algorithm| format!("algorithm {}", algorithm.0));
    if policy.algorithms.is_empty() {
        checks.unasked("algorithm", told);
    } else {
        let fits = hardware.algorithms.is_some_and(|algorithm| policy.algorithms.contains(&algorithm.0));
        checks.require("algorithm", if fits { Ok(told) } else { Err(told) });
    }
    let resists = hardware.rollback_resistance.is_some() || hardware.rollback_resistant.is_some();
    let told = if resists { Ok("a deleted key stays deleted".to_owned()) } else { Err("a deleted key may come back".to_owned()) };
    checks.judge("rollback_resistance", policy.rollback_resistance, told);
    let asks = hardware.no_auth_required.is_none() && hardware.user_auth_type.is_some();
    let told = if asks { Ok("the user must agree".to_owned()) } else { Err("the key works without its user".to_owned()) };
    checks.judge("user_authentication", policy.user_authentication, told);
    checks.require("usage_period", usage_period(software, hardware, policy));
}

/// The key itself must not have run out; both lists may carry the dates, in milliseconds since 1970.
fn usage_period(software: &AuthorizationList, hardware: &AuthorizationList, policy: &Policy) -> Finding {
    let at = u64::try_from(policy.at.timestamp_millis()).unwrap_or_default();
    for list in [software, hardware] {
        let expiry = [list.origination_expire_date_time, list.usage_expire_date_time];
        if expiry.into_iter().flatten().any(|expiry| expiry.0 < at) {
            return Err("the key has expired".to_owned());
        }
        if list.active_date_time.is_some_and(|active| active.0 > at) {
            return Err("the key is not active yet".to_owned());
        }
    }
    Ok("the key is in use".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{FLOORS, NAMES, WAIVABLE, month};

    #[test]
    fn what_may_be_waived_is_a_check_that_is_made_and_no_floor() {
        assert!(WAIVABLE.iter().all(|name| NAMES.contains(name)));
        assert!(FLOORS.iter().all(|name| !NAMES.contains(name)), "a floor is not made where nothing can be read");
    }

    #[test]
    fn a_patch_level_is_a_month_or_a_day_and_nothing_else() {
        assert_eq!((month(202_408), month(20_240_805)), (Some(202_408), Some(202_408)));
        for wrong in [0, 202_400, 202_413, 2_000_231, 20_240_800, 20_240_832, 202_408_051] {
            assert_eq!(month(wrong), None, "{wrong}");
        }
    }
}
