//! Nouns of this context and the rules they keep by themselves.

use std::collections::BTreeSet;

use base::{Actor, ActorKind, Id, Language, Origin, Permission, Result, Role, Secret, TenantId, Time, Unit, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::errors;

/// A console session's id.
pub type SessionId = Id<SessionEntry>;
/// An API token's id.
pub type TokenId = Id<ApiToken>;

/// An organisation: the wall between what people can see.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Organisation)]
pub struct Organisation {
    /// Id.
    pub id: TenantId,
    /// Shown name.
    #[schema(max_length = 100)]
    pub name: String,
    /// When it was founded.
    pub created_at: Time,
}

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// It can.
    Active,
    /// It has no password yet.
    Invited,
    /// An administrator keeps it out.
    Locked,
}

/// A person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// The organisation.
    pub tenant_id: TenantId,
    /// Name to sign in with, unique in the whole product.
    #[schema(max_length = 64)]
    pub username: String,
    /// Where mail goes.
    #[schema(max_length = 254)]
    pub email: String,
    /// Roles held.
    #[schema(max_items = 8)]
    pub roles: Vec<Role>,
    /// Business units outside of which nothing exists for this person; none: the whole organisation.
    #[schema(max_items = 32)]
    pub units: Vec<Unit>,
    /// Whether the account can be used.
    pub state: UserState,
    /// Last time a password was accepted.
    pub last_sign_in_at: Option<Time>,
    /// When the account was made.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Counts changes.
    #[schema(format = Int64, minimum = 1, maximum = 9007199254740991i64)]
    pub version: i64,
}

impl User {
    /// What the roles allow together.
    #[must_use]
    pub fn permissions(&self) -> BTreeSet<Permission> {
        permissions(&self.roles)
    }
}

pub(crate) fn permissions(roles: &[Role]) -> BTreeSet<Permission> {
    roles.iter().flat_map(|role| role.permissions()).copied().collect()
}

/// A user with what only this context may see.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) password_hash: Option<String>,
    pub(crate) generation: i64,
}

impl Account {
    /// The person acting, with the credential `jti`.
    pub(crate) fn actor(&self, kind: ActorKind, jti: Option<String>, origin: &Origin) -> Actor {
        Actor {
            kind,
            tenant: self.user.tenant_id,
            user: Some(self.user.id),
            username: self.user.username.clone(),
            roles: self.user.roles.clone(),
            permissions: self.user.permissions(),
            units: self.user.units.clone(),
            device: None,
            jti,
            origin: origin.clone(),
        }
    }
}

/// A new person.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Name to sign in with.
    #[schema(min_length = 2, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._@+-]*$")]
    pub username: String,
    /// Where mail goes.
    #[schema(min_length = 3, max_length = 254, pattern = "^[!#$%&'*+./0-9=?A-Z^_`a-z{|}~-]+@[!#$%&'*+./0-9=?A-Z^_`a-z{|}~-]+$")]
    pub email: String,
    /// Roles to hold.
    #[schema(min_items = 1, max_items = 8)]
    pub roles: Vec<Role>,
    /// Business units to be bound to; none: the whole organisation.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub units: Vec<Unit>,
    /// First password; without one an invitation is made.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 12, max_length = 1024)]
    pub password: Option<Secret<String>>,
    /// Language of the letter that brings the invitation.
    #[serde(default)]
    pub language: Language,
}

/// What to change about a person; absent means unchanged.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// Where mail goes.
    #[schema(min_length = 3, max_length = 254, pattern = "^[!#$%&'*+./0-9=?A-Z^_`a-z{|}~-]+@[!#$%&'*+./0-9=?A-Z^_`a-z{|}~-]+$")]
    pub email: Option<String>,
    /// Roles to hold.
    #[schema(min_items = 1, max_items = 8)]
    pub roles: Option<Vec<Role>>,
    /// Business units to be bound to from now on; an empty list is the whole organisation.
    #[schema(max_items = 32)]
    pub units: Option<Vec<Unit>>,
}

/// The first administrator and the organisation they bring.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdmin {
    /// Name of the organisation.
    #[schema(min_length = 1, max_length = 100)]
    pub organisation: String,
    /// Name to sign in with.
    #[schema(min_length = 2, max_length = 64)]
    pub username: String,
    /// Where mail goes.
    #[schema(min_length = 3, max_length = 254, pattern = "^[!#$%&'*+./0-9=?A-Z^_`a-z{|}~-]+@[!#$%&'*+./0-9=?A-Z^_`a-z{|}~-]+$")]
    pub email: String,
    /// Password.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    pub password: Secret<String>,
}

/// A one-time link for a person; the token is shown once.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Goes into the link.
    pub token: Secret<String>,
    /// Until when it can be used.
    pub expires_at: Time,
    /// Whether a letter is on its way.
    pub is_mailed: bool,
}

/// User name and password.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Name to sign in with.
    #[schema(max_length = 64)]
    pub username: String,
    /// Password.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    pub password: Secret<String>,
}

/// A new console session; the token is the cookie's value and shown once.
#[derive(Debug, Clone)]
pub struct Session {
    /// Cookie value.
    pub token: Secret<String>,
    /// Goes back with every change as `X-CSRF-Token` or the form field `csrf`.
    pub csrf: String,
    /// Who signed in.
    pub user: User,
    /// When the session ends.
    pub expires_at: Time,
}

/// A console session as its owner sees it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionEntry {
    /// Id.
    pub id: SessionId,
    /// Address it began from.
    #[schema(max_length = 64)]
    pub ip: Option<String>,
    /// Browser it began from.
    #[schema(max_length = 512)]
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// Whether this request came with it.
    pub current: bool,
}

/// What a request proves its sender with.
#[derive(Debug, Clone, Copy)]
pub enum Credentials<'a> {
    /// A session cookie's value.
    Session(&'a str),
    /// An access token or an API token.
    Bearer(&'a str),
}

/// A signed access token (RFC 9068).
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The compact JWS.
    pub token: Secret<String>,
    /// Seconds it lives.
    pub expires_in: u64,
}

/// An API token without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiToken {
    /// Id.
    pub id: TokenId,
    /// Whom it acts for.
    pub user_id: UserId,
    /// What it is for.
    #[schema(max_length = 100)]
    pub name: String,
    /// Its visible beginning, to recognise it by.
    #[schema(max_length = 32)]
    pub prefix: String,
    /// What it allows, as far as its owner still may.
    #[schema(max_items = 64)]
    pub scopes: Vec<Permission>,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
    /// When it was last used, to five minutes.
    pub last_used_at: Option<Time>,
}

/// A new API token.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it allows; not more than its maker may.
    #[schema(min_items = 1, max_items = 64)]
    pub scopes: Vec<Permission>,
    /// When it ends: at most a year away, 90 days when absent.
    pub expires_at: Option<Time>,
}

/// The form user names are compared in.
pub(crate) fn login(username: &str) -> String {
    username.trim().to_ascii_lowercase()
}

pub(crate) fn check_username(username: &str) -> Result<()> {
    let is_first = |letter: char| letter.is_ascii_alphanumeric();
    let is_fit = |letter: char| is_first(letter) || "._-+@".contains(letter);
    if (2..=64).contains(&username.len()) && username.starts_with(is_first) && username.chars().all(is_fit) {
        Ok(())
    } else {
        Err(errors::username())
    }
}

/// Only the shape every address has: whether mail arrives is found out by sending some.
pub(crate) fn check_email(email: &str) -> Result<()> {
    let is_fit = |letter: char| letter.is_ascii_graphic() && !"<>()[]\\,;:\"".contains(letter);
    match email.split_once('@') {
        Some((name, host))
            if email.len() <= 254 && !name.is_empty() && !host.is_empty() && !host.contains('@') && email.chars().all(is_fit) =>
        {
            Ok(())
        }
        _ => Err(errors::email()),
    }
}

pub(crate) fn check_name(name: &str, field: &str) -> Result<()> {
    let is_fit = !name.trim().is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control);
    if is_fit { Ok(()) } else { Err(errors::name(field)) }
}

/// Longest reason for keeping a person out, in characters.
const LONGEST_REASON: usize = 500;

/// Why a person is kept out: one line, as it stands in the audit log and in the event.
pub(crate) fn check_reason(reason: &str) -> Result<()> {
    let is_fit = !reason.trim().is_empty() && reason.chars().count() <= LONGEST_REASON && !reason.chars().any(char::is_control);
    if is_fit { Ok(()) } else { Err(errors::reason(LONGEST_REASON)) }
}

/// Roles one request may name; there are fewer.
const MOST_ROLES: usize = 8;

/// Roles in their order, each once; the giver must hold all they allow.
pub(crate) fn check_roles(roles: &[Role], giver: &Actor) -> Result<Vec<Role>> {
    let is_long = roles.len() > MOST_ROLES;
    let roles: BTreeSet<Role> = roles.iter().copied().collect();
    if roles.is_empty() || is_long {
        return Err(errors::no_role());
    }
    for role in &roles {
        if *role == Role::Device || role.permissions().iter().any(|permission| !giver.permissions.contains(permission)) {
            return Err(errors::role(*role));
        }
    }
    Ok(roles.into_iter().collect())
}

const MOST_UNITS: usize = 32;

/// Business units in their order, each once, none within another.
pub(crate) fn check_units(units: Vec<Unit>) -> Result<Vec<Unit>> {
    if units.len() > MOST_UNITS {
        return Err(errors::units());
    }
    let all: BTreeSet<Unit> = units.into_iter().collect();
    Ok(all.iter().filter(|unit| !all.iter().any(|other| other != *unit && other.holds(unit))).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_mislead_are_refused() {
        for fit in ["ada", "ada.lovelace", "a+b@example.org", "7of9"] {
            check_username(fit).unwrap();
        }
        for unfit in ["", "a", ".ada", "ada lovelace", "ada\n", "аda", &"a".repeat(65)] {
            assert!(check_username(unfit).is_err(), "{unfit:?}");
        }
        for unfit in ["", "ada", "@x", "ada@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y"] {
            assert!(check_email(unfit).is_err(), "{unfit:?}");
        }
        check_email("ada@example.org").unwrap();
    }

    #[test]
    fn nobody_gives_a_role_beyond_their_own() {
        let mut giver = Actor::system(TenantId::from_uuid(Default::default()), base::Source::Cli);
        assert_eq!(check_roles(&[Role::Viewer, Role::Admin, Role::Viewer], &giver).unwrap(), [Role::Admin, Role::Viewer]);
        assert!(check_roles(&[Role::Device], &giver).is_err());
        giver.permissions = permissions(&[Role::Viewer]);
        check_roles(&[Role::Viewer], &giver).unwrap();
        assert_eq!(check_roles(&[Role::Admin], &giver).unwrap_err().code(), "auth.role");
    }
}
