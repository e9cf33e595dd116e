//! Imports: a file of another scanner is looked at first, then taken in, and can be taken back.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base::Result;
use http::StatusCode;
use importers::Format;
use results::{ChangeKind, Difference, Import, ImportOptions, ImportRequest, ImportState, MappingUse, actions};
use targets::Target;

use super::{Shown, done, first, page_of, readable, refused};
use crate::fields::{Fields, Form};
use crate::page::{Choice, Frame, show as render, show_as};
use crate::request::{Named, Viewer, correctable};
use crate::upload::{self, Parts, Purpose, Received, Upload};
use crate::{Services, Shared, errors};

/// Files up to this are taken in before the answer; larger ones by a job that the page follows.
const AT_ONCE: u64 = 1 << 20;
/// What a form says about how a file is taken in; it goes from the upload to the preview and on.
const ABOUT: [&str; 10] =
    ["format", "filename", "target_id", "close_old", "minimum_severity", "do_not_reactivate", "inactive", "verified", "tags", "service"];
/// What stands before the name of a mapping where a format is named.
const MAPPED: &str = "mapping:";
const CLOSINGS: &str = "covered never complete";
/// Differences an import tells one by one.
const TOLD: usize = 1000;

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
#[template(path = "imports/preview.html")]
struct PreviewPage {
    frame: Frame,
    form: Form,
    import: Import,
    groups: Vec<Group>,
    is_cut: bool,
}

#[derive(Template)]
#[template(path = "imports/show.html")]
struct ImportPage {
    frame: Frame,
    form: Form,
    import: Import,
}

/// Differences of one kind.
struct Group {
    word: &'static str,
    rows: Vec<Difference>,
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let form = Form::of(Fields::default().set("target_id", viewer.query.get("target")).set("close_old", "covered"));
    listed(&services, viewer, form, StatusCode::OK).await
}

async fn listed(services: &Services, mut viewer: Viewer, form: Form, status: StatusCode) -> Shown {
    let page = services.results.imports(&viewer.actor, &page_of(&viewer.query)).await?;
    let targets = readable(services.targets.list(&viewer.actor, targets::Filter::default(), first(500)).await)?;
    let mappings = services.results.mappings(&viewer.actor).await?;
    let mapped = mappings.iter().map(|mapping| Choice {
        value: format!("{MAPPED}{}", mapping.name),
        label: viewer.frame.fill("mappings.choice", "name", &mapping.name),
    });
    let known = Format::all().map(|format| Choice { value: format.id().to_owned(), label: format.label().to_owned() });
    let formats = mapped.chain(known).collect();
    viewer.frame.path = "/imports".to_owned();
    let next = viewer.query.next("/imports", page.next_cursor);
    let page = ListPage {
        frame: viewer.frame,
        form,
        imports: page.items,
        targets: targets.map(|page| page.items).unwrap_or_default(),
        formats,
        next,
    };
    show_as(status, &page)
}

/// Looks at a file, or takes it in at once.
pub(crate) async fn preview(State(services): State<Shared>, viewer: Viewer, parts: Parts) -> Shown {
    // Checked before a byte is read: nobody may fill the disk without the permission.
    viewer.actor.scope(actions::IMPORT)?;
    let Upload { fields, file } = match parts.read(upload::LARGEST).await {
        Ok(upload) => upload,
        Err(error) => return again(&services, viewer, Fields::default(), error).await,
    };
    let fields = match &file {
        Some(Received { name: Some(name), .. }) => fields.without(&["filename"]).set("filename", name),
        _ => fields,
    };
    let Some(Received { file, sha256, .. }) = file else {
        return again(&services, viewer, fields, errors::no_file()).await;
    };
    if fields.get("go") == "take" {
        return take_in(&services, viewer, fields, file).await;
    }
    let copy = file.try_clone().map_err(errors::spool)?;
    let outcome = match asked(&fields, file, true) {
        Ok(request) => Box::pin(services.results.import(&viewer.actor, request)).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(mut import) => {
            upload::keep(&services, &viewer.actor, Purpose::Findings, copy).await?;
            let is_cut = import.differences.len() >= TOLD;
            let groups = grouped(std::mem::take(&mut import.differences));
            let form = Form::of(fields.set("sha256", sha256));
            render(&PreviewPage { frame: viewer.frame, form, import, groups, is_cut })
        }
        Err(error) => again(&services, viewer, fields, error).await,
    }
}

/// Takes in what was looked at.
pub(crate) async fn take(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    viewer.actor.scope(actions::IMPORT)?;
    match upload::kept(&services, &viewer.actor, Purpose::Findings, fields.get("sha256")).await {
        Ok(file) => take_in(&services, viewer, fields, file).await,
        Err(error) => again(&services, viewer, fields, error).await,
    }
}

async fn take_in(services: &Services, viewer: Viewer, fields: Fields, file: std::fs::File) -> Shown {
    let is_large = file.metadata().map_err(errors::spool)?.len() > AT_ONCE;
    let outcome = match asked(&fields, file, false) {
        Ok(request) if is_large => Box::pin(services.results.accept(&viewer.actor, request)).await,
        Ok(request) => Box::pin(services.results.import(&viewer.actor, request)).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(import) => {
            upload::forget(services, &viewer.actor, Purpose::Findings).await;
            let what = match import.state {
                _ if import.repeated => "import_repeated",
                ImportState::Queued => "import_accepted",
                _ => "import_taken",
            };
            Ok(done(&format!("/imports/{}", import.id), what))
        }
        Err(error) => again(services, viewer, fields, error).await,
    }
}

/// The list with the form as it was filled in; the file has to be chosen again.
async fn again(services: &Services, viewer: Viewer, fields: Fields, error: base::Error) -> Shown {
    let status = crate::failure::status(error.kind());
    let form = refused(&viewer, fields, error)?;
    listed(services, viewer, form, status).await
}

fn asked(fields: &Fields, file: std::fs::File, dry_run: bool) -> Result<ImportRequest> {
    let minimum =
        fields.text("minimum_severity").map(|word| word.parse().map_err(|_| errors::no_choice("minimum_severity"))).transpose()?;
    let mapping = fields.get("format").strip_prefix(MAPPED).map(MappingUse::named);
    let named = fields.text("format").filter(|_| mapping.is_none());
    Ok(ImportRequest {
        format: named.map(|word| word.parse().map_err(|_| errors::no_choice("format"))).transpose()?,
        filename: fields.text("filename"),
        target_id: fields.word("target_id")?,
        idempotency_key: None,
        dry_run,
        options: ImportOptions {
            close_old: fields.word("close_old")?.unwrap_or_default(),
            minimum_severity: minimum.unwrap_or_default(),
            do_not_reactivate: fields.get("do_not_reactivate") == "true",
            is_past: fields.get("inactive") == "true",
            is_verified: fields.get("verified") == "true",
            tags: super::targets::tags(fields),
            service: fields.get("service").to_owned(),
            mapping,
        },
        file,
    })
}

/// The differences by what they mean for a person, what needs one first.
fn grouped(differences: Vec<Difference>) -> Vec<Group> {
    let mut groups: Vec<Group> =
        ["doubtful", "created", "reopened", "moved", "closed", "not_retested"].map(|word| Group { word, rows: Vec::new() }).into();
    for difference in differences {
        let word = match difference.change {
            // Only what could also be an older finding is new with a note.
            ChangeKind::Created if difference.note.is_some() => "doubtful",
            change => change.as_str(),
        };
        if let Some(group) = groups.iter_mut().find(|group| group.word == word) {
            group.rows.push(difference);
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

/// The place a moved finding left.
fn left(difference: &Difference) -> Option<&str> {
    difference.note.as_deref().filter(|_| difference.change == ChangeKind::Moved).and_then(|note| note.strip_prefix("from "))
}

/// One figure of an import.
struct Tile {
    word: &'static str,
    count: u64,
    class: &'static str,
}

/// New findings that are not in doubt to be earlier ones.
fn certain(import: &Import) -> u64 {
    import.summary.created.saturating_sub(import.summary.ambiguous)
}

/// What an import did, or would do, in the words and the order of the preview.
fn tiles(import: &Import) -> Vec<Tile> {
    let summary = &import.summary;
    let tile = |word, count| Tile { word, count, class: if count == 0 { "none" } else { word } };
    vec![
        tile("created", certain(import)),
        tile("unchanged", summary.unchanged),
        tile("doubtful", summary.ambiguous),
        tile("reopened", summary.reopened),
        tile("moved", summary.moved),
        tile("closed", summary.closed),
        tile("not_retested", summary.not_retested),
    ]
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Import>) -> Shown {
    let import = services.results.import_of(&viewer.actor, id).await?;
    render(&ImportPage { frame: viewer.frame, form: Form::default(), import })
}

pub(crate) async fn undo(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Import>) -> Shown {
    match services.results.undo(&viewer.actor, id).await {
        Ok(_) => Ok(done(&format!("/imports/{id}"), "import_undone")),
        Err(error) => not_undone(&services, viewer, id, error).await,
    }
}

async fn not_undone(
    services: &Services,
    viewer: Viewer,
    id: results::ImportId,
    error: base::Error,
) -> Result<Response, crate::failure::Failure> {
    let error = correctable(error)?;
    let status = crate::failure::status(error.kind());
    // The reason is in the detail, which no text of ours replaces.
    let form = Form::refused(Fields::default(), None, error.detail().to_owned());
    let import = services.results.import_of(&viewer.actor, id).await?;
    show_as(status, &ImportPage { frame: viewer.frame, form, import })
}
