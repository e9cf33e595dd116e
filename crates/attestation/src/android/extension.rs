//! Reads the attestation extension, all schema versions from 1 to 500; what breaks the schema is an error,
//! but order of tags and tags nobody knows are only noted, because they are checks of their own.

use super::description::{
    ApplicationId, AuthorizationList, KeyDescription, Number, Octets, Origin, Package, RootOfTrust, SecurityLevel, VerifiedBootState,
};
use crate::asn1::{Element, Elements, single};
use crate::errors::Unreadable;

/// Bytes of an extension that are read.
const EXTENSION_BYTES: usize = 8 << 10;
/// Numbers of one set that are read.
const SET_MEMBERS: usize = 32;
/// Packages and signers of one application that are read.
const APPLICATION_MEMBERS: usize = 128;

/// Reads the value of the extension.
pub fn read(value: &[u8]) -> Result<KeyDescription, Unreadable> {
    if value.len() > EXTENSION_BYTES {
        return Err(Unreadable::TooLarge { what: "bytes of the attestation extension", limit: EXTENSION_BYTES });
    }
    let mut fields = single(value, "KeyDescription")?.sequence()?;
    let description = KeyDescription {
        attestation_version: Number(fields.next()?.named("attestationVersion").integer()?),
        attestation_security_level: security_level(&fields.next()?.named("attestationSecurityLevel"))?,
        key_mint_version: Number(fields.next()?.named("keyMintVersion").integer()?),
        key_mint_security_level: security_level(&fields.next()?.named("keyMintSecurityLevel"))?,
        attestation_challenge: Octets(fields.next()?.named("attestationChallenge").octets()?.to_vec()),
        unique_id: Octets(fields.next()?.named("uniqueId").octets()?.to_vec()),
        software_enforced: authorizations(&fields.next()?.named("softwareEnforced"))?,
        hardware_enforced: authorizations(&fields.next()?.named("hardwareEnforced"))?,
    };
    fields.end()?;
    Ok(description)
}

fn security_level(element: &Element<'_>) -> Result<SecurityLevel, Unreadable> {
    SecurityLevel::from_number(element.enumerated()?).ok_or_else(|| Unreadable::malformed("security level", "unknown value"))
}

fn authorizations(element: &Element<'_>) -> Result<AuthorizationList, Unreadable> {
    let mut list = AuthorizationList { are_tags_ordered: true, ..AuthorizationList::default() };
    let mut seen = Vec::new();
    let mut entries = element.sequence()?;
    while let Some(entry) = entries.maybe()? {
        let (tag, value) = entry.tagged()?;
        if seen.contains(&tag) {
            return Err(Unreadable::malformed("AuthorizationList", format!("tag {tag} appears twice")));
        }
        list.are_tags_ordered &= seen.last().is_none_or(|last| *last < tag);
        seen.push(tag);
        if !permission(&mut list, tag, &value)? && !knowledge(&mut list, tag, &value)? {
            list.unknown_tags.push(tag);
        }
    }
    Ok(list)
}

/// Tags about what the key is and may do.
fn permission(list: &mut AuthorizationList, tag: u32, value: &Element<'_>) -> Result<bool, Unreadable> {
    match tag {
        1 => list.purposes = Some(numbers(value)?),
        2 => list.algorithms = Some(number(value)?),
        3 => list.key_size = Some(number(value)?),
        4 => list.block_modes = Some(numbers(value)?),
        5 => list.digests = Some(numbers(value)?),
        6 => list.paddings = Some(numbers(value)?),
        7 => list.caller_nonce = Some(value.null()?),
        8 => list.min_mac_length = Some(number(value)?),
        10 => list.ec_curve = Some(number(value)?),
        11 => list.ml_dsa_variant = Some(number(value)?),
        200 => list.rsa_public_exponent = Some(number(value)?),
        203 => list.rsa_oaep_mgf_digests = Some(numbers(value)?),
        303 => list.rollback_resistance = Some(value.null()?),
        305 => list.early_boot_only = Some(value.null()?),
        400 => list.active_date_time = Some(number(value)?),
        401 => list.origination_expire_date_time = Some(number(value)?),
        402 => list.usage_expire_date_time = Some(number(value)?),
        405 => list.usage_count_limit = Some(number(value)?),
        502 => list.user_secure_id = Some(number(value)?),
        503 => list.no_auth_required = Some(value.null()?),
        504 => list.user_auth_type = Some(number(value)?),
        505 => list.auth_timeout = Some(number(value)?),
        506 => list.allow_while_on_body = Some(value.null()?),
        507 => list.trusted_user_presence_required = Some(value.null()?),
        508 => list.trusted_confirmation_required = Some(value.null()?),
        509 => list.unlocked_device_required = Some(value.null()?),
        600 => list.all_applications = Some(value.null()?),
        601 => list.application_id = Some(octets(value)?),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Tags about the key's history, the device and the application.
fn knowledge(list: &mut AuthorizationList, tag: u32, value: &Element<'_>) -> Result<bool, Unreadable> {
    match tag {
        701 => list.creation_date_time = Some(number(value)?),
        702 => {
            let origin = Origin::from_number(value.integer()?).ok_or_else(|| Unreadable::malformed("origin", "unknown value"))?;
            list.origin = Some(origin);
        }
        703 => list.rollback_resistant = Some(value.null()?),
        704 => list.root_of_trust = Some(root_of_trust(value)?),
        705 => list.os_version = Some(number(value)?),
        706 => list.os_patch_level = Some(number(value)?),
        709 => list.attestation_application_id = Some(application(value.octets()?)?),
        710 => list.attestation_id_brand = Some(text(value)?),
        711 => list.attestation_id_device = Some(text(value)?),
        712 => list.attestation_id_product = Some(text(value)?),
        713 => list.attestation_id_serial = Some(text(value)?),
        714 => list.attestation_id_imei = Some(text(value)?),
        715 => list.attestation_id_meid = Some(text(value)?),
        716 => list.attestation_id_manufacturer = Some(text(value)?),
        717 => list.attestation_id_model = Some(text(value)?),
        718 => list.vendor_patch_level = Some(number(value)?),
        719 => list.boot_patch_level = Some(number(value)?),
        720 => list.device_unique_attestation = Some(value.null()?),
        721 => list.identity_credential_key = Some(value.null()?),
        723 => list.attestation_id_second_imei = Some(text(value)?),
        724 => list.module_hash = Some(octets(value)?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn number(value: &Element<'_>) -> Result<Number, Unreadable> {
    value.integer().map(Number)
}

fn octets(value: &Element<'_>) -> Result<Octets, Unreadable> {
    Ok(Octets(value.octets()?.to_vec()))
}

fn numbers(value: &Element<'_>) -> Result<Vec<Number>, Unreadable> {
    collect(value.set()?, SET_MEMBERS, number)
}

fn collect<'a, T>(
    mut elements: Elements<'a>,
    limit: usize,
    read: impl Fn(&Element<'a>) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Unreadable> {
    let mut members = Vec::new();
    while let Some(element) = elements.maybe()? {
        if members.len() == limit {
            return Err(Unreadable::TooLarge { what: "members of a set", limit });
        }
        members.push(read(&element)?);
    }
    Ok(members)
}

fn text(value: &Element<'_>) -> Result<String, Unreadable> {
    utf8(value.octets()?, "attestation id")
}

fn utf8(bytes: &[u8], what: &'static str) -> Result<String, Unreadable> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Unreadable::malformed(what, "not UTF-8"))
}

fn root_of_trust(value: &Element<'_>) -> Result<RootOfTrust, Unreadable> {
    let mut fields = value.sequence()?;
    let verified_boot_key = Octets(fields.next()?.named("verifiedBootKey").octets()?.to_vec());
    let device_locked = fields.next()?.named("deviceLocked").boolean()?;
    let state = fields.next()?.named("verifiedBootState").enumerated()?;
    let verified_boot_state =
        VerifiedBootState::from_number(state).ok_or_else(|| Unreadable::malformed("verifiedBootState", "unknown value"))?;
    let verified_boot_hash =
        fields.maybe()?.map(|element| element.named("verifiedBootHash").octets().map(|hash| Octets(hash.to_vec()))).transpose()?;
    fields.end()?;
    Ok(RootOfTrust { verified_boot_key, device_locked, verified_boot_state, verified_boot_hash })
}

fn application(bytes: &[u8]) -> Result<ApplicationId, Unreadable> {
    let mut fields = single(bytes, "attestationApplicationId")?.sequence()?;
    let packages = collect(fields.next()?.named("packageInfos").set()?, APPLICATION_MEMBERS, |package| {
        let mut fields = package.sequence()?;
        let name = utf8(fields.next()?.named("packageName").octets()?, "packageName")?;
        let version = Number(fields.next()?.named("version").integer()?);
        fields.end()?;
        Ok(Package { name, version })
    })?;
    let signatures = collect(fields.next()?.named("signatureDigests").set()?, APPLICATION_MEMBERS, octets)?;
    fields.end()?;
    Ok(ApplicationId { packages, signatures })
}
