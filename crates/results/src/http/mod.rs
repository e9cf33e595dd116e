//! Routes of this context: findings and coverage here, the rest beside.

mod clusters;
mod correlation;
mod decisions;
mod exports;
mod imports;
mod mappings;
mod notes;
mod reviews;
mod trends;

pub(crate) use imports::receive;

use axum::Json;
use axum::extract::State;
use base::{Page, PageRequest};
use scans::{Scan, ScanId};
use serde::Deserialize;
use utoipa::IntoParams;
use web::{Answer, Caller, ErrorResponses, OpenApiRouter, Params, PathId, routes};

use crate::model::{Counts, CoverageRow, Filter, Finding, FindingDetail, FindingId, Sort};
use crate::service::Results;

/// The routes, relative to the API root.
pub fn routes(results: &Results) -> OpenApiRouter {
    let own = OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(summary))
        .routes(routes!(get))
        .routes(routes!(coverage))
        .with_state(results.clone());
    let beside = [
        clusters::routes(results),
        correlation::routes(results),
        decisions::routes(results),
        exports::routes(results),
        imports::routes(results),
        mappings::routes(results),
        notes::routes(results),
        reviews::routes(results),
        crate::risk::routes(results),
        trends::routes(results),
    ];
    beside.into_iter().fold(own, OpenApiRouter::merge)
}

/// The order of a list of findings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Order {
    /// `severity` when absent.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
}

/// List findings
#[utoipa::path(get, path = "/findings", tag = "findings", operation_id = "list_findings", params(Filter, Order, PageRequest),
    responses((status = 200, description = "A page of findings", body = Page<Finding>), ErrorResponses))]
async fn list(
    State(results): State<Results>,
    Caller(actor): Caller,
    Params(filter): Params<Filter>,
    Params(order): Params<Order>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Finding>>> {
    Ok(Json(results.findings(&actor, &filter, order.sort, &page).await?))
}

/// Count findings by severity and status
#[utoipa::path(get, path = "/findings/summary", tag = "findings", operation_id = "summarize_findings", params(Filter),
    responses((status = 200, description = "The counts", body = Counts), ErrorResponses))]
async fn summary(State(results): State<Results>, Caller(actor): Caller, Params(filter): Params<Filter>) -> Answer<Json<Counts>> {
    Ok(Json(results.summary(&actor, &filter).await?))
}

/// Get one finding with evidence, history and decisions
#[utoipa::path(get, path = "/findings/{finding_id}", tag = "findings", operation_id = "get_finding", params(("finding_id" = FindingId, Path)),
    responses((status = 200, description = "The finding", body = FindingDetail), ErrorResponses))]
async fn get(State(results): State<Results>, Caller(actor): Caller, PathId(id): PathId<Finding>) -> Answer<Json<FindingDetail>> {
    Ok(Json(results.finding(&actor, id).await?))
}

/// What a scan tested and what it left out
#[utoipa::path(get, path = "/coverage/{scan_id}", tag = "findings", operation_id = "list_scan_coverage", params(("scan_id" = ScanId, Path)),
    responses((status = 200, description = "At most five thousand statements", body = Vec<CoverageRow>), ErrorResponses))]
async fn coverage(State(results): State<Results>, Caller(actor): Caller, PathId(id): PathId<Scan>) -> Answer<Json<Vec<CoverageRow>>> {
    // Another tenant's scan does not exist; an empty list would say that it does.
    results.scans.get(&actor, id).await?;
    Ok(Json(results.coverage(&actor, id).await?))
}
