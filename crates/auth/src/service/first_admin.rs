//! The very first administrator: a one-time link that lives until it is used.

use audit::Change;
use base::{Actor, Id, Origin, Result, Role, Secret, Source, Time, UserId};
use serde_json::json;

use super::Auth;
use crate::model::{self, Account, NewAdmin, User, UserState};
use crate::{actions, digest, errors, password, store};

/// Where the sealed token stands.
const PLACE: &str = "first_run.sealed";

impl Auth {
    /// The token of the link, while no user exists; the same after a restart.
    ///
    /// # Errors
    /// The database's or the key store's.
    pub async fn first_admin_token(&self) -> Result<Option<Secret<String>>> {
        let backends = self.backends();
        if store::users::exist(&backends.db).await? {
            return Ok(None);
        }
        if let Some(sealed) = store::first_run::sealed(&backends.db).await? {
            match backends.keys.open(PLACE, &sealed).await {
                Ok(token) => return Ok(String::from_utf8(token).ok().map(Secret::new)),
                Err(error) => tracing::warn!(%error, "the first-run link cannot be read any more; a new one replaces it"),
            }
        }
        let home = self.home_tenant().await?;
        let token = backends.ids.secret(32)?;
        let sealed = backends.keys.seal(PLACE, token.expose().as_bytes()).await?;
        let mut change = Change::begin(backends, &Actor::system(home, Source::Cli), actions::OFFER_FIRST_RUN).await?;
        store::first_run::keep(&mut change, &digest::sha256(token.expose()), sealed).await?;
        change.subject("organisation", home);
        change.commit().await?;
        Ok(Some(token))
    }

    /// Makes the first administrator and names their organisation; uses the link up.
    ///
    /// # Errors
    /// `Forbidden` for a wrong or used link, `Invalid` for what was typed.
    pub async fn create_first_admin(&self, token: &str, new: NewAdmin, origin: &Origin) -> Result<User> {
        let backends = self.backends();
        self.limit_address(origin).await?;
        // Checked before hashing a password for a stranger; checked again by using it up.
        let token_hash = digest::sha256(token);
        if store::users::exist(&backends.db).await? || !store::first_run::is_token(&backends.db, &token_hash).await? {
            return Err(errors::first_run());
        }
        model::check_name(&new.organisation, "/organisation")?;
        model::check_username(&new.username)?;
        model::check_email(&new.email)?;
        password::check(&new.password, &new.username, &new.email)?;
        let home = self.home_tenant().await?;
        let hash = self.inner.passwords.hash(&new.password).await?;

        let mut actor = Actor::system(home, Source::Http);
        actor.username = new.username.clone();
        actor.origin = origin.clone();
        let mut change = Change::begin(backends, &actor, actions::CREATE_FIRST_ADMIN).await?;
        if !store::first_run::take(&mut change, &token_hash).await? {
            return Err(errors::first_run());
        }
        let user = newcomer(change.id(), home, &new.username, &new.email, vec![Role::Admin], UserState::Active, change.now());
        let account = Account { user, password_hash: Some(hash), generation: 1 };
        store::tenants::rename(&mut change, new.organisation.trim()).await?;
        store::users::insert(&mut change, &account, &model::login(&new.username)).await?;
        store::users::note(&mut change, account.user.id, "created", origin).await?;
        change.subject("user", account.user.id);
        change.detail(json!({ "username": new.username, "organisation": new.organisation.trim(), "roles": account.user.roles }));
        change.commit().await?;
        Ok(account.user)
    }
}

/// A user as the row will be.
pub(super) fn newcomer(
    id: UserId,
    tenant: Id<base::Tenant>,
    username: &str,
    email: &str,
    roles: Vec<Role>,
    state: UserState,
    now: Time,
) -> User {
    User {
        id,
        tenant_id: tenant,
        username: username.trim().to_owned(),
        email: email.trim().to_owned(),
        roles,
        units: Vec::new(),
        state,
        last_sign_in_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}
