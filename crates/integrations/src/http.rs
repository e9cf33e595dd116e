//! Routes of the transmitter, relative to the API's root: management of streams (SSF 1.0 §8) and polling (RFC 8936).

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{Page, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::{Answer, Body, Caller, OpenApiRouter, Params, PathId, routes};

use crate::model::{
    Configuration, Held, HeldState, NewStream, PollAnswer, PollRequest, Stream, StreamId, StreamPatch, StreamStatus, SubjectOrder,
    Verification,
};
use crate::service::Integrations;

/// The routes under `/ssf`.
pub fn routes(integrations: &Integrations) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(read, create, patch, replace, delete))
        .routes(routes!(status, set_status))
        .routes(routes!(add_subject))
        .routes(routes!(remove_subject))
        .routes(routes!(verify))
        .routes(routes!(poll))
        .routes(routes!(held))
        .routes(routes!(resend))
        .with_state(integrations.clone())
}

/// Which stream.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The stream.
    stream_id: StreamId,
}

/// Which stream, or all of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Maybe {
    /// The stream; all of them when absent.
    stream_id: Option<StreamId>,
}

/// One stream when it was named, else all.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = EventStreams)]
enum Streams {
    /// The one that was named.
    One(Box<Configuration>),
    /// All there are.
    All(Vec<Configuration>),
}

/// A stream's configuration, or those of all streams.
#[utoipa::path(get, path = "/ssf/stream", operation_id = "read_event_streams", tag = "ssf", params(Maybe),
    responses((status = 200, body = Streams), web::ErrorResponses))]
async fn read(State(integrations): State<Integrations>, Caller(actor): Caller, Params(which): Params<Maybe>) -> Answer<Json<Streams>> {
    Ok(Json(match which.stream_id {
        Some(id) => Streams::One(Box::new(integrations.configuration(&integrations.stream(&actor, id).await?))),
        None => {
            let page = PageRequest { cursor: None, limit: Some(PageRequest::MAXIMUM) };
            let streams = integrations.streams(&actor, &page).await?.items;
            Streams::All(streams.iter().map(|stream| integrations.configuration(stream)).collect())
        }
    }))
}

/// Makes a stream of events to a receiver, pushed or polled.
#[utoipa::path(post, path = "/ssf/stream", operation_id = "create_event_stream", tag = "ssf", request_body = NewStream,
    responses((status = 201, body = Configuration), web::ErrorResponses))]
async fn create(State(integrations): State<Integrations>, Caller(actor): Caller, Body(new): Body<NewStream>) -> Answer<Response> {
    let stream = integrations.create_stream(&actor, new).await?;
    Ok(web::created(format!("stream?stream_id={}", stream.id), &integrations.configuration(&stream)))
}

/// Changes a stream: absent members stay.
#[utoipa::path(patch, path = "/ssf/stream", operation_id = "patch_event_stream", tag = "ssf", request_body = StreamPatch,
    responses((status = 200, body = Configuration), web::ErrorResponses))]
async fn patch(
    State(integrations): State<Integrations>,
    Caller(actor): Caller,
    Body(patch): Body<StreamPatch>,
) -> Answer<Json<Configuration>> {
    Ok(Json(integrations.configuration(&integrations.update_stream(&actor, patch, false).await?)))
}

/// Replaces a stream's configuration: absent members are taken back.
#[utoipa::path(put, path = "/ssf/stream", operation_id = "replace_event_stream", tag = "ssf", request_body = StreamPatch,
    responses((status = 200, body = Configuration), web::ErrorResponses))]
async fn replace(
    State(integrations): State<Integrations>,
    Caller(actor): Caller,
    Body(whole): Body<StreamPatch>,
) -> Answer<Json<Configuration>> {
    Ok(Json(integrations.configuration(&integrations.update_stream(&actor, whole, true).await?)))
}

/// Ends a stream; what waits in it is gone.
#[utoipa::path(delete, path = "/ssf/stream", operation_id = "delete_event_stream", tag = "ssf", params(Which),
    responses((status = 204), web::ErrorResponses))]
async fn delete(State(integrations): State<Integrations>, Caller(actor): Caller, Params(which): Params<Which>) -> Answer<Response> {
    integrations.delete_stream(&actor, which.stream_id).await?;
    Ok(web::no_content())
}

/// Whether a stream brings events, and why not.
#[utoipa::path(get, path = "/ssf/status", operation_id = "read_event_stream_status", tag = "ssf", params(Which),
    responses((status = 200, body = StreamStatus), web::ErrorResponses))]
async fn status(
    State(integrations): State<Integrations>,
    Caller(actor): Caller,
    Params(which): Params<Which>,
) -> Answer<Json<StreamStatus>> {
    Ok(Json(standing(integrations.stream(&actor, which.stream_id).await?)))
}

/// Enables, pauses or disables a stream.
#[utoipa::path(post, path = "/ssf/status", operation_id = "set_event_stream_status", tag = "ssf", request_body = StreamStatus,
    responses((status = 200, body = StreamStatus), web::ErrorResponses))]
async fn set_status(
    State(integrations): State<Integrations>,
    Caller(actor): Caller,
    Body(order): Body<StreamStatus>,
) -> Answer<Json<StreamStatus>> {
    Ok(Json(standing(integrations.set_status(&actor, order, false).await?)))
}

fn standing(stream: Stream) -> StreamStatus {
    StreamStatus { stream_id: stream.id, status: stream.status, reason: stream.reason }
}

/// Brings events about a subject, again when it was taken out before.
#[utoipa::path(post, path = "/ssf/subjects/add", operation_id = "add_event_subject", tag = "ssf", request_body = SubjectOrder,
    responses((status = 204), web::ErrorResponses))]
async fn add_subject(State(integrations): State<Integrations>, Caller(actor): Caller, Body(order): Body<SubjectOrder>) -> Answer<Response> {
    integrations.add_subject(&actor, &order).await?;
    Ok(web::no_content())
}

/// Brings no more events about a subject.
#[utoipa::path(post, path = "/ssf/subjects/remove", operation_id = "remove_event_subject", tag = "ssf", request_body = SubjectOrder,
    responses((status = 204), web::ErrorResponses))]
async fn remove_subject(
    State(integrations): State<Integrations>,
    Caller(actor): Caller,
    Body(order): Body<SubjectOrder>,
) -> Answer<Response> {
    integrations.remove_subject(&actor, &order).await?;
    Ok(web::no_content())
}

/// Asks a stream to prove that it works: an event of its own follows.
#[utoipa::path(post, path = "/ssf/verify", operation_id = "verify_event_stream", tag = "ssf", request_body = Verification,
    responses((status = 204), web::ErrorResponses))]
async fn verify(State(integrations): State<Integrations>, Caller(actor): Caller, Body(asked): Body<Verification>) -> Answer<Response> {
    integrations.verify_stream(&actor, asked.stream_id, asked.state).await?;
    Ok(web::no_content())
}

/// Fetches what waits in a stream and says what arrived, which takes `write:integrations`; waits for an event when there is none.
#[utoipa::path(post, path = "/ssf/poll/{stream_id}", operation_id = "poll_event_stream", tag = "ssf", request_body = PollRequest,
    params(("stream_id" = StreamId, Path)), responses((status = 200, body = PollAnswer), web::ErrorResponses))]
async fn poll(
    State(integrations): State<Integrations>,
    Caller(actor): Caller,
    PathId(id): PathId<Stream>,
    Body(request): Body<PollRequest>,
) -> Answer<Json<PollAnswer>> {
    Ok(Json(integrations.poll(&actor, id, request).await?))
}

/// What a list of events is narrowed by.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfStream {
    /// The stream.
    stream_id: StreamId,
    /// Only events in this state.
    #[param(inline)]
    state: Option<HeldState>,
}

/// Events of a stream, newest first: what waits, what arrived, and what is dead and why.
#[utoipa::path(get, path = "/ssf/events", operation_id = "list_held_events", tag = "ssf", params(OfStream, PageRequest),
    responses((status = 200, body = Page<Held>), web::ErrorResponses))]
async fn held(
    State(integrations): State<Integrations>,
    Caller(actor): Caller,
    Params(of): Params<OfStream>,
    Params(page): Params<PageRequest>,
) -> Answer<Json<Page<Held>>> {
    Ok(Json(integrations.held(&actor, of.stream_id, of.state, &page).await?))
}

/// What was sent again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventsResent)]
struct Resent {
    /// How many events.
    #[schema(minimum = 0)]
    events: u64,
}

/// Sends dead events of a stream again.
#[utoipa::path(post, path = "/ssf/resend", operation_id = "resend_held_events", tag = "ssf", params(Which),
    responses((status = 200, body = Resent), web::ErrorResponses))]
async fn resend(State(integrations): State<Integrations>, Caller(actor): Caller, Params(which): Params<Which>) -> Answer<Json<Resent>> {
    Ok(Json(Resent { events: integrations.resend(&actor, which.stream_id).await? }))
}
