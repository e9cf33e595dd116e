//! Routes of decisions: one, many at once, those that wait, and the rules for deciding.

use axum::Json;
use axum::extract::State;
use base::{Page, PageRequest};
use serde::Deserialize;
use utoipa::IntoParams;
use web::{Answer, Body, Caller, ErrorResponses, OpenApiRouter, Params, PathId, routes};

use crate::model::{
    Batch, BatchId, BulkDecision, BulkOutcome, Decision, DecisionId, DecisionScope, DecisionState, Finding, FindingId, NewDecision, Policy,
    Verdict,
};
use crate::service::Results;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(decide))
        .routes(routes!(decide_all))
        .routes(routes!(list))
        .routes(routes!(answer))
        .routes(routes!(undo))
        .routes(routes!(policy, set_policy))
        .with_state(results.clone())
}

/// Decide about a finding
#[utoipa::path(post, path = "/findings/{finding_id}/decisions", tag = "findings", operation_id = "decide_finding", request_body = NewDecision,
    params(("finding_id" = FindingId, Path)),
    responses((status = 200, description = "The finding as it stands now", body = Finding), ErrorResponses))]
async fn decide(
    State(results): State<Results>,
    Caller(actor): Caller,
    PathId(id): PathId<Finding>,
    Body(new): Body<NewDecision>,
) -> Answer<Json<Finding>> {
    Ok(Json(results.decide(&actor, id, new).await?))
}

/// Decide the same about many findings
#[utoipa::path(post, path = "/findings/decisions", tag = "findings", operation_id = "decide_findings", request_body = BulkDecision,
    responses((status = 200, description = "What it did", body = BulkOutcome), ErrorResponses))]
async fn decide_all(State(results): State<Results>, Caller(actor): Caller, Body(bulk): Body<BulkDecision>) -> Answer<Json<BulkOutcome>> {
    Ok(Json(results.decide_all(&actor, bulk).await?))
}

/// Which decisions to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct Which {
    /// Those in this state.
    #[param(value_type = Option<DecisionState>)]
    state: Option<String>,
    /// Those with this scope.
    #[param(value_type = Option<DecisionScope>)]
    scope: Option<String>,
}

/// List decisions, newest first
#[utoipa::path(get, path = "/decisions", tag = "findings", operation_id = "list_decisions", params(Which, PageRequest),
    responses((status = 200, description = "A page of decisions", body = Page<Decision>), ErrorResponses))]
async fn list(
    State(results): State<Results>,
    Caller(actor): Caller,
    Params(which): Params<Which>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Decision>>> {
    let state = which.state.as_deref().map(str::parse).transpose()?;
    let scope = which.scope.as_deref().map(str::parse).transpose()?;
    Ok(Json(results.decisions(&actor, state, scope, &page).await?))
}

/// Approve or reject a decision that waits for a second person
#[utoipa::path(post, path = "/decisions/{decision_id}/approval", tag = "findings", operation_id = "approve_decision", request_body = Verdict,
    params(("decision_id" = DecisionId, Path)), responses((status = 200, description = "The finding as it stands now", body = Finding), ErrorResponses))]
async fn answer(
    State(results): State<Results>,
    Caller(actor): Caller,
    PathId(id): PathId<Decision>,
    Body(verdict): Body<Verdict>,
) -> Answer<Json<Finding>> {
    Ok(Json(results.approve(&actor, id, verdict.approve).await?))
}

/// Take the decisions of a batch back
#[utoipa::path(post, path = "/decisions/batches/{batch_id}/undo", tag = "findings", operation_id = "undo_decisions", params(("batch_id" = BatchId, Path)),
    responses((status = 200, description = "What it did", body = BulkOutcome), ErrorResponses))]
async fn undo(State(results): State<Results>, Caller(actor): Caller, PathId(id): PathId<Batch>) -> Answer<Json<BulkOutcome>> {
    let decided = results.undo_decisions(&actor, id).await? as u64;
    Ok(Json(BulkOutcome { batch_id: id, state: DecisionState::Withdrawn, decided, skipped: 0 }))
}

/// Get the rules for deciding
#[utoipa::path(get, path = "/findings/policy", tag = "findings", operation_id = "get_finding_policy",
    responses((status = 200, description = "The rules", body = Policy), ErrorResponses))]
async fn policy(State(results): State<Results>, Caller(actor): Caller) -> Answer<Json<Policy>> {
    Ok(Json(results.policy(&actor).await?))
}

/// Change the rules for deciding
#[utoipa::path(put, path = "/findings/policy", tag = "findings", operation_id = "set_finding_policy", request_body = Policy,
    responses((status = 200, description = "The rules", body = Policy), ErrorResponses))]
async fn set_policy(State(results): State<Results>, Caller(actor): Caller, Body(policy): Body<Policy>) -> Answer<Json<Policy>> {
    Ok(Json(results.set_policy(&actor, policy).await?))
}
