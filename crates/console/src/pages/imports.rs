//! Imports: files of other scanners, looked at first and then taken in.

use std::io::{Seek, Write};

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures::StreamExt;
use importers::Format;
use results::{Import, ImportRequest, actions};
use targets::Target;

use super::{Shown, first, page_of, readable};
use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::page::{Choice, Frame, show as render, show_as};
use crate::request::{Named, Viewer, correctable};
use crate::{Services, errors};

/// Largest upload.
const LARGEST: u64 = 256 << 20;

#[derive(Template)]
#[template(path = "imports/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    imports: Vec<Import>,
    targets: Vec<Target>,
    formats: Vec<Choice>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "imports/show.html")]
struct ImportPage {
    frame: Frame,
    import: Import,
}

/// The answer to an upload, swapped into the page by its script.
#[derive(Template)]
#[template(path = "imports/outcome.html")]
struct Outcome {
    frame: Frame,
    import: Option<Import>,
    trouble: Option<String>,
}

pub(crate) async fn list(State(services): State<Services>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let page = services.results.imports(&viewer.actor, &page_of(&query)).await?;
    let targets = readable(services.targets.list(&viewer.actor, targets::Filter::default(), first(500)).await)?;
    render(&ListPage {
        frame: viewer.frame,
        imports: page.items,
        targets: targets.map(|page| page.items).unwrap_or_default(),
        formats: Format::all().map(|format| Choice { value: format.id().to_owned(), label: format.label().to_owned() }).collect(),
        next: query.next("/imports", page.next_cursor),
        form: Form::of(Fields::default().set("target_id", query.get("target"))),
    })
}

pub(crate) async fn show(State(services): State<Services>, viewer: Viewer, Named(id): Named<Import>) -> Shown {
    let import = services.results.import_of(&viewer.actor, id).await?;
    render(&ImportPage { frame: viewer.frame, import })
}

pub(crate) async fn take(State(services): State<Services>, viewer: Viewer, body: Body) -> Shown {
    // Checked before a byte is read: nobody may fill the disk without the permission.
    viewer.actor.scope(actions::IMPORT)?;
    match taken(&services, &viewer, body).await {
        Ok(import) => render(&Outcome { frame: viewer.frame, import: Some(import), trouble: None }),
        Err(error) => outcome(viewer, error),
    }
}

fn outcome(viewer: Viewer, error: base::Error) -> Result<Response, Failure> {
    let status = crate::failure::status(error.kind());
    let trouble = Some(viewer.error(&correctable(error)?));
    show_as(status, &Outcome { frame: viewer.frame, import: None, trouble })
}

async fn taken(services: &Services, viewer: &Viewer, body: Body) -> base::Result<Import> {
    let query = &viewer.query;
    let request = ImportRequest {
        // An unknown format is guessed, as if none had been named.
        format: query.get("format").parse().ok(),
        filename: query.text("filename").map(|name| name.chars().filter(|letter| !letter.is_control()).take(512).collect()),
        target_id: query.word("target_id")?,
        idempotency_key: None,
        dry_run: query.get("dry_run") == "true",
        options: results::ImportOptions::default(),
        file: received(body).await?,
    };
    Box::pin(services.results.import(&viewer.actor, request)).await
}

/// Writes the body to a file that vanishes with its handle.
async fn received(body: Body) -> base::Result<std::fs::File> {
    let mut file = tempfile::tempfile().map_err(errors::spool)?;
    let mut size = 0;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| errors::broken_upload())?;
        size += chunk.len() as u64;
        if size > LARGEST {
            return Err(errors::too_large());
        }
        file.write_all(&chunk).map_err(errors::spool)?;
    }
    file.rewind().map_err(errors::spool)?;
    Ok(file)
}
