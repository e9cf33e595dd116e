//! Persisted queries: a client sends the hash of a query it sent before instead of the query (Apollo's automatic persisted
//! queries). What is kept is only ever returned for its own hash, was answered before it was kept, and is little: the store that holds it
//! also counts limits.

use std::time::Duration;

use async_graphql::{Request, ServerError, Value};
use aws_lc_rs::digest::{SHA256, digest};
use backends::Hot;
use base::Actor;
use serde::Deserialize;

use crate::errors;

/// A query that nobody asks for this long, or a day less, is forgotten.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// Largest query that is kept, in bytes; a larger one is sent each time.
const LARGEST: usize = 16 * 1024;
/// New queries kept a day, of one user and of one organisation.
const OF_USER: i64 = 100;
const OF_TENANT: i64 = 500;
const DAY: Duration = Duration::from_secs(24 * 3600);
const EXTENSION: &str = "persistedQuery";

#[derive(Deserialize)]
struct Persisted {
    version: u32,
    #[serde(rename = "sha256Hash")]
    hash: String,
}

/// A query that came with its own hash, to be kept once it was answered.
pub(crate) struct Fresh {
    key: String,
    query: String,
}

/// Puts in the query the hash stands for, or notes that the query came with its hash.
pub(crate) async fn resolve(hot: &Hot, mut request: Request) -> Result<(Request, Option<Fresh>), ServerError> {
    let Some(extension) = request.extensions.remove(EXTENSION) else { return Ok((request, None)) };
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
        renew(hot, &key, &request.query).await;
        return Ok((request, None));
    }
    if hex::encode(digest(&SHA256, request.query.as_bytes())) != hash {
        let error = errors::persisted_hash();
        return Err(refusal(error.detail(), error.code()));
    }
    let fresh = (request.query.len() <= LARGEST).then(|| Fresh { key, query: request.query.clone() });
    Ok((request, fresh))
}

/// Keeps a query that was answered: one that parses, fits the schema and costs no more than may be. Whose budget is used up sends the
/// query each time.
pub(crate) async fn keep(hot: &Hot, actor: &Actor, fresh: Fresh) {
    let kept = async {
        if hot.get(&fresh.key).await?.is_none() {
            let user = actor.user.map(|user| user.to_string()).unwrap_or_default();
            for (whose, most) in [(format!("user:{user}"), OF_USER), (format!("tenant:{}", actor.tenant), OF_TENANT)] {
                if hot.count(&format!("graphql:persisted:budget:{whose}"), 1, DAY).await?.value > most {
                    return Ok(());
                }
            }
        }
        hot.set(&fresh.key, fresh.query.as_bytes(), Some(KEPT_FOR)).await
    };
    let kept: base::Result<()> = kept.await;
    if let Err(error) = kept {
        tracing::debug!(%error, "a persisted query is not kept");
    }
}

/// Lets a query that is in use live on: written once a day, however often it is asked.
async fn renew(hot: &Hot, key: &str, query: &str) {
    let renewed = async {
        if hot.claim(&format!("{key}:renewed"), DAY).await? { hot.set(key, query.as_bytes(), Some(KEPT_FOR)).await } else { Ok(()) }
    };
    let renewed: base::Result<()> = renewed.await;
    if let Err(error) = renewed {
        tracing::debug!(%error, "a persisted query lives no longer than before");
    }
}

fn refusal(message: &str, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", Value::from(code));
    error.extensions = Some(extensions);
    error
}
