//! The printed form: the view as JSON beside a template that only lays it out.

use std::collections::BTreeMap;

use base::Time;
use typeset::Document;

use super::RenderError;
use crate::view::View;

const TEMPLATE: &str = include_str!("../../templates/report.typ");

pub(super) fn document(view: View, created: Time) -> Result<Document, RenderError> {
    // All outside text travels in data.json: nothing is ever written into the source.
    let mut files = BTreeMap::new();
    files.insert("data.json".to_owned(), serde_json::to_vec(&view)?);
    files.insert("donut.svg".to_owned(), view.charts.donut.into_bytes());
    files.insert("bars.svg".to_owned(), view.charts.bars.into_bytes());
    Ok(Document { main: TEMPLATE.to_owned(), files, title: view.title, language: view.language, created: created.to_chrono() })
}
