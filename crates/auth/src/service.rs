//! The verbs of this context, one file per group; the only door to its tables.

mod authenticate;
mod first_admin;
mod invitations;
mod keys;
mod passwords;
mod sign_in;
mod sign_out;
mod sweep;
mod tenants;
mod tokens;
mod users;

use std::sync::Arc;
use std::time::Duration;

use backends::Backends;
use base::{Actor, ActorKind, Result, UserId};

use crate::attempts::Attempts;
use crate::config::Config;
use crate::password::Passwords;
use crate::{digest, errors};

pub use keys::Rotated;
pub use users::Created;

/// Who people are and what they may do; cheap to clone.
#[derive(Clone)]
pub struct Auth {
    inner: Arc<Inner>,
}

struct Inner {
    backends: Backends,
    config: Config,
    passwords: Passwords,
    attempts: Attempts,
}

impl Auth {
    /// The service over these backends; the configuration has been checked (`Config::check`).
    #[must_use]
    pub fn new(backends: &Backends, config: Config) -> Self {
        // Another context may have been first; both install the same one.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let passwords = Passwords::new(&config, &backends.ids);
        Self { inner: Arc::new(Inner { backends: backends.clone(), config, passwords, attempts: Attempts::default() }) }
    }

    /// Name and attributes of the session cookie depend on this (`Config::secure_cookies`).
    pub(crate) fn has_secure_cookies(&self) -> bool {
        self.inner.config.secure_cookies
    }

    pub(crate) fn session_ttl(&self) -> Duration {
        self.inner.config.session_ttl()
    }

    /// Whether `given` (header or form field) is the CSRF token of the session whose cookie value this is.
    #[must_use]
    pub fn csrf_ok(&self, session: &str, given: &str) -> bool {
        digest::equal(&digest::csrf(session), given)
    }

    fn backends(&self) -> &Backends {
        &self.inner.backends
    }

    fn config(&self) -> &Config {
        &self.inner.config
    }
}

/// The person behind the actor; programs with an API token are not.
fn person(actor: &Actor) -> Result<UserId> {
    match (actor.kind, actor.user) {
        (ActorKind::User, Some(user)) => Ok(user),
        _ => Err(errors::people_only()),
    }
}

/// Programs with an API token, and phones, get no credential in their hands that outlives their own.
fn no_program(actor: &Actor) -> Result<()> {
    match actor.kind {
        ActorKind::User | ActorKind::System => Ok(()),
        ActorKind::Token | ActorKind::Device => Err(errors::people_only()),
    }
}
