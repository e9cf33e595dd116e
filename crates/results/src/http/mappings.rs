//! Routes of mappings: try, save, list, read, drop.

use std::io::Read;

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use web::{Answer, Body, Caller, ErrorResponses, OpenApiRouter, Path, routes};

use super::receive;
use crate::errors;
use crate::model::{MappingTrial, SavedMapping, TryMapping};
use crate::service::Results;

/// Longest mapping over HTTP.
const LONGEST: u64 = 256 << 10;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(attempt)).routes(routes!(get, save, remove)).with_state(results.clone())
}

/// List saved mappings
#[utoipa::path(get, path = "/imports/mappings", tag = "findings", operation_id = "list_import_mappings",
    responses((status = 200, description = "By name; at most two hundred", body = Vec<SavedMapping>), ErrorResponses))]
async fn list(State(results): State<Results>, Caller(actor): Caller) -> Answer<Json<Vec<SavedMapping>>> {
    Ok(Json(results.mappings(&actor).await?))
}

/// Try a mapping on a sample
///
/// Nothing is stored. An error names the field of the mapping, and its line and byte in the text.
#[utoipa::path(post, path = "/imports/mappings/try", tag = "findings", operation_id = "try_import_mapping", request_body = TryMapping,
    responses((status = 200, description = "What it makes of the sample", body = MappingTrial), ErrorResponses))]
async fn attempt(State(results): State<Results>, Caller(actor): Caller, Body(attempt): Body<TryMapping>) -> Answer<Json<MappingTrial>> {
    Ok(Json(results.try_mapping(&actor, attempt).await?))
}

/// Get a saved mapping
#[utoipa::path(get, path = "/imports/mappings/{mapping_name}", tag = "findings", operation_id = "get_import_mapping",
    params(("mapping_name" = String, Path, max_length = 64)),
    responses((status = 200, description = "The mapping", body = SavedMapping), ErrorResponses))]
async fn get(State(results): State<Results>, Caller(actor): Caller, Path(name): Path<String>) -> Answer<Json<SavedMapping>> {
    Ok(Json(results.mapping(&actor, &name).await?))
}

/// Save a mapping under its own name
///
/// The body is the mapping itself. Imports name it as `format=mapping:<name>`.
#[utoipa::path(put, path = "/imports/mappings/{mapping_name}", tag = "findings", operation_id = "save_import_mapping",
    request_body(content = Object, content_type = "application/json", description = "The mapping"),
    params(("mapping_name" = String, Path, max_length = 64)),
    responses((status = 200, description = "Saved in place of the older one", body = SavedMapping),
        (status = 201, description = "Saved", body = SavedMapping), ErrorResponses))]
async fn save(State(results): State<Results>, Caller(actor): Caller, Path(name): Path<String>, body: Bytes) -> Answer<Response> {
    // Checked before a byte is read.
    actor.scope(crate::actions::MAP)?;
    let (file, _) = receive(body, LONGEST).await?;
    let mut text = String::new();
    // As text, not as a value: an error names the place in it.
    (&file).read_to_string(&mut text).map_err(|cause| errors::mapping_name(&format!("the mapping is not text: {cause}")))?;
    let (saved, is_new) = results.save_mapping(&actor, &name, &text).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(saved)).into_response())
}

/// Drop a saved mapping; what was taken in by it stays
#[utoipa::path(delete, path = "/imports/mappings/{mapping_name}", tag = "findings", operation_id = "drop_import_mapping",
    params(("mapping_name" = String, Path, max_length = 64)), responses((status = 204, description = "It is gone"), ErrorResponses))]
async fn remove(State(results): State<Results>, Caller(actor): Caller, Path(name): Path<String>) -> Answer<Response> {
    results.drop_mapping(&actor, &name).await?;
    Ok(web::no_content())
}
