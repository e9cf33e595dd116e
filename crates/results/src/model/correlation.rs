//! What findings have to do with each other: one cause behind many, ways from one to the next, patterns over time.

use base::{Result, Time, words};
use importers::Severity;
use scans::BySeverity;
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::{IntoParams, ToSchema};

use super::finding::FindingId;
use super::schema::SeveritySchema;
use super::sentence::Sentence;
use super::voice::Voice;
use crate::errors;

/// Most causes, paths or patterns of an answer.
pub(crate) const MOST: usize = 100;

words! {
    errors::word;
    /// What many findings have in common, so that one piece of work closes them.
    CauseKind, "kind" {
        /// A package: upgrading it closes them wherever it is.
        Package = "package",
        /// The system packages of an image or machine: a newer base closes them.
        Image = "image",
        /// The same rule at several places: a setting to be made once, for all.
        Configuration = "configuration",
        /// The same host or site: work for one owner, not one fix.
        Asset = "asset",
    }
}

/// One cause behind several findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootCause {
    /// What they have in common.
    pub kind: CauseKind,
    /// Its name.
    #[schema(max_length = 2048)]
    pub name: String,
    /// What to do, where one thing does it.
    #[schema(max_length = 4096)]
    pub fix: Option<String>,
    /// The same as a sentence; nothing where it is in a tool's own words.
    pub fix_said: Option<Sentence>,
    /// Findings it would close.
    #[schema(minimum = 2, format = "int64")]
    pub findings: u64,
    /// Distinct weaknesses among them: findings of one cluster are one.
    #[schema(minimum = 1, format = "int64")]
    pub weaknesses: u64,
    /// Targets they are on.
    #[schema(minimum = 1, format = "int64")]
    pub targets: u64,
    /// Those findings by severity.
    pub by_severity: BySeverity,
    /// The gravest of them.
    #[schema(max_items = 20)]
    pub examples: Vec<FindingId>,
    /// Whose words the name and what to do are, where a tool says them.
    #[serde(skip)]
    #[schema(ignore)]
    pub voice: Voice,
}

/// Causes, the one worth most first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootCauses {
    /// At most a hundred.
    #[schema(max_items = 100)]
    pub causes: Vec<RootCause>,
    /// Findings looked at, gravest first.
    #[schema(minimum = 0, format = "int64")]
    pub looked_at: u64,
    /// Whether those are all that stand.
    pub is_complete: bool,
}

/// Which causes.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct CauseFilter {
    /// Of this target only.
    #[param(value_type = Option<TargetId>)]
    pub target: Option<TargetId>,
    /// Of this kind only.
    #[param(inline, value_type = Option<CauseKind>)]
    pub kind: Option<String>,
}

impl CauseFilter {
    pub(crate) fn wanted(&self) -> Result<Option<CauseKind>> {
        self.kind.as_deref().map(str::parse).transpose()
    }
}

words! {
    errors::word;
    /// What part a finding plays in a path.
    StepRole, "role" {
        /// Exploitable, at a place the internet reaches.
        Entry = "entry",
        /// A credential or secret that lies there.
        Credential = "credential",
        /// A place beyond that takes logins.
        Login = "login",
        /// Exploitable, at a place beyond.
        Exploit = "exploit",
    }
    /// Why one step may lead to the next; each is a fact of the inventory, none was tried.
    EdgeKind, "edge" {
        /// Both are at the same host or site.
        SamePlace = "same_place",
        /// The finding before names this place.
        Names = "names",
        /// Both addresses are in the same network (/24 or /64).
        SameNetwork = "same_network",
        /// Both targets are of the same business unit, or carry the same label `app:`.
        SameLabel = "same_label",
    }
}

/// One finding on a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PathStep {
    /// The finding.
    pub finding_id: FindingId,
    /// Its title.
    #[schema(max_length = 1000)]
    pub title: String,
    /// How grave.
    #[schema(value_type = SeveritySchema)]
    pub severity: Severity,
    /// The target it is on.
    #[schema(value_type = Option<TargetId>)]
    pub target_id: Option<TargetId>,
    /// Where: the host or site, or the target's name.
    #[schema(max_length = 2048)]
    pub place: String,
    /// What part it plays.
    pub role: StepRole,
    /// What leads here; nothing for the first step.
    pub edge: Option<EdgeKind>,
    /// Why it plays that part and is reached, in words.
    #[schema(max_length = 4096)]
    pub because: String,
    /// The same as sentences: what leads here, then the part it plays.
    #[schema(max_items = 2)]
    pub said: Vec<Sentence>,
    /// Whose words the title is.
    #[serde(skip)]
    #[schema(ignore)]
    pub voice: Voice,
}

/// A way that findings may open together. A hint from what is recorded, not a proof: nothing was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttackPath {
    /// From the outside inwards, two to four.
    #[schema(min_items = 2, max_items = 4)]
    pub steps: Vec<PathStep>,
    /// For the order only: graver findings, known exploitation and more critical ends weigh more.
    #[schema(minimum = 0, format = "int32")]
    pub weight: u32,
}

/// Paths, the one that weighs most first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttackPaths {
    /// At most a hundred.
    #[schema(max_items = 100)]
    pub paths: Vec<AttackPath>,
    /// Findings looked at, gravest first.
    #[schema(minimum = 0, format = "int64")]
    pub looked_at: u64,
    /// Whether those are all that stand.
    pub is_complete: bool,
}

words! {
    errors::word;
    /// What repeats.
    PatternKind, "pattern" {
        /// Findings of a rule come back after they were gone.
        Recurring = "recurring",
        /// Far more new findings of a rule than it usually brings.
        Burst = "burst",
    }
}

/// Something a rule does over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pattern {
    /// What.
    pub kind: PatternKind,
    /// The tool.
    #[schema(max_length = 256)]
    pub source: String,
    /// The rule.
    #[schema(max_length = 1000)]
    pub check: String,
    /// Title of one of its findings.
    #[schema(max_length = 1000)]
    pub title: String,
    /// Times findings came back, or new ones in the last seven days.
    #[schema(minimum = 0, format = "int64")]
    pub count: u64,
    /// Findings concerned.
    #[schema(minimum = 0, format = "int64")]
    pub findings: u64,
    /// How many were to be expected in seven days; of bursts.
    pub expected: Option<f64>,
    /// When it happened last.
    pub last: Time,
}

/// Which patterns.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct PatternFilter {
    /// How many days back, 14 to 366; 90 when absent.
    #[param(minimum = 14, maximum = 366)]
    pub days: Option<u32>,
}

impl PatternFilter {
    pub(crate) fn span(&self) -> Result<u32> {
        match self.days.unwrap_or(90) {
            days @ 14..=366 => Ok(days),
            _ => Err(errors::filter("days", "it must be 14 to 366")),
        }
    }
}
