//! Routes of the review queue.

use axum::Json;
use axum::extract::State;
use base::{Page, PageRequest};
use web::{Answer, Body, Caller, ErrorResponses, OpenApiRouter, Params, PathId, routes};

use crate::model::{Finding, Resolution, Review, ReviewId};
use crate::service::Results;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(resolve)).with_state(results.clone())
}

/// List findings that could be one of several older ones
#[utoipa::path(get, path = "/reviews", tag = "findings", operation_id = "list_reviews", params(PageRequest),
    responses((status = 200, description = "A page of open reviews, oldest first", body = Page<Review>), ErrorResponses))]
async fn list(State(results): State<Results>, Caller(actor): Caller, Params(page): Params<PageRequest>) -> Answer<Json<Page<Review>>> {
    Ok(Json(results.reviews(&actor, &page).await?))
}

/// Say whether a finding is new, or which older one it is
#[utoipa::path(post, path = "/reviews/{review_id}/resolution", tag = "findings", operation_id = "resolve_review", request_body = Resolution,
    params(("review_id" = ReviewId, Path)), responses((status = 200, description = "The finding as it stands now", body = Finding), ErrorResponses))]
async fn resolve(
    State(results): State<Results>,
    Caller(actor): Caller,
    PathId(id): PathId<Review>,
    Body(resolution): Body<Resolution>,
) -> Answer<Json<Finding>> {
    Ok(Json(results.resolve(&actor, id, resolution).await?))
}
