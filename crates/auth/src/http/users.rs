//! The people of an organisation, and the organisation.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Language, Page, PageRequest, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Answer, Body, Caller, Params, PathId};

use crate::Auth;
use crate::http::session::private;
use crate::model::{Invitation, NewUser, Organisation, User, UserPatch};

/// A page of users.
#[derive(Serialize, ToSchema)]
#[schema(as = UserPage)]
pub(super) struct Users {
    /// By user name.
    #[schema(max_items = 500)]
    items: Vec<User>,
    /// Give this back as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    next_cursor: Option<String>,
}

/// List the people of the organisation
#[utoipa::path(get, path = "/users", tag = "users", operation_id = "list_users", params(PageRequest),
    responses((status = 200, description = "Users by name", body = Users), web::ErrorResponses))]
pub(super) async fn list(State(auth): State<Auth>, Caller(actor): Caller, Params(page): Params<PageRequest>) -> Answer<Response> {
    let Page { items, next_cursor } = auth.users(&actor, &page).await?;
    Ok(private(Json(Users { items, next_cursor })))
}

/// A one-time link, shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct Invited {
    /// Goes to `/auth/invitation` with a password.
    #[schema(max_length = 128)]
    token: String,
    /// Until when it can be used.
    expires_at: Time,
    /// Whether a letter with the link is on its way to the person.
    mailed: bool,
}

impl From<Invitation> for Invited {
    fn from(invitation: Invitation) -> Self {
        Self { token: invitation.token.expose().clone(), expires_at: invitation.expires_at, mailed: invitation.is_mailed }
    }
}

/// A person just added.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedUser {
    /// The person.
    #[serde(flatten)]
    user: User,
    /// Present when no password was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<Invited>,
}

/// Add a person
///
/// Without a password the answer holds a one-time token with which they set their own; asked so with an API token this answers 403
/// `auth.people_only`.
#[utoipa::path(post, path = "/users", tag = "users", operation_id = "create_user", request_body = NewUser,
    responses((status = 201, description = "The person", body = CreatedUser, headers(("Location" = String, description = "The user"))), web::ErrorResponses))]
pub(super) async fn create(State(auth): State<Auth>, Caller(actor): Caller, Body(new): Body<NewUser>) -> Answer<Response> {
    let created = auth.create_user(&actor, new).await?;
    let location = format!("users/{}", created.user.id);
    let body = CreatedUser { user: created.user, invitation: created.invitation.map(Invited::from) };
    Ok(private(web::created(location, &body)))
}

/// See a person
#[utoipa::path(get, path = "/users/{id}", tag = "users", operation_id = "get_user", params(("id" = base::UserId, Path, description = "The user")),
    responses((status = 200, description = "The person", body = User), web::ErrorResponses))]
pub(super) async fn one(State(auth): State<Auth>, Caller(actor): Caller, PathId(id): PathId<base::User>) -> Answer<Response> {
    Ok(private(Json(auth.user(&actor, id).await?)))
}

/// Change a person's address or roles
#[utoipa::path(patch, path = "/users/{id}", tag = "users", operation_id = "patch_user", params(("id" = base::UserId, Path, description = "The user")),
    request_body = UserPatch, responses((status = 200, description = "The person", body = User), web::ErrorResponses))]
pub(super) async fn patch(
    State(auth): State<Auth>,
    Caller(actor): Caller,
    PathId(id): PathId<base::User>,
    Body(patch): Body<UserPatch>,
) -> Answer<Response> {
    Ok(private(Json(auth.patch_user(&actor, id, patch).await?)))
}

/// Remove a person with their sessions and tokens
#[utoipa::path(delete, path = "/users/{id}", tag = "users", operation_id = "delete_user", params(("id" = base::UserId, Path, description = "The user")),
    responses((status = 204, description = "The person is removed"), web::ErrorResponses))]
pub(super) async fn delete(State(auth): State<Auth>, Caller(actor): Caller, PathId(id): PathId<base::User>) -> Answer<Response> {
    auth.delete_user(&actor, id).await?;
    Ok(web::no_content())
}

/// Why a person is kept out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    /// Goes into the audit log.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Keep a person out
///
/// Sessions and tokens stop at once.
#[utoipa::path(post, path = "/users/{id}/lock", tag = "users", operation_id = "lock_user", params(("id" = base::UserId, Path, description = "The user")),
    request_body = Lock, responses((status = 200, description = "The person", body = User), web::ErrorResponses))]
pub(super) async fn lock(
    State(auth): State<Auth>,
    Caller(actor): Caller,
    PathId(id): PathId<base::User>,
    Body(lock): Body<Lock>,
) -> Answer<Response> {
    Ok(private(Json(auth.lock_user(&actor, id, &lock.reason).await?)))
}

/// Let a person in again, also after too many wrong passwords
#[utoipa::path(post, path = "/users/{id}/unlock", tag = "users", operation_id = "unlock_user", params(("id" = base::UserId, Path, description = "The user")),
    responses((status = 200, description = "The person", body = User), web::ErrorResponses))]
pub(super) async fn unlock(State(auth): State<Auth>, Caller(actor): Caller, PathId(id): PathId<base::User>) -> Answer<Response> {
    Ok(private(Json(auth.unlock_user(&actor, id).await?)))
}

/// How a person is told.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Telling {
    /// Language of the letter.
    #[serde(default)]
    language: Language,
}

/// Make a new one-time link with which a person sets a password
///
/// Where mail is set up the person gets it in a letter, too. Asked with an API token this answers 403 `auth.people_only`.
#[utoipa::path(post, path = "/users/{id}/invitation", tag = "users", operation_id = "invite_user",
    params(("id" = base::UserId, Path, description = "The user"), Telling),
    responses((status = 200, description = "The link's token, shown once", body = Invited), web::ErrorResponses))]
pub(super) async fn invite(
    State(auth): State<Auth>,
    Caller(actor): Caller,
    PathId(id): PathId<base::User>,
    Params(telling): Params<Telling>,
) -> Answer<Response> {
    Ok(private(Json(Invited::from(auth.invite(&actor, id, telling.language).await?))))
}

/// The organisations one belongs to.
#[derive(Serialize, ToSchema)]
pub(super) struct Organisations {
    /// One's own.
    #[schema(max_items = 1)]
    items: Vec<Organisation>,
}

/// See one's organisation
#[utoipa::path(get, path = "/organisations", tag = "users", operation_id = "list_organisations",
    responses((status = 200, description = "One's own organisation", body = Organisations), web::ErrorResponses))]
pub(super) async fn organisations(State(auth): State<Auth>, Caller(actor): Caller) -> Answer<Json<Organisations>> {
    Ok(Json(Organisations { items: vec![auth.organisation(&actor).await?] }))
}

/// What to change about the organisation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganisationPatch {
    /// Its new name.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// Give one's organisation another name
#[utoipa::path(patch, path = "/organisations/{id}", tag = "users", operation_id = "rename_organisation",
    params(("id" = base::TenantId, Path, description = "One's own organisation")), request_body = OrganisationPatch,
    responses((status = 200, description = "The organisation", body = Organisation), web::ErrorResponses))]
pub(super) async fn rename(
    State(auth): State<Auth>,
    Caller(actor): Caller,
    PathId(id): PathId<base::Tenant>,
    Body(patch): Body<OrganisationPatch>,
) -> Answer<Json<Organisation>> {
    Ok(Json(auth.rename_organisation(&actor, id, &patch.name).await?))
}
