//! Leaving: the present session or access token, or one of one's other sessions.

use audit::Change;
use base::{Actor, Result};
use serde_json::json;

use super::{Auth, person};
use crate::model::{SessionEntry, SessionId};
use crate::{actions, cache, errors, jwt, store};

impl Auth {
    /// Ends the session, or refuses the access token, the actor came with.
    ///
    /// # Errors
    /// `Forbidden` for an actor that did not sign in.
    pub async fn sign_out(&self, actor: &Actor) -> Result<()> {
        let user = person(actor)?;
        let jti = actor.jti.as_deref().ok_or_else(errors::people_only)?;
        let mut change = Change::begin(self.backends(), actor, actions::SIGN_OUT).await?;
        let was_session = store::sessions::delete(&mut change, user, jti).await?;
        if !was_session {
            let until = change.now() + self.config().access_ttl() + jwt::SKEW;
            store::sessions::revoke(&mut change, user, jti, until).await?;
        }
        store::users::note(&mut change, user, "sign_out", &actor.origin).await?;
        change.subject("user", user);
        change.detail(json!({ "jti": jti }));
        change.commit().await?;
        cache::forget(&self.backends().hot, user).await;
        Ok(())
    }

    /// The actor's own live sessions, newest first.
    ///
    /// # Errors
    /// `Forbidden` for an actor that is no person.
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<SessionEntry>> {
        let user = person(actor)?;
        let scope = actor.scope(actions::READ_SELF)?;
        store::sessions::of(&self.backends().db, &scope, user, self.backends().clock.now(), actor.jti.as_deref()).await
    }

    /// Ends one of the actor's own sessions.
    ///
    /// # Errors
    /// `NotFound` when the actor has no such session.
    pub async fn end_session(&self, actor: &Actor, id: SessionId) -> Result<()> {
        let user = person(actor)?;
        let mut change = Change::begin(self.backends(), actor, actions::SIGN_OUT).await?;
        if !store::sessions::delete(&mut change, user, &id.to_string()).await? {
            return Err(errors::no_session());
        }
        change.subject("user", user);
        change.detail(json!({ "session": id }));
        change.commit().await?;
        cache::forget(&self.backends().hot, user).await;
        Ok(())
    }
}
