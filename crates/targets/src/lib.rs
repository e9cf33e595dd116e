//! What may be tested: targets, the authorisations that allow it and the permits a scan carries.

pub mod actions;
pub mod address;
mod authorization;
mod documents;
mod errors;
mod exchange;
mod http;
mod model;
mod permit;
mod rule;
mod service;
mod store;
mod text;
mod units;
mod vocabulary;

pub use address::Address;
pub use authorization::{Authorization, AuthorizationId, NewAuthorization};
pub use documents::ASSETS;
pub use exchange::{FileFormat, Imported, RowFault};
pub use http::routes;
pub use model::{Filter, NewTarget, Target, TargetId, TargetPatch};
pub use permit::Permit;
pub use rule::{Rule, RuleKind, RuleText};
pub use service::Targets;
pub use units::{Branch, of_unit, within};
pub use vocabulary::{Criticality, Intrusiveness, TargetKind};
