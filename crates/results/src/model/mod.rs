//! The nouns of this context and their rules, pure.

mod decision;
mod finding;
mod import;
mod place;
mod query;
mod risk;
mod schema;

pub use decision::{Decision, DecisionId, DecisionKind, NewDecision};
pub(crate) use finding::{Derived, derive};
pub use finding::{Finding, FindingDetail, FindingId, Happening, HappeningKind, Seen, SeenEvidence, State, Status};
pub use import::{ChangeKind, Closing, CoverageRow, Difference, Import, ImportId, ImportOptions, ImportRequest, ImportState, ImportSummary};
pub(crate) use place::{asset_of, words};
pub use query::{ByStatus, Counts, Filter, Sort};
pub(crate) use query::{Position, rank};
pub(crate) use risk::unit;
pub use risk::{DueDate, DueGround, Feed, FeedKind, FeedUpdate, Listing, RiskFactor, RiskView, SlaDays, SlaPolicy, Standing, UnitPolicy};
pub(crate) use schema::SeveritySchema;
