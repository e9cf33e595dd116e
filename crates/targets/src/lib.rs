//! What may be tested: targets, the authorisations that allow it and the permits a scan carries.

pub mod actions;
pub mod address;
mod authorization;
mod errors;
mod exchange;
mod http;
mod model;
mod permit;
mod rule;
mod service;
mod store;

pub use address::Address;
pub use authorization::{Authorization, AuthorizationId, NewAuthorization};
pub use exchange::{FileFormat, Imported, RowFault};
pub use http::routes;
pub use model::{Criticality, Filter, Intrusiveness, NewTarget, Target, TargetId, TargetKind, TargetPatch};
pub use permit::Permit;
pub use rule::{Rule, RuleKind, RuleText};
pub use service::Targets;
