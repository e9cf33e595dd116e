//! Setting a password: one's own, or the first one by invitation. Sessions and access tokens given out under the old one die.

use audit::Change;
use base::{Actor, ActorKind, Origin, Result, Secret, UserId};

use super::sign_in::{KNOWN, at_home};
use super::{Auth, person};
use crate::model::User;
use crate::{actions, cache, digest, errors, model, password, store};

impl Auth {
    /// Replaces one's own password; other sessions and open links end, this session stays.
    ///
    /// # Errors
    /// `Unauthenticated` when the present password is wrong, `TooMany` after too many wrong ones, `Invalid` for a weak new one.
    pub async fn change_password(&self, actor: &Actor, present: &Secret<String>, new: &Secret<String>) -> Result<()> {
        let id = person(actor)?;
        let user = self.myself(actor).await?;
        self.confirm(actor, &user, present).await?;
        password::check(new, &user.username, &user.email)?;
        let hash = self.inner.passwords.hash(new).await?;
        let mut change = Change::begin(self.backends(), actor, actions::CHANGE_PASSWORD).await?;
        store::users::set_password(&mut change, id, &hash).await?;
        store::users::withdraw_invitation(&mut change, id).await?;
        store::sessions::delete_others(&mut change, id, actor.jti.as_deref()).await?;
        forgive(&mut change, &user).await?;
        store::users::note(&mut change, id, "password_changed", &actor.origin).await?;
        change.subject("user", id);
        change.commit().await?;
        cache::forget(&self.backends().hot, id).await;
        Ok(())
    }

    /// Whether this is one's own password: asked again before something dangerous (step-up).
    ///
    /// # Errors
    /// `Unauthenticated` when it is wrong, `TooMany` after too many wrong ones, `Forbidden` for programs.
    pub async fn prove_password(&self, actor: &Actor, present: &Secret<String>) -> Result<()> {
        person(actor)?;
        let user = self.myself(actor).await?;
        if !self.confirm(actor, &user, present).await? {
            return Ok(());
        }
        let mut change = Change::begin(self.backends(), actor, actions::PROVE_PASSWORD).await?;
        store::failures::forget(&mut change, &asked_again(user.id)).await?;
        change.subject("user", user.id);
        change.commit().await
    }

    /// Checks the present password of somebody who is signed in; whether wrong ones were counted before. A stolen session must not be
    /// a place to guess it: wrong ones count, lock and stand in the audit log as those of a sign-in do, and apart from them, so that
    /// strangers at the sign-in cannot keep an operator from a kill switch.
    async fn confirm(&self, actor: &Actor, user: &User, present: &Secret<String>) -> Result<bool> {
        self.limit_address(&actor.origin).await?;
        let counted = asked_again(user.id);
        let has_failed = self.not_locked_out(&counted).await?;
        let login = model::login(&user.username);
        let account = store::credentials::by_login(&self.backends().db, &login).await?.ok_or_else(errors::no_user)?;
        if !self.inner.passwords.verify(present, account.password_hash.as_deref()).await? {
            self.refuse(Some(&account), &counted, &actor.origin).await?;
            return Err(errors::credentials());
        }
        Ok(has_failed)
    }

    /// Sets a password by a one-time link; the link and every session die.
    ///
    /// # Errors
    /// `Forbidden` for a link that is wrong, used or too old, `Invalid` for a weak password.
    pub async fn accept_invitation(&self, token: &str, new: &Secret<String>, origin: &Origin) -> Result<User> {
        self.limit_address(origin).await?;
        let token_hash = digest::sha256(token);
        let now = self.backends().clock.now();
        let account = store::credentials::by_invitation(&self.backends().db, &token_hash, now).await?.ok_or_else(errors::invitation)?;
        password::check(new, &account.user.username, &account.user.email)?;
        let hash = self.inner.passwords.hash(new).await?;
        let actor = account.actor(ActorKind::User, None, origin);
        let id = account.user.id;
        let mut change = Change::begin(self.backends(), &actor, actions::ACCEPT_INVITATION).await?;
        if !store::users::use_invitation(&mut change, &token_hash).await? {
            return Err(errors::invitation());
        }
        store::users::set_password(&mut change, id, &hash).await?;
        store::sessions::delete_others(&mut change, id, None).await?;
        forgive(&mut change, &account.user).await?;
        store::users::note(&mut change, id, "password_set", origin).await?;
        change.subject("user", id);
        change.commit().await?;
        cache::forget(&self.backends().hot, id).await;
        Ok(User { state: model::UserState::Active, ..account.user })
    }
}

/// Under what wrong passwords count that somebody signed in gives when asked again.
fn asked_again(user: UserId) -> String {
    digest::sha256(&format!("asked again\n{user}"))
}

/// Forgets the wrong passwords of a person, at the sign-in and where it was asked again.
pub(super) async fn forgive(change: &mut Change, user: &User) -> Result<()> {
    let login = model::login(&user.username);
    store::failures::forget(change, &digest::sha256(&login)).await?;
    for place in store::users::places_now(change, &login, change.now() - KNOWN).await? {
        store::failures::forget(change, &at_home(&login, Some(place))).await?;
    }
    store::failures::forget(change, &asked_again(user.id)).await
}
