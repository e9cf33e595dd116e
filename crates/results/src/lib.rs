//! What tools said, what we believe, what people decided: observation → finding → decision → derived status.
//! A finding is closed only by a test that looked for it again at the same place.

pub mod actions;
mod errors;
mod events;
mod follow;
mod http;
mod import;
mod ingest;
mod jobs;
mod model;
mod risk;
mod service;
mod store;

pub use events::{FindingDecided, ResultsImported};
pub use http::routes;
pub use ingest::{ImportProgress, Preview, preview};
pub use jobs::{ExpireDecisions, IngestArtifact, RunImport, SettleScan, jobs};
pub use model::{
    ByStatus, ChangeKind, Closing, Counts, CoverageRow, Decision, DecisionId, DecisionKind, Difference, Filter, Finding, FindingDetail,
    FindingId, Happening, HappeningKind, Import, ImportId, ImportOptions, ImportRequest, ImportState, ImportSummary, NewDecision, Seen,
    SeenEvidence, Sort, State, Status,
};
pub use jobs::{AssessAll, AssessDaily, AssessImport};
pub use model::{
    DueDate, DueGround, Feed, FeedKind, FeedUpdate, Listing, RiskFactor, RiskView, SlaDays, SlaPolicy, Standing, UnitPolicy,
};
pub use service::Results;
