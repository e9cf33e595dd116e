//! From credentials to an actor, with every request: remembered for seconds, else one read of the database.

use std::time::Duration;

use base::{Actor, ActorKind, Origin, Result, Time};

use super::Auth;
use crate::cache::{self, Grant};
use crate::model::Credentials;
use crate::{digest, errors, jwt, store, token};

/// How exactly the last use of a token is known.
const USE_NOTED_EVERY: Duration = Duration::from_secs(300);

impl Auth {
    /// Who is asking.
    ///
    /// # Errors
    /// `Unauthenticated` for anything malformed, forged, expired or revoked.
    pub async fn authenticate(&self, credentials: Credentials<'_>, origin: &Origin) -> Result<Actor> {
        let (Credentials::Session(secret) | Credentials::Bearer(secret)) = credentials;
        // The two kinds must not stand in for each other, so they do not share their remembered answers either.
        let hash = digest::sha256(secret);
        let remembered = match credentials {
            Credentials::Session(_) => hash.clone(),
            Credentials::Bearer(_) => format!("bearer:{hash}"),
        };
        let now = self.backends().clock.now();
        let mut actor = match cache::recall(self.backends(), &remembered, now).await {
            Some(actor) => actor,
            None => {
                let grant = match credentials {
                    Credentials::Session(_) => self.by_session(&hash, now).await?,
                    Credentials::Bearer(secret) if secret.starts_with(token::MARK) => self.by_api_token(secret, &hash, now).await?,
                    Credentials::Bearer(secret) => self.by_access_token(secret).await?,
                };
                cache::remember(self.backends(), &remembered, &grant).await;
                grant.actor
            }
        };
        actor.origin = origin.clone();
        Ok(actor)
    }

    async fn by_session(&self, hash: &str, now: Time) -> Result<Grant> {
        let found = store::credentials::by_session(&self.backends().db, hash, now).await?.ok_or_else(errors::session)?;
        let actor = found.account.actor(ActorKind::User, Some(found.session.to_string()), &Origin::default());
        Ok(Grant { actor, ends_at: found.expires_at })
    }

    async fn by_access_token(&self, secret: &str) -> Result<Grant> {
        let claims = jwt::verify(self.backends(), self.config(), secret).await?;
        let account = store::credentials::by_access_token(&self.backends().db, claims.sub, claims.generation, &claims.jti)
            .await?
            .filter(|account| account.user.tenant_id == claims.tenant)
            .ok_or_else(errors::token)?;
        let actor = account.actor(ActorKind::User, Some(claims.jti), &Origin::default());
        Ok(Grant { actor, ends_at: Time::from_seconds(claims.exp) + jwt::SKEW })
    }

    async fn by_api_token(&self, secret: &str, hash: &str, now: Time) -> Result<Grant> {
        let prefix = token::read(secret).ok_or_else(errors::token)?;
        let found = store::credentials::by_prefix(&self.backends().db, prefix, now).await?.ok_or_else(errors::token)?;
        if !digest::equal(&found.token_hash, hash) {
            return Err(errors::token());
        }
        let mut actor = found.account.actor(ActorKind::Token, Some(found.id.to_string()), &Origin::default());
        actor.permissions.retain(|permission| found.scopes.contains(permission));
        self.note_use(&found.id.to_string(), now).await;
        Ok(Grant { actor, ends_at: found.expires_at })
    }

    /// A courtesy to whoever cleans up tokens: it is kept in the hot store only, because it decides nothing.
    async fn note_use(&self, token: &str, now: Time) {
        let hot = &self.backends().hot;
        if hot.set_new(&format!("session:used:pause:{token}"), b"1", Some(USE_NOTED_EVERY)).await.unwrap_or(false)
            && let Err(error) = hot.set(&used_key(token), now.to_string().as_bytes(), None).await
        {
            tracing::debug!(%error, "the last use of a token is not noted");
        }
    }

    /// When the token was last used, as far as is known.
    pub(super) async fn last_use(&self, token: &str) -> Option<Time> {
        let bytes = self.backends().hot.get(&used_key(token)).await.ok().flatten()?;
        std::str::from_utf8(&bytes).ok()?.parse().ok()
    }
}

fn used_key(token: &str) -> String {
    format!("session:used:{token}")
}
