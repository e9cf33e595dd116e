//! The route of exports.

use axum::body::Body as Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Deserialize;
use utoipa::IntoParams;
use web::{Answer, Caller, ErrorResponses, OpenApiRouter, Params, routes};

use crate::export::ExportFormat;
use crate::model::Filter;
use crate::service::Results;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(export)).with_state(results.clone())
}

/// As what findings are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct As {
    /// `json` when absent.
    #[param(inline, value_type = Option<ExportFormat>)]
    format: Option<String>,
}

/// Export findings
///
/// The document is written while it is read; a failure on the way breaks it off.
#[utoipa::path(get, path = "/findings/export", tag = "findings", operation_id = "export_findings", params(Filter, As),
    responses((status = 200, description = "SARIF 2.1.0, CSV, JSON or CycloneDX 1.6 VEX", content(
        (Object = "application/json"), (Object = "application/sarif+json"), (Object = "application/vnd.cyclonedx+json"), (String = "text/csv"))),
        ErrorResponses))]
async fn export(
    State(results): State<Results>,
    Caller(actor): Caller,
    Params(filter): Params<Filter>,
    Params(form): Params<As>,
) -> Answer<Response> {
    let format = form.format.as_deref().map(str::parse).transpose()?.unwrap_or(ExportFormat::Json);
    let parts = results.export(&actor, filter, format)?;
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"findings.{}\"", format.ending())),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Bytes::from_stream(parts)).into_response())
}
