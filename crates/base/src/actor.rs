//! Who acts and through which door. A `Scope` exists only as the product of an actor and an action it may take,
//! so a query without tenant and permission cannot be written.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Action, Permission, Result, Role, TenantId, Unit, UserId, errors};

/// What kind of being acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person with a session or an access token.
    User,
    /// A program with an API token, acting for the user who made it.
    Token,
    /// A phone.
    Device,
    /// Tyrian itself: jobs, schedules, the command line on the data directory.
    System,
}

/// The door the request came through (SPEC BR-14 `source`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// REST or the console.
    #[default]
    Http,
    /// WebSocket.
    Ws,
    /// gRPC.
    Grpc,
    /// A background job.
    Job,
    /// The command line acting on local storage.
    Cli,
}

impl Source {
    /// The text form written to the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Ws => "ws",
            Self::Grpc => "grpc",
            Self::Job => "job",
            Self::Cli => "cli",
        }
    }
}

/// Where a request came from; copied to every audit entry it causes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The door.
    pub source: Source,
    /// Peer address as seen by the edge.
    pub ip: Option<IpAddr>,
    /// `User-Agent` header, cut to 512 characters.
    pub user_agent: Option<String>,
    /// Correlation id: the same from the edge to the last job.
    pub correlation_id: Option<String>,
}

/// Somebody acting within one tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of being.
    pub kind: ActorKind,
    /// The tenant whose rows exist for this actor.
    pub tenant: TenantId,
    /// The person, or the person a token acts for.
    pub user: Option<UserId>,
    /// Name shown in the audit log.
    pub username: String,
    /// Roles held.
    pub roles: Vec<Role>,
    /// Permissions held: those of the roles, narrowed by a token's scopes.
    pub permissions: BTreeSet<Permission>,
    /// Business units outside of which nothing exists for this actor; none: the whole organisation.
    #[serde(default)]
    pub units: Vec<Unit>,
    /// Device id, when a device acts.
    pub device: Option<String>,
    /// Id of the token or session used.
    pub jti: Option<String>,
    /// Where the request came from.
    pub origin: Origin,
}

impl Actor {
    /// Tyrian itself, acting for `tenant` through `source`; holds every permission.
    #[must_use]
    pub fn system(tenant: TenantId, source: Source) -> Self {
        Self {
            kind: ActorKind::System,
            tenant,
            user: None,
            username: "system".to_owned(),
            roles: vec![Role::Admin],
            permissions: Permission::ALL.iter().copied().collect(),
            units: Vec::new(),
            device: None,
            jti: None,
            origin: Origin { source, ..Origin::default() },
        }
    }

    /// Whether this actor may take `action`.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        action.needs.is_none_or(|permission| self.permissions.contains(&permission)) && self.reaches(action)
    }

    /// Whether the actor's business units are enough for `action`.
    fn reaches(&self, action: Action) -> bool {
        action.by_unit || self.units.is_empty()
    }

    /// The rows `action` may touch.
    ///
    /// # Errors
    /// `Forbidden` when the actor lacks the permission, or is bound to business units and the action is not.
    pub fn scope(&self, action: Action) -> Result<Scope> {
        match action.needs {
            Some(permission) if !self.permissions.contains(&permission) => Err(errors::permission_missing(permission)),
            _ if !self.reaches(action) => Err(errors::bound_to_units(&self.units)),
            _ => Ok(Scope { tenant: self.tenant, units: self.units.clone() }),
        }
    }
}

/// The rows a checked actor may see: one tenant's, of these business units. Only [`Actor::scope`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    tenant: TenantId,
    units: Vec<Unit>,
}

impl Scope {
    /// The tenant every query in this scope is bound to.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The business units whose targets, and what hangs on them, are all there is; none: every target of the tenant.
    #[must_use]
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Whether a target of this unit lies within the scope.
    #[must_use]
    pub fn holds(&self, unit: Option<&Unit>) -> bool {
        self.units.is_empty() || unit.is_some_and(|unit| self.units.iter().any(|own| own.holds(unit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_needs_the_permission_of_its_action() {
        let mut actor = Actor::system(TenantId::from_uuid(uuid::Uuid::from_u128(7)), Source::Cli);
        actor.permissions = [Permission::ReadTargets].into();
        let read = Action::new("targets.read", Permission::ReadTargets);
        let write = Action::new("targets.create", Permission::WriteTargets);
        assert_eq!(actor.scope(read).unwrap().tenant(), actor.tenant);
        let refused = actor.scope(write).unwrap_err();
        assert_eq!(refused.code(), "auth.permission_missing");
        assert!(refused.detail().contains("write:targets"));
        assert!(actor.scope(Action::open("auth.sign_in")).is_ok());
    }

    #[test]
    fn who_is_bound_to_units_acts_only_where_units_are_kept_to() {
        let mut actor = Actor::system(TenantId::from_uuid(uuid::Uuid::from_u128(7)), Source::Cli);
        let (all, within) =
            (Action::new("users.read", Permission::ReadUsers), Action::new("targets.read", Permission::ReadTargets).by_unit());
        assert!(actor.may(all) && actor.scope(all).unwrap().holds(None));
        actor.units = vec!["retail".parse().unwrap()];
        assert!(!actor.may(all) && actor.may(within));
        let refused = actor.scope(all).unwrap_err();
        assert_eq!(refused.code(), "auth.bound_to_units");
        assert!(refused.detail().contains("`retail`"));
        let scope = actor.scope(within).unwrap();
        assert!(scope.holds(Some(&"retail/payments".parse().unwrap())));
        assert!(!scope.holds(None) && !scope.holds(Some(&"wholesale".parse().unwrap())));
    }
}
