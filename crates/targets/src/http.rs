//! Routes of this context, relative to the API's root.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use base::{Page, PageRequest};
use serde::Deserialize;
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use web::{Answer, Body, Caller, OpenApiRouter, Params, PathId, routes};

use crate::authorization::{Authorization, AuthorizationId, NewAuthorization};
use crate::exchange::{FileFormat, Imported};
use crate::model::{Filter, NewTarget, Target, TargetId, TargetPatch};
use crate::service::Targets;
use crate::units::Branch;

/// Largest file of targets taken.
const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// The bytes of a file, as the API describes them.
#[derive(ToSchema)]
#[schema(as = TargetFile, value_type = String, format = Binary, max_length = 16_777_216)]
#[expect(dead_code, reason = "only its description is used")]
struct File(Vec<u8>);

/// An exported JSON file, as the API describes it.
struct Exported;

impl PartialSchema for Exported {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new().items(NewTarget::schema()).max_items(Some(1_000_000)).into()
    }
}

impl ToSchema for Exported {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        NewTarget::schemas(schemas);
    }
}

/// The routes under `/targets`, `/business-units` and `/authorizations`.
pub fn routes(targets: &Targets) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(import))
        .routes(routes!(export))
        .routes(routes!(get, patch, delete))
        .routes(routes!(units))
        .routes(routes!(list_of_target))
        .routes(routes!(authorizations, authorize))
        .routes(routes!(authorization))
        .routes(routes!(revoke))
        .routes(routes!(evidence, prove))
        .layer(DefaultBodyLimit::max(LARGEST_FILE))
        .with_state(targets.clone())
}

/// Targets, newest first.
#[utoipa::path(get, path = "/targets", operation_id = "list_targets", tag = "targets", params(Filter, PageRequest),
    responses((status = 200, body = Page<Target>), web::ErrorResponses))]
async fn list(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    Params(filter): Params<Filter>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Target>>> {
    Ok(Json(targets.list(&actor, filter, page).await?))
}

/// The tree of business units, by path: every unit with targets and those it lies in.
#[utoipa::path(get, path = "/business-units", operation_id = "list_business_units", tag = "targets",
    responses((status = 200, body = Vec<Branch>), web::ErrorResponses))]
async fn units(State(targets): State<Targets>, Caller(actor): Caller) -> Answer<Json<Vec<Branch>>> {
    Ok(Json(targets.units(&actor).await?))
}

/// Records a target; `name` and `type` are enough.
#[utoipa::path(post, path = "/targets", operation_id = "create_target", tag = "targets", request_body = NewTarget,
    responses((status = 201, body = Target), web::ErrorResponses))]
async fn create(State(targets): State<Targets>, Caller(actor): Caller, Body(new): Body<NewTarget>) -> Answer<Response> {
    let target = targets.create(&actor, new).await?;
    Ok(web::created(format!("targets/{}", target.id), &target))
}

/// One target.
#[utoipa::path(get, path = "/targets/{target_id}", operation_id = "get_target", tag = "targets",
    params(("target_id" = TargetId, Path)), responses((status = 200, body = Target), web::ErrorResponses))]
async fn get(State(targets): State<Targets>, Caller(actor): Caller, PathId(id): PathId<Target>) -> Answer<Json<Target>> {
    Ok(Json(targets.get(&actor, id).await?))
}

/// Changes a target: absent fields stay, `null` clears.
#[utoipa::path(patch, path = "/targets/{target_id}", operation_id = "patch_target", tag = "targets", request_body = TargetPatch,
    params(("target_id" = TargetId, Path)), responses((status = 200, body = Target), web::ErrorResponses))]
async fn patch(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    PathId(id): PathId<Target>,
    Body(patch): Body<TargetPatch>,
) -> Answer<Json<Target>> {
    Ok(Json(targets.patch(&actor, id, patch).await?))
}

/// Removes a target from sight.
#[utoipa::path(delete, path = "/targets/{target_id}", operation_id = "delete_target", tag = "targets",
    params(("target_id" = TargetId, Path)), responses((status = 204), web::ErrorResponses))]
async fn delete(State(targets): State<Targets>, Caller(actor): Caller, PathId(id): PathId<Target>) -> Answer<Response> {
    targets.delete(&actor, id).await?;
    Ok(web::no_content())
}

/// How a file of targets is to be taken.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportParameters {
    /// The file's format.
    #[param(inline)]
    format: FileFormat,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// Records or changes targets from a CSV or JSON file; rows at fault are named and left out.
#[utoipa::path(post, path = "/targets/import", operation_id = "import_targets", tag = "targets", params(ImportParameters),
    request_body(content = File, content_type = "application/octet-stream"),
    responses((status = 200, body = Imported), web::ErrorResponses))]
async fn import(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    Params(how): Params<ImportParameters>,
    file: Bytes,
) -> Answer<Json<Imported>> {
    Ok(Json(targets.import(&actor, how.format, &file, how.dry_run).await?))
}

/// The format of an exported file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportParameters {
    /// The file's format.
    #[param(inline)]
    format: FileFormat,
}

/// All targets the filter shows, as a file that can be imported again.
#[utoipa::path(get, path = "/targets/export", operation_id = "export_targets", tag = "targets", params(ExportParameters, Filter),
    responses((status = 200, description = "The file", content((File = "text/csv"), (Exported = "application/json"))), web::ErrorResponses))]
async fn export(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    Params(how): Params<ExportParameters>,
    Params(filter): Params<Filter>,
) -> Answer<Response> {
    let disposition = format!("attachment; filename=\"targets.{}\"", how.format.as_str());
    let headers = [("content-type", how.format.content_type().to_owned()), ("content-disposition", disposition)];
    let rows = targets.export(&actor, filter, how.format)?;
    Ok((headers, axum::body::Body::from_stream(rows)).into_response())
}

/// The authorisations that are for one target.
#[utoipa::path(get, path = "/targets/{target_id}/authorizations", operation_id = "list_target_authorizations", tag = "authorizations",
    params(("target_id" = TargetId, Path), PageRequest), responses((status = 200, body = Page<Authorization>), web::ErrorResponses))]
async fn list_of_target(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    PathId(id): PathId<Target>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Authorization>>> {
    targets.get(&actor, id).await?;
    Ok(Json(targets.authorizations(&actor, Some(id), page).await?))
}

/// All authorisations, newest first.
#[utoipa::path(get, path = "/authorizations", operation_id = "list_authorizations", tag = "authorizations", params(PageRequest),
    responses((status = 200, body = Page<Authorization>), web::ErrorResponses))]
async fn authorizations(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Authorization>>> {
    Ok(Json(targets.authorizations(&actor, None, page).await?))
}

/// Records that a person allows testing.
#[utoipa::path(post, path = "/authorizations", operation_id = "create_authorization", tag = "authorizations", request_body = NewAuthorization,
    responses((status = 201, body = Authorization), web::ErrorResponses))]
async fn authorize(State(targets): State<Targets>, Caller(actor): Caller, Body(new): Body<NewAuthorization>) -> Answer<Response> {
    let granted = targets.authorize(&actor, new).await?;
    Ok(web::created(format!("authorizations/{}", granted.id), &granted))
}

/// One authorisation.
#[utoipa::path(get, path = "/authorizations/{authorization_id}", operation_id = "get_authorization", tag = "authorizations",
    params(("authorization_id" = AuthorizationId, Path)), responses((status = 200, body = Authorization), web::ErrorResponses))]
async fn authorization(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    PathId(id): PathId<Authorization>,
) -> Answer<Json<Authorization>> {
    Ok(Json(targets.authorization(&actor, id).await?))
}

/// Why an authorisation is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// The reason, one line.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// Takes an authorisation back; tests that stand on it stop.
#[utoipa::path(post, path = "/authorizations/{authorization_id}/revoke", operation_id = "revoke_authorization", tag = "authorizations",
    request_body = Revocation, params(("authorization_id" = AuthorizationId, Path)),
    responses((status = 200, body = Authorization), web::ErrorResponses))]
async fn revoke(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    PathId(id): PathId<Authorization>,
    Body(why): Body<Revocation>,
) -> Answer<Json<Authorization>> {
    Ok(Json(targets.revoke(&actor, id, &why.reason).await?))
}

/// Hands in the file that proves an authorisation; it is never replaced.
#[utoipa::path(put, path = "/authorizations/{authorization_id}/evidence", operation_id = "put_evidence", tag = "authorizations",
    request_body(content = File, content_type = "application/octet-stream"), params(("authorization_id" = AuthorizationId, Path)),
    responses((status = 200, body = Authorization), web::ErrorResponses))]
async fn prove(
    State(targets): State<Targets>,
    Caller(actor): Caller,
    PathId(id): PathId<Authorization>,
    file: Bytes,
) -> Answer<Json<Authorization>> {
    Ok(Json(targets.prove(&actor, id, file.into()).await?))
}

/// The file that proves an authorisation, always as a download.
#[utoipa::path(get, path = "/authorizations/{authorization_id}/evidence", operation_id = "get_evidence", tag = "authorizations",
    params(("authorization_id" = AuthorizationId, Path)),
    responses((status = 200, body = File, content_type = "application/octet-stream"), web::ErrorResponses))]
async fn evidence(State(targets): State<Targets>, Caller(actor): Caller, PathId(id): PathId<Authorization>) -> Answer<Response> {
    let file = targets.evidence(&actor, id).await?;
    let headers = [("content-type", "application/octet-stream"), ("content-disposition", "attachment; filename=\"evidence\"")];
    Ok((headers, file).into_response())
}
