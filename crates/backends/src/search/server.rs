//! OpenSearch and Elasticsearch over HTTP, in the part of their language that both speak. An index is an alias; a generation
//! is an index `NAME-GENERATION` with an alias of its own for writing, so that a write never makes an index by accident.

mod body;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use query::{Key, Schema};
use serde_json::{Value, json};
use url::{Host, Url};

use super::{COUNTED, Entry, Found, Inquiry, Place, Position, is_generation};
use crate::outbound::{Limits, Outbound, Request, Response};
use crate::tls::Authorities;
use crate::{OutboundConfig, errors};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// Largest answer read; a page of 500 ids and keys is far below.
const ANSWER: u64 = 32 * 1024 * 1024;
/// Documents of one bulk request end here, in bytes.
const BULK: usize = 4 * 1024 * 1024;

/// What kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    OpenSearch,
    Elasticsearch,
}

/// A handle on the server.
#[derive(Clone)]
pub(super) struct Server {
    http: Outbound,
    product: Product,
    base: Url,
    /// Host and port, for messages.
    place: String,
    authorization: Option<HeaderValue>,
    prefix: String,
    /// Indices whose live generation was seen to be made by our rules.
    known: Arc<Mutex<HashSet<&'static str>>>,
}

impl Product {
    fn name(self) -> &'static str {
        match self {
            Self::OpenSearch => "OpenSearch",
            Self::Elasticsearch => "Elasticsearch",
        }
    }
}

impl Server {
    /// Reads the URL; `user:password@` in it signs in.
    pub(super) fn new(product: Product, url: &str, prefix: &str, authorities: &Authorities) -> Result<Self> {
        let (_, address) = url.split_once('+').unwrap_or(("", url));
        let mut base = Url::parse(address).map_err(|cause| errors::search_url(format!("not a URL: {cause}")))?;
        let host = base.host_str().ok_or_else(|| errors::search_url("the URL has no host"))?.to_owned();
        if base.scheme() == "http" && !is_loopback(&base) {
            return Err(errors::search_url("plain http is for this machine only; use +https"));
        }
        if !matches!(base.path(), "" | "/") || base.query().is_some() || base.fragment().is_some() {
            return Err(errors::search_url("the URL ends after host and port; `search_prefix` names what comes before an index"));
        }
        let is_prefix = prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte));
        if !is_prefix || prefix.starts_with(['-', '_', '.']) || prefix.len() > 64 {
            return Err(errors::search_url(format!("`{prefix}` is no prefix of index names: lower-case letters, digits, `-`, `_`")));
        }
        let authorization = authorization(&mut base)?;
        let place = format!("{host}:{}", base.port_or_known_default().unwrap_or_default());
        // Who configures the server vouches for its address.
        let allow = vec![host.trim_matches(['[', ']']).to_owned()];
        let http = Outbound::new(&OutboundConfig { allow, ..OutboundConfig::default() }, authorities)?;
        Ok(Self { http, product, base, place, authorization, prefix: prefix.to_owned(), known: Arc::default() })
    }

    pub(super) async fn ping(&self) -> Result<()> {
        let health = self.expect(Method::GET, "_cluster/health", None).await?;
        if health.get("status").and_then(Value::as_str) == Some("red") {
            return Err(self.unavailable("its status is red"));
        }
        let root = self.send(Method::GET, "", JSON, Vec::new()).await?;
        let Some(version) = self.read(&root).ok().and_then(|body| body.get("version").cloned()) else { return Ok(()) };
        let found = match version.get("distribution").and_then(Value::as_str) {
            Some("opensearch") => Product::OpenSearch,
            _ => Product::Elasticsearch,
        };
        if found == self.product { Ok(()) } else { Err(errors::search_product(&self.place, self.product.name(), found.name())) }
    }

    pub(super) async fn live(&self, schema: &Schema) -> Result<Option<String>> {
        let alias = self.alias(schema);
        let found = self.generations(&alias).await?;
        let live = found.into_iter().find(|(_, fingerprint)| *fingerprint == schema.fingerprint());
        Ok(live.and_then(|(index, _)| index.strip_prefix(&format!("{alias}-")).map(str::to_owned)))
    }

    pub(super) async fn create(&self, schema: &Schema, generation: &str) -> Result<()> {
        let index = self.index(schema, generation);
        let mut body = body::index(schema);
        if let Some(body) = body.as_object_mut() {
            body.insert("aliases".to_owned(), json!({ writing(&index): {} }));
        }
        self.expect(Method::PUT, &index, Some(&body)).await.map(drop)
    }

    pub(super) async fn publish(&self, schema: &Schema, generation: &str) -> Result<()> {
        let (alias, index) = (self.alias(schema), self.index(schema, generation));
        // A pattern also matches indices of others; only what carries our mark and shape is removed.
        let all = self.generations(&format!("{alias}-*")).await?;
        let is_ours = |name: &str| name.strip_prefix(&format!("{alias}-")).is_some_and(is_generation);
        let old = all.into_iter().map(|(name, _)| name).filter(|name| *name != index && is_ours(name));
        let mut actions: Vec<Value> = old.map(|name| json!({ "remove_index": { "index": name } })).collect();
        actions.push(json!({ "add": { "index": index, "alias": alias } }));
        self.expect(Method::POST, "_aliases", Some(&json!({ "actions": actions }))).await.map(drop)
    }

    pub(super) async fn write(&self, schema: &'static Schema, place: Place<'_>, ticket: i64, entries: &[Entry]) -> Result<()> {
        let index = match place {
            Place::Generation(name) => self.index(schema, name),
            Place::Live => {
                let live = self.live(schema).await?.ok_or_else(|| errors::search_missing(schema.name))?;
                self.index(schema, &live)
            }
        };
        let path = format!("{}/_bulk?require_alias=true&filter_path=errors,items.*.status,items.*.error", writing(&index));
        let mut lines = Vec::new();
        for entry in entries {
            body::bulk(&mut lines, ticket, entry);
            if lines.len() >= BULK {
                self.bulk(schema, &path, std::mem::take(&mut lines)).await?;
            }
        }
        if !lines.is_empty() {
            self.bulk(schema, &path, lines).await?;
        }
        self.expect(Method::POST, &format!("{index}/_refresh"), None).await.map(drop)
    }

    pub(super) async fn find(&self, schema: &'static Schema, inquiry: &Inquiry<'_>) -> Result<Found> {
        // Another version of this program may have left an index in which our fields mean something else.
        if !self.known().contains(schema.name) {
            self.live(schema).await?.ok_or_else(|| errors::search_missing(schema.name))?;
            self.known().insert(schema.name);
        }
        let parameters = "allow_partial_search_results=false&filter_path=timed_out,hits.total,hits.hits.sort";
        let path = format!("{}/_search?{parameters}", self.alias(schema));
        let response = self.send(Method::POST, &path, JSON, body::search(inquiry, COUNTED).to_string().into_bytes()).await?;
        if response.status.as_u16() == 404 {
            self.known().remove(schema.name);
            return Err(errors::search_missing(schema.name));
        }
        let answer = self.read(&response)?;
        if answer.get("timed_out").and_then(Value::as_bool) != Some(false) {
            return Err(self.unavailable("it gave up before the end"));
        }
        let total = answer.pointer("/hits/total/value").and_then(Value::as_u64).unwrap_or_default().min(COUNTED);
        let hits = answer.pointer("/hits/hits").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let hits = hits.iter().map(|hit| position(hit).ok_or_else(|| self.unavailable("a hit lacks its sort values")));
        Ok(Found { hits: hits.collect::<Result<_>>()?, total })
    }

    fn known(&self) -> MutexGuard<'_, HashSet<&'static str>> {
        // A set of names is never half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alias(&self, schema: &Schema) -> String {
        format!("{}{}", self.prefix, schema.name)
    }

    fn index(&self, schema: &Schema, generation: &str) -> String {
        format!("{}-{generation}", self.alias(schema))
    }

    /// Names and fingerprints of our indices behind an alias or pattern.
    async fn generations(&self, name: &str) -> Result<Vec<(String, String)>> {
        let response = self.send(Method::GET, &format!("{name}/_mapping?filter_path=*.mappings._meta"), JSON, Vec::new()).await?;
        if response.status.as_u16() == 404 {
            return Ok(Vec::new());
        }
        let indices = self.read(&response)?;
        let indices = indices.as_object().into_iter().flatten();
        let marked = indices.filter_map(|(index, body)| Some((index.clone(), body.pointer(body::MARK)?.as_str()?.to_owned())));
        Ok(marked.collect())
    }

    async fn bulk(&self, schema: &Schema, path: &str, lines: Vec<u8>) -> Result<()> {
        let response = self.send(Method::POST, path, LINES, lines).await?;
        if response.status.as_u16() == 404 {
            return Err(errors::search_missing(schema.name));
        }
        let answer = self.read(&response)?;
        if answer.get("errors").and_then(Value::as_bool) == Some(false) {
            return Ok(());
        }
        let items = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for outcome in items.iter().filter_map(|item| item.as_object()?.values().next()) {
            match outcome.get("status").and_then(Value::as_u64).unwrap_or_default() {
                200..=299 => {}
                // Something newer is there already.
                409 => {}
                404 if outcome.get("error").is_none() => {}
                404 => return Err(errors::search_missing(schema.name)),
                429 | 500..=599 => return Err(self.unavailable("it is too busy to write")),
                status => return Err(self.refused(u16::try_from(status).unwrap_or_default(), outcome)),
            }
        }
        Ok(())
    }

    /// Asks for what can only go right.
    async fn expect(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let response = self.send(method, path, JSON, body).await?;
        self.read(&response)
    }

    fn read(&self, response: &Response) -> Result<Value> {
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        match response.status.as_u16() {
            200..=299 => Ok(body),
            status @ (401 | 403) => Err(self.unavailable(format!("it answered {status}: check user and password of its URL"))),
            status @ (408 | 429 | 500..=599) => Err(self.unavailable(format!("it answered {status}"))),
            status => Err(self.refused(status, &body)),
        }
    }

    async fn send(&self, method: Method, path: &str, content: HeaderValue, body: Vec<u8>) -> Result<Response> {
        let url = self.base.join(path).map_err(|cause| errors::search_url(cause.to_string()))?;
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, content);
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let limits = Limits { timeout: TIMEOUT, bytes: ANSWER, redirects: 0 };
        self.http.fetch_within(Request { method, url, headers, body }, limits).await.map_err(|cause| self.unavailable(cause))
    }

    fn unavailable(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        errors::search_unavailable(&self.place, cause)
    }

    fn refused(&self, status: u16, body: &Value) -> Error {
        let reason = body.pointer("/error/reason").and_then(Value::as_str).unwrap_or_default();
        errors::search_refused(&self.place, status, reason)
    }
}

/// The alias through which one generation is written.
fn writing(index: &str) -> String {
    format!("{index}.writing")
}

fn position(hit: &Value) -> Option<Position> {
    let (id, key) = hit.get("sort")?.as_array()?.split_last()?;
    let key = match key.first() {
        None => None,
        Some(Value::String(text)) => Some(Key::Text(text.clone())),
        Some(number) => Some(Key::Integer(number.as_i64()?)),
    };
    Some(Position { key, id: id.as_str()?.to_owned() })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Takes user and password out of the URL.
fn authorization(url: &mut Url) -> Result<Option<HeaderValue>> {
    let Some(password) = url.password().map(str::to_owned) else { return Ok(None) };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = STANDARD.encode(format!("{}:{}", decoded(url.username()), decoded(&password)));
    let mut value =
        HeaderValue::try_from(format!("Basic {credentials}")).map_err(|_| errors::search_url("user or password cannot be sent"))?;
    value.set_sensitive(true);
    let cleared = url.set_username("").and_then(|()| url.set_password(None));
    cleared.map_err(|()| errors::search_url("the URL cannot carry a user"))?;
    Ok(Some(value))
}
