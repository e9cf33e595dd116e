//! What an attestation extension says (KeyDescription of the Android attestation schema), in its own field names.
//! As JSON: numbers are decimal texts, octets are base64, absent fields are left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// An unsigned number, written as a decimal text because some pass 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Octets, written as base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Octets(pub Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// Where a key or an attestation was made, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SecurityLevel {
    /// Android itself.
    Software,
    /// A trusted execution environment beside Android.
    TrustedEnvironment,
    /// A secure element of its own.
    StrongBox,
}

impl SecurityLevel {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Software,
            1 => Self::TrustedEnvironment,
            2 => Self::StrongBox,
            _ => return None,
        })
    }

    /// Name as the schema writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Software => "SOFTWARE",
            Self::TrustedEnvironment => "TRUSTED_ENVIRONMENT",
            Self::StrongBox => "STRONG_BOX",
        }
    }
}

/// Where key material came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Origin {
    /// Made in the keystore.
    Generated,
    /// Derived in the keystore.
    Derived,
    /// Brought in from outside.
    Imported,
    /// Not used.
    Reserved,
    /// Brought in from outside, wrapped.
    SecurelyImported,
}

impl Origin {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Generated,
            1 => Self::Derived,
            2 => Self::Imported,
            3 => Self::Reserved,
            4 => Self::SecurelyImported,
            _ => return None,
        })
    }
}

/// What the boot loader found out about the system it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VerifiedBootState {
    /// Signed by the maker of the device.
    Verified,
    /// Signed by a key the owner set.
    SelfSigned,
    /// Anything may run.
    Unverified,
    /// Verification failed.
    Failed,
}

impl VerifiedBootState {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Verified,
            1 => Self::SelfSigned,
            2 => Self::Unverified,
            3 => Self::Failed,
            _ => return None,
        })
    }
}

/// What was started, and on what authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RootOfTrust {
    /// Digest of the key that verified the system; empty or zeros when none did.
    pub verified_boot_key: Octets,
    /// Whether the boot loader is locked.
    pub device_locked: bool,
    /// Outcome of verified boot.
    pub verified_boot_state: VerifiedBootState,
    /// Digest of everything verified, from attestation version 3 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_boot_hash: Option<Octets>,
}

/// One package that may use the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Package name.
    pub name: String,
    /// Version code.
    pub version: Number,
}

/// Who asked for the key: every package of the caller's user id, and the SHA-256 of their signing certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApplicationId {
    /// The packages.
    pub packages: Vec<Package>,
    /// SHA-256 digests of the signing certificates.
    pub signatures: Vec<Octets>,
}

/// What the key may do and what is known about the device, as one side (hardware or software) enforces or knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are those of the schema, by name and order of tags")]
pub struct AuthorizationList {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purposes: Option<Vec<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_size: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_modes: Option<Vec<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digests: Option<Vec<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paddings: Option<Vec<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_nonce: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_mac_length: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ec_curve: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ml_dsa_variant: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rsa_public_exponent: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rsa_oaep_mgf_digests: Option<Vec<Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_resistance: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_boot_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_date_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origination_expire_date_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_expire_date_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_count_limit: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_secure_id: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_auth_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_auth_type: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_timeout: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_while_on_body: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_user_presence_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_confirmation_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlocked_device_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_applications: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Octets>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_date_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_resistant: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_of_trust: Option<RootOfTrust>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_version: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_patch_level: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_application_id: Option<ApplicationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_imei: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_meid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_manufacturer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_patch_level: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_patch_level: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_unique_attestation: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_credential_key: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation_id_second_imei: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module_hash: Option<Octets>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_tags: Vec<u32>,
    pub are_tags_ordered: bool,
}

/// The content of the attestation extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyDescription {
    /// 1 to 4 for Keymaster, a hundredfold of the version for KeyMint.
    pub attestation_version: Number,
    /// Where the attestation was made.
    pub attestation_security_level: SecurityLevel,
    /// Version of Keymaster or KeyMint.
    pub key_mint_version: Number,
    /// Where the key lives.
    pub key_mint_security_level: SecurityLevel,
    /// What the server asked the device to repeat.
    pub attestation_challenge: Octets,
    /// An identifier that privileged software may ask for.
    pub unique_id: Octets,
    /// What Android vouches for.
    pub software_enforced: AuthorizationList,
    /// What the secure hardware vouches for.
    pub hardware_enforced: AuthorizationList,
}
