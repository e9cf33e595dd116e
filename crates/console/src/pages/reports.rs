//! Reports: ask for one, wait for it, fetch it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base::Result;
use http::{HeaderValue, header};
use reports::{Format, NewReport, Report, ReportState};
use scans::{Scan, ScanState};
use targets::Target;

use super::{Shown, done, first, page_of, readable, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared};

const LANGUAGES: &str = "en pt-BR es";
const SEVERITIES: &str = "critical high medium low info";

#[derive(Template)]
#[template(path = "reports/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    reports: Vec<Report>,
    scans: Vec<Scan>,
    targets: Vec<Target>,
    is_moving: bool,
    next: Option<String>,
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let fields = Fields::default().set("scan_id", viewer.query.get("scan")).set("language", viewer.language.as_str());
    let page = offered(&services, viewer, Form::of(fields)).await?;
    render(&page)
}

async fn offered(services: &Services, viewer: Viewer, form: Form) -> Result<ListPage, crate::failure::Failure> {
    let actor = &viewer.actor;
    let page = services.reports.list(actor, page_of(&viewer.query)).await?;
    let filter = scans::Filter { target_id: None, state: Some(ScanState::Completed) };
    let scans = readable(services.scans.list(actor, filter, first(100)).await)?.map(|page| page.items).unwrap_or_default();
    let targets =
        readable(services.targets.list(actor, targets::Filter::default(), first(500)).await)?.map(|page| page.items).unwrap_or_default();
    let next = viewer.query.next("/reports", page.next_cursor);
    let is_moving = page.items.iter().any(|report| report.state == ReportState::Queued);
    Ok(ListPage { frame: viewer.frame, form, reports: page.items, scans, targets, is_moving, next })
}

pub(crate) async fn create(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let outcome = match built(&fields) {
        Ok(new) => services.reports.create(&viewer.actor, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(done("/reports", "report_requested")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            let page = offered(&services, viewer, form).await?;
            show_as(status, &page)
        }
    }
}

fn built(fields: &Fields) -> Result<NewReport> {
    let mut new = NewReport::titled(fields.get("title"));
    new.scan_id = fields.word("scan_id")?;
    new.target_ids = fields.word("target_id")?.into_iter().collect();
    new.language = fields.word("language")?.unwrap_or_default();
    new.prepared_for = fields.text("prepared_for");
    new.filter.minimum_severity = match fields.text("minimum_severity") {
        Some(word) => Some(serde_json::from_value(word.into()).map_err(|_| crate::errors::no_choice("minimum_severity"))?),
        None => None,
    };
    Ok(new)
}

pub(crate) async fn download(State(services): State<Shared>, viewer: Viewer, Path((id, format)): Path<(String, String)>) -> Shown {
    let id = id.parse().map_err(|_| crate::errors::no_such_page())?;
    let format: Format = format.parse().map_err(|_| crate::errors::no_such_page())?;
    let file = services.reports.download(&viewer.actor, id, format).await?;
    Ok(attachment(file))
}

fn attachment(file: reports::File) -> Response {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{}\"", file.filename.replace(['"', '\\'], "")));
    let mut response = ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response();
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    response
}

pub(crate) async fn delete(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Report>) -> Shown {
    services.reports.delete(&viewer.actor, id).await?;
    Ok(done("/reports", "report_deleted"))
}
