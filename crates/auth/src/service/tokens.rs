//! API tokens: made once and shown once, never allowing more than their maker may, at their making and at every use. Only people make
//! them: a token that could make its successors would outlive its end and its revocation.

use std::time::Duration;

use audit::Change;
use base::{Actor, Page, PageRequest, Permission, Result, Secret, UserId};
use serde_json::json;

use super::{Auth, no_program};
use crate::model::{self, ApiToken, NewToken, TokenId};
use crate::{actions, cache, digest, errors, store, token};

const DAY: Duration = Duration::from_secs(24 * 3600);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Scopes of one token.
const MOST_SCOPES: usize = 64;

impl Auth {
    /// API tokens, newest first: one's own, or everybody's for who manages users.
    ///
    /// # Errors
    /// `Forbidden` without the permission, `Invalid` for a foreign cursor.
    pub async fn tokens(&self, actor: &Actor, page: &PageRequest) -> Result<Page<ApiToken>> {
        let scope = actor.scope(actions::READ_TOKENS)?;
        let rows = page.rows()?;
        let tokens = store::tokens::page(&self.backends().db, &scope, owner(actor)?, page.after::<TokenId>()?, rows).await?;
        let mut page = Page::cut(tokens, rows, |token| token.id)?;
        for token in &mut page.items {
            token.last_used_at = self.last_use(&token.id.to_string()).await;
        }
        Ok(page)
    }

    /// Makes a token that acts for the person who asks. The secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// `Forbidden` for programs with an API token and for a scope the actor does not hold, `Invalid` for the name or the end.
    pub async fn create_token(&self, actor: &Actor, new: NewToken) -> Result<(ApiToken, Secret<String>)> {
        no_program(actor)?;
        let user = actor.user.ok_or_else(errors::people_only)?;
        model::check_name(&new.name, "/name")?;
        let mut scopes = new.scopes;
        if scopes.len() > MOST_SCOPES {
            return Err(errors::no_scope());
        }
        scopes.sort_unstable();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(errors::no_scope());
        }
        if let Some(beyond) = scopes.iter().find(|scope| !actor.permissions.contains(scope)) {
            return Err(errors::scope(*beyond));
        }
        let mut change = Change::begin(self.backends(), actor, actions::CREATE_TOKEN).await?;
        let now = change.now();
        let expires_at = new.expires_at.unwrap_or(now + DAY * self.config().token_days);
        if expires_at <= now || expires_at > now + LONGEST {
            return Err(errors::expiry());
        }
        let id: TokenId = change.id();
        let prefix = token::prefix(id);
        let secret = token::written(&prefix, &self.backends().ids.secret(32)?);
        let made = ApiToken {
            id,
            user_id: user,
            name: new.name.trim().to_owned(),
            prefix: format!("{}{prefix}", token::MARK),
            scopes,
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        store::tokens::insert(&mut change, &made, &prefix, &digest::sha256(secret.expose())).await?;
        change.subject("api_token", id);
        change.detail(json!({ "name": made.name, "scopes": made.scopes, "expires_at": expires_at }));
        change.commit().await?;
        Ok((made, secret))
    }

    /// Revokes a token: one's own, or anybody's for who manages users.
    ///
    /// # Errors
    /// `NotFound` when there is none such that is still alive.
    pub async fn revoke_token(&self, actor: &Actor, id: TokenId) -> Result<()> {
        let owner = owner(actor)?;
        let mut change = Change::begin(self.backends(), actor, actions::REVOKE_TOKEN).await?;
        let revoked = store::tokens::revoke(&mut change, owner, id).await?.ok_or_else(errors::no_token)?;
        change.subject("api_token", id);
        change.detail(json!({ "name": revoked.name, "user": revoked.user_id }));
        change.commit().await?;
        cache::forget(&self.backends().hot, revoked.user_id).await;
        Ok(())
    }
}

/// Whose tokens the actor may handle: `None` is everybody's.
fn owner(actor: &Actor) -> Result<Option<UserId>> {
    if actor.permissions.contains(&Permission::WriteUsers) && actor.units.is_empty() {
        return Ok(None);
    }
    actor.user.map(Some).ok_or_else(errors::people_only)
}
