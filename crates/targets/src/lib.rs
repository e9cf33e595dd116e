//! What may be tested: targets, the authorisations that allow it and the permits a scan carries.

pub mod address;
mod authorization;
mod errors;
mod model;
mod permit;
mod rule;

pub use address::Address;
pub use authorization::{Authorization, AuthorizationId, NewAuthorization};
pub use model::{Criticality, Filter, Intrusiveness, NewTarget, Target, TargetId, TargetKind, TargetPatch};
pub use permit::Permit;
pub use rule::{Rule, RuleKind, RuleText};
