//! Every action of this context.

use base::{Action, Permission};

/// Found an organisation.
pub const CREATE_TENANT: Action = Action::new("auth.create_organisation", Permission::WriteUsers);
/// Give the organisation another name.
pub const RENAME_TENANT: Action = Action::new("auth.rename_organisation", Permission::WriteUsers);
/// Make the one-time link for the first administrator.
pub const OFFER_FIRST_RUN: Action = Action::open("auth.offer_first_run");
/// Use that link.
pub const CREATE_FIRST_ADMIN: Action = Action::open("auth.create_first_admin");
/// Open a console session.
pub const SIGN_IN: Action = Action::open("auth.sign_in");
/// Refuse a wrong password, at a sign-in or where it is asked for again.
pub const REFUSE_SIGN_IN: Action = Action::open("auth.refuse_sign_in");
/// Hand out an access token.
pub const ISSUE_TOKEN: Action = Action::open("auth.issue_access_token");
/// End a session or revoke an access token.
pub const SIGN_OUT: Action = Action::open("auth.sign_out");
/// Set one's own password.
pub const CHANGE_PASSWORD: Action = Action::open("auth.change_password");
/// Prove one's password again after wrong ones, which are forgotten then.
pub const PROVE_PASSWORD: Action = Action::open("auth.prove_password");
/// Set the first password, or a forgotten one, by a one-time link.
pub const ACCEPT_INVITATION: Action = Action::open("auth.accept_invitation");
/// See oneself and one's sessions.
pub const READ_SELF: Action = Action::open("auth.read_self");
/// See the people of the organisation.
pub const READ_USERS: Action = Action::new("auth.read_users", Permission::ReadUsers);
/// Add a person.
pub const CREATE_USER: Action = Action::new("auth.create_user", Permission::WriteUsers);
/// Change a person's address, roles or business units.
pub const CHANGE_USER: Action = Action::new("auth.change_user", Permission::WriteUsers);
/// Make a one-time link for a person.
pub const INVITE_USER: Action = Action::new("auth.invite_user", Permission::WriteUsers);
/// Send the letter of an invitation.
pub const SEND_INVITATION: Action = Action::open("auth.send_invitation");
/// Keep a person out.
pub const LOCK_USER: Action = Action::new("auth.lock_user", Permission::WriteUsers);
/// Let a person in again.
pub const UNLOCK_USER: Action = Action::new("auth.unlock_user", Permission::WriteUsers);
/// Remove a person.
pub const DELETE_USER: Action = Action::new("auth.delete_user", Permission::WriteUsers);
/// See API tokens.
pub const READ_TOKENS: Action = Action::new("auth.read_tokens", Permission::WriteTokens).by_unit();
/// Make an API token.
pub const CREATE_TOKEN: Action = Action::new("auth.create_token", Permission::WriteTokens).by_unit();
/// Revoke an API token.
pub const REVOKE_TOKEN: Action = Action::new("auth.revoke_token", Permission::WriteTokens).by_unit();
/// Bring in a new key for access tokens.
pub const ROTATE_KEYS: Action = Action::new("auth.rotate_keys", Permission::WriteKeys);
/// Delete what has expired.
pub const SWEEP: Action = Action::open("auth.sweep");
