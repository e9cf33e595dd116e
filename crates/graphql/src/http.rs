//! GraphQL over HTTP (the GraphQL Foundation's specification): GET and POST, both media types, and the socket for
//! subscriptions behind the same address. What is wrong with a request is told in GraphQL's own words, not as a problem.

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as Answered, ServerError, Variables};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, Extension, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base::{Actor, Error, UserId};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use web::{Answer, Caller, Shares, Standing, UserLimit};

use crate::loaders::Asking;
use crate::socket::Caution;
use crate::{Schema, Services, errors, persisted, schema, socket};

const LARGEST_REQUEST: usize = 256 * 1024;
const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) schema: Schema,
    pub(crate) services: Services,
    /// Sockets open in this process, by user.
    pub(crate) sockets: Shares<Option<UserId>>,
}

/// Where questions are asked. They change nothing, also by POST.
pub const PATH: &str = "/graphql";

/// The endpoint: `GET` and `POST` at [`PATH`].
pub fn routes(services: &Services) -> Router {
    let door = Door { schema: schema(services.clone()), services: services.clone(), sockets: Shares::new(socket::MOST_SOCKETS) };
    Router::new().route(PATH, get(asked_by_get).post(asked_by_post)).layer(DefaultBodyLimit::max(LARGEST_REQUEST)).with_state(door)
}

/// A request as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Json>>,
    extensions: Option<Map<String, Json>>,
}

/// The same in a query string, where maps are JSON text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

async fn asked_by_get(
    State(door): State<Door>,
    Caller(actor): Caller,
    headers: HeaderMap,
    (standing, limit): (Standing, Option<Extension<UserLimit>>),
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Answer<Response> {
    if headers.get(header::UPGRADE).is_some() {
        let limit = limit.map(|Extension(limit)| limit);
        return socket::open(&door, actor, &headers, Caution { standing, limit }, upgrade);
    }
    let media = Media::wanted(&headers);
    let map = |name: &str, text: Option<String>| match text {
        Some(text) => serde_json::from_str(&text).map_err(|cause| errors::request(&format!("`{name}` is not a JSON object: {cause}"))),
        None => Ok(None),
    };
    let sent = parameters.map_err(|cause| errors::request(&cause.body_text())).and_then(|Query(given)| {
        Ok(Sent {
            query: given.query,
            operation_name: given.operation_name,
            variables: map("variables", given.variables)?,
            extensions: map("extensions", given.extensions)?,
        })
    });
    Ok(match sent.and_then(built) {
        Ok(request) => answer(&door, &actor, media, request, true).await,
        Err(error) => media.refuse(StatusCode::BAD_REQUEST, &error),
    })
}

async fn asked_by_post(
    State(door): State<Door>,
    Caller(actor): Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let media = Media::wanted(&headers);
    if !is_json(&headers) {
        return media.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &errors::request("the content type must be application/json in UTF-8"));
    }
    let body = match body {
        Ok(body) => body,
        Err(cause) => return media.refuse(cause.status(), &errors::request(&cause.body_text())),
    };
    let sent = serde_json::from_slice::<Sent>(&body).map_err(|cause| errors::request(&cause.to_string()));
    match sent.and_then(built) {
        Ok(request) => answer(&door, &actor, media, request, false).await,
        Err(error) => media.refuse(StatusCode::BAD_REQUEST, &error),
    }
}

fn built(sent: Sent) -> Result<Request, Error> {
    let extensions = sent.extensions.unwrap_or_default();
    if sent.query.is_none() && extensions.is_empty() {
        return Err(errors::request("`query` is missing"));
    }
    let mut request =
        Request::new(sent.query.unwrap_or_default()).variables(Variables::from_json(sent.variables.unwrap_or_default().into()));
    request.operation_name = sent.operation_name;
    for (name, value) in extensions {
        let value = async_graphql::Value::from_json(value).map_err(|cause| errors::request(&cause.to_string()))?;
        request.extensions.insert(name, value);
    }
    Ok(request)
}

async fn answer(door: &Door, actor: &Actor, media: Media, request: Request, is_get: bool) -> Response {
    let hot = &door.services.backends.hot;
    let (request, fresh) = match persisted::resolve(hot, request).await {
        Ok(resolved) => resolved,
        Err(error) => return media.answer(Answered::from_errors(vec![error])),
    };
    if is_get && asks_for_more_than_reading(&request) {
        let mut refused = media.refuse(StatusCode::METHOD_NOT_ALLOWED, &errors::only_queries_by_get());
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return refused;
    }
    let answered = door.schema.execute(request.data(Asking::new(&door.services, actor))).await;
    if let Some(fresh) = fresh.filter(|_| !is_refused(&answered)) {
        persisted::keep(hot, actor, fresh).await;
    }
    media.answer(answered)
}

/// Whether nothing was executed: a request error has no `data` at all.
fn is_refused(answered: &Answered) -> bool {
    answered.data == async_graphql::Value::Null && answered.errors.iter().any(|error| error.path.is_empty())
}

/// Whether any operation of the document is not a query; what cannot be parsed is told later.
fn asks_for_more_than_reading(request: &Request) -> bool {
    async_graphql::parser::parse_query(&request.query)
        .is_ok_and(|document| document.operations.iter().any(|(_, operation)| operation.node.ty != OperationType::Query))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().as_deref() == Some(JSON)
        && parts
            .all(|parameter| !parameter.starts_with("charset=") || parameter.trim_start_matches("charset=").trim_matches('"') == "utf-8")
}

/// What kind of answer the caller reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// Older clients: a well-formed request is always answered with 200.
    Json,
    /// The status tells whether the request was answered at all.
    GraphQl,
}

impl Media {
    fn wanted(headers: &HeaderMap) -> Self {
        let mentions = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|part| part.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(GRAPHQL)));
        if mentions { Self::GraphQl } else { Self::Json }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
        }
    }

    fn answer(self, answered: Answered) -> Response {
        let is_refused = is_refused(&answered);
        let status = if is_refused && self == Self::GraphQl { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        let body = if is_refused { json!({ "errors": answered.errors }) } else { json!(answered) };
        (status, [(header::CONTENT_TYPE, self.name())], body.to_string()).into_response()
    }

    fn refuse(self, status: StatusCode, error: &Error) -> Response {
        let mut told = ServerError::new(error.detail(), None);
        let mut extensions = async_graphql::ErrorExtensionValues::default();
        extensions.set("code", error.code());
        told.extensions = Some(extensions);
        (status, [(header::CONTENT_TYPE, self.name())], json!({ "errors": [told] }).to_string()).into_response()
    }
}
