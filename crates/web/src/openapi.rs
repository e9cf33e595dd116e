//! The parts of the OpenAPI document no single handler owns: problem responses, security schemes, rate-limit headers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
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

/// Name of the security scheme of phones.
pub const DPOP: &str = "dpop";

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
    let dpop =
        ApiKeyValue::with_description("DPoP", "A proof of possession by the phone's key (RFC 9449); tokens go into `Authorization: DPoP`");
    components.add_security_scheme(DPOP, SecurityScheme::ApiKey(ApiKey::Header(dpop)));
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    let mut tags = BTreeSet::new();
    let mut problems = BTreeMap::new();
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            protect(operation);
            operation.description = operation.description.take().or_else(|| operation.summary.clone());
            tags.extend(operation.tags.iter().flatten().cloned());
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(whole) = response else { continue };
                bound_headers(whole);
                limit_headers(whole);
                if PROBLEMS.iter().any(|(known, meaning)| known == status && *meaning == whole.description) {
                    // Said once; every operation points to it.
                    let name = format!("Problem{status}");
                    let shared = std::mem::replace(response, RefOr::Ref(Ref::from_response_name(&name)));
                    problems.insert(name, shared);
                }
            }
        }
    }
    if let Some(components) = &mut document.components {
        components.responses.extend(problems);
    }
    let known: Vec<Tag> = document.tags.take().unwrap_or_default();
    tags.retain(|name| known.iter().all(|tag| tag.name != *name));
    let described = tags.into_iter().map(|name| TagBuilder::new().description(Some(format!("Operations of {name}"))).name(name).build());
    document.tags = Some(known.into_iter().chain(described).collect());
    // Schemas sit in places the typed document has no common way to reach.
    match serde_json::to_value(&document) {
        Ok(mut plain) => {
            bound(&mut plain["paths"]);
            bound(&mut plain["components"]);
            describe(&mut plain);
            forget_unused(&mut plain);
            serde_json::from_value(plain).unwrap_or(document)
        }
        Err(_) => document,
    }
}

/// Largest whole number every JSON reader keeps exactly (RFC 8259 §6).
const LARGEST_NUMBER: u64 = (1 << 53) - 1;
/// Longest text and list of anything that names no bound of its own.
const LONGEST_TEXT: u64 = 1 << 20;
const LONGEST_LIST: u64 = 10_000;

/// Gives every schema the widest bound the product has where its type names none: consumers can then size what they read.
fn bound(value: &mut Json) {
    match value {
        Json::Object(members) => {
            let is = |members: &Map<String, Json>, kind: &str| {
                members.get("type").is_some_and(|given| given == kind || given.as_array().is_some_and(|kinds| kinds.contains(&json!(kind))))
            };
            let says = |members: &Map<String, Json>, keys: &[&str]| keys.iter().any(|key| members.contains_key(*key));
            if is(members, "string") && !says(members, &["enum", "const"]) {
                let is_free = members.get("format").is_none_or(|format| format == "password");
                if is_free && !says(members, &["pattern"]) {
                    members.insert("pattern".to_owned(), json!("^[^\\u0000]*$"));
                }
                if !says(members, &["maxLength"]) {
                    members.insert("maxLength".to_owned(), json!(LONGEST_TEXT));
                }
            }
            if is(members, "integer") && !says(members, &["enum", "const"]) {
                members.entry("format").or_insert_with(|| json!("int64"));
                members.entry("minimum").or_insert_with(|| json!(0));
                members.entry("maximum").or_insert_with(|| json!(LARGEST_NUMBER));
            }
            if is(members, "array") {
                members.entry("maxItems").or_insert_with(|| json!(LONGEST_LIST));
            }
            members.values_mut().for_each(bound);
        }
        Json::Array(items) => items.iter_mut().for_each(bound),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Answers and identifiers that say nothing of themselves are what their status or name says.
fn describe(document: &mut Json) {
    let operations = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.filter_map(Json::as_object_mut).flat_map(|item| item.values_mut()) {
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                let name = parameter["name"].as_str().unwrap_or_default();
                parameter["description"] = match name.strip_suffix("_id") {
                    Some(thing) => json!(format!("Id of the {}", thing.replace('_', " "))),
                    None => json!(format!("The {}", name.replace('_', " "))),
                };
            }
        }
        for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            if response.get("$ref").is_none() && response["description"].as_str().is_none_or(str::is_empty) {
                response["description"] = json!(match status.as_str() {
                    "201" => "Made; `Location` says where",
                    "202" => "Taken; the work goes on",
                    "204" => "Done; there is nothing more to say",
                    _ => "The answer",
                });
            }
        }
    }
    for server in document["servers"].as_array_mut().into_iter().flatten() {
        server["x-internal"] = json!(false);
    }
}

/// A page spells its rows out, so their own schema may be left without anybody who points to it.
fn forget_unused(document: &mut Json) {
    loop {
        let text = document.to_string();
        let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
        let before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
        if schemas.len() == before {
            return;
        }
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
