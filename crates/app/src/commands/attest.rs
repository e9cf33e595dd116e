//! `tyrian attest`: verifies one file with nothing but what is on the command line, and names every check.

mod android;
mod apple;
mod play;

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;
use std::process::ExitCode;

use attestation::{Check, Report, Roots, Verdict};
use backends::Clock;
use base::{Kind, Result};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::DateTime;
use serde_json::json;

use crate::cli::{AttestCommand, AttestKind, AttestVerify};
use crate::{errors, output};

/// Bytes of a file that are read; a revocation list is the largest.
const FILE_BYTES: u64 = 32 << 20;

/// Runs the command; the exit code is the verdict.
pub(super) fn run(command: &AttestCommand, as_json: bool) -> Result<ExitCode> {
    let AttestCommand::Verify(verify) = command;
    let input = read(&verify.file)?;
    let at = verify.at.unwrap_or_else(|| DateTime::from_timestamp_micros(Clock::system().now().micros()).unwrap_or_default());
    let reports = match verify.kind {
        AttestKind::AndroidKey => vec![android::verify(&input, verify, at)?],
        AttestKind::AppAttest => apple::verify(&input, verify, at)?,
        AttestKind::PlayIntegrity => vec![play::verify(&input, verify, at)?],
    };
    unknown_waivers(verify, &reports)?;
    let verdict = worst(&reports);
    match reports.as_slice() {
        [report] if as_json => output::document(report)?,
        several if as_json => output::document(&json!({ "verdict": verdict, "reports": several }))?,
        several => several.iter().for_each(print),
    }
    Ok(ExitCode::from(match verdict {
        Verdict::Verified => 0,
        Verdict::Refused => output::REFUSED,
        Verdict::Unreadable => output::exit_code(Kind::Invalid),
    }))
}

fn worst(reports: &[Report]) -> Verdict {
    let has = |verdict| reports.iter().any(|report| report.verdict == verdict);
    if has(Verdict::Unreadable) {
        Verdict::Unreadable
    } else if has(Verdict::Refused) || reports.is_empty() {
        Verdict::Refused
    } else {
        Verdict::Verified
    }
}

/// A waiver with a slip of the pen would silently keep the check; a check that was not made may still be waived.
fn unknown_waivers(verify: &AttestVerify, reports: &[Report]) -> Result<()> {
    let readable = reports.iter().all(|report| report.verdict != Verdict::Unreadable);
    match verify.waive.iter().find(|name| reports.iter().all(|report| report.check(name).is_none())) {
        Some(name) if readable => Err(errors::usage(format!("no check is called `{name}`"))),
        _ => Ok(()),
    }
}

fn print(report: &Report) {
    let (word, at) = (word(report.verdict), report.at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    output::line(&format!("{word} for {at}: worth {:.2} when fresh", report.score));
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in &report.checks {
        output::line(&format!("  {:width$}  {:14}  {}", check.name, outcome(check), check.detail));
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "verified",
        Verdict::Refused => "REFUSED",
        Verdict::Unreadable => "UNREADABLE",
    }
}

const fn outcome(check: &Check) -> &'static str {
    match (check.passed, check.required) {
        (Some(true), _) => "passed",
        (Some(false), true) => "FAILED",
        (None, true) => "NOT MADE",
        (Some(false), false) => "not required",
        (None, false) => "not asked",
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let outcome = if path == Path::new("-") {
        stdin().lock().take(FILE_BYTES).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(FILE_BYTES).read_to_end(&mut bytes))
    };
    outcome.map_err(|cause| errors::file(path, &cause))?;
    Ok(bytes)
}

fn roots(verify: &AttestVerify, default: fn() -> Roots) -> Result<Roots> {
    match &verify.roots {
        None => Ok(default()),
        Some(path) => Roots::read(&read(path)?).map_err(|cause| errors::attest_option("--roots", &cause.to_string())),
    }
}

/// Text, `hex:…` or `base64:…`.
fn value(option: &str, text: &str) -> Result<Vec<u8>> {
    let wrong = || errors::attest_option(option, "not what its prefix says");
    if let Some(hex) = text.strip_prefix("hex:") {
        return hex_bytes(hex).ok_or_else(wrong);
    }
    match text.strip_prefix("base64:") {
        Some(encoded) => base64_bytes(encoded).ok_or_else(wrong),
        None => Ok(text.as_bytes().to_vec()),
    }
}

/// A SHA-256 in hexadecimal, with colons or without, or in base64.
fn digest(option: &str, text: &str) -> Result<[u8; 32]> {
    let bytes = hex_bytes(text).filter(|bytes| bytes.len() == 32).or_else(|| base64_bytes(text));
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| errors::attest_option(option, "not 32 bytes in hexadecimal or base64"))
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    (digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit)).then(|| digits.chunks(2).map(pair).collect())?
}

fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text.trim_end_matches('='))).ok()
}
