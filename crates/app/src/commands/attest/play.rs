//! `--kind play-integrity`: the operator's keys come from files, never from the command line.

use attestation::jose::{Algorithm, DecryptionKey, VerificationKey};
use attestation::play::{Policy, Request};
use attestation::{PublicKey, Report, play};
use base::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::{base64_bytes, digest, read, value};
use crate::cli::AttestVerify;
use crate::errors;

pub(super) fn verify(input: &[u8], options: &AttestVerify, at: DateTime<Utc>) -> Result<Report> {
    let mut policy = Policy::at(at);
    policy.decryption = options.decryption_key.as_deref().map(decryption).transpose()?;
    policy.verification = options.verification_key.as_deref().map(verification).transpose()?;
    policy.request = match (&options.request_hash, &options.challenge) {
        (Some(hash), _) => Some(Request::Hash(hash.clone())),
        (None, Some(nonce)) => Some(Request::Nonce(value("--challenge", nonce)?)),
        (None, None) => None,
    };
    policy.packages = options.package.iter().cloned().collect();
    policy.signers = options.signer.iter().map(|text| digest("--signer", text).map(Vec::from)).collect::<Result<_>>()?;
    policy.longest_age = TimeDelta::seconds(options.longest_age.into());
    policy.waived = options.waive.iter().cloned().collect();
    Ok(play::verify(input, &policy))
}

fn decryption(path: &std::path::Path) -> Result<DecryptionKey> {
    let wrong = |why: &str| errors::attest_option("--decryption-key", why);
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("not base64"))?;
    let key = base64_bytes(text.trim()).ok_or_else(|| wrong("not base64"))?;
    DecryptionKey::new(key).map_err(|cause| wrong(&cause.to_string()))
}

fn verification(path: &std::path::Path) -> Result<VerificationKey> {
    let wrong = |why: String| errors::attest_option("--verification-key", &why);
    let key = PublicKey::read(&read(path)?).map_err(|cause| wrong(cause.to_string()))?;
    VerificationKey::new(&key, Algorithm::Es256).map_err(|cause| wrong(cause.to_string()))
}
