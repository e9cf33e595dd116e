//! Routes of what findings have to do with each other, and of what past decisions tell.

use axum::Json;
use axum::extract::State;
use web::{Answer, Caller, ErrorResponses, OpenApiRouter, Params, routes};

use crate::model::{AttackPaths, CauseFilter, FalsePositiveLearning, Pattern, PatternFilter, RootCauses};
use crate::service::Results;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(causes))
        .routes(routes!(paths))
        .routes(routes!(patterns))
        .routes(routes!(learning))
        .with_state(results.clone())
}

/// List causes that many findings share
///
/// One fix closes them: a package, a base image, a setting; or one host has them all. The piece of work worth most comes first.
#[utoipa::path(get, path = "/findings/causes", tag = "findings", operation_id = "list_root_causes", params(CauseFilter),
    responses((status = 200, description = "At most a hundred", body = RootCauses), ErrorResponses))]
async fn causes(State(results): State<Results>, Caller(actor): Caller, Params(filter): Params<CauseFilter>) -> Answer<Json<RootCauses>> {
    Ok(Json(Box::pin(results.causes(&actor, &filter)).await?))
}

/// List ways that findings may open together
///
/// Hints from what is recorded, with every edge named; none was tried.
#[utoipa::path(get, path = "/findings/paths", tag = "findings", operation_id = "list_attack_paths",
    responses((status = 200, description = "At most a hundred", body = AttackPaths), ErrorResponses))]
async fn paths(State(results): State<Results>, Caller(actor): Caller) -> Answer<Json<AttackPaths>> {
    Ok(Json(Box::pin(results.paths(&actor)).await?))
}

/// List what rules do over time: findings that come back, far more new ones than usual
#[utoipa::path(get, path = "/findings/patterns", tag = "findings", operation_id = "list_finding_patterns", params(PatternFilter),
    responses((status = 200, description = "At most a hundred", body = Vec<Pattern>), ErrorResponses))]
async fn patterns(
    State(results): State<Results>,
    Caller(actor): Caller,
    Params(filter): Params<PatternFilter>,
) -> Answer<Json<Vec<Pattern>>> {
    Ok(Json(results.patterns(&actor, &filter).await?))
}

/// Get whether false positives are estimated from past decisions, and how well
#[utoipa::path(get, path = "/findings/false-positives", tag = "findings", operation_id = "get_false_positive_learning",
    responses((status = 200, description = "How it stands", body = FalsePositiveLearning), ErrorResponses))]
async fn learning(State(results): State<Results>, Caller(actor): Caller) -> Answer<Json<FalsePositiveLearning>> {
    Ok(Json(results.false_positive_learning(&actor).await?))
}
