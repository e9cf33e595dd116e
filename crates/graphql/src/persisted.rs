//! Persisted queries: a client sends the hash of a query it sent before instead of the query (Apollo's automatic persisted
//! queries). What is kept is only ever returned for its own hash.

use std::time::Duration;

use async_graphql::{Request, ServerError, Value};
use aws_lc_rs::digest::{SHA256, digest};
use backends::Hot;
use serde::Deserialize;

use crate::errors;

/// A query nobody sends for this long is forgotten.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
const EXTENSION: &str = "persistedQuery";

#[derive(Deserialize)]
struct Persisted {
    version: u32,
    #[serde(rename = "sha256Hash")]
    hash: String,
}

/// Puts in the query the hash stands for, or keeps the query under its hash.
pub(crate) async fn resolve(hot: &Hot, mut request: Request) -> Result<Request, ServerError> {
    let Some(extension) = request.extensions.remove(EXTENSION) else { return Ok(request) };
    let persisted: Persisted = match async_graphql::from_value(extension) {
        Ok(Persisted { version, .. }) if version != 1 => {
            return Err(refusal("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"));
        }
        Ok(persisted) => persisted,
        Err(_) => return Err(refusal("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")),
    };
    let hash = persisted.hash.to_ascii_lowercase();
    let key = format!("graphql:persisted:{hash}");
    if request.query.is_empty() {
        // A store that is down means the client sends the query again.
        let kept = hot.get(&key).await.ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
        request.query = kept.ok_or_else(|| refusal("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"))?;
    } else if hex::encode(digest(&SHA256, request.query.as_bytes())) == hash {
        hot.set(&key, request.query.as_bytes(), Some(KEPT_FOR)).await.ok();
    } else {
        let error = errors::persisted_hash();
        return Err(refusal(error.detail(), error.code()));
    }
    Ok(request)
}

fn refusal(message: &str, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", Value::from(code));
    error.extensions = Some(extensions);
    error
}
