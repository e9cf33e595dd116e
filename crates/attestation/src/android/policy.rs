//! What a caller of the Android verifier demands; the defaults demand a genuine hardware key and leave the rest as notes.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::description::SecurityLevel;
use crate::report::Waived;
use crate::revocation::RevocationList;
use crate::roots::Roots;

/// Demands on one chain.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The moment to verify for.
    pub at: DateTime<Utc>,
    /// Who may vouch.
    pub roots: Roots,
    /// Revoked certificates; `None` leaves revocation unchecked.
    pub revoked: Option<Arc<RevocationList>>,
    /// The challenge that was issued.
    pub challenge: Option<Vec<u8>>,
    /// Weakest security level that is accepted.
    pub least_level: SecurityLevel,
    /// Whether the boot loader must be locked and the system verified; implied by `boot_keys`.
    pub verified_boot: bool,
    /// Verified-boot keys of other systems that are accepted when the device is locked and self-signed.
    pub boot_keys: Vec<Vec<u8>>,
    /// Package names, one of which must be the application's.
    pub packages: BTreeSet<String>,
    /// SHA-256 digests of signing certificates; every attested one must be among them.
    pub signers: BTreeSet<Vec<u8>>,
    /// Least version of the system, as `MMmmss`.
    pub least_os_version: Option<u64>,
    /// Least patch level of the system, as YYYYMM.
    pub least_os_patch: Option<u64>,
    /// Least patch level of the vendor partition, as YYYYMM.
    pub least_vendor_patch: Option<u64>,
    /// Least patch level of the boot partition, as YYYYMM.
    pub least_boot_patch: Option<u64>,
    /// Purposes (KeyMint numbers) the key may have; empty allows all.
    pub purposes: BTreeSet<u64>,
    /// Algorithms (KeyMint numbers) the key may have; empty allows all.
    pub algorithms: BTreeSet<u64>,
    /// Whether the key must be rollback resistant.
    pub rollback_resistance: bool,
    /// Whether the key must ask the user.
    pub user_authentication: bool,
    /// Checks that are told but do not decide.
    pub waived: Waived,
}

impl Policy {
    /// The defaults: Google's roots, any genuine hardware key, everything else told and left to the caller.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self {
            at,
            roots: Roots::google(),
            revoked: None,
            challenge: None,
            least_level: SecurityLevel::TrustedEnvironment,
            verified_boot: false,
            boot_keys: Vec::new(),
            packages: BTreeSet::new(),
            signers: BTreeSet::new(),
            least_os_version: None,
            least_os_patch: None,
            least_vendor_patch: None,
            least_boot_patch: None,
            purposes: BTreeSet::new(),
            algorithms: BTreeSet::new(),
            rollback_resistance: false,
            user_authentication: false,
            waived: Waived::new(),
        }
    }
}
