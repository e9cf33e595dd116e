//! Every page and where it lies.

mod audit;
mod authorizations;
mod decisions;
mod device;
mod device_orders;
mod devices;
mod enrolment;
mod exchange;
mod feeds;
mod finding;
mod findings;
mod imports;
mod insight;
mod invitation;
mod mappings;
mod narrowing;
mod overview;
mod reports;
mod reviews;
mod rules;
mod scans;
mod search;
mod session;
mod settings;
mod streams;
mod switches;
mod targets;
mod tokens;
mod trends;
mod users;
mod walk;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use base::{Error, Kind, PageRequest, Result};

use crate::Shared;
use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::page::Frame;
use crate::request::correctable;

/// Rows of a list.
const ROWS: u32 = 50;

/// What a page handler gives back.
type Shown = Result<Response, Failure>;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(overview::show))
        .route("/first-run", get(session::first_run).post(session::create_first_admin))
        .route("/sign-in", get(session::sign_in_form).post(session::sign_in))
        .route("/sign-out", post(session::sign_out))
        .route("/invitation", get(invitation::form).post(invitation::accept))
        .route("/targets", get(targets::list).post(targets::create))
        .route("/targets/new", get(targets::new))
        .route("/targets/import", get(exchange::form).post(exchange::take))
        .route("/targets/import/preview", with_file(exchange::preview))
        .route("/targets/{id}", get(targets::show))
        .route("/targets/{id}/edit", get(targets::edit).post(targets::update))
        .route("/targets/{id}/delete", post(targets::delete))
        .route("/targets/{id}/authorize", get(authorizations::new).post(authorizations::create))
        .route("/authorizations/{id}/revoke", get(authorizations::ask).post(authorizations::revoke))
        .route("/authorizations/{id}/evidence", get(authorizations::evidence).merge(with_file(authorizations::prove)))
        .route("/scans", get(scans::list).post(scans::start))
        .route("/scans/new", get(scans::new))
        .route("/scans/{id}", get(scans::show))
        .route("/scans/{id}/cancel", post(scans::cancel))
        .merge(results())
        .merge(phones())
        .route("/reports", get(reports::list).post(reports::create))
        .route("/reports/{id}/delete", post(reports::delete))
        .route("/reports/{id}/{format}", get(reports::download))
        .route("/search", get(search::show))
        .route("/audit", get(audit::list))
        .route("/audit/verify", post(audit::verify))
        .route("/audit/{id}", get(audit::show))
        .route("/settings", get(|| async { Redirect::to("/settings/profile") }))
        .route("/settings/profile", get(settings::profile))
        .route("/settings/password", post(settings::change_password))
        .route("/settings/sessions/{id}/end", post(settings::end_session))
        .route("/settings/organisation", get(settings::organisation).post(settings::rename))
        .route("/settings/keys/rotate", post(settings::rotate_keys))
        .route("/settings/users", get(users::list).post(users::create))
        .route("/settings/users/{id}", get(users::show).post(users::update))
        .route("/settings/users/{id}/lock", post(users::lock))
        .route("/settings/users/{id}/unlock", post(users::unlock))
        .route("/settings/users/{id}/invite", post(users::invite))
        .route("/settings/users/{id}/delete", post(users::delete))
        .route("/settings/tokens", get(tokens::list).post(tokens::create))
        .route("/settings/tokens/{id}/revoke", post(tokens::revoke))
        .route("/settings/streams", get(streams::list).post(streams::create))
        .route("/settings/streams/{id}", get(streams::show))
        .route("/settings/streams/{id}/status", post(streams::set_status))
        .route("/settings/streams/{id}/verify", post(streams::verify))
        .route("/settings/streams/{id}/resend", post(streams::resend))
        .route("/settings/streams/{id}/delete", post(streams::delete))
        .route("/settings/feeds", get(feeds::show))
        .route("/settings/feeds/{kind}", with_file(feeds::update))
        .route("/settings/rules", get(rules::show))
        .route("/settings/policy", post(rules::set_policy))
        .route("/settings/sla", get(rules::edit).post(rules::save))
        .route("/settings/sla/delete", post(rules::drop_policy))
}

/// Findings and what belongs to them.
fn results() -> Router<Shared> {
    Router::new()
        .route("/findings", get(findings::list))
        .route("/findings/decisions", post(findings::decide))
        .route("/findings/batches/{id}/undo", post(findings::undo))
        .route("/findings/filters", post(findings::save))
        .route("/findings/filters/{id}/delete", post(findings::drop_saved))
        .route("/findings/{id}", get(finding::show))
        .route("/findings/{id}/decisions", post(finding::decide))
        .route("/findings/{id}/join", post(finding::join))
        .route("/findings/{id}/notes", post(finding::write_note))
        .route("/findings/{id}/notes/delete", post(finding::drop_note))
        .route("/findings/{id}/split", post(finding::split))
        .route("/reviews", get(reviews::queue))
        .route("/reviews/{id}", post(reviews::resolve))
        .route("/decisions", get(decisions::list))
        .route("/decisions/{id}", post(decisions::answer))
        .route("/decisions/rules/{id}/withdraw", post(decisions::withdraw))
        .route("/clusters", get(decisions::clusters))
        .route("/trends", get(trends::show))
        .route("/causes", get(insight::causes))
        .route("/paths", get(insight::paths))
        .route("/patterns", get(insight::patterns))
        .route("/estimates", get(insight::estimates))
        .route("/imports", get(imports::list).post(imports::take))
        .route("/imports/preview", with_file(imports::preview))
        .route("/imports/mappings", get(mappings::list).post(mappings::save))
        .route("/imports/mappings/edit", get(mappings::edit))
        .route("/imports/mappings/delete", post(mappings::delete))
        .route("/imports/{id}", get(imports::show))
        .route("/imports/{id}/undo", post(imports::undo))
}

/// Phones and what belongs to them.
fn phones() -> Router<Shared> {
    Router::new()
        .route("/devices", get(devices::list))
        .route("/devices/live", get(devices::live))
        .route("/devices/codes", get(enrolment::codes).post(enrolment::create))
        .route("/devices/policy", get(enrolment::policy).post(enrolment::set_policy))
        .route("/devices/policy/resume", post(enrolment::resume))
        .route("/devices/switches", get(switches::list).post(switches::propose))
        .route("/devices/switches/new", get(switches::new))
        .route("/devices/switches/{id}", get(switches::show))
        .route("/devices/switches/{id}/throw", post(switches::throw))
        .route("/devices/switches/{id}/release", post(switches::release))
        .route("/devices/{id}", get(device::show))
        .route("/devices/{id}/live", get(device::live))
        .route("/devices/{id}/{order}", get(device_orders::form).post(device_orders::give))
}

/// A form with a file is as large as its reader allows, not as small as other bodies.
fn with_file<H: Handler<T, Shared>, T: 'static>(handler: H) -> MethodRouter<Shared> {
    post(handler).layer(DefaultBodyLimit::disable())
}

/// The page of a list that a query string asks for.
fn page_of(query: &Fields) -> PageRequest {
    PageRequest { cursor: query.text("cursor"), limit: Some(ROWS) }
}

/// The first rows of a list.
fn first(rows: u32) -> PageRequest {
    PageRequest { cursor: None, limit: Some(rows) }
}

/// What the viewer may not read is left out of the page, not refused with it.
fn readable<T>(outcome: Result<T>) -> Result<Option<T>, Failure> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == Kind::Forbidden => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// On to another page, with a word about what was done.
fn done(path: &str, what: &str) -> Response {
    let separator = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{separator}done={what}")).into_response()
}

/// The form as it comes back to whom can correct it.
fn refused(frame: &Frame, fields: Fields, error: Error) -> Result<Form, Failure> {
    let error = correctable(error)?;
    let field = error.field().and_then(|pointer| pointer.trim_start_matches('/').split('/').next()).map(str::to_owned);
    Ok(Form::refused(fields, field, frame.error(&error)))
}
