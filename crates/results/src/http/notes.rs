//! Routes of notes on a finding.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Page, PageRequest};
use http::StatusCode;
use web::{Answer, Body, Caller, ErrorResponses, OpenApiRouter, Params, Path, PathId, routes};

use crate::model::{Finding, FindingId, FindingNote, NewNote, NoteId};
use crate::service::Results;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list, write)).routes(routes!(remove)).with_state(results.clone())
}

/// List what people wrote down about a finding, newest first
#[utoipa::path(get, path = "/findings/{finding_id}/notes", tag = "findings", operation_id = "list_finding_notes",
    params(("finding_id" = FindingId, Path), PageRequest),
    responses((status = 200, description = "A page of notes", body = Page<FindingNote>), ErrorResponses))]
async fn list(
    State(results): State<Results>,
    Caller(actor): Caller,
    PathId(id): PathId<Finding>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<FindingNote>>> {
    Ok(Json(results.notes(&actor, id, &page).await?))
}

/// Write a note on a finding
#[utoipa::path(post, path = "/findings/{finding_id}/notes", tag = "findings", operation_id = "write_finding_note", request_body = NewNote,
    params(("finding_id" = FindingId, Path)),
    responses((status = 201, description = "The note", body = FindingNote), ErrorResponses))]
async fn write(
    State(results): State<Results>,
    Caller(actor): Caller,
    PathId(id): PathId<Finding>,
    Body(new): Body<NewNote>,
) -> Answer<Response> {
    let note = results.note(&actor, id, &new).await?;
    Ok((StatusCode::CREATED, Json(note)).into_response())
}

/// Take a note away: one's own, or any for administrators
#[utoipa::path(delete, path = "/findings/{finding_id}/notes/{note_id}", tag = "findings", operation_id = "drop_finding_note",
    params(("finding_id" = FindingId, Path), ("note_id" = NoteId, Path)),
    responses((status = 204, description = "It is gone"), ErrorResponses))]
async fn remove(State(results): State<Results>, Caller(actor): Caller, Path((finding, note)): Path<(String, String)>) -> Answer<Response> {
    results.drop_note(&actor, finding.parse()?, note.parse()?).await?;
    Ok(web::no_content())
}
