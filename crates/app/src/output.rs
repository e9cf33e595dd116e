//! What a person or a script reads: results on stdout, everything else on stderr, one exit code per kind of failure.

use std::error::Error as _;
use std::io::Write;
use std::process::ExitCode;

use base::{Error, Kind};
use serde::Serialize;
use serde_json::json;

/// Exit code when findings reach the gravity given with `--fail-on`.
pub(crate) const FINDINGS: u8 = 10;
/// Exit code when the audit log does not verify.
pub(crate) const TAMPERED: u8 = 11;
/// Exit code when an attestation is refused.
pub(crate) const REFUSED: u8 = 12;

/// Exit code when a simulated attack was not caught or an honest phone was locked.
pub(crate) const UNCAUGHT: u8 = 13;

/// The documented exit code of an error (`docs/cli.md`).
pub(crate) const fn exit_code(kind: Kind) -> u8 {
    match kind {
        Kind::Internal => 1,
        // 2 is clap's for a wrong command line.
        Kind::Invalid => 3,
        Kind::Unauthenticated | Kind::Forbidden => 4,
        Kind::NotFound => 5,
        Kind::Unavailable => 6,
        Kind::Conflict => 7,
        Kind::Timeout => 8,
        Kind::TooMany => 9,
    }
}

/// Writes one line to stdout; a reader that went away is no failure of ours.
pub(crate) fn line(text: &str) {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Says what closes findings that a file does not prove to be gone.
pub(crate) fn left_open(count: u64, close_old: &str) {
    if count > 0 && close_old == "covered" {
        note("What was not looked for again stays open. Where the file is everything there is, say --close-old complete.");
    }
}

/// Writes one line to stderr.
pub(crate) fn note(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Writes one JSON document to stdout.
pub(crate) fn document(value: &impl Serialize) -> base::Result<()> {
    let text =
        serde_json::to_string_pretty(value).map_err(|cause| Error::internal("the answer cannot be written as JSON").because(cause))?;
    line(&text);
    Ok(())
}

/// What went wrong as a document on stdout.
pub(crate) fn failure(error: &Error) {
    line(&json!({ "error": { "code": error.code(), "kind": error.kind().as_str(), "detail": error.detail() } }).to_string());
}

/// Says what went wrong and gives the exit code; with `--json` as a document on stdout.
pub(crate) fn failed(error: &Error, json: bool) -> ExitCode {
    if json {
        failure(error);
    }
    note(&format!("error: {}", error.detail()));
    if error.kind() == Kind::Internal {
        let mut cause = error.source();
        while let Some(inner) = cause {
            note(&format!("  because: {inner}"));
            cause = inner.source();
        }
        note("this is a fault in tyrian itself; please report it with the lines above");
    }
    ExitCode::from(exit_code(error.kind()))
}
