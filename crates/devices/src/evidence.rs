//! Evidence of what a phone is, judged by the operator's roots, keys and lists. Everything is about our nonce and the phone's key.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use attestation::apple::{AssertionPolicy, AttestationPolicy, ClientData, Environment};
use attestation::jose::{Algorithm, DecryptionKey, VerificationKey};
use attestation::{PublicKey, Report, RevocationList, Roots, android, apple, play};
use aws_lc_rs::digest::{SHA256, digest};
use base::Result;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};

use crate::config::{Android, Apple, Config, Play};
use crate::errors;
use crate::revocations::Revocations;
use crate::vocabulary::{Level, Platform};

/// Bytes of an uncompressed point on P-256.
const POINT: usize = 65;

/// The verifiers as the operator set them up.
pub(crate) struct Verifiers {
    android: android::Policy,
    revocations: Option<Revocations>,
    apple: Option<AppleRules>,
    play: Option<play::Policy>,
}

struct AppleRules {
    roots: Roots,
    application: String,
    environment: Option<Environment>,
}

/// One piece of evidence and what it must be about.
pub(crate) struct Asked<'a> {
    pub(crate) platform: Platform,
    pub(crate) at: DateTime<Utc>,
    pub(crate) nonce: &'a str,
    pub(crate) thumbprint: &'a str,
    /// The phone's key as a point: at enrolment the attested key must be this one.
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) evidence: &'a str,
    /// The key App Attest vouched for earlier, its last counter, and what that was worth.
    pub(crate) attested: Option<(&'a str, i64, Level)>,
}

/// What came of it.
pub(crate) struct Judged {
    pub(crate) report: Report,
    /// Names of what failed; empty when it is good.
    pub(crate) failed: Vec<&'static str>,
    pub(crate) attested_key: Option<String>,
    pub(crate) counter: Option<i64>,
}

impl Judged {
    /// Whether the evidence is genuine and of this phone, and its system merely older than is demanded.
    pub(crate) fn is_only_outdated(&self) -> bool {
        !self.failed.is_empty() && self.failed.iter().all(|name| android::FLOORS.contains(name))
    }
}

impl Verifiers {
    /// Reads the operator's files.
    pub(crate) fn load(config: &Config, now: DateTime<Utc>) -> Result<Self> {
        let android = &config.android;
        let revocations = match &android.revocations {
            Some(path) => Some(Revocations::load(path, android.revocations_hours, now)?),
            None if android.revocations_hours > 0 => {
                return Err(errors::setting(
                    "android.revocations_hours",
                    "there is no list whose age could be limited: set android.revocations",
                ));
            }
            None => None,
        };
        let android = android_rules(android, now)?;
        Ok(Self { android, revocations, apple: apple_rules(&config.apple)?, play: play_rules(&config.play, now)? })
    }

    /// Looks whether lists changed and how old they are, when it is time to.
    pub(crate) async fn look(&self, now: DateTime<Utc>) {
        if let Some(revocations) = &self.revocations {
            revocations.at(now).await;
        }
    }

    /// Judges one piece of evidence.
    ///
    /// # Errors
    /// `Forbidden` for a platform that is not configured; `Unavailable` while the list of revocations is too old, whatever the evidence.
    pub(crate) async fn judge(&self, asked: &Asked<'_>) -> Result<Judged> {
        match asked.platform {
            Platform::AndroidKey => {
                let revoked = match &self.revocations {
                    Some(revocations) => Some(revocations.at(asked.at).await),
                    None => None,
                };
                match revoked.as_ref().and_then(|list| list.staleness(asked.at)) {
                    Some(why) => Err(errors::revocations_old(why)),
                    None => Ok(self.by_android(asked, revoked)),
                }
            }
            Platform::AppAttest => {
                self.apple.as_ref().map(|rules| by_apple(rules, asked)).ok_or_else(|| errors::not_configured(asked.platform.as_str()))
            }
            Platform::PlayIntegrity => {
                self.play.as_ref().map(|rules| by_play(rules, asked)).ok_or_else(|| errors::not_configured(asked.platform.as_str()))
            }
            Platform::Software => Err(errors::not_configured(asked.platform.as_str())),
        }
    }

    /// At enrolment the phone's own key is attested over the nonce. Later a fresh key is, over nonce and phone's key together, because
    /// a key is attested only when it is made.
    fn by_android(&self, asked: &Asked<'_>, revoked: Option<Arc<RevocationList>>) -> Judged {
        let mut policy = self.android.clone();
        policy.at = asked.at;
        policy.revoked = revoked;
        policy.challenge = Some(if asked.key.is_some() { asked.nonce.as_bytes().to_vec() } else { bound(asked) });
        let report = android::verify(asked.evidence.as_bytes(), &policy);
        let mut failed = failures(&report);
        if let Some(own) = asked.key {
            let found = report.facts["publicKey"].as_str().and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
            if found.len() < POINT || found.get(found.len() - POINT..) != Some(own) {
                failed.push("device_key");
            }
        }
        Judged { report, failed, attested_key: None, counter: None }
    }
}

/// What client data is signed over: our nonce and the name of the phone's key.
fn bound(asked: &Asked<'_>) -> Vec<u8> {
    format!("{}.{}", asked.nonce, asked.thumbprint).into_bytes()
}

fn failures(report: &Report) -> Vec<&'static str> {
    if report.is_verified() {
        return Vec::new();
    }
    let failed = report.failed();
    if failed.is_empty() { vec!["unmade"] } else { failed }
}

fn by_apple(rules: &AppleRules, asked: &Asked<'_>) -> Judged {
    let data = Some(ClientData::Bytes(bound(asked)));
    if let Some((key, counter, level)) = asked.attested {
        let mut policy = AssertionPolicy::at(asked.at);
        policy.key = STANDARD.decode(key).ok().and_then(|der| PublicKey::from_der(&der).ok());
        policy.client_data = data;
        policy.application = Some(rules.application.clone());
        policy.counter = u32::try_from(counter).unwrap_or(u32::MAX);
        policy.attested = level.into();
        let report = apple::verify_assertion(asked.evidence.as_bytes(), &policy);
        let counter = report.facts["counter"].as_i64();
        return Judged { failed: failures(&report), report, attested_key: None, counter };
    }
    let mut policy = AttestationPolicy::at(asked.at);
    policy.roots = rules.roots.clone();
    policy.client_data = data;
    policy.application = Some(rules.application.clone());
    policy.environment = rules.environment;
    let report = apple::verify_attestation(asked.evidence.as_bytes(), &policy);
    let attested_key = report.facts["publicKey"].as_str().map(str::to_owned);
    Judged { failed: failures(&report), report, attested_key, counter: None }
}

fn by_play(rules: &play::Policy, asked: &Asked<'_>) -> Judged {
    let mut policy = rules.clone();
    policy.at = asked.at;
    policy.request = Some(play::Request::Hash(URL_SAFE_NO_PAD.encode(digest(&SHA256, &bound(asked)))));
    let report = play::verify(asked.evidence.as_bytes(), &policy);
    Judged { failed: failures(&report), report, attested_key: None, counter: None }
}

fn android_rules(config: &Android, now: DateTime<Utc>) -> Result<android::Policy> {
    let mut policy = android::Policy::at(now);
    if let Some(path) = &config.roots {
        policy.roots = roots("android.roots", path)?;
    }
    policy.packages = config.packages.iter().cloned().collect();
    policy.signers = digests("android.signers", &config.signers)?;
    policy.boot_keys = digests("android.boot_keys", &config.boot_keys)?.into_iter().collect();
    policy.verified_boot = config.verified_boot;
    let least = |value: u32| (value > 0).then_some(u64::from(value));
    policy.least_os_version = least(config.least_os_version);
    policy.least_os_patch = least(config.least_os_patch);
    policy.least_vendor_patch = least(config.least_vendor_patch);
    policy.least_boot_patch = least(config.least_boot_patch);
    if let Some(unknown) = config.waived.iter().find(|name| !android::WAIVABLE.contains(&name.as_str())) {
        return Err(errors::setting("android.waived", format!("`{unknown}` is not one of {}", android::WAIVABLE.join(", "))));
    }
    policy.waived = config.waived.iter().cloned().collect();
    Ok(policy)
}

fn apple_rules(config: &Apple) -> Result<Option<AppleRules>> {
    if config.application.is_empty() {
        return Ok(None);
    }
    let roots = config.roots.as_deref().map_or_else(|| Ok(Roots::apple()), |path| roots("apple.roots", path))?;
    let environment = (!config.development).then_some(Environment::Production);
    Ok(Some(AppleRules { roots, application: config.application.clone(), environment }))
}

fn play_rules(config: &Play, now: DateTime<Utc>) -> Result<Option<play::Policy>> {
    let (Some(decryption), Some(verification)) = (&config.decryption_key, &config.verification_key) else {
        return if config.decryption_key.is_none() && config.verification_key.is_none() {
            Ok(None)
        } else {
            Err(errors::setting("play", "decryption_key and verification_key go together"))
        };
    };
    let wrong = |key: &str, why: String| errors::setting(key, why);
    let text = file("play.decryption_key", decryption)?;
    let text = std::str::from_utf8(&text).map_err(|_| wrong("play.decryption_key", "not base64".to_owned()))?;
    let bytes = STANDARD.decode(text.trim()).map_err(|_| wrong("play.decryption_key", "not base64".to_owned()))?;
    let mut policy = play::Policy::at(now);
    policy.decryption = Some(DecryptionKey::new(bytes).map_err(|cause| wrong("play.decryption_key", cause.to_string()))?);
    let key = PublicKey::read(&file("play.verification_key", verification)?);
    let key = key.map_err(|cause| wrong("play.verification_key", cause.to_string()))?;
    let key = VerificationKey::new(&key, Algorithm::Es256).map_err(|cause| wrong("play.verification_key", cause.to_string()))?;
    policy.verification = Some(key);
    policy.packages = config.packages.iter().cloned().collect();
    policy.signers = digests("play.signers", &config.signers)?;
    Ok(Some(policy))
}

fn roots(key: &str, path: &Path) -> Result<Roots> {
    let roots = Roots::read(&file(key, path)?).map_err(|cause| errors::setting(key, cause))?;
    if roots.is_empty() { Err(errors::setting(key, "it holds no certificate")) } else { Ok(roots) }
}

fn file(key: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| errors::setting(key, format!("`{}`: {cause}", path.display())))
}

fn digests(key: &str, texts: &[String]) -> Result<BTreeSet<Vec<u8>>> {
    texts
        .iter()
        .map(|text| {
            let plain: String = text.chars().filter(|letter| *letter != ':').collect();
            hex::decode(&plain)
                .ok()
                .filter(|bytes| bytes.len() == 32)
                .ok_or_else(|| errors::setting(key, format!("`{text}` is no SHA-256")))
        })
        .collect()
}
