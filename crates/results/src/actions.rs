//! Every action on findings and imports.

use base::{Action, Permission};

/// Read findings, imports and coverage.
pub const READ: Action = Action::new("results.read", Permission::ReadFindings);
/// Take in a file.
pub const IMPORT: Action = Action::new("results.import", Permission::WriteFindings);
/// Take in what a stage of a scan brought; the scan itself was allowed before.
pub const INGEST: Action = Action::open("results.ingest");
/// Mark what a finished scan did not look at again.
pub const SETTLE: Action = Action::open("results.settle");
/// Decide about a finding.
pub const DECIDE: Action = Action::new("results.decide", Permission::WriteFindings);
/// End acceptances whose time is over.
pub const EXPIRE: Action = Action::open("results.expire");
/// Take in a file that waits; whoever sent it was allowed to.
pub const RUN_IMPORT: Action = Action::open("results.run_import");
