//! Mappings: written for a tool nobody else knows, tried on the beginning of one of its files, and saved for imports.

use askama::Template;
use axum::extract::State;
use base::{Error, Result};
use http::StatusCode;
use results::{MappingTrial, SavedMapping, TryMapping};
use serde_json::Value;

use super::{Shown, done, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::Viewer;
use crate::{Services, Shared};

/// What a new mapping begins as: every kind of field once.
const BEGINNING: &str = r#"{
  "name": "my-tool",
  "notation": "table",
  "keys": [["id", "host"]],
  "fields": {
    "check": "id",
    "title": "name",
    "description": { "from": ["summary", "details"], "join": "\n\n" },
    "severity": { "from": "rating", "table": { "1": "low", "2": "medium", "3": "high" } },
    "host": "host",
    "port": "port",
    "cves": { "from": "cve", "split": "," },
    "observed_at": { "from": "date", "format": "%d/%m/%Y" },
    "tags": { "constant": "my-tool" }
  }
}
"#;

#[derive(Template)]
#[template(path = "mappings/list.html")]
struct ListPage {
    frame: Frame,
    mappings: Vec<SavedMapping>,
}

#[derive(Template)]
#[template(path = "mappings/edit.html")]
struct EditPage {
    frame: Frame,
    form: Form,
    trial: Option<MappingTrial>,
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let mappings = services.results.mappings(&viewer.actor).await?;
    render(&ListPage { frame: viewer.frame, mappings })
}

/// The page that changes a mapping.
fn link(mapping: &SavedMapping) -> String {
    format!("/imports/mappings/edit?{}", Fields::default().set("name", &mapping.name).query(&[]))
}

pub(crate) async fn edit(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let text = match viewer.query.text("name") {
        Some(name) => written(&services.results.mapping(&viewer.actor, &name).await?.mapping),
        None => BEGINNING.to_owned(),
    };
    render(&EditPage { frame: viewer.frame, form: Form::of(Fields::default().set("mapping", text)), trial: None })
}

fn written(mapping: &Value) -> String {
    serde_json::to_string_pretty(mapping).unwrap_or_default()
}

/// Tries a mapping, or saves it.
pub(crate) async fn save(State(services): State<Shared>, mut viewer: Viewer, fields: Fields) -> Shown {
    viewer.frame.path = "/imports/mappings/edit".to_owned();
    let text = fields.get("mapping").to_owned();
    let trial = match attempt(&services, &viewer, &text, fields.raw("sample")).await {
        Ok(trial) => trial,
        Err(error) => return again(viewer, fields, error),
    };
    if fields.get("go") != "save" {
        return render(&EditPage { frame: viewer.frame, form: Form::of(fields), trial: Some(trial) });
    }
    match services.results.save_mapping(&viewer.actor, &trial.name, &text).await {
        Ok(_) => Ok(done("/imports/mappings", "mapping_saved")),
        Err(error) => again(viewer, fields, error),
    }
}

async fn attempt(services: &Services, viewer: &Viewer, text: &str, sample: &str) -> Result<MappingTrial> {
    // Browsers send lines with both ends.
    let attempt = TryMapping { mapping: text.to_owned(), sample: sample.replace("\r\n", "\n") };
    services.results.try_mapping(&viewer.actor, attempt).await
}

fn again(viewer: Viewer, fields: Fields, error: Error) -> Shown {
    let status: StatusCode = crate::failure::status(error.kind());
    // The error names a key within the mapping; on the page the mapping is one field.
    let error = if error.field() == Some("/sample") { error } else { error.at("/mapping") };
    let form = refused(&viewer, fields, error)?;
    show_as(status, &EditPage { frame: viewer.frame, form, trial: None })
}

pub(crate) async fn delete(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    services.results.drop_mapping(&viewer.actor, fields.get("name")).await?;
    Ok(done("/imports/mappings", "mapping_dropped"))
}
