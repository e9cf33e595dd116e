//! Routes of imports: take in, follow, list, take back.

use std::io::{Seek, Write};

use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base::{Page, PageRequest};
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use importers::Format;
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::{IntoParams, ToSchema};
use web::{Answer, Caller, ErrorResponses, OpenApiRouter, Params, PathId, routes};

use crate::errors;
use crate::ingest::{ImportProgress, MAPPED};
use crate::model::{Closing, Import, ImportId, ImportOptions, ImportRequest, ImportState, MappingUse, SeveritySchema};
use crate::service::Results;

/// Largest file over HTTP.
const LARGEST: u64 = 2 << 30;
/// Files up to this are taken in before the answer unless the caller says otherwise.
const AT_ONCE: u64 = 1 << 20;

pub(super) fn routes(results: &Results) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(imports, import))
        .routes(routes!(formats))
        .routes(routes!(import_of))
        .routes(routes!(progress))
        .routes(routes!(undo))
        .with_state(results.clone())
}

/// A format that can be taken in.
#[derive(Debug, Serialize, ToSchema)]
struct KnownFormat {
    /// Its id.
    #[schema(max_length = 64)]
    id: &'static str,
    /// Its name.
    #[schema(max_length = 128)]
    label: &'static str,
}

/// List the formats that can be taken in
#[utoipa::path(get, path = "/imports/formats", tag = "findings", operation_id = "list_import_formats",
    responses((status = 200, description = "Every format", body = Vec<KnownFormat>), ErrorResponses))]
async fn formats(Caller(actor): Caller) -> Answer<Json<Vec<KnownFormat>>> {
    actor.scope(crate::actions::READ)?;
    Ok(Json(Format::all().map(|format| KnownFormat { id: format.id(), label: format.label() }).collect()))
}

/// Take an import back
#[utoipa::path(post, path = "/imports/{import_id}/undo", tag = "findings", operation_id = "undo_import", params(("import_id" = ImportId, Path)),
    responses((status = 200, description = "The import, undone", body = Import), ErrorResponses))]
async fn undo(State(results): State<Results>, Caller(actor): Caller, PathId(id): PathId<Import>) -> Answer<Json<Import>> {
    Ok(Json(results.undo(&actor, id).await?))
}

/// What comes beside an imported file.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct About {
    /// Format of the file, as `GET /imports/formats` names it, or `mapping:` and the name of a saved mapping; guessed when absent.
    #[param(max_length = 80)]
    format: Option<String>,
    /// Name of the file.
    #[param(max_length = 512)]
    filename: Option<String>,
    /// Target the findings belong to.
    #[param(value_type = Option<TargetId>)]
    target_id: Option<TargetId>,
    /// Tell what would change and change nothing.
    dry_run: bool,
    /// Answer when it is taken in (`true`) or accepted (`false`); small files are taken in at once when absent.
    wait: Option<bool>,
    /// What becomes of findings that are not in the file: `covered` closes what was looked for again.
    #[param(inline, value_type = Option<Closing>)]
    close_old: Option<String>,
    /// Leave out what is less grave.
    #[param(value_type = Option<SeveritySchema>)]
    minimum_severity: Option<String>,
    /// What was fixed stays fixed although the tool sees it again.
    do_not_reactivate: bool,
    /// `false`: the file tells of the past. What nobody knows is kept as fixed, what is known stays as it is, nothing is closed.
    active: Option<bool>,
    /// Somebody has checked what the file says: nothing in it is in doubt, now and when a tool sees it again.
    verified: bool,
    /// Labels for every finding of the file, repeated.
    #[param(max_items = 50)]
    tags: Vec<String>,
    /// Service of the target; findings of different services are never compared.
    #[param(max_length = 200)]
    service: Option<String>,
}

impl About {
    /// The name of the mapping, where one is named in place of a format.
    fn mapping(&self) -> Option<&str> {
        self.format.as_deref()?.strip_prefix(MAPPED)
    }

    fn options(&self) -> base::Result<ImportOptions> {
        let severity = self.minimum_severity.as_deref();
        let known = &["info", "low", "medium", "high", "critical"];
        Ok(ImportOptions {
            close_old: self.close_old.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            minimum_severity: severity
                .map(|word| word.parse().map_err(|_| errors::word("minimum_severity", word, known)))
                .transpose()?
                .unwrap_or_default(),
            do_not_reactivate: self.do_not_reactivate,
            is_past: self.active == Some(false),
            is_verified: self.verified,
            tags: self.tags.clone(),
            service: self.service.as_deref().unwrap_or_default().trim().to_owned(),
            mapping: self.mapping().map(MappingUse::named),
        })
    }
}

/// Take in a scanner's file
///
/// The body is the file itself. The same file as last time, or the same `Idempotency-Key`, is taken in once.
#[utoipa::path(post, path = "/imports", tag = "findings", operation_id = "import_file", params(About),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    responses((status = 201, description = "What it did", body = Import), (status = 202, description = "Accepted; its state tells more", body = Import),
        (status = 200, description = "What it would do, or did before", body = Import), ErrorResponses))]
async fn import(
    State(results): State<Results>,
    Caller(actor): Caller,
    Params(about): Params<About>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Response> {
    let named = about.format.as_deref().filter(|_| about.mapping().is_none());
    let format = named.map(|word| word.parse().map_err(|_| errors::unknown_format(about.filename.as_deref()))).transpose()?;
    let options = about.options()?;
    // Checked before a byte is read: nobody may fill the disk without the permission.
    actor.scope(crate::actions::IMPORT)?;
    let (file, size) = receive(body, LARGEST).await?;
    let request = ImportRequest {
        format,
        filename: about.filename.map(|name| name.chars().filter(|letter| !letter.is_control()).take(512).collect()),
        target_id: about.target_id,
        idempotency_key: headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned),
        dry_run: about.dry_run,
        options,
        file,
    };
    if !about.dry_run && !about.wait.unwrap_or(size <= AT_ONCE) {
        let import = Box::pin(results.accept(&actor, request)).await?;
        let status = if import.state == ImportState::Queued { StatusCode::ACCEPTED } else { StatusCode::OK };
        let place = [(http::header::LOCATION, format!("imports/{}", import.id))];
        return Ok((status, place, Json(import)).into_response());
    }
    let import = Box::pin(results.import(&actor, request)).await?;
    if import.dry_run || import.repeated {
        return Ok((StatusCode::OK, Json(import)).into_response());
    }
    Ok(web::created(format!("imports/{}", import.id), &import))
}

/// Follow an import
#[utoipa::path(get, path = "/imports/{import_id}/progress", tag = "findings", operation_id = "follow_import", params(("import_id" = ImportId, Path)),
    responses((status = 200, description = "Updates named `progress`, each an `ImportProgress`", content_type = "text/event-stream", body = ImportProgress), ErrorResponses))]
async fn progress(
    State(results): State<Results>,
    Caller(actor): Caller,
    PathId(id): PathId<Import>,
    standing: web::Standing,
) -> Answer<Response> {
    let updates = results.import_progress(&actor, id).await?;
    let updates = updates.map(|word| web::live::Update::new("progress", serde_json::to_value(word).unwrap_or_default()));
    Ok(web::live::sse(updates, standing, results.backends.tasks.stop()))
}

/// Writes the body to a file that vanishes with its handle.
pub(crate) async fn receive(body: Bytes, limit: u64) -> base::Result<(std::fs::File, u64)> {
    let mut file = tempfile::tempfile().map_err(errors::spool)?;
    let mut size = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|cause| errors::broken_off().because(cause))?;
        size += chunk.len() as u64;
        if size > limit {
            return Err(errors::too_large(limit));
        }
        file.write_all(&chunk).map_err(errors::spool)?;
    }
    file.rewind().map_err(errors::spool)?;
    Ok((file, size))
}

/// List imports, newest first
#[utoipa::path(get, path = "/imports", tag = "findings", operation_id = "list_imports", params(PageRequest),
    responses((status = 200, description = "A page of imports", body = Page<Import>), ErrorResponses))]
async fn imports(State(results): State<Results>, Caller(actor): Caller, Params(page): Params<PageRequest>) -> Answer<Json<Page<Import>>> {
    Ok(Json(results.imports(&actor, &page).await?))
}

/// Get one import
#[utoipa::path(get, path = "/imports/{import_id}", tag = "findings", operation_id = "get_import", params(("import_id" = ImportId, Path)),
    responses((status = 200, description = "The import", body = Import), ErrorResponses))]
async fn import_of(State(results): State<Results>, Caller(actor): Caller, PathId(id): PathId<Import>) -> Answer<Json<Import>> {
    Ok(Json(results.import_of(&actor, id).await?))
}
