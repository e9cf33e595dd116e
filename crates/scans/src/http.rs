//! Routes of this context, relative to the API's root.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get as on_get;
use base::{Page, PageRequest};
use futures::StreamExt;
use web::live::{LastEventId, Update, sse};
use web::{Answer, Body, Caller, OpenApiRouter, Params, PathId, Standing, routes};

use crate::model::{Filter, NewScan, Scan, ScanId};
use crate::service::Scans;
use crate::socket;

/// The routes under `/scans`.
pub fn routes(scans: &Scans) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, start))
        .routes(routes!(get))
        .routes(routes!(cancel))
        .routes(routes!(events))
        .route("/scans/{scan_id}/ws", on_get(socket::open))
        .with_state(scans.clone())
}

/// Scans, newest first.
#[utoipa::path(get, path = "/scans", operation_id = "list_scans", tag = "scans", params(Filter, PageRequest),
    responses((status = 200, body = Page<Scan>), web::ErrorResponses))]
async fn list(
    State(scans): State<Scans>,
    Caller(actor): Caller,
    Params(filter): Params<Filter>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Scan>>> {
    Ok(Json(scans.list(&actor, filter, page).await?))
}

/// Starts a scan of an authorised target.
#[utoipa::path(post, path = "/scans", operation_id = "start_scan", tag = "scans", request_body = NewScan,
    responses((status = 201, body = Scan), web::ErrorResponses))]
async fn start(State(scans): State<Scans>, Caller(actor): Caller, Body(new): Body<NewScan>) -> Answer<Response> {
    let scan = scans.start(&actor, new).await?;
    Ok(web::created(format!("scans/{}", scan.id), &scan))
}

/// One scan with its stages.
#[utoipa::path(get, path = "/scans/{scan_id}", operation_id = "get_scan", tag = "scans",
    params(("scan_id" = ScanId, Path)), responses((status = 200, body = Scan), web::ErrorResponses))]
async fn get(State(scans): State<Scans>, Caller(actor): Caller, PathId(id): PathId<Scan>) -> Answer<Json<Scan>> {
    Ok(Json(scans.get(&actor, id).await?))
}

/// Stops a scan; what it found until then is kept.
#[utoipa::path(post, path = "/scans/{scan_id}/cancel", operation_id = "cancel_scan", tag = "scans",
    params(("scan_id" = ScanId, Path)), responses((status = 200, body = Scan), web::ErrorResponses))]
async fn cancel(State(scans): State<Scans>, Caller(actor): Caller, PathId(id): PathId<Scan>) -> Answer<Json<Scan>> {
    Ok(Json(scans.cancel(&actor, id).await?))
}

/// Follows a scan as server-sent events called `progress`, until its last word.
#[utoipa::path(get, path = "/scans/{scan_id}/events", operation_id = "follow_scan", tag = "scans", params(("scan_id" = ScanId, Path)),
    responses((status = 200, body = crate::progress::Progress, content_type = "text/event-stream"), web::ErrorResponses))]
async fn events(
    State(scans): State<Scans>,
    Caller(actor): Caller,
    PathId(id): PathId<Scan>,
    LastEventId(last): LastEventId,
    standing: Standing,
) -> Answer<Response> {
    let after = last.and_then(|last| last.parse().ok());
    let words = scans.progress(&actor, id, after).await?;
    let updates = words.map(|word| {
        let update = Update::new("progress", serde_json::to_value(&word).unwrap_or_default());
        update.with_id(word.sequence.to_string())
    });
    Ok(sse(updates, standing, scans.backends.tasks.stop()))
}
