//! Routes of feeds and policies.

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use web::{Answer, Body, Caller, ErrorResponses, OpenApiRouter, Params, Path, routes};

use crate::http::receive;
use crate::model::{Feed, FeedKind, FeedUpdate, SlaPolicy, UnitPolicy};
use crate::service::Results;

/// Largest feed over HTTP, compressed or not.
const LARGEST: u64 = 128 << 20;

/// The routes, relative to the API root.
pub(crate) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(feeds))
        .routes(routes!(update))
        .routes(routes!(policies))
        .routes(routes!(set_policy, drop_policy))
        .with_state(results.clone())
}

/// List feeds
#[utoipa::path(get, path = "/feeds", tag = "findings", operation_id = "list_feeds",
    responses((status = 200, description = "Every feed, loaded or not; at most two", body = Vec<Feed>), ErrorResponses))]
async fn feeds(State(results): State<Results>, Caller(actor): Caller) -> Answer<Json<Vec<Feed>>> {
    Ok(Json(results.feeds(&actor).await?))
}

/// What comes beside a feed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct About {
    /// Name of the file.
    #[param(max_length = 512)]
    filename: Option<String>,
}

/// Bring a feed
///
/// The body is the file as its publisher offers it, plain or gzip. It is taken in whole or not at all.
#[utoipa::path(post, path = "/feeds/{kind}", tag = "findings", operation_id = "update_feed", params(("kind" = FeedKind, Path), About),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    responses((status = 200, description = "What it changed", body = FeedUpdate), ErrorResponses))]
async fn update(
    State(results): State<Results>,
    Caller(actor): Caller,
    Path(kind): Path<String>,
    Params(about): Params<About>,
    body: Bytes,
) -> Answer<Json<FeedUpdate>> {
    let kind: FeedKind = kind.parse()?;
    // Checked before a byte is read: nobody may fill the disk without the permission.
    actor.scope(crate::actions::UPDATE_FEED)?;
    let (file, _) = receive(body, LARGEST).await?;
    let name = about.filename.map(|name| name.chars().filter(|letter| !letter.is_control()).take(512).collect());
    Ok(Json(results.update_feed(&actor, kind, name, file).await?))
}

/// List policies of due dates
#[utoipa::path(get, path = "/sla-policies", tag = "findings", operation_id = "list_sla_policies",
    responses((status = 200, description = "Policies in force, the organisation's first; at most a thousand", body = Vec<UnitPolicy>), ErrorResponses))]
async fn policies(State(results): State<Results>, Caller(actor): Caller) -> Answer<Json<Vec<UnitPolicy>>> {
    Ok(Json(results.sla_policies(&actor).await?))
}

/// Set the policy of a business unit
///
/// It is that of units within it too, until they have one of their own; `organisation` is the one for everything else. A path's slashes
/// are written `%2F` here.
#[utoipa::path(put, path = "/sla-policies/{unit}", tag = "findings", operation_id = "set_sla_policy", request_body = SlaPolicy,
    params(("unit" = String, Path, max_length = 200)),
    responses((status = 200, description = "The policy", body = UnitPolicy), ErrorResponses))]
async fn set_policy(
    State(results): State<Results>,
    Caller(actor): Caller,
    Path(unit): Path<String>,
    Body(policy): Body<SlaPolicy>,
) -> Answer<Json<UnitPolicy>> {
    Ok(Json(results.set_sla_policy(&actor, &unit, policy).await?))
}

/// Take the policy of a business unit back
#[utoipa::path(delete, path = "/sla-policies/{unit}", tag = "findings", operation_id = "drop_sla_policy",
    params(("unit" = String, Path, max_length = 200)),
    responses((status = 204, description = "It is gone"), ErrorResponses))]
async fn drop_policy(State(results): State<Results>, Caller(actor): Caller, Path(unit): Path<String>) -> Answer<Response> {
    results.drop_sla_policy(&actor, &unit).await?;
    Ok(web::no_content())
}
