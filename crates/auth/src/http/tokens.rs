//! API tokens.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Page, PageRequest};
use serde::Serialize;
use utoipa::ToSchema;
use web::{Answer, Body, Caller, Params, PathId};

use crate::Auth;
use crate::http::session::private;
use crate::model::{ApiToken, NewToken};

/// A page of API tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiTokenPage)]
pub(super) struct Tokens {
    /// Newest first.
    #[schema(max_items = 500)]
    items: Vec<ApiToken>,
    /// Give this back as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    next_cursor: Option<String>,
}

/// List API tokens: one's own, or everybody's for who manages users
#[utoipa::path(get, path = "/tokens", tag = "tokens", operation_id = "list_tokens", params(PageRequest),
    responses((status = 200, description = "Tokens without their secrets", body = Tokens), web::ErrorResponses))]
pub(super) async fn list(State(auth): State<Auth>, Caller(actor): Caller, Params(page): Params<PageRequest>) -> Answer<Response> {
    let Page { items, next_cursor } = auth.tokens(&actor, &page).await?;
    Ok(private(Json(Tokens { items, next_cursor })))
}

/// A token just made.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedToken {
    /// What is kept of it.
    #[serde(flatten)]
    entry: ApiToken,
    /// The whole token; shown once.
    #[schema(max_length = 128)]
    token: String,
}

/// Make an API token
///
/// It acts for oneself and allows its scopes, as far as one still holds them oneself. Only a person who signed in makes one: asked with an
/// API token this answers 403 `auth.people_only`.
#[utoipa::path(post, path = "/tokens", tag = "tokens", operation_id = "create_token", request_body = NewToken,
    responses((status = 201, description = "The token, shown once", body = CreatedToken, headers(("Location" = String, description = "The token"))), web::ErrorResponses))]
pub(super) async fn create(State(auth): State<Auth>, Caller(actor): Caller, Body(new): Body<NewToken>) -> Answer<Response> {
    let (entry, secret) = auth.create_token(&actor, new).await?;
    let location = format!("tokens/{}", entry.id);
    Ok(private(web::created(location, &CreatedToken { entry, token: secret.expose().clone() })))
}

/// Revoke an API token
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", operation_id = "revoke_token", params(("id" = crate::TokenId, Path, description = "The token")),
    responses((status = 204, description = "The token is revoked"), web::ErrorResponses))]
pub(super) async fn revoke(State(auth): State<Auth>, Caller(actor): Caller, PathId(id): PathId<ApiToken>) -> Answer<Response> {
    auth.revoke_token(&actor, id).await?;
    Ok(web::no_content())
}
