//! The nouns of this context and their rules, pure.

mod cluster;
mod correlation;
mod decision;
mod doubt;
mod finding;
mod import;
mod mapping;
mod note;
mod place;
mod query;
mod review;
mod risk;
mod schema;
mod sentence;
mod trend;
mod voice;

pub use cluster::{Cluster, ClusterJoin, ClusterMove};
pub(crate) use correlation::MOST;
pub use correlation::{
    AttackPath, AttackPaths, CauseFilter, CauseKind, EdgeKind, PathStep, Pattern, PatternFilter, PatternKind, RootCause, RootCauses,
    StepRole,
};
pub use decision::{
    Batch, BatchId, BulkDecision, BulkOutcome, Decision, DecisionId, DecisionKind, DecisionScope, DecisionState, NewDecision, Policy,
    Verdict,
};
pub(crate) use decision::{MOST_AT_ONCE, check_reason};
pub use doubt::{FalsePositiveEstimate, FalsePositiveLearning, FalsePositiveReason};
pub use finding::{ClusterRef, Finding, FindingDetail, FindingId, Happening, HappeningKind, Seen, SeenEvidence, State, Status};
pub(crate) use finding::{Derived, InForce, derive};
pub use import::{
    ChangeKind, Closing, CoverageRow, Difference, Import, ImportId, ImportOptions, ImportRequest, ImportState, ImportSummary,
};
pub use mapping::{MappingTrial, MappingUse, SavedMapping, TriedObservation, TryMapping};
pub use note::{FindingNote, NewNote, NoteId};
pub(crate) use place::{asset_of, words};
pub use query::{Beside, ByStatus, Counts, Filter, Matching, Sort};
pub(crate) use query::{Position, rank};
pub use review::{Resolution, Review, ReviewId};
pub(crate) use risk::unit;
pub use risk::{DueDate, DueGround, Feed, FeedKind, FeedUpdate, Listing, RiskFactor, RiskView, SlaDays, SlaPolicy, Standing, UnitPolicy};
pub(crate) use schema::SeveritySchema;
pub use sentence::{Sentence, SentenceKind};
pub use trend::{Analytics, Cause, FilterId, NewFilter, Period, SavedFilter, TrendDay};
pub use voice::Voice;
