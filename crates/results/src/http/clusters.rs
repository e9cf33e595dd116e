//! Routes of clusters.

use axum::Json;
use axum::extract::State;
use base::{Page, PageRequest};
use web::{Answer, Body, Caller, ErrorResponses, OpenApiRouter, Params, Path, PathId, routes};

use crate::model::{Cluster, ClusterJoin, ClusterMove, Finding, FindingId};
use crate::service::Results;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(members))
        .routes(routes!(put, release))
        .routes(routes!(join))
        .with_state(results.clone())
}

/// List findings of the same weakness by several tools or at several places
#[utoipa::path(get, path = "/clusters", tag = "findings", operation_id = "list_clusters", params(PageRequest),
    responses((status = 200, description = "A page of clusters", body = Page<Cluster>), ErrorResponses))]
async fn list(State(results): State<Results>, Caller(actor): Caller, Params(page): Params<PageRequest>) -> Answer<Json<Page<Cluster>>> {
    Ok(Json(results.clusters(&actor, &page).await?))
}

/// Get the findings of a cluster
#[utoipa::path(get, path = "/clusters/{cluster_id}", tag = "findings", operation_id = "get_cluster",
    params(("cluster_id" = String, Path, max_length = 64)),
    responses((status = 200, description = "At most five hundred findings", body = Vec<Finding>), ErrorResponses))]
async fn members(State(results): State<Results>, Caller(actor): Caller, Path(name): Path<String>) -> Answer<Json<Vec<Finding>>> {
    Ok(Json(results.cluster(&actor, &name).await?))
}

/// Put a finding into the cluster of another one, or into one of its own
#[utoipa::path(put, path = "/findings/{finding_id}/cluster", tag = "findings", operation_id = "move_to_cluster", request_body = ClusterMove,
    params(("finding_id" = FindingId, Path)), responses((status = 200, description = "The finding", body = Finding), ErrorResponses))]
async fn put(
    State(results): State<Results>,
    Caller(actor): Caller,
    PathId(id): PathId<Finding>,
    Body(to): Body<ClusterMove>,
) -> Answer<Json<Finding>> {
    Ok(Json(results.move_to_cluster(&actor, id, to).await?))
}

/// Take back where somebody put a finding: it goes where it belongs by itself
#[utoipa::path(delete, path = "/findings/{finding_id}/cluster", tag = "findings", operation_id = "release_from_cluster",
    params(("finding_id" = FindingId, Path)), responses((status = 200, description = "The finding", body = Finding), ErrorResponses))]
async fn release(State(results): State<Results>, Caller(actor): Caller, PathId(id): PathId<Finding>) -> Answer<Json<Finding>> {
    Ok(Json(results.release_from_cluster(&actor, id).await?))
}

/// Make one cluster of two, for findings yet to come too
#[utoipa::path(post, path = "/clusters/{cluster_id}/join", tag = "findings", operation_id = "join_clusters", request_body = ClusterJoin,
    params(("cluster_id" = String, Path, max_length = 64)),
    responses((status = 200, description = "At most five hundred findings of the one that stays", body = Vec<Finding>), ErrorResponses))]
async fn join(
    State(results): State<Results>,
    Caller(actor): Caller,
    Path(name): Path<String>,
    Body(join): Body<ClusterJoin>,
) -> Answer<Json<Vec<Finding>>> {
    Ok(Json(results.join_clusters(&actor, &name, join).await?))
}
