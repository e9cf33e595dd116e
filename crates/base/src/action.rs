//! What is being done, named once: the audit entry's verb and the permission it needs.

use crate::Permission;

/// A named thing an actor may do; declared as a constant in a context's `actions.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// `context.verb`, unique in the product; written to the audit log as `action_taken`.
    pub name: &'static str,
    /// The permission the actor must hold, or `None` for what anybody may do (signing in).
    pub needs: Option<Permission>,
    /// Whether the verb keeps to the business units of its scope; what does not is for people of the whole organisation only.
    pub by_unit: bool,
}

impl Action {
    /// An action that needs `permission`.
    #[must_use]
    pub const fn new(name: &'static str, permission: Permission) -> Self {
        Self { name, needs: Some(permission), by_unit: false }
    }

    /// The same for a verb that keeps to the business units of its scope, in every row it reads and writes.
    #[must_use]
    pub const fn by_unit(self) -> Self {
        Self { by_unit: true, ..self }
    }

    /// An action open to an actor without any permission, such as signing in.
    #[must_use]
    pub const fn open(name: &'static str) -> Self {
        Self { name, needs: None, by_unit: true }
    }
}
