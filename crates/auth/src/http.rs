//! The routes of this context, relative to the API root. Handlers parse, call one verb and render.

mod keys;
mod session;
mod tokens;
mod users;

use web::{OpenApiRouter, routes};

use crate::Auth;

/// Routes for the API: signing in and out, oneself, users, tokens, the organisation, keys.
pub fn routes(auth: &Auth) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(session::me))
        .routes(routes!(session::sessions))
        .routes(routes!(session::end_session))
        .routes(routes!(session::change_password))
        .routes(routes!(session::accept_invitation))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::one, users::patch, users::delete))
        .routes(routes!(users::lock))
        .routes(routes!(users::unlock))
        .routes(routes!(users::invite))
        .routes(routes!(users::organisations))
        .routes(routes!(users::rename))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(keys::rotate))
        .with_state(auth.clone())
}

/// Routes for the management listener only: `/internal/.well-known/jwks.json`.
pub fn internal_routes(auth: &Auth) -> axum::Router {
    axum::Router::new().route("/internal/.well-known/jwks.json", axum::routing::get(keys::jwks)).with_state(auth.clone())
}
