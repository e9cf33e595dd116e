//! Play Integrity, read with the operator's own keys: a verdict of Google Play, signed inside an encryption
//! (<https://developer.android.com/google/play/integrity/verdicts>). What was asked is checked before what was answered.

mod verdict;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::certificate::trimmed;
use crate::errors::Unreadable;
use crate::jose::{Algorithm, DecryptionKey, JoseError, VerificationKey, decrypt, object, split, verify as verify_signed};
use crate::report::{Checks, Kind, READABLE, Report, Waived};
use crate::score::Level;

pub use verdict::Request;

/// Demands on one token.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The moment to verify for.
    pub at: DateTime<Utc>,
    /// AES key of the Play Console.
    pub decryption: Option<DecryptionKey>,
    /// ECDSA key of the Play Console, for ES256.
    pub verification: Option<VerificationKey>,
    /// The request the verdict must be about.
    pub request: Option<Request>,
    /// Package names, one of which must have asked.
    pub packages: BTreeSet<String>,
    /// SHA-256 digests of signing certificates; every one told must be among them.
    pub signers: BTreeSet<Vec<u8>>,
    /// Least version code of the application.
    pub least_version: Option<u64>,
    /// Age over which a verdict is not believed.
    pub longest_age: TimeDelta,
    /// How far the clock of the server that made it may be ahead.
    pub ahead: TimeDelta,
    /// Least worth of the device; `Strong` as a hard demand refuses many honest devices.
    pub least_device: Level,
    /// Whether the account must hold a licence of the application.
    pub licensed: bool,
    /// Whether other applications may be able to capture or control the screen.
    pub no_access_risk: bool,
    /// Whether Play Protect must be on and find nothing.
    pub play_protect: bool,
    /// Checks that are told but do not decide.
    pub waived: Waived,
}

impl Policy {
    /// The defaults: a fresh verdict about a recognised application on a device with any integrity.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self {
            at,
            decryption: None,
            verification: None,
            request: None,
            packages: BTreeSet::new(),
            signers: BTreeSet::new(),
            least_version: None,
            longest_age: TimeDelta::minutes(10),
            ahead: TimeDelta::minutes(1),
            least_device: Level::Basic,
            licensed: false,
            no_access_risk: false,
            play_protect: false,
            waived: Waived::new(),
        }
    }
}

/// Verifies a token in compact form.
pub fn verify(input: &[u8], policy: &Policy) -> Report {
    match trimmed(input).and_then(token) {
        Ok(token) => judge(token, policy),
        Err(error) => Report::unreadable(Kind::PlayIntegrity, policy.at, &error),
    }
}

/// A token is five parts of base64url text.
fn token(input: &[u8]) -> Result<&str, Unreadable> {
    let text = std::str::from_utf8(input).map_err(|_| Unreadable::malformed("token", "not text"))?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    split::<5>(text).map_err(|error| Unreadable::malformed("token", error.to_string()))?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        Ok(text)
    } else {
        Err(Unreadable::malformed("token", "not base64url"))
    }
}

fn judge(token: &str, policy: &Policy) -> Report {
    let mut checks = Checks::new(&policy.waived);
    checks.require(READABLE, Ok(format!("{} bytes", token.len())));
    let Some(payload) = open(token, policy, &mut checks) else {
        checks.unmade(verdict::NAMES, "the verdict cannot be read");
        return checks.report(Kind::PlayIntegrity, policy.at, Level::None, Value::Null);
    };
    let level = verdict::judge(&payload, policy, &mut checks);
    checks.report(Kind::PlayIntegrity, policy.at, level, Value::Object(payload))
}

/// Decrypts, verifies, and reads the verdict.
fn open(token: &str, policy: &Policy, checks: &mut Checks<'_>) -> Option<Map<String, Value>> {
    let Some(key) = &policy.decryption else {
        checks.unmade(&["decryption", "signature"], "no decryption key given");
        return None;
    };
    let signed = told(checks, "decryption", "encrypted for the given key", decrypt(token, key, "A256GCM").and_then(text))?;
    let Some(key) = &policy.verification else {
        checks.unmade(&["signature"], "no verification key given");
        return None;
    };
    let fits = key.algorithm == Algorithm::Es256;
    let outcome =
        if fits { verify_signed(&signed, std::slice::from_ref(key)) } else { Err(JoseError::Algorithm(key.algorithm.name().to_owned())) };
    let signed = told(checks, "signature", "signed by the given key", outcome)?;
    told(checks, "payload", "a JSON object", object(&signed.payload, "payload"))
}

fn text(bytes: Vec<u8>) -> Result<String, JoseError> {
    String::from_utf8(bytes).map_err(|_| JoseError::Malformed("what is encrypted is not a token".to_owned()))
}

fn told<T>(checks: &mut Checks<'_>, name: &'static str, good: &str, outcome: Result<T, JoseError>) -> Option<T> {
    match outcome {
        Ok(value) => {
            checks.require(name, Ok(good.to_owned()));
            Some(value)
        }
        Err(error) => {
            checks.require(name, Err(error.to_string()));
            None
        }
    }
}
