//! Every action of this context.

use base::{Action, Permission};

/// Look at targets and authorisations.
pub const READ: Action = Action::new("targets.read", Permission::ReadTargets).by_unit();
/// Record a target.
pub const CREATE: Action = Action::new("targets.create", Permission::WriteTargets).by_unit();
/// Change a target.
pub const UPDATE: Action = Action::new("targets.update", Permission::WriteTargets).by_unit();
/// Remove a target.
pub const DELETE: Action = Action::new("targets.delete", Permission::WriteTargets).by_unit();
/// Record or change many targets from a file.
pub const IMPORT: Action = Action::new("targets.import", Permission::WriteTargets).by_unit();
/// Record that testing is allowed.
pub const AUTHORIZE: Action = Action::new("targets.authorize", Permission::AuthorizeTargets).by_unit();
/// Hand in the proof of an authorisation.
pub const PROVE: Action = Action::new("targets.prove", Permission::AuthorizeTargets).by_unit();
/// Take an authorisation back.
pub const REVOKE: Action = Action::new("targets.revoke", Permission::AuthorizeTargets).by_unit();
/// Ask whether a test is allowed; another context checked its own permission before it asks.
pub const PERMIT: Action = Action::open("targets.permit");
