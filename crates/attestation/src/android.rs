//! Android Key Attestation: is this key in genuine secure hardware, on what system, for which application
//! (<https://source.android.com/docs/security/features/keystore/attestation>).
//!
//! The defaults decide what Google's own verifier decides; policy on top of it (locked boot loader, package,
//! patch levels) is the caller's, and is told as a note when it is not demanded.

mod chain;
mod content;
mod description;
mod extension;
mod policy;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::certificate::{Certificate, read_chain};
use crate::report::{Checks, Kind, READABLE, Report};
use crate::score::Level;
use chain::Chain;

pub use content::{FLOORS, WAIVABLE};
pub use description::{
    ApplicationId, AuthorizationList, KeyDescription, Number, Octets, Origin, Package, RootOfTrust, SecurityLevel, VerifiedBootState,
};
pub use extension::read as read_extension;
pub use policy::Policy;

/// Object identifier of the attestation extension.
pub const EXTENSION: &str = "1.3.6.1.4.1.11129.2.1.17";

/// Verifies a chain as [`read_chain`] reads it.
pub fn verify(input: &[u8], policy: &Policy) -> Report {
    match read_chain(input) {
        Ok(certificates) => verify_chain(&certificates, policy),
        Err(error) => Report::unreadable(Kind::AndroidKey, policy.at, &error),
    }
}

/// Verifies a chain, leaf first.
pub fn verify_chain(certificates: &[Certificate], policy: &Policy) -> Report {
    let mut checks = Checks::new(&policy.waived);
    let chain = Chain::new(certificates);
    checks.require(READABLE, Ok(format!("{} certificates", certificates.len())));
    chain.judge(policy, &mut checks);
    let target = chain.path.first();
    let value = target.and_then(|target| target.extensions(EXTENSION).first().copied());
    let mut facts = json!({});
    let mut level = Level::None;
    match value.map(extension::read) {
        Some(Ok(description)) => {
            checks.require("extension_readable", Ok("the attestation extension follows its schema".to_owned()));
            if let Some(target) = target {
                content::judge(&description, &chain, &target.key, policy, &mut checks);
            }
            level = worth(&description, &checks);
            facts = serde_json::to_value(&description).unwrap_or_default();
        }
        Some(Err(error)) => {
            checks.require("extension_readable", Err(error.to_string()));
            checks.unmade(content::NAMES, "the attestation extension cannot be read");
        }
        None => {
            checks.unmade(&["extension_readable"], "there is no attestation extension");
            checks.unmade(content::NAMES, "there is no attestation extension");
        }
    }
    tell(&mut facts, &chain, certificates);
    checks.report(Kind::AndroidKey, policy.at, level, facts)
}

/// A key in genuine hardware under a system nobody verified is worth no more than a basic answer.
fn worth(description: &KeyDescription, checks: &Checks<'_>) -> Level {
    let level = description.attestation_security_level.min(description.key_mint_security_level);
    match level {
        _ if !checks.has_passed("device_locked") || !checks.has_passed("verified_boot") => Level::Basic,
        SecurityLevel::Software => Level::Basic,
        SecurityLevel::TrustedEnvironment => Level::TrustedEnvironment,
        SecurityLevel::StrongBox => Level::Strong,
    }
}

fn tell(facts: &mut Value, chain: &Chain<'_>, certificates: &[Certificate]) {
    facts["provisioning"] = json!(chain.provisioning.name());
    if let Some(issued) = chain::certificates_issued(chain) {
        facts["certificatesIssued"] = json!(issued);
    }
    if let Some(target) = chain.path.first() {
        facts["publicKey"] = json!(STANDARD.encode(&target.key.spki));
    }
    facts["certificates"] = certificates.iter().map(Certificate::facts).collect();
}
