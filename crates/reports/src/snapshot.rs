//! The frozen content of a report: plain data, complete, the same for every format.
//!
//! Invariant: a snapshot never changes after [`Snapshot::freeze`]; its digest is the SHA-256 of its
//! canonical JSON, so two renders of one snapshot can be proved to say the same.

mod coverage;
mod finding;
mod frozen;

use base::{Language, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use coverage::{Cause, Coverage, Gap, Outcome, Run, Tool};
pub use finding::{Confidence, Cvss, Decision, DecisionKind, Evidence, Finding, Location, Reference, Severity, Status};
pub use frozen::{Frozen, SnapshotError};

/// The only version of the format so far.
pub const VERSION: u32 = 1;

/// Everything a report says, before layout and language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Version of this format, always [`VERSION`].
    pub version: u32,
    /// Name of the report.
    pub title: String,
    /// Who the report is for.
    pub tenant: String,
    /// Language the report was asked for in.
    pub language: Language,
    /// Who may see it.
    pub marking: Marking,
    /// People behind the report.
    pub people: Vec<Person>,
    /// When the content was frozen.
    pub generated_at: Time,
    /// The span the report covers.
    pub period: Period,
    /// What was allowed to be tested, and by whom.
    pub scope: Scope,
    /// Counts over `findings`, computed when frozen.
    pub counts: Counts,
    /// Every finding, most severe first.
    pub findings: Vec<Finding>,
    /// What was tried, step by step.
    pub coverage: Vec<Coverage>,
    /// What nobody tried, and why.
    pub not_tested: Vec<Gap>,
    /// What the tests ran with.
    pub tools: Vec<Tool>,
    /// The scans and imports behind the findings.
    pub runs: Vec<Run>,
}

/// Traffic Light Protocol 2.0 marking (FIRST).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
pub enum Marking {
    /// For the named recipients only.
    #[serde(rename = "TLP:RED")]
    Red,
    /// For the recipient's organisation only.
    #[serde(rename = "TLP:AMBER+STRICT")]
    AmberStrict,
    /// For the recipient's organisation and its clients, as needed.
    #[default]
    #[serde(rename = "TLP:AMBER")]
    Amber,
    /// For the recipient's community.
    #[serde(rename = "TLP:GREEN")]
    Green,
    /// For everyone.
    #[serde(rename = "TLP:CLEAR")]
    Clear,
}

impl Marking {
    /// The text FIRST prescribes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Red => "TLP:RED",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Amber => "TLP:AMBER",
            Self::Green => "TLP:GREEN",
            Self::Clear => "TLP:CLEAR",
        }
    }
}

/// Somebody named in the document control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name as shown.
    pub name: String,
    /// What they did for this report.
    pub part: Part,
}

/// What somebody did for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Asked for or wrote it.
    Author,
    /// Checked it.
    Reviewer,
    /// Receives it.
    Recipient,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First moment covered.
    pub from: Time,
    /// Last moment covered.
    pub to: Time,
}

/// What was in scope and on whose word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The targets.
    pub targets: Vec<Target>,
    /// The authorisations under which they were tested.
    pub authorizations: Vec<Authorization>,
}

/// One target in scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Id of the target; findings and coverage refer to it.
    pub id: String,
    /// Name as the owner gave it.
    pub name: String,
    /// Type of target: `web`, `host`, `network` …
    pub kind: String,
    /// Address, when it has one.
    pub address: Option<String>,
    /// Environment, when known.
    pub environment: Option<String>,
    /// Criticality, when known.
    pub criticality: Option<String>,
}

/// One authorisation: who allowed what, from when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// Id of the authorisation.
    pub id: String,
    /// Who may allow it, and did.
    pub granted_by: String,
    /// What proves it.
    pub evidence: Option<String>,
    /// What it covers, in words.
    pub covers: Vec<String>,
    /// What it leaves out, in words.
    pub excludes: Vec<String>,
    /// How far tests may go: `passive`, `safe`, `intrusive`.
    pub intrusiveness: String,
    /// From when.
    pub valid_from: Time,
    /// Until when.
    pub valid_until: Time,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Time>,
}

/// Numbers over all findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Open findings by severity; findings that could not be re-tested count as open.
    pub open: BySeverity,
    /// All findings by status.
    pub status: ByStatus,
}

/// A number per severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the severities")]
pub struct BySeverity {
    pub critical: u64,
    pub high: u64,
    pub medium: u64,
    pub low: u64,
    pub info: u64,
}

impl BySeverity {
    /// The number for one severity.
    #[must_use]
    pub const fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }

    /// All severities together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.info
    }

    pub(crate) const fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Critical => self.critical += 1,
            Severity::High => self.high += 1,
            Severity::Medium => self.medium += 1,
            Severity::Low => self.low += 1,
            Severity::Info => self.info += 1,
        }
    }
}

/// A number per status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the statuses")]
pub struct ByStatus {
    pub open: u64,
    pub not_retested: u64,
    pub accepted: u64,
    pub false_positive: u64,
    pub fixed: u64,
}

impl ByStatus {
    const fn add(&mut self, status: Status) {
        match status {
            Status::Open => self.open += 1,
            Status::NotRetested => self.not_retested += 1,
            Status::Accepted => self.accepted += 1,
            Status::FalsePositive => self.false_positive += 1,
            Status::Fixed => self.fixed += 1,
        }
    }
}
