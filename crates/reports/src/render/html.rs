//! The screen form: one page that loads nothing, runs nothing and says so in its policy.

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::RenderError;
use crate::view::View;

const STYLE: &str = include_str!("../../templates/report.css");

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    view: &'a View,
    style: &'static str,
    style_digest: String,
}

pub(super) fn page(view: &View) -> Result<String, RenderError> {
    let style_digest = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    Ok(Page { view, style: STYLE, style_digest }.render()?)
}
