//! The parts of the OpenAPI document no single handler owns: problem responses, security schemes, rate-limit headers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Content, Header, OpenApi, Ref, RefOr, Response, ResponseBuilder, Tag};
use utoipa::{IntoResponses, PartialSchema};

use crate::problem::{Document, Fault};

/// Name of the security scheme for access tokens and API tokens.
pub const BEARER: &str = "bearer";
/// Name of the security scheme for console sessions.
pub const SESSION: &str = "session";

/// The problem responses every operation may give; use as `responses((status = 200, …), web::ErrorResponses)`.
#[derive(Debug, Clone, Copy)]
pub struct ErrorResponses;

/// Status and what it means, in the words of the document.
const PROBLEMS: &[(&str, &str)] = &[
    ("400", "The input is wrong; `errors` names the place"),
    ("401", "No or no valid credentials"),
    ("403", "Known, but not allowed"),
    ("404", "No such thing, or not in this organisation"),
    ("409", "The state of the thing forbids this"),
    ("413", "The body is too large"),
    ("415", "The body is of another media type"),
    ("422", "The same Idempotency-Key came with another body"),
    ("429", "Asked too often; see Retry-After"),
    ("500", "Our fault; the log has the request id"),
    ("503", "Something this needs is down; ask again later"),
    ("504", "It took too long"),
];

impl IntoResponses for ErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        PROBLEMS.iter().map(|(status, meaning)| ((*status).to_owned(), RefOr::T(problem(status, meaning)))).collect()
    }
}

fn problem(status: &str, meaning: &str) -> Response {
    let content = Content::builder().schema(Some(Ref::from_schema_name("Problem"))).build();
    let mut response = ResponseBuilder::new().description(meaning).content("application/problem+json", content);
    if status == "401" {
        response = response.header("WWW-Authenticate", text_header("The scheme to authenticate with"));
    }
    if status == "429" || status == "503" {
        response = response.header("Retry-After", number_header("Seconds after which asking again may work"));
    }
    response.build()
}

fn text_header(meaning: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(256)).build();
    HeaderBuilder::new().schema(Some(text)).description(Some(meaning)).build()
}

fn number_header(meaning: &str) -> Header {
    let number = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(0))
        .maximum(Some(i32::MAX))
        .build();
    HeaderBuilder::new().schema(Some(number)).description(Some(meaning)).build()
}

/// Completes the merged document: the schemas behind [`ErrorResponses`], both security schemes (and their use on every
/// operation that does not name its own), the headers the edge adds to every response, a description for every operation
/// and tag, and the one thing all text has in common: no NUL, which input refuses because databases do.
#[must_use]
pub fn complete(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert("Problem".to_owned(), Document::schema());
    components.schemas.insert("ProblemFault".to_owned(), Fault::schema());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT (RFC 7519, RFC 8725)")
        .description(Some("An access token from /auth/login, or an API token `tyr_…`"))
        .build();
    let session = ApiKeyValue::with_description("__Host-tyrian", "Console session; unsafe methods also need X-CSRF-Token");
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    let mut tags = BTreeSet::new();
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            protect(operation);
            operation.description = operation.description.take().or_else(|| operation.summary.clone());
            tags.extend(operation.tags.iter().flatten().cloned());
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    bound_headers(response);
                    limit_headers(response);
                }
            }
        }
    }
    let known: Vec<Tag> = document.tags.take().unwrap_or_default();
    tags.retain(|name| known.iter().all(|tag| tag.name != *name));
    let described = tags.into_iter().map(|name| TagBuilder::new().description(Some(format!("Operations of {name}"))).name(name).build());
    document.tags = Some(known.into_iter().chain(described).collect());
    // Strings sit in places the typed document has no common way to reach.
    match serde_json::to_value(&document) {
        Ok(mut plain) => {
            bound_text(&mut plain);
            serde_json::from_value(plain).unwrap_or(document)
        }
        Err(_) => document,
    }
}

fn bound_text(value: &mut Json) {
    match value {
        Json::Object(members) => {
            let is_text = members
                .get("type")
                .is_some_and(|kind| kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("string"))));
            let is_bound = ["format", "pattern", "enum", "const"].iter().any(|key| members.contains_key(*key));
            if is_text && !is_bound {
                members.insert("pattern".to_owned(), json!("^[^\\u0000]*$"));
            }
            members.values_mut().for_each(bound_text);
        }
        Json::Array(items) => items.iter_mut().for_each(bound_text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch, &mut item.head, &mut item.options]
        .into_iter()
        .flatten()
}

/// `security(())` on a handler (an empty requirement) marks it public and is kept.
fn protect(operation: &mut Operation) {
    if operation.security.is_none() {
        let nothing: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new(BEARER, nothing), SecurityRequirement::new(SESSION, nothing)]);
    }
}

/// `headers(("Location" = String, …))` has no place to say how long the text may be.
fn bound_headers(response: &mut Response) {
    for header in response.headers.values_mut() {
        if let RefOr::T(Header { schema: Some(RefOr::T(Schema::Object(object))), .. }) = header
            && object.schema_type == SchemaType::Type(Type::String)
            && object.max_length.is_none()
        {
            object.max_length = Some(2048);
        }
    }
}

fn limit_headers(response: &mut Response) {
    for (name, meaning) in [
        ("RateLimit-Limit", "Requests allowed in the window"),
        ("RateLimit-Remaining", "Requests left in the window"),
        ("RateLimit-Reset", "Seconds until the window is whole again"),
    ] {
        response.headers.entry(name.to_owned()).or_insert_with(|| number_header(meaning).into());
    }
    let origin = || text_header("Sent to the origins the configuration names").into();
    response.headers.entry("Access-Control-Allow-Origin".to_owned()).or_insert_with(origin);
}
