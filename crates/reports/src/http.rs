//! Routes of this context, relative to the API's root.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Id, Page, PageRequest};
use serde::Deserialize;
use web::{Answer, Body, Caller, OpenApiRouter, Params, Path, PathId, routes};

use crate::model::{NewReport, Report, ReportId};
use crate::service::Reports;

/// The routes under `/reports`.
pub fn routes(reports: &Reports) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, delete)).routes(routes!(download)).with_state(reports.clone())
}

/// Reports, newest first.
#[utoipa::path(get, path = "/reports", operation_id = "list_reports", tag = "reports", params(PageRequest),
    responses((status = 200, body = Page<Report>), web::ErrorResponses))]
async fn list(State(reports): State<Reports>, Caller(actor): Caller, Params(page): Params<PageRequest>) -> Answer<Json<Page<Report>>> {
    Ok(Json(reports.list(&actor, page).await?))
}

/// Asks for a report; a `title` is enough. It can be fetched once its `state` is `ready`.
#[utoipa::path(post, path = "/reports", operation_id = "create_report", tag = "reports", request_body = NewReport,
    responses((status = 201, body = Report), web::ErrorResponses))]
async fn create(State(reports): State<Reports>, Caller(actor): Caller, Body(new): Body<NewReport>) -> Answer<Response> {
    let report = reports.create(&actor, new).await?;
    Ok(web::created(format!("reports/{}", report.id), &report))
}

/// One report.
#[utoipa::path(get, path = "/reports/{report_id}", operation_id = "get_report", tag = "reports",
    params(("report_id" = ReportId, Path)), responses((status = 200, body = Report), web::ErrorResponses))]
async fn get(State(reports): State<Reports>, Caller(actor): Caller, PathId(id): PathId<Report>) -> Answer<Json<Report>> {
    Ok(Json(reports.get(&actor, id).await?))
}

/// Removes a report from sight.
#[utoipa::path(delete, path = "/reports/{report_id}", operation_id = "delete_report", tag = "reports",
    params(("report_id" = ReportId, Path)), responses((status = 204), web::ErrorResponses))]
async fn delete(State(reports): State<Reports>, Caller(actor): Caller, PathId(id): PathId<Report>) -> Answer<Response> {
    reports.delete(&actor, id).await?;
    Ok(web::no_content())
}

/// Which file of which report.
#[derive(Debug, Deserialize)]
struct FilePath {
    report_id: Id<Report>,
    format: String,
}

/// A report as a file: `html`, `pdf`, `json` or `csv`.
#[utoipa::path(get, path = "/reports/{report_id}/files/{format}", operation_id = "download_report", tag = "reports",
    params(("report_id" = ReportId, Path), ("format" = inline(crate::render::Format), Path)),
    responses((status = 200, description = "The file", content((String = "text/html"), (Vec<u8> = "application/pdf"), (Object = "application/json"), (String = "text/csv"))), web::ErrorResponses))]
async fn download(State(reports): State<Reports>, Caller(actor): Caller, Path(path): Path<FilePath>) -> Answer<Response> {
    let file = reports.download(&actor, path.report_id, path.format.parse()?).await?;
    // Never shown inside this origin: the page holds text of scanned machines.
    let headers = [
        ("content-type", file.content_type.to_owned()),
        ("content-disposition", format!("attachment; filename=\"{}\"", file.filename)),
        ("x-content-type-options", "nosniff".to_owned()),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox".to_owned()),
        ("cache-control", "private, no-store".to_owned()),
    ];
    Ok((headers, file.bytes).into_response())
}
