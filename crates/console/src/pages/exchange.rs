//! Many targets at once: a file is looked at first and then taken in.

use std::io::Read;

use askama::Template;
use axum::extract::State;
use targets::{FileFormat, Imported, actions};

use super::{Shown, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::Viewer;
use crate::upload::{self, Parts, Purpose, Received, Upload};
use crate::{Services, Shared, errors};

/// Largest file of targets: ten thousand rows are smaller.
const LARGEST: u64 = 16 << 20;
const FORMATS: &str = "csv json";

#[derive(Template)]
#[template(path = "targets/import.html")]
struct ImportPage {
    frame: Frame,
    form: Form,
    outcome: Option<Outcome>,
}

/// What a file did, or would do.
struct Outcome {
    imported: Imported,
    is_dry: bool,
}

pub(crate) async fn form(viewer: Viewer) -> Shown {
    render(&ImportPage { frame: viewer.frame, form: Form::of(Fields::default().set("format", "csv")), outcome: None })
}

pub(crate) async fn preview(State(services): State<Shared>, viewer: Viewer, parts: Parts) -> Shown {
    // Checked before a byte is read: nobody may fill the disk without the permission.
    viewer.actor.scope(actions::IMPORT)?;
    let (fields, file) = match parts.read(LARGEST).await {
        Ok(Upload { fields, file }) => (fields, file.ok_or_else(errors::no_file)),
        Err(error) => (Fields::default(), Err(error)),
    };
    let outcome = match file {
        Ok(received) => looked_at(&services, &viewer, &fields, received).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((imported, sha256)) => {
            let form = Form::of(fields.set("sha256", sha256));
            render(&ImportPage { frame: viewer.frame, form, outcome: Some(Outcome { imported, is_dry: true }) })
        }
        Err(error) => again(viewer, fields, error),
    }
}

async fn looked_at(services: &Services, viewer: &Viewer, fields: &Fields, received: Received) -> base::Result<(Imported, String)> {
    let Received { mut file, sha256, .. } = received;
    let imported = services.targets.import(&viewer.actor, format(fields)?, &bytes(&mut file)?, true).await?;
    upload::keep(services, &viewer.actor, Purpose::Targets, file).await?;
    Ok((imported, sha256))
}

pub(crate) async fn take(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    viewer.actor.scope(actions::IMPORT)?;
    let outcome = match upload::kept(&services, &viewer.actor, Purpose::Targets, fields.get("sha256")).await {
        Ok(mut file) => match (format(&fields), bytes(&mut file)) {
            (Ok(format), Ok(content)) => services.targets.import(&viewer.actor, format, &content, false).await,
            (Err(error), _) | (_, Err(error)) => Err(error),
        },
        Err(error) => Err(error),
    };
    match outcome {
        Ok(imported) => {
            upload::forget(&services, &viewer.actor, Purpose::Targets).await;
            let form = Form::of(Fields::default().set("format", fields.get("format")));
            render(&ImportPage { frame: viewer.frame, form, outcome: Some(Outcome { imported, is_dry: false }) })
        }
        Err(error) => again(viewer, fields, error),
    }
}

fn again(viewer: Viewer, fields: Fields, error: base::Error) -> Shown {
    let status = crate::failure::status(error.kind());
    let form = if error.code() == "targets.import" {
        // The detail names the line at fault.
        Form::refused(fields, Some("file".to_owned()), error.detail().to_owned())
    } else {
        refused(&viewer, fields, error)?
    };
    show_as(status, &ImportPage { frame: viewer.frame, form, outcome: None })
}

fn format(fields: &Fields) -> base::Result<FileFormat> {
    fields.word("format")?.ok_or_else(|| errors::no_choice("format"))
}

fn bytes(file: &mut std::fs::File) -> base::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(errors::spool)?;
    Ok(content)
}
