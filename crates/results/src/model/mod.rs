//! The nouns of this context and their rules, pure.

mod decision;
mod finding;
mod import;
mod place;
mod query;
mod schema;

pub use decision::{Decision, DecisionId, DecisionKind, NewDecision};
pub(crate) use finding::{Derived, derive};
pub use finding::{Finding, FindingDetail, FindingId, Happening, HappeningKind, Seen, SeenEvidence, State, Status};
pub use import::{CoverageRow, Import, ImportId, ImportRequest, ImportSummary};
pub(crate) use place::words;
pub use query::{ByStatus, Counts, Filter, Sort};
pub(crate) use query::{Position, rank};
