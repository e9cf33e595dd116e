//! The people of an organisation: adding, changing, locking, removing. The last administrator always stays.

use audit::Change;
use base::{Actor, Page, PageRequest, Permission, Result, TenantId, UserId};
use serde_json::json;

use super::first_admin::newcomer;
use super::passwords::forgive;
use super::{Auth, no_program};
use crate::events::UserBarred;
use crate::model::{self, Account, Invitation, NewUser, User, UserPatch, UserState};
use crate::{actions, cache, errors, password, store};

/// A person just added, with the one-time link when no password was set for them.
#[derive(Debug, Clone)]
pub struct Created {
    /// The person.
    pub user: User,
    /// Shown once.
    pub invitation: Option<Invitation>,
}

impl Auth {
    /// The people of the organisation by user name.
    ///
    /// # Errors
    /// `Forbidden` without the permission, `Invalid` for a foreign cursor.
    pub async fn users(&self, actor: &Actor, page: &PageRequest) -> Result<Page<User>> {
        let scope = actor.scope(actions::READ_USERS)?;
        let rows = page.rows()?;
        let users = store::users::page(&self.backends().db, &scope, page.after()?, rows).await?;
        Page::cut(users, rows, |user| model::login(&user.username))
    }

    /// One person.
    ///
    /// # Errors
    /// `NotFound` when the organisation has no such person.
    pub async fn user(&self, actor: &Actor, id: UserId) -> Result<User> {
        let scope = actor.scope(actions::READ_USERS)?;
        store::users::one(&self.backends().db, &scope, id).await?.ok_or_else(errors::no_user)
    }

    /// Oneself, which needs no permission.
    ///
    /// # Errors
    /// `Forbidden` for an actor without a user.
    pub async fn myself(&self, actor: &Actor) -> Result<User> {
        let scope = actor.scope(actions::READ_SELF)?;
        let id = actor.user.ok_or_else(errors::people_only)?;
        store::users::one(&self.backends().db, &scope, id).await?.ok_or_else(errors::no_user)
    }

    /// Whether the first organisation has a person of this name.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_at_home(&self, username: &str) -> Result<bool> {
        let account = store::credentials::by_login(&self.backends().db, &model::login(username)).await?;
        let home = self.home_tenant().await?;
        Ok(account.is_some_and(|account| account.user.tenant_id == home))
    }

    /// Whether the organisation has this person and does not keep them out; nobody in particular asks.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_welcome(&self, tenant: TenantId, id: UserId) -> Result<bool> {
        let user = store::users::of_tenant(&self.backends().db, tenant, id).await?;
        Ok(user.is_some_and(|user| user.state != UserState::Locked))
    }

    /// Adds a person, with a first password or an invitation; programs with an API token set a password.
    ///
    /// # Errors
    /// `Conflict` when name or address are in use, `Invalid` for what is wrong, `Forbidden` for roles beyond one's own.
    pub async fn create_user(&self, actor: &Actor, new: NewUser) -> Result<Created> {
        actor.scope(actions::CREATE_USER)?;
        if new.password.is_none() {
            no_program(actor)?;
        }
        model::check_username(&new.username)?;
        model::check_email(&new.email)?;
        let roles = model::check_roles(&new.roles, actor)?;
        let units = model::check_units(new.units)?;
        let password_hash = match &new.password {
            Some(password) => {
                password::check(password, &new.username, &new.email)?;
                Some(self.inner.passwords.hash(password).await?)
            }
            None => None,
        };
        let mut change = Change::begin(self.backends(), actor, actions::CREATE_USER).await?;
        let state = if password_hash.is_some() { UserState::Active } else { UserState::Invited };
        let user = newcomer(change.id(), change.scope().tenant(), &new.username, &new.email, roles, state, change.now());
        let account = Account { user: User { units, ..user }, password_hash, generation: 1 };
        store::users::insert(&mut change, &account, &model::login(&new.username)).await?;
        let invitation = match account.password_hash {
            Some(_) => None,
            None => Some(self.write_invitation(&mut change, account.user.id, new.language).await?),
        };
        change.subject("user", account.user.id);
        change.detail(json!({
            "username": account.user.username, "roles": account.user.roles, "units": account.user.units, "invited": invitation.is_some(),
        }));
        change.commit().await?;
        Ok(Created { user: account.user, invitation })
    }

    /// Changes address, roles or business units. A link that went to the old address dies.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for an address in use or the last administrator, `Forbidden` for roles beyond one's own.
    pub async fn patch_user(&self, actor: &Actor, id: UserId, patch: UserPatch) -> Result<User> {
        let roles = patch.roles.as_deref().map(|roles| model::check_roles(roles, actor)).transpose()?;
        let units = patch.units.map(model::check_units).transpose()?;
        if let Some(email) = &patch.email {
            model::check_email(email)?;
        }
        let mut change = Change::begin(self.backends(), actor, actions::CHANGE_USER).await?;
        let before = store::users::hold(&mut change, id).await?.user;
        model::check_roles(&before.roles, actor)?;
        let mut user = before.clone();
        if let Some(email) = patch.email {
            store::users::set_email(&mut change, id, &email).await?;
            if email != before.email {
                store::users::withdraw_invitation(&mut change, id).await?;
            }
            user.email = email;
        }
        if let Some(roles) = roles {
            store::users::set_roles(&mut change, id, &roles).await?;
            user.roles = roles;
        }
        if let Some(units) = units {
            store::users::set_units(&mut change, id, &units).await?;
            user.units = units;
        }
        if user.roles != before.roles || user.units != before.units {
            keep_an_admin(&mut change, &before).await?;
        }
        change.subject("user", id);
        change.detail(json!({
            "roles": (user.roles != before.roles).then_some([&before.roles, &user.roles]),
            "units": (user.units != before.units).then_some([&before.units, &user.units]),
            "email_changed": user.email != before.email,
        }));
        change.commit().await?;
        cache::forget(&self.backends().hot, id).await;
        Ok(user)
    }

    /// Keeps a person out: sessions, tokens and links stop at once.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for the last administrator, `Invalid` for a reason that is missing or too long.
    pub async fn lock_user(&self, actor: &Actor, id: UserId, reason: &str) -> Result<User> {
        model::check_reason(reason)?;
        let mut change = Change::begin(self.backends(), actor, actions::LOCK_USER).await?;
        let before = store::users::hold(&mut change, id).await?.user;
        model::check_roles(&before.roles, actor)?;
        store::users::lock(&mut change, id).await?;
        store::users::withdraw_invitation(&mut change, id).await?;
        store::sessions::delete_others(&mut change, id, None).await?;
        keep_an_admin(&mut change, &before).await?;
        change.subject("user", id);
        change.reason(reason);
        change.publish(&UserBarred { user_id: id, reason: reason.to_owned() }).await?;
        change.commit().await?;
        cache::forget(&self.backends().hot, id).await;
        Ok(User { state: UserState::Locked, ..before })
    }

    /// Lets a person in again, also after too many wrong passwords.
    ///
    /// # Errors
    /// `NotFound` when the organisation has no such person, `Forbidden` for one with roles beyond one's own.
    pub async fn unlock_user(&self, actor: &Actor, id: UserId) -> Result<User> {
        let mut change = Change::begin(self.backends(), actor, actions::UNLOCK_USER).await?;
        let account = store::users::hold(&mut change, id).await?;
        model::check_roles(&account.user.roles, actor)?;
        store::users::unlock(&mut change, id).await?;
        forgive(&mut change, &account.user).await?;
        change.subject("user", id);
        change.commit().await?;
        cache::forget(&self.backends().hot, id).await;
        let state = if account.password_hash.is_some() { UserState::Active } else { UserState::Invited };
        Ok(User { state, ..account.user })
    }

    /// Removes a person with their sessions and tokens; what they did stays in the audit log.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` for the last administrator.
    pub async fn delete_user(&self, actor: &Actor, id: UserId) -> Result<()> {
        let mut change = Change::begin(self.backends(), actor, actions::DELETE_USER).await?;
        let before = store::users::hold(&mut change, id).await?.user;
        model::check_roles(&before.roles, actor)?;
        store::users::delete(&mut change, id).await?;
        keep_an_admin(&mut change, &before).await?;
        change.subject("user", id);
        change.detail(json!({ "username": before.username }));
        change.publish(&UserBarred { user_id: id, reason: "the account was removed".to_owned() }).await?;
        change.commit().await?;
        cache::forget(&self.backends().hot, id).await;
        Ok(())
    }
}

/// Only taking an administrator away can leave none.
async fn keep_an_admin(change: &mut Change, before: &User) -> Result<()> {
    if before.permissions().contains(&Permission::WriteUsers) && !store::users::has_admin(change).await? {
        return Err(errors::last_admin());
    }
    Ok(())
}
