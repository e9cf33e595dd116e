//! `--kind android-key`: the options become a policy.

use std::sync::Arc;

use attestation::android::{Policy, SecurityLevel};
use attestation::{Report, RevocationList, Roots, android};
use base::Result;
use chrono::{DateTime, Utc};

use super::{digest, read, roots, value};
use crate::cli::{AttestLevel, AttestVerify};
use crate::errors;

pub(super) fn verify(input: &[u8], options: &AttestVerify, at: DateTime<Utc>) -> Result<Report> {
    let mut policy = Policy::at(at);
    policy.roots = roots(options, Roots::google)?;
    policy.revoked = options.revoked.as_deref().map(list).transpose()?;
    policy.challenge = options.challenge.as_deref().map(|text| value("--challenge", text)).transpose()?;
    policy.least_level = match options.least_level {
        AttestLevel::Software => SecurityLevel::Software,
        AttestLevel::Tee => SecurityLevel::TrustedEnvironment,
        AttestLevel::Strongbox => SecurityLevel::StrongBox,
    };
    policy.verified_boot = options.verified_boot;
    policy.boot_keys = options.boot_key.iter().map(|text| digest("--boot-key", text).map(Vec::from)).collect::<Result<_>>()?;
    policy.packages = options.package.iter().cloned().collect();
    policy.signers = options.signer.iter().map(|text| digest("--signer", text).map(Vec::from)).collect::<Result<_>>()?;
    policy.least_os_version = options.least_os_version;
    policy.least_os_patch = options.least_os_patch;
    policy.least_vendor_patch = options.least_vendor_patch;
    policy.least_boot_patch = options.least_boot_patch;
    policy.purposes = options.purpose.iter().copied().collect();
    policy.algorithms = options.algorithm.iter().copied().collect();
    policy.rollback_resistance = options.rollback_resistance;
    policy.user_authentication = options.user_authentication;
    policy.waived = options.waive.iter().cloned().collect();
    Ok(android::verify(input, &policy))
}

fn list(path: &std::path::Path) -> Result<Arc<RevocationList>> {
    RevocationList::read(&read(path)?).map(Arc::new).map_err(|cause| errors::attest_option("--revoked", &cause.to_string()))
}
