//! Every action on the audit log.

use base::{Action, Permission};

/// Read entries, proofs, checkpoints and tiles, and verify.
pub const READ: Action = Action::new("audit.read", Permission::ReadAudit);
/// Take entries out as a file.
pub const EXPORT: Action = Action::new("audit.export", Permission::ReadAudit);
/// Bring in a new key for checkpoints.
pub const ROTATE_KEYS: Action = Action::new("audit.rotate_keys", Permission::WriteKeys);
