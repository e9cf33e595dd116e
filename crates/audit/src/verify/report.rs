//! What verification found.

use base::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A line is not of this format.
    Malformed,
    /// An entry differs from what its leaf commits to.
    Changed,
    /// A leaf's entry, or a leaf, is not there.
    Missing,
    /// Leaves do not follow each other.
    Reordered,
    /// Fewer leaves than a checkpoint or the log itself says.
    Truncated,
    /// A checkpoint's root is not the root of the leaves before it.
    Forked,
    /// A known key's signature does not fit.
    WrongSignature,
    /// No known key signed.
    UnknownKey,
    /// Leaves that no checkpoint signs.
    Unsigned,
    /// An entry that never got its place in the tree.
    NeverSequenced,
    /// The history of the known checkpoint is not in this log.
    Inconsistent,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditProblem)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The entry, when one can be named.
    #[schema(max_length = 36)]
    pub entry: Option<String>,
    /// The position, when one can be named.
    pub index: Option<u64>,
    /// What is wrong, in words.
    #[schema(max_length = 1024)]
    pub message: String,
}

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditVerification)]
pub struct Report {
    /// The log's unique name.
    #[schema(max_length = 256)]
    pub origin: String,
    /// Entries whose content was checked.
    pub entries: u64,
    /// Entries written but not yet in the tree; normal for those of the last second.
    pub waiting: u64,
    /// Leaves in the tree.
    pub size: u64,
    /// Root of the tree, hexadecimal.
    #[schema(max_length = 64)]
    pub root: String,
    /// Checkpoints whose signature and root were checked.
    pub checkpoints: u64,
    /// Signed time of the last checkpoint.
    pub checkpoint_time: Option<Time>,
    /// Whether the keys came from elsewhere and not from the export itself.
    pub keys_trusted: bool,
    /// Whether a checkpoint kept elsewhere was found in this history.
    pub known_checkpoint_confirmed: Option<bool>,
    /// What is wrong, at most [`Report::MAXIMUM_PROBLEMS`].
    #[schema(max_items = 100)]
    pub problems: Vec<Problem>,
    /// How much is wrong in all.
    pub problem_count: u64,
}

impl Report {
    /// Problems listed one by one; the rest is only counted.
    pub const MAXIMUM_PROBLEMS: usize = 100;

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_intact(&self) -> bool {
        self.problem_count == 0
    }
}
