//! Every action of this context.

use base::{Action, Permission};

/// Search findings and observations.
pub const READ_FINDINGS: Action = Action::new("search.read_findings", Permission::ReadFindings).by_unit();
/// Search targets.
pub const READ_TARGETS: Action = Action::new("search.read_targets", Permission::ReadTargets).by_unit();
/// Search audit entries.
pub const READ_AUDIT: Action = Action::new("search.read_audit", Permission::ReadAudit);
/// Search figures.
pub const READ_METRICS: Action = Action::new("search.read_metrics", Permission::ReadScans);
/// Make an index anew; a thing for whoever looks after the installation.
pub const REBUILD: Action = Action::new("search.rebuild", Permission::WriteKeys);
