//! Checks on what the verdict says: request, application, device, account, environment.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::Policy;
use crate::report::{Checks, Finding, rfc3339};
use crate::score::Level;

/// What a verdict was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `requestHash` of a standard request, as text.
    Hash(String),
    /// `nonce` of a classic request, as bytes; tokens carry it in base64.
    Nonce(Vec<u8>),
}

/// Names of the checks made here, in order, for when there is nothing to make them on.
pub(super) const NAMES: &[&str] = &["timestamp", "recognition", "application", "device"];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Google writes digests and nonces in either alphabet, padded or not.
fn decode(text: &str) -> Option<Vec<u8>> {
    let engine = |alphabet| GeneralPurpose::new(alphabet, LENIENT);
    engine(&URL_SAFE).decode(text).or_else(|_| engine(&STANDARD).decode(text)).ok()
}

fn part<'v>(payload: &'v Map<String, Value>, path: &[&str]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(payload.get(*first)?, |value, name| value.get(name))
}

fn text<'v>(payload: &'v Map<String, Value>, path: &[&str]) -> Option<&'v str> {
    part(payload, path)?.as_str()
}

/// A number, which Google writes as text.
fn number(payload: &Map<String, Value>, path: &[&str]) -> Option<u64> {
    let value = part(payload, path)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn texts<'v>(payload: &'v Map<String, Value>, path: &[&str]) -> Vec<&'v str> {
    part(payload, path).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Makes every check; the answer is the worth of the device.
pub(super) fn judge(payload: &Map<String, Value>, policy: &Policy, checks: &mut Checks<'_>) -> Level {
    match &policy.request {
        None => checks.unasked("request", "no expected request given"),
        Some(expected) => checks.require("request", request(payload, expected)),
    }
    let asked = text(payload, &["requestDetails", "requestPackageName"]);
    if policy.packages.is_empty() {
        checks.unasked("package", format!("asked for by {}", asked.unwrap_or("nobody known")));
    } else {
        let told = format!("asked for by {}", asked.unwrap_or("nobody known"));
        checks.require("package", if asked.is_some_and(|name| policy.packages.contains(name)) { Ok(told) } else { Err(told) });
    }
    checks.require("timestamp", timestamp(payload, policy));
    let recognition = text(payload, &["appIntegrity", "appRecognitionVerdict"]).unwrap_or("missing").to_owned();
    checks.require("recognition", if recognition == "PLAY_RECOGNIZED" { Ok(recognition) } else { Err(recognition) });
    checks.require("application", application(payload, asked));
    signers(payload, policy, checks);
    let level = device(payload);
    let told = format!("{}, at least {:?} is demanded", labels(payload), policy.least_device);
    checks.require("device", if level >= policy.least_device && level > Level::None { Ok(told) } else { Err(told) });
    surroundings(payload, policy, checks);
    level
}

fn request(payload: &Map<String, Value>, expected: &Request) -> Finding {
    let same = |own: &[u8], theirs: &[u8]| !own.is_empty() && aws_lc_rs::constant_time::verify_slices_are_equal(own, theirs).is_ok();
    let found = match expected {
        Request::Hash(hash) => text(payload, &["requestDetails", "requestHash"]).map(|found| same(hash.as_bytes(), found.as_bytes())),
        Request::Nonce(nonce) => {
            text(payload, &["requestDetails", "nonce"]).map(|found| decode(found).is_some_and(|found| same(nonce, &found)))
        }
    };
    match found {
        Some(true) => Ok("about the expected request".to_owned()),
        Some(false) => Err("about another request".to_owned()),
        None => Err("about no request of this kind".to_owned()),
    }
}

fn timestamp(payload: &Map<String, Value>, policy: &Policy) -> Finding {
    let millis = number(payload, &["requestDetails", "timestampMillis"]).and_then(|millis| i64::try_from(millis).ok());
    let made: DateTime<Utc> = millis.and_then(DateTime::from_timestamp_millis).ok_or("no time of making")?;
    let told = format!("made {}", rfc3339(made));
    if made > policy.at + policy.ahead {
        Err(format!("{told}, in the future"))
    } else if policy.at - made > policy.longest_age {
        Err(format!("{told}, too long ago"))
    } else {
        Ok(told)
    }
}

/// The application that was looked at is the one that asked.
fn application(payload: &Map<String, Value>, asked: Option<&str>) -> Finding {
    match (asked, text(payload, &["appIntegrity", "packageName"])) {
        (Some(asked), Some(seen)) if asked == seen => Ok(format!("{seen} was looked at")),
        (_, Some(seen)) => Err(format!("{seen} was looked at, another asked")),
        (_, None) => Err("no application was looked at".to_owned()),
    }
}

fn signers(payload: &Map<String, Value>, policy: &Policy, checks: &mut Checks<'_>) {
    let found = texts(payload, &["appIntegrity", "certificateSha256Digest"]);
    let told = format!("{} signers", found.len());
    if policy.signers.is_empty() {
        checks.unasked("signers", told);
    } else {
        let fits = !found.is_empty() && found.iter().all(|text| decode(text).is_some_and(|digest| policy.signers.contains(&digest)));
        checks.require("signers", if fits { Ok(told) } else { Err(format!("{told}, not all of them expected")) });
    }
    let version = number(payload, &["appIntegrity", "versionCode"]);
    let told = version.map_or_else(|| "no version code".to_owned(), |version| format!("version code {version}"));
    match policy.least_version {
        None => checks.unasked("version", told),
        Some(least) if version.is_some_and(|version| version >= least) => checks.require("version", Ok(told)),
        Some(least) => checks.require("version", Err(format!("{told}, at least {least} is demanded"))),
    }
}

fn labels(payload: &Map<String, Value>) -> String {
    let labels = texts(payload, &["deviceIntegrity", "deviceRecognitionVerdict"]);
    if labels.is_empty() { "no integrity".to_owned() } else { labels.join(", ") }
}

/// The best label counts; an emulator's own label does not.
fn device(payload: &Map<String, Value>) -> Level {
    let worth = |label: &str| match label {
        "MEETS_STRONG_INTEGRITY" => Level::Strong,
        "MEETS_DEVICE_INTEGRITY" => Level::Device,
        "MEETS_BASIC_INTEGRITY" => Level::Basic,
        _ => Level::None,
    };
    texts(payload, &["deviceIntegrity", "deviceRecognitionVerdict"]).into_iter().map(worth).max().unwrap_or_default()
}

fn surroundings(payload: &Map<String, Value>, policy: &Policy, checks: &mut Checks<'_>) {
    let licence = text(payload, &["accountDetails", "appLicensingVerdict"]).unwrap_or("missing").to_owned();
    checks.judge("account", policy.licensed, if licence == "LICENSED" { Ok(licence) } else { Err(licence) });
    let risks: Vec<&str> = texts(payload, &["environmentDetails", "appAccessRiskVerdict", "appsDetected"])
        .into_iter()
        .filter(|label| label.ends_with("_CAPTURING") || label.ends_with("_CONTROLLING") || label.ends_with("_OVERLAYS"))
        .collect();
    let answered = part(payload, &["environmentDetails", "appAccessRiskVerdict", "appsDetected"]).is_some();
    let finding = match (answered, risks.is_empty()) {
        (true, true) => Ok("no application can capture or control the screen".to_owned()),
        (true, false) => Err(risks.join(", ")),
        (false, _) => Err("not evaluated".to_owned()),
    };
    checks.judge("access_risk", policy.no_access_risk, finding);
    let protect = text(payload, &["environmentDetails", "playProtectVerdict"]).unwrap_or("not evaluated").to_owned();
    checks.judge("play_protect", policy.play_protect, if protect == "NO_ISSUES" { Ok(protect) } else { Err(protect) });
}
