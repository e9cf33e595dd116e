//! Every error a caller of this context can get. Nothing here tells whether a user name exists.

use std::time::Duration;

use base::{Error, Permission, Role};

/// User name and password do not fit together, or the account may not be used.
pub(crate) fn credentials() -> Error {
    Error::unauthenticated("auth.credentials", "user name or password is wrong, or the account is locked")
}

/// Too many wrong passwords for this user name.
pub(crate) fn locked_out(wait: Duration) -> Error {
    Error::too_many("auth.locked_out", "too many wrong passwords for this user name; wait, or ask an administrator").retry_after(wait)
}

/// Too many attempts from this address or for this user name.
pub(crate) fn attempts(wait: Duration) -> Error {
    Error::too_many("auth.attempts", "too many attempts to sign in").retry_after(wait)
}

/// So many people sign in at once that passwords cannot be checked in time.
pub(crate) fn busy() -> Error {
    Error::unavailable("auth.busy", "too many people are signing in at once").retry_after(Duration::from_secs(2))
}

/// The session has ended or never was.
pub(crate) fn session() -> Error {
    Error::unauthenticated("auth.session", "the session has ended; sign in again")
}

/// The access token or API token is malformed, forged, expired or revoked.
pub(crate) fn token() -> Error {
    Error::unauthenticated("auth.token", "the token is not valid: malformed, expired or revoked")
}

/// The Authorization header is not `Bearer TOKEN`.
pub(crate) fn scheme() -> Error {
    Error::unauthenticated("auth.scheme", "the Authorization header must be `Bearer` and a token")
}

/// A session changed something without the token that proves the page was ours.
pub(crate) fn csrf() -> Error {
    Error::forbidden("auth.csrf", "the CSRF token is missing or wrong; reload the page and try again")
}

/// Another site sent this request from the browser.
pub(crate) fn cross_site() -> Error {
    Error::forbidden("auth.cross_site", "this request was started by another site")
}

/// Only a person, signed in with a session or an access token, can do this.
pub(crate) fn people_only() -> Error {
    Error::forbidden("auth.people_only", "only a signed-in person can do this")
}

/// Only Tyrian itself, on its own storage, can do this.
pub(crate) fn system_only() -> Error {
    Error::forbidden("auth.system_only", "this is done on the command line of the server")
}

/// The one-time link is wrong, used, or there is an administrator already.
pub(crate) fn first_run() -> Error {
    Error::forbidden("auth.first_run", "this link is not valid (any more)")
}

/// The invitation is wrong, used or too old.
pub(crate) fn invitation() -> Error {
    Error::forbidden("auth.invitation", "this invitation is not valid (any more); ask for a new one")
}

/// The user name has characters or a length that is not allowed.
pub(crate) fn username() -> Error {
    Error::invalid("auth.username", "a user name has 2 to 64 letters, digits, `.`, `_`, `-`, `+` or `@`, and begins with a letter or digit")
        .at("/username")
}

/// The e-mail address is not one.
pub(crate) fn email() -> Error {
    Error::invalid("auth.email", "this is not an e-mail address").at("/email")
}

/// A name is empty or too long.
pub(crate) fn name(field: &str) -> Error {
    Error::invalid("auth.name", "a name has 1 to 100 characters").at(field)
}

/// The reason for keeping somebody out is missing, too long or has control characters.
pub(crate) fn reason(most: usize) -> Error {
    Error::invalid("auth.reason", format!("a reason is one line of 1 to {most} characters")).at("/reason")
}

/// The password is too short, too long, too common or the user name.
pub(crate) fn password(reason: &str) -> Error {
    Error::invalid("auth.password", reason).at("/password")
}

/// The user name is in use.
pub(crate) fn username_taken() -> Error {
    Error::conflict("auth.username_taken", "this user name or e-mail address is in use").at("/username")
}

/// No such user in this organisation.
pub(crate) fn no_user() -> Error {
    Error::not_found("auth.no_user", "no such user")
}

/// Nobody sees, or changes, an organisation that is not theirs.
pub(crate) fn no_organisation() -> Error {
    Error::not_found("auth.no_organisation", "no such organisation")
}

/// No such API token in this organisation.
pub(crate) fn no_token() -> Error {
    Error::not_found("auth.no_token", "no such API token")
}

/// No such session of this user.
pub(crate) fn no_session() -> Error {
    Error::not_found("auth.no_session", "no such session")
}

/// A user needs a role.
pub(crate) fn no_role() -> Error {
    Error::invalid("auth.no_role", "a user has one to eight roles").at("/roles")
}

/// The role is not for people, or goes beyond what the giver may do.
pub(crate) fn role(role: Role) -> Error {
    Error::forbidden("auth.role", format!("the role `{role}` cannot be given by you")).at("/roles")
}

/// Too many business units.
pub(crate) fn units() -> Error {
    Error::invalid("auth.units", "a user is bound to at most 32 business units").at("/units")
}

/// The token would allow what its maker may not.
pub(crate) fn scope(scope: Permission) -> Error {
    Error::forbidden("auth.scope", format!("you do not hold `{scope}` and cannot give it to a token")).at("/scopes")
}

/// A token has too few scopes, or too many.
pub(crate) fn no_scope() -> Error {
    Error::invalid("auth.no_scope", "a token has one to 64 scopes").at("/scopes")
}

/// A token's end is in the past or more than a year away.
pub(crate) fn expiry() -> Error {
    Error::invalid("auth.expiry", "a token ends in the future, and within a year").at("/expires_at")
}

/// This would leave the organisation without an administrator.
pub(crate) fn last_admin() -> Error {
    Error::conflict("auth.last_admin", "this is the last administrator who can sign in; make another one first")
}

/// A setting is out of bounds.
pub(crate) fn setting(key: &str, reason: &str) -> Error {
    Error::invalid("auth.setting", format!("auth.{key} {reason}"))
}
