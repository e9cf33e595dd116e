//! The answer of every verifier: named checks, each with its outcome, and one verdict.
//! Verified means that every required check passed; a check that could not be made has not passed.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::errors::Unreadable;
use crate::score::{Level, score};

/// What was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An Android Key Attestation certificate chain.
    AndroidKey,
    /// An attestation object of Apple App Attest.
    AppAttest,
    /// An assertion of Apple App Attest.
    AppAttestAssertion,
    /// A token of Play Integrity.
    PlayIntegrity,
}

/// The outcome of all checks together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every required check passed.
    Verified,
    /// A required check failed or could not be made.
    Refused,
    /// The input is not what it is said to be.
    Unreadable,
}

/// One named check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Name, stable, in `snake_case`.
    pub name: &'static str,
    /// Whether it passed; `None` when there was nothing to compare with.
    pub passed: Option<bool>,
    /// Whether the verdict depends on it.
    pub required: bool,
    /// What was found, in words.
    pub detail: String,
}

/// Everything a verifier has to say about one input.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was verified.
    pub kind: Kind,
    /// All checks together.
    pub verdict: Verdict,
    /// The moment it was verified for.
    #[serde(serialize_with = "as_text")]
    pub at: DateTime<Utc>,
    /// What the attestation is worth.
    pub level: Level,
    /// Worth of a fresh attestation of this level, 0 to 1.
    pub score: f64,
    /// Every check by name, in the order they were made.
    pub checks: Vec<Check>,
    /// What the attestation says, in the words of its own format.
    pub facts: Value,
}

fn as_text<S: Serializer>(moment: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*moment))
}

/// A moment as reports write it, RFC 3339 in UTC.
pub(crate) fn rfc3339(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl Report {
    /// Whether every required check passed.
    pub fn is_verified(&self) -> bool {
        self.verdict == Verdict::Verified
    }

    /// Names of the required checks that failed, in order.
    pub fn failed(&self) -> Vec<&'static str> {
        self.checks.iter().filter(|check| check.required && check.passed == Some(false)).map(|check| check.name).collect()
    }

    /// The check of this name.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    pub(crate) fn unreadable(kind: Kind, at: DateTime<Utc>, error: &Unreadable) -> Self {
        let check = Check { name: READABLE, passed: Some(false), required: true, detail: error.to_string() };
        Self { kind, verdict: Verdict::Unreadable, at, level: Level::None, score: 0.0, checks: vec![check], facts: Value::Null }
    }
}

/// Name of the check that the input could be read at all.
pub(crate) const READABLE: &str = "readable";

/// Names of checks that a caller switched off: still made and told, but the verdict does not depend on them.
pub type Waived = BTreeSet<String>;

/// What a check found: `Ok` passed, `Err` failed, with what was found.
pub(crate) type Finding = Result<String, String>;

/// Collects checks and decides.
pub(crate) struct Checks<'w> {
    list: Vec<Check>,
    waived: &'w Waived,
}

impl<'w> Checks<'w> {
    pub(crate) fn new(waived: &'w Waived) -> Self {
        Self { list: Vec::new(), waived }
    }

    /// A check the verdict depends on, unless it is waived.
    pub(crate) fn require(&mut self, name: &'static str, finding: Finding) {
        self.judge(name, true, finding);
    }

    /// A check the verdict depends on only when the caller asked for it.
    pub(crate) fn judge(&mut self, name: &'static str, required: bool, finding: Finding) {
        let (passed, detail) = match finding {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        self.push(name, Some(passed), required, detail);
    }

    /// A check with nothing to compare with, because the caller gave nothing.
    pub(crate) fn unasked(&mut self, name: &'static str, detail: impl Into<String>) {
        self.push(name, None, false, detail.into());
    }

    /// Required checks that cannot be made because an earlier one failed.
    pub(crate) fn unmade(&mut self, names: &[&'static str], why: &str) {
        for name in names {
            self.push(name, None, true, why.to_owned());
        }
    }

    /// Whether a check of this name passed.
    pub(crate) fn has_passed(&self, name: &str) -> bool {
        self.list.iter().any(|check| check.name == name && check.passed == Some(true))
    }

    fn push(&mut self, name: &'static str, passed: Option<bool>, required: bool, detail: String) {
        let required = required && !self.waived.contains(name);
        self.list.push(Check { name, passed, required, detail });
    }

    /// The report; `level` counts only when everything required passed.
    pub(crate) fn report(self, kind: Kind, at: DateTime<Utc>, level: Level, facts: Value) -> Report {
        let verified = !self.list.is_empty() && self.list.iter().all(|check| !check.required || check.passed == Some(true));
        let (verdict, level) = if verified { (Verdict::Verified, level) } else { (Verdict::Refused, Level::None) };
        Report { kind, verdict, at, level, score: score(level, chrono::TimeDelta::zero()), checks: self.list, facts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_was_not_made_is_not_passed() {
        let waived = Waived::new();
        let mut checks = Checks::new(&waived);
        checks.require("first", Ok(String::new()));
        checks.unmade(&["second"], "nothing to read");
        let report = checks.report(Kind::AndroidKey, DateTime::UNIX_EPOCH, Level::Strong, Value::Null);
        assert_eq!((report.verdict, report.level), (Verdict::Refused, Level::None));
        assert!(Checks::new(&waived).report(Kind::AndroidKey, DateTime::UNIX_EPOCH, Level::Strong, Value::Null).score == 0.0);
    }
}
