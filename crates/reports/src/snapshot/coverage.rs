//! What was tried and what was not: without it an absent finding proves nothing.

use base::Time;
use serde::{Deserialize, Serialize};

/// One step of one test on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Id of the target, or the place when it belongs to none.
    pub target: String,
    /// Step of the test: `ports`, `tls`, `http` …
    pub stage: String,
    /// What ran it.
    pub tool: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not end well.
    pub reason: Option<String>,
    /// When it started.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Ran to its end.
    Done,
    /// Ran in part.
    Partial,
    /// Not started.
    Skipped,
    /// Broke off by an error.
    Error,
    /// Broke off at its time limit.
    Timeout,
    /// Broke off by a person.
    Cancelled,
}

impl Outcome {
    /// All, best first.
    pub const ALL: [Self; 6] = [Self::Done, Self::Partial, Self::Skipped, Self::Error, Self::Timeout, Self::Cancelled];

    /// The word used in data and class names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Skipped => "skipped",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Something in scope that no test touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// What was not tested.
    pub what: String,
    /// Why not.
    pub cause: Cause,
    /// What else is known about it.
    pub note: Option<String>,
}

/// Why something was not tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No test ever ran against it.
    Untested,
    /// The authorisation leaves it out.
    Excluded,
    /// The tests had no account to sign in with.
    NoAccount,
    /// Something else, see the note.
    Other,
}

/// A tool that took part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Name.
    pub name: String,
    /// Version, when it told.
    pub version: Option<String>,
}

/// A scan or import the findings come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Id of the scan or import.
    pub id: String,
    /// Profile or file name.
    pub name: String,
    /// Id of the target, when it had one.
    pub target: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// When it started.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
}
