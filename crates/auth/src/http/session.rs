//! Signing in and out, oneself, one's sessions and password.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Permission, Secret};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Answer, Body, Caller, PathId, Peer};

use crate::Auth;
use crate::model::{Organisation, SessionEntry, SignIn, User};

/// An access token (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub(super) struct Token {
    /// Send it as `Authorization: Bearer …`.
    #[schema(max_length = 8192)]
    access_token: String,
    /// Always `Bearer`.
    #[schema(max_length = 16)]
    token_type: &'static str,
    /// Seconds until it ends.
    #[schema(format = Int64, minimum = 1, maximum = 86400)]
    expires_in: u64,
}

/// Get an access token for a user name and a password
#[utoipa::path(post, path = "/auth/login", tag = "auth", operation_id = "login", security(()), request_body = SignIn,
    responses((status = 200, description = "A short-lived access token", body = Token), web::ErrorResponses))]
pub(super) async fn login(State(auth): State<Auth>, Peer(origin): Peer, Body(attempt): Body<SignIn>) -> Answer<Response> {
    let token = auth.access_token(attempt, &origin).await?;
    let body = Token { access_token: token.token.expose().clone(), token_type: "Bearer", expires_in: token.expires_in };
    Ok(private(Json(body)))
}

/// End the session, or refuse the access token, this request came with
#[utoipa::path(post, path = "/auth/logout", tag = "auth", operation_id = "logout",
    responses((status = 204, description = "Signed out"), web::ErrorResponses))]
pub(super) async fn logout(State(auth): State<Auth>, Caller(actor): Caller, asked: HeaderMap) -> Answer<Response> {
    auth.sign_out(&actor).await?;
    let mut response = web::no_content();
    if let Some(cookie) = auth.no_cookie(&asked) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Oneself: the person, what they may do now, and where they belong.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The person behind the request.
    user: User,
    /// What this request may do: the roles', narrowed by a token's scopes.
    #[schema(max_items = 64, value_type = Vec<Permission>)]
    permissions: BTreeSet<Permission>,
    /// The organisation.
    organisation: Organisation,
}

/// See oneself
#[utoipa::path(get, path = "/auth/me", tag = "auth", operation_id = "me",
    responses((status = 200, description = "The person behind the request", body = Me), web::ErrorResponses))]
pub(super) async fn me(State(auth): State<Auth>, Caller(actor): Caller) -> Answer<Response> {
    let user = auth.myself(&actor).await?;
    let organisation = auth.organisation(&actor).await?;
    Ok(private(Json(Me { user, permissions: actor.permissions, organisation })))
}

/// One's live sessions.
#[derive(Serialize, ToSchema)]
pub(super) struct Sessions {
    /// Newest first.
    #[schema(max_items = 100)]
    items: Vec<SessionEntry>,
}

/// List one's live console sessions
#[utoipa::path(get, path = "/auth/sessions", tag = "auth", operation_id = "list_sessions",
    responses((status = 200, description = "Sessions, newest first", body = Sessions), web::ErrorResponses))]
pub(super) async fn sessions(State(auth): State<Auth>, Caller(actor): Caller) -> Answer<Json<Sessions>> {
    Ok(Json(Sessions { items: auth.sessions(&actor).await? }))
}

/// End one of one's sessions
#[utoipa::path(delete, path = "/auth/sessions/{id}", tag = "auth", operation_id = "end_session",
    params(("id" = crate::SessionId, Path, description = "The session")),
    responses((status = 204, description = "The session has ended"), web::ErrorResponses))]
pub(super) async fn end_session(State(auth): State<Auth>, Caller(actor): Caller, PathId(id): PathId<SessionEntry>) -> Answer<Response> {
    auth.end_session(&actor, id).await?;
    Ok(web::no_content())
}

/// The present and the next password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    /// The password until now.
    #[schema(value_type = String, format = Password, max_length = 1024)]
    present: Secret<String>,
    /// The password from now on.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    password: Secret<String>,
}

/// Change one's own password
///
/// Every other session and every access token ends.
#[utoipa::path(post, path = "/auth/password", tag = "auth", operation_id = "change_password", request_body = PasswordChange,
    responses((status = 204, description = "The password is changed"), web::ErrorResponses))]
pub(super) async fn change_password(
    State(auth): State<Auth>,
    Caller(actor): Caller,
    Body(change): Body<PasswordChange>,
) -> Answer<Response> {
    auth.change_password(&actor, &change.present, &change.password).await?;
    Ok(web::no_content())
}

/// The token of an invitation and the password to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acceptance {
    /// From the link.
    #[schema(value_type = String, max_length = 128)]
    token: Secret<String>,
    /// The password from now on.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    password: Secret<String>,
}

/// Set a password by a one-time link
#[utoipa::path(post, path = "/auth/invitation", tag = "auth", operation_id = "accept_invitation", security(()), request_body = Acceptance,
    responses((status = 204, description = "The password is set; sign in with it"), web::ErrorResponses))]
pub(super) async fn accept_invitation(State(auth): State<Auth>, Peer(origin): Peer, Body(given): Body<Acceptance>) -> Answer<Response> {
    auth.accept_invitation(given.token.expose(), &given.password, &origin).await?;
    Ok(web::no_content())
}

/// Answers with secrets or personal data stay out of every cache.
pub(super) fn private(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
