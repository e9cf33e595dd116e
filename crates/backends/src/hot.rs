//! Hot keys: small values that expire, counters, quotas, single-use tokens. A projection that may be
//! lost (seconds of it, or all): truth is in the database. Every operation is atomic on its one key,
//! and means the same on every engine.
//!
//! An `Unavailable` answer leaves open whether the operation happened.

mod claims;
mod embedded;
mod journal;
mod quota;
mod redis;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::Result;

use self::embedded::Embedded;
use self::redis::Redis;
use crate::tls::Authorities;
use crate::{Clock, Tasks, errors};

pub use self::quota::{Count, Quota, Verdict};

const MAXIMUM_KEY: usize = 1024;
const MAXIMUM_VALUE: usize = 1024 * 1024;

/// The hot key store.
#[derive(Clone, Debug)]
pub struct Hot {
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Embedded(Arc<Embedded>),
    Redis(Redis),
}

impl Hot {
    /// Opens the engine the URL names: `embedded:DIR`, `redis://…` or `rediss://…`.
    ///
    /// # Errors
    /// `Invalid` for a URL that names none, `Conflict` when another process holds the folder,
    /// `Unavailable` when the server does not answer.
    pub async fn connect(url: &str, clock: &Clock, tasks: &Tasks, authorities: &Authorities) -> Result<Self> {
        let engine = match url.split_once(':') {
            Some(("embedded", folder)) if !folder.is_empty() => {
                let (folder, clock) = (Path::new(folder).to_path_buf(), clock.clone());
                let opened = tokio::task::spawn_blocking(move || Embedded::open(&folder, &clock)).await;
                let opened = opened.map_err(|cause| base::Error::internal("opening the hot store panicked").because(cause))?;
                Engine::Embedded(Arc::new(opened?))
            }
            Some(("redis" | "rediss" | "redis+sentinel" | "redis+cluster" | "rediss+sentinel" | "rediss+cluster", _)) => {
                Engine::Redis(Redis::connect(url, tasks, authorities).await?)
            }
            _ => return Err(errors::unknown_engine("hot", url, "`embedded:DIR`, `redis://…`, `rediss://…`")),
        };
        Ok(Self { engine })
    }

    /// The value, unless there is none or it has expired.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        checked(key, &[])?;
        match &self.engine {
            Engine::Embedded(embedded) => Ok(embedded.get(key)),
            Engine::Redis(redis) => redis.get(key).await,
        }
    }

    /// Stores the value, for ever or for `ttl` (at least a millisecond).
    ///
    /// # Errors
    /// `Unavailable` when the engine is down or full.
    pub async fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        checked(key, value)?;
        match &self.engine {
            Engine::Embedded(embedded) => embedded.set(key, value, ttl),
            Engine::Redis(redis) => redis.set(key, value, ttl).await,
        }
    }

    /// Stores the value as [`Hot::set`] does, for what changes all the time and may be half a minute older after a power cut: the
    /// embedded engine writes it once for many changes.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down or full.
    pub async fn set_lazily(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        checked(key, value)?;
        match &self.engine {
            Engine::Embedded(embedded) => embedded.set_lazily(key, value, ttl),
            Engine::Redis(redis) => redis.set(key, value, ttl).await,
        }
    }

    /// Stores the value when there is none; `false` when there is.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down or full.
    pub async fn set_new(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<bool> {
        checked(key, value)?;
        match &self.engine {
            Engine::Embedded(embedded) => embedded.set_new(key, value, ttl),
            Engine::Redis(redis) => redis.set_new(key, value, ttl).await,
        }
    }

    /// Takes the key for `ttl`: of all who ask, one gets it. It can neither be read nor given back, and is forgotten when the engine
    /// ends: whoever relies on it must refuse what may have been claimed in another [`Hot::life`].
    ///
    /// # Errors
    /// `Unavailable` when the engine is down or full.
    pub async fn claim(&self, key: &str, ttl: Duration) -> Result<bool> {
        checked(key, &[])?;
        match &self.engine {
            Engine::Embedded(embedded) => embedded.claim(key, ttl),
            Engine::Redis(redis) => redis.set_new(key, b"1", Some(ttl)).await,
        }
    }

    /// Names the time for which claims are held: another one whenever the engine starts, or another server takes its place. All
    /// processes see the same.
    #[must_use]
    pub fn life(&self) -> Arc<str> {
        match &self.engine {
            Engine::Embedded(embedded) => embedded.life(),
            Engine::Redis(redis) => redis.life(),
        }
    }

    /// Removes the key; `false` when there was none.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down.
    pub async fn delete(&self, key: &str) -> Result<bool> {
        checked(key, &[])?;
        match &self.engine {
            Engine::Embedded(embedded) => Ok(embedded.take(key).is_some()),
            Engine::Redis(redis) => redis.delete(key).await,
        }
    }

    /// Removes the key as [`Hot::delete`] does, for what may be there again after a power cut.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down.
    pub async fn delete_lazily(&self, key: &str) -> Result<bool> {
        checked(key, &[])?;
        match &self.engine {
            Engine::Embedded(embedded) => Ok(embedded.delete_lazily(key)),
            Engine::Redis(redis) => redis.delete(key).await,
        }
    }

    /// Removes the key and returns what it held: of all who ask, one gets it.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down.
    pub async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        checked(key, &[])?;
        match &self.engine {
            Engine::Embedded(embedded) => Ok(embedded.take(key)),
            Engine::Redis(redis) => redis.take(key).await,
        }
    }

    /// Removes the key when it holds exactly `value`.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down.
    pub async fn delete_if(&self, key: &str, value: &[u8]) -> Result<bool> {
        checked(key, value)?;
        match &self.engine {
            Engine::Embedded(embedded) => Ok(embedded.delete_if(key, value)),
            Engine::Redis(redis) => redis.delete_if(key, value).await,
        }
    }

    /// Adds `by` to the counter; the first call opens a window after which it is gone.
    ///
    /// # Errors
    /// `Conflict` when the key holds no number, `Unavailable` when the engine is down or full.
    pub async fn count(&self, key: &str, by: i64, window: Duration) -> Result<Count> {
        checked(key, &[])?;
        match &self.engine {
            Engine::Embedded(embedded) => embedded.count(key, by, window),
            Engine::Redis(redis) => redis.count(key, by, window).await,
        }
    }

    /// Takes one from the quota: at most `burst` at once, refilled evenly over `per` (GCRA). A refusal takes nothing.
    ///
    /// # Errors
    /// `Unavailable` when the engine is down or full.
    pub async fn limit(&self, key: &str, quota: Quota) -> Result<Verdict> {
        checked(key, &[])?;
        if quota.burst == 0 {
            return Ok(Verdict { allowed: false, limit: 0, remaining: 0, retry_after: quota.per, reset_after: quota.per });
        }
        match &self.engine {
            Engine::Embedded(embedded) => embedded.limit(key, quota),
            Engine::Redis(redis) => redis.limit(key, quota).await,
        }
    }

    /// Whether the engine answers.
    ///
    /// # Errors
    /// `Unavailable` with what is wrong.
    pub async fn ping(&self) -> Result<()> {
        match &self.engine {
            Engine::Embedded(embedded) => embedded.ping(),
            Engine::Redis(redis) => redis.ping().await,
        }
    }

    /// Waits until everything acknowledged so far is on disk, where the engine is ours.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub async fn flush(&self) -> Result<()> {
        match &self.engine {
            Engine::Embedded(embedded) => embedded.flush().await,
            Engine::Redis(_) => Ok(()),
        }
    }
}

fn checked(key: &str, value: &[u8]) -> Result<()> {
    if key.is_empty() || key.len() > MAXIMUM_KEY {
        return Err(errors::hot_key(key));
    }
    if value.len() > MAXIMUM_VALUE {
        return Err(errors::hot_value(value.len()));
    }
    Ok(())
}

/// Whole milliseconds, rounded up, never zero: the precision both engines keep.
fn milliseconds(ttl: Duration) -> i64 {
    let rounded_up = ttl.as_micros().div_ceil(1000).max(1);
    i64::try_from(rounded_up).unwrap_or(i64::MAX).min(MAXIMUM_TTL)
}

/// A hundred years; Redis refuses a deadline that overflows.
const MAXIMUM_TTL: i64 = 100 * 365 * 24 * 3600 * 1000;
