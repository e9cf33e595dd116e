//! Keys of access tokens.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use web::{Answer, Caller};

use crate::Auth;
use crate::service::Rotated;

/// Bring in a new signing key
///
/// It is published at once and signs later; the old one verifies until its last token has ended. Until it signs the next rotation is
/// refused with 409 `keys.waiting`.
#[utoipa::path(post, path = "/keys/rotate", tag = "auth", operation_id = "rotate_keys",
    responses((status = 200, description = "The two keys and when the new one signs", body = Rotated), web::ErrorResponses))]
pub(super) async fn rotate(State(auth): State<Auth>, Caller(actor): Caller) -> Answer<Json<Rotated>> {
    Ok(Json(auth.rotate_keys(&actor).await?))
}

pub(super) async fn jwks(State(auth): State<Auth>) -> Answer<Response> {
    let keys = auth.jwks().await?;
    // Short enough that a key published before use is known to everybody when it signs.
    Ok(([(header::CACHE_CONTROL, "public, max-age=60")], Json(keys)).into_response())
}
