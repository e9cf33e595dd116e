//! Streams of security events to other systems: made, watched, paused, verified, ended.

use askama::Template;
use axum::extract::State;
use base::Secret;
use http::StatusCode;
use integrations::{DeliveryOrder, Held, HeldState, Method, NewStream, SUPPORTED, Status, Stream, StreamId, StreamStatus, Tally};

use super::{Shown, done, first, page_of, refused};
use crate::fields::{Fields, Form};
use crate::page::{Choice, Frame, show as render, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared};

const METHODS: &str = "push poll";
/// Dead events shown of a stream.
const DEAD: u32 = 20;

#[derive(Template)]
#[template(path = "settings/streams.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    rows: Vec<Row>,
    events: Vec<Choice>,
    /// Where a receiver begins.
    discovery: String,
    next: Option<String>,
}

/// One stream and what became of its events.
struct Row {
    stream: Stream,
    tally: Tally,
}

#[derive(Template)]
#[template(path = "settings/stream.html")]
struct StreamPage {
    frame: Frame,
    stream: Stream,
    tally: Tally,
    audience: String,
    endpoint: String,
    events: Vec<String>,
    dead: Vec<Held>,
    discovery: String,
}

/// An event type in the viewer's language.
fn event(frame: &Frame, event: &str) -> String {
    frame.word("security_event", integrations::name(event).replace('-', "_"))
}

fn events(frame: &Frame) -> Vec<Choice> {
    SUPPORTED.iter().map(|name| Choice { value: (*name).to_owned(), label: event(frame, name) }).collect()
}

fn discovery(services: &Services) -> String {
    format!("{}/.well-known/ssf-configuration", services.integrations.issuer())
}

fn beginning() -> Form {
    Form::of(SUPPORTED.iter().fold(Fields::default().set("method", "push"), |fields, event| fields.set("events", *event)))
}

/// What people call a stream; its place when they call it nothing.
fn called(stream: &Stream) -> &str {
    stream.description.as_deref().or(stream.endpoint.as_deref()).unwrap_or("–")
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    listed(&services, viewer, beginning(), StatusCode::OK).await
}

async fn listed(services: &Services, viewer: Viewer, form: Form, status: StatusCode) -> Shown {
    let page = services.integrations.streams(&viewer.actor, &page_of(&viewer.query)).await?;
    let mut rows = Vec::with_capacity(page.items.len());
    for stream in page.items {
        let tally = services.integrations.tally(&viewer.actor, stream.id).await?;
        rows.push(Row { stream, tally });
    }
    let next = viewer.query.next("/settings/streams", page.next_cursor);
    let page = ListPage { events: events(&viewer.frame), discovery: discovery(services), frame: viewer.frame, form, rows, next };
    show_as(status, &page)
}

pub(crate) async fn create(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    match services.integrations.create_stream(&viewer.actor, built(&fields)).await {
        Ok(stream) => Ok(done(&format!("/settings/streams/{}", stream.id), "stream_made")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let error = placed(error);
            // A secret is never sent back.
            let form = refused(&viewer, fields.without(&["authorization"]), error)?;
            listed(&services, viewer, form, status).await
        }
    }
}

fn built(fields: &Fields) -> NewStream {
    let method = if fields.get("method") == "poll" { Method::Poll } else { Method::Push };
    let delivery = DeliveryOrder {
        method,
        endpoint_url: fields.text("endpoint"),
        authorization_header: fields.text("authorization").map(Secret::new),
    };
    NewStream { events_requested: Some(fields.all("events")), delivery: Some(delivery), description: fields.text("description") }
}

/// The field of the form that an error of the API's is about.
fn placed(error: base::Error) -> base::Error {
    match error.field() {
        Some("/delivery/endpoint_url") => error.at("/endpoint"),
        Some("/delivery/authorization_header") => error.at("/authorization"),
        Some("/events_requested") => error.at("/events"),
        _ => error,
    }
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Stream>) -> Shown {
    let integrations = &services.integrations;
    let stream = integrations.stream(&viewer.actor, id).await?;
    let configuration = integrations.configuration(&stream);
    render(&StreamPage {
        tally: integrations.tally(&viewer.actor, id).await?,
        dead: integrations.held(&viewer.actor, id, Some(HeldState::Dead), &first(DEAD)).await?.items,
        audience: configuration.aud,
        endpoint: configuration.delivery.endpoint_url,
        events: stream.delivered().into_iter().map(|name| event(&viewer.frame, name)).collect(),
        discovery: discovery(&services),
        frame: viewer.frame,
        stream,
    })
}

pub(crate) async fn set_status(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Stream>, fields: Fields) -> Shown {
    let status: Status = fields.word("status")?.ok_or_else(|| crate::errors::no_choice("status"))?;
    let order = StreamStatus { stream_id: id, status, reason: fields.text("reason") };
    services.integrations.set_status(&viewer.actor, order, true).await?;
    back(id, "saved")
}

pub(crate) async fn verify(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Stream>) -> Shown {
    services.integrations.verify_stream(&viewer.actor, id, None).await?;
    back(id, "stream_verified")
}

pub(crate) async fn resend(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Stream>) -> Shown {
    services.integrations.resend(&viewer.actor, id).await?;
    back(id, "events_resent")
}

pub(crate) async fn delete(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Stream>) -> Shown {
    services.integrations.delete_stream(&viewer.actor, id).await?;
    Ok(done("/settings/streams", "stream_deleted"))
}

fn back(id: StreamId, what: &str) -> Shown {
    Ok(done(&format!("/settings/streams/{id}"), what))
}
