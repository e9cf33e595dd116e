//! Routes of figures over time and of saved filters.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use web::{Answer, Body, Caller, ErrorResponses, OpenApiRouter, Params, PathId, routes};

use crate::model::{Analytics, FilterId, NewFilter, Period, SavedFilter};
use crate::service::Results;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(analytics)).routes(routes!(filters, save)).routes(routes!(forget)).with_state(results.clone())
}

/// Get what stands, how fast it goes away, and where it comes from
#[utoipa::path(get, path = "/findings/analytics", tag = "findings", operation_id = "get_finding_analytics", params(Period),
    responses((status = 200, description = "The figures", body = Analytics), ErrorResponses))]
async fn analytics(State(results): State<Results>, Caller(actor): Caller, Params(period): Params<Period>) -> Answer<Json<Analytics>> {
    Ok(Json(results.analytics(&actor, &period).await?))
}

/// List saved filters
#[utoipa::path(get, path = "/findings/filters", tag = "findings", operation_id = "list_finding_filters",
    responses((status = 200, description = "Your own and those shared with everybody", body = Vec<SavedFilter>), ErrorResponses))]
async fn filters(State(results): State<Results>, Caller(actor): Caller) -> Answer<Json<Vec<SavedFilter>>> {
    Ok(Json(results.filters(&actor).await?))
}

/// Save a filter
#[utoipa::path(post, path = "/findings/filters", tag = "findings", operation_id = "save_finding_filter", request_body = NewFilter,
    responses((status = 201, description = "The filter", body = SavedFilter), ErrorResponses))]
async fn save(State(results): State<Results>, Caller(actor): Caller, Body(new): Body<NewFilter>) -> Answer<Response> {
    let filter = results.save_filter(&actor, new).await?;
    Ok(web::created(format!("filters/{}", filter.id), &filter))
}

/// Drop a saved filter
#[utoipa::path(delete, path = "/findings/filters/{filter_id}", tag = "findings", operation_id = "drop_finding_filter",
    params(("filter_id" = FilterId, Path)), responses((status = 204, description = "It is gone"), ErrorResponses))]
async fn forget(State(results): State<Results>, Caller(actor): Caller, PathId(id): PathId<SavedFilter>) -> Answer<Response> {
    results.drop_filter(&actor, id).await?;
    Ok(web::no_content())
}
