//! What tools said, what we believe, what people decided: observation → finding → decision → derived status.
//! A finding is closed only by a test that looked for it again at the same place.

pub mod actions;
mod cluster;
mod correlate;
mod decide;
mod documents;
mod doubt;
mod errors;
mod events;
mod export;
mod follow;
mod http;
mod import;
mod ingest;
mod jobs;
mod link;
mod mappings;
mod model;
mod note;
mod review;
mod risk;
mod service;
mod store;
mod trends;
mod undo;

pub use documents::{FINDINGS, OBSERVATIONS};
pub use doubt::{Clues, FalsePositives};
pub use events::{FindingDecided, ImportUndone, ResultsImported};
pub use export::ExportFormat;
pub use http::routes;
pub use ingest::{ImportProgress, Preview, preview};
pub use jobs::{AssessAll, AssessDaily, AssessFindings, AssessImport, RuleImport};
pub use jobs::{ExpireDecisions, IngestArtifact, RecordTrends, RunImport, SettleScan, jobs};
pub use jobs::{LearnFalsePositives, LinkImport, RelinkNames};
pub use model::{
    Analytics, Batch, BatchId, Beside, BulkDecision, BulkOutcome, ByStatus, Cause, ChangeKind, Closing, Cluster, ClusterMove, ClusterRef,
    Counts, CoverageRow, Decision, DecisionId, DecisionKind, DecisionScope, DecisionState, Difference, Filter, FilterId, Finding,
    FindingDetail, FindingId, FindingNote, Happening, HappeningKind, Import, ImportId, ImportOptions, ImportRequest, ImportState,
    ImportSummary, Matching, NewDecision, NewFilter, NewNote, NoteId, Period, Policy, Resolution, Review, ReviewId, SavedFilter, Seen,
    SeenEvidence, Sort, State, Status, TrendDay, Verdict,
};
pub use model::{
    AttackPath, AttackPaths, CauseFilter, CauseKind, ClusterJoin, EdgeKind, FalsePositiveEstimate, FalsePositiveLearning,
    FalsePositiveReason, MappingTrial, MappingUse, PathStep, Pattern, PatternFilter, PatternKind, RootCause, RootCauses, SavedMapping,
    Sentence, SentenceKind, StepRole, TriedObservation, TryMapping, Voice,
};
pub use model::{DueDate, DueGround, Feed, FeedKind, FeedUpdate, Listing, RiskFactor, RiskView, SlaDays, SlaPolicy, Standing, UnitPolicy};
pub use service::Results;
