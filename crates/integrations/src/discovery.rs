//! What a receiver reads first: the transmitter's configuration (SSF 1.0 §7) and its keys, at the root and open to everybody.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header;
use serde_json::json;
use url::Url;
use web::Answer;

use crate::model::Method;
use crate::service::Integrations;

const CONFIGURATION: &str = "/.well-known/ssf-configuration";
const KEYS: &str = "/.well-known/ssf-jwks.json";
/// A key is published long before it signs; a minute is short.
const CACHE: &str = "public, max-age=60";

/// `/.well-known/ssf-configuration`, also with the path of the issuer behind it, and the keys it names.
pub fn discovery(integrations: &Integrations) -> Router {
    let path = Url::parse(integrations.issuer()).map(|issuer| issuer.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let mut router = Router::new().route(CONFIGURATION, get(configuration)).route(KEYS, get(keys));
    // A path with braces would be a pattern; such an issuer is found at the plain address only.
    if !path.is_empty() && !path.contains(['{', '}']) {
        router = router.route(&format!("{CONFIGURATION}{path}"), get(configuration));
    }
    router.with_state(integrations.clone())
}

async fn configuration(State(integrations): State<Integrations>) -> Response {
    let (issuer, api) = (integrations.issuer(), integrations.api());
    let told = json!({
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{KEYS}"),
        "delivery_methods_supported": [Method::Push, Method::Poll],
        "configuration_endpoint": format!("{api}/ssf/stream"),
        "status_endpoint": format!("{api}/ssf/status"),
        "add_subject_endpoint": format!("{api}/ssf/subjects/add"),
        "remove_subject_endpoint": format!("{api}/ssf/subjects/remove"),
        "verification_endpoint": format!("{api}/ssf/verify"),
        // API tokens are bearer tokens as OAuth uses them; they are made in the console instead of at a token endpoint.
        "authorization_schemes": [{ "spec_urn": "urn:ietf:rfc:6749" }, { "spec_urn": "urn:ietf:rfc:6750" }],
        "default_subjects": "ALL",
    });
    ([(header::CACHE_CONTROL, CACHE)], Json(told)).into_response()
}

async fn keys(State(integrations): State<Integrations>) -> Answer<Response> {
    let keys = integrations.jwks().await?;
    Ok(([(header::CACHE_CONTROL, CACHE)], Json(keys)).into_response())
}
