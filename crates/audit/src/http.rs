//! Routes of the log: list, one entry with proof, checkpoint, tiles, export.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Page, PageRequest};
use futures::stream;
use http::header;
use utoipa_axum::router::OpenApiRouter;
use web::{Answer, Caller, ErrorResponses, Params, Path, PathId, routes};

use crate::entry::{AuditEntry, Entry, EntryId};
use crate::export;
use crate::filter::Filter;
use crate::service::{Audit, Proven};

/// The log's routes, relative to the API root.
pub fn routes(audit: &Audit) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(checkpoint))
        .routes(routes!(export_log))
        .routes(routes!(get))
        .route("/audit/tile/{*path}", axum::routing::get(tile))
        .with_state(audit.clone())
}

/// List audit entries, newest first
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "list_audit_entries", params(Filter, PageRequest),
    responses((status = 200, description = "A page of entries", body = Page<Entry>), ErrorResponses)
)]
async fn list(
    State(audit): State<Audit>,
    Caller(actor): Caller,
    Params(filter): Params<Filter>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Entry>>> {
    Ok(Json(audit.entries(&actor, &filter, &page).await?))
}

/// Get one audit entry with the proof that it is in the log
#[utoipa::path(
    get, path = "/audit/{id}", tag = "audit", operation_id = "get_audit_entry", params(("id" = EntryId, Path, description = "The entry")),
    responses((status = 200, description = "The entry and its inclusion proof", body = Proven), ErrorResponses)
)]
async fn get(State(audit): State<Audit>, Caller(actor): Caller, PathId(id): PathId<AuditEntry>) -> Answer<Json<Proven>> {
    Ok(Json(audit.entry(&actor, id).await?))
}

/// Get the newest signed checkpoint (C2SP tlog-checkpoint)
#[utoipa::path(
    get, path = "/audit/checkpoint", tag = "audit", operation_id = "get_audit_checkpoint",
    responses((status = 200, description = "A signed note", content_type = "text/plain", body = String), ErrorResponses)
)]
async fn checkpoint(State(audit): State<Audit>, Caller(actor): Caller) -> Answer<Response> {
    let note = audit.checkpoint(&actor).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], note).into_response())
}

/// Export the log for offline verification (JSON lines)
#[utoipa::path(
    get, path = "/audit/export", tag = "audit", operation_id = "export_audit_log",
    responses((status = 200, description = "One JSON document per line", content_type = "application/x-ndjson", body = String), ErrorResponses)
)]
async fn export_log(State(audit): State<Audit>, Caller(actor): Caller) -> Answer<Response> {
    let export = audit.export(&actor).await?;
    let lines = stream::try_unfold(export, |mut export| async move {
        let Some(lines) = export.next().await? else { return Ok::<_, base::Error>(None) };
        let text = lines.iter().map(export::text).collect::<base::Result<String>>()?;
        Ok(Some((text, export)))
    });
    let headers =
        [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CONTENT_DISPOSITION, "attachment; filename=\"tyrian-audit.jsonl\"")];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// Tiles are for tools of the transparency-log world; their paths have no fixed shape, so they stand outside the OpenAPI document.
async fn tile(State(audit): State<Audit>, Caller(actor): Caller, Path(path): Path<String>) -> Answer<Response> {
    let bytes = audit.tile(&actor, &path).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}
