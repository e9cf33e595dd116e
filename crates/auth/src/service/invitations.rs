//! One-time links with which a person sets a password: made, shown once, and sent where letters can be.

use std::time::Duration;

use audit::Change;
use base::{Actor, Language, Result, UserId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Auth, no_program};
use crate::jobs::SendInvitation;
use crate::letter::{self, Told};
use crate::model::{self, Invitation};
use crate::{actions, digest, errors, store};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Where a sealed token belongs: it opens for this person only.
fn place(id: UserId) -> String {
    format!("auth/invitation/{id}")
}

impl Auth {
    /// Makes a new one-time link with which the person sets a password, and sends it; an older link dies. Programs may not: with the link
    /// of its owner a token would become that person.
    ///
    /// # Errors
    /// `Forbidden` for programs with an API token, `NotFound` when the organisation has no such person.
    pub async fn invite(&self, actor: &Actor, id: UserId, language: Language) -> Result<Invitation> {
        no_program(actor)?;
        let mut change = Change::begin(self.backends(), actor, actions::INVITE_USER).await?;
        let account = store::users::hold(&mut change, id).await?;
        model::check_roles(&account.user.roles, actor)?;
        let invitation = self.write_invitation(&mut change, id, language).await?;
        change.subject("user", id);
        change.detail(json!({ "expires_at": invitation.expires_at, "mailed": invitation.is_mailed }));
        change.commit().await?;
        Ok(invitation)
    }

    /// Writes the link down and, where letters can be sent, leaves a job that sends it: the token lies sealed in the job.
    pub(crate) async fn write_invitation(&self, change: &mut Change, id: UserId, language: Language) -> Result<Invitation> {
        let token = self.backends().ids.secret(32)?;
        let expires_at = change.now() + DAY * self.config().invitation_days;
        store::users::invite(change, id, &digest::sha256(token.expose()), expires_at).await?;
        let is_mailed = !self.config().letters_link_to.is_empty();
        if is_mailed {
            let sealed = self.backends().keys.seal(&place(id), token.expose().as_bytes()).await?;
            let sealed = STANDARD.encode(sealed);
            change.enqueue(&SendInvitation { user: id, expires_at, language, sealed }).await?;
        }
        Ok(Invitation { token, expires_at, is_mailed })
    }

    /// Sends the letter of an invitation; one that was replaced or used meanwhile is not sent.
    ///
    /// # Errors
    /// The mail server's; the job is tried again.
    pub(crate) async fn send_invitation(&self, actor: &Actor, job: &SendInvitation) -> Result<()> {
        let scope = actor.scope(actions::SEND_INVITATION)?;
        let sealed = STANDARD.decode(&job.sealed).map_err(|_| errors::invitation())?;
        let token = self.backends().keys.open(&place(job.user), &sealed).await?;
        let token = String::from_utf8(token).map_err(|_| errors::invitation())?;
        let db = &self.backends().db;
        let now = self.backends().clock.now();
        let Some(account) = store::credentials::by_invitation(db, &digest::sha256(&token), now).await? else { return Ok(()) };
        let organisation = store::tenants::one(db, &scope).await?.ok_or_else(errors::no_user)?;
        let inviter = match actor.user {
            Some(id) => store::users::one(db, &scope, id).await?.map(|user| user.username),
            None => None,
        };
        let link = format!("{}/invitation?token={token}", self.config().letters_link_to);
        let told = Told {
            to: &account.user,
            organisation: &organisation.name,
            inviter: inviter.as_deref().unwrap_or("Tyrian"),
            link: &link,
            until: job.expires_at,
        };
        self.backends().mail.send(letter::invitation(job.language, &told)?).await
    }
}
