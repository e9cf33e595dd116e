//! The verbs of this context, one file per group; the only door to its tables.

mod deliver;
mod keys;
mod poll;
mod streams;
mod subjects;
mod transmit;

use std::sync::Arc;

use backends::Backends;
use base::{Result, Time};
use serde_json::Value as Json;

use crate::config::Config;
use crate::model::StreamId;
use crate::token;

pub use keys::Rotated;
pub(crate) use transmit::About;

/// Where streams are told that something waits in them.
const CHANNEL: &str = "integrations";

/// What other systems are told. Cheap to clone.
#[derive(Clone)]
pub struct Integrations {
    inner: Arc<Inner>,
}

struct Inner {
    backends: Backends,
    config: Config,
    issuer: String,
}

impl Integrations {
    /// The service over these backends.
    ///
    /// # Errors
    /// `Invalid` naming the setting that cannot work.
    pub fn new(backends: &Backends, config: Config) -> Result<Self> {
        let issuer = config.checked()?;
        Ok(Self { inner: Arc::new(Inner { backends: backends.clone(), config, issuer }) })
    }

    /// `iss` of every event token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// The public keys of event tokens, as a JWK set.
    ///
    /// # Errors
    /// The key store's.
    pub async fn jwks(&self) -> Result<Json> {
        token::jwks(&self.inner.backends.keys).await
    }

    pub(crate) fn api(&self) -> String {
        format!("{}/api/v1", self.inner.issuer)
    }

    fn backends(&self) -> &Backends {
        &self.inner.backends
    }

    fn config(&self) -> &Config {
        &self.inner.config
    }

    fn now(&self) -> Time {
        self.inner.backends.clock.now()
    }

    /// Wakes polls that wait for this stream. Losing the word costs a second.
    async fn wake(&self, stream: StreamId) {
        if let Err(error) = self.backends().bus.publish(CHANNEL, stream.to_string().into_bytes()).await {
            tracing::debug!(%error, "polls are not woken; they look again by themselves");
        }
    }
}
