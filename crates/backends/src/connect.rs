//! `Backends::connect`: the one place that picks engines and refuses combinations that cannot work.

use std::sync::Arc;

use base::Result;
use tokio::sync::Notify;

use crate::events::Subscriptions;
use crate::{Clock, Config, Db, Ids, Tasks};

/// Handles on the outside world; cheap to clone.
#[derive(Clone)]
pub struct Backends {
    /// Truth.
    pub db: Db,
    /// Time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: Ids,
    /// Background tasks.
    pub tasks: Tasks,
    /// Which jobs listen to which events.
    pub subscriptions: Subscriptions,
    /// Wakes this process's workers after a commit.
    pub(crate) wake: Arc<Notify>,
}

/// Whether one dependency answers.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Health {
    /// `db`, `hot`, `bus`, `blobs` or `keys`.
    pub name: &'static str,
    /// Whether it answers.
    pub ok: bool,
    /// What is wrong, when it does not.
    pub detail: Option<String>,
}

impl Backends {
    /// Opens everything the configuration names, on the system's clock.
    ///
    /// # Errors
    /// Names the key that cannot work, the file in use, or the server that does not answer.
    pub async fn connect(config: &Config) -> Result<Self> {
        Self::connect_with(config, Clock::system()).await
    }

    /// As [`Backends::connect`], on another clock.
    ///
    /// # Errors
    /// As [`Backends::connect`].
    pub async fn connect_with(config: &Config, clock: Clock) -> Result<Self> {
        let db = Db::connect(&config.db, config.db_connections, &clock).await?;
        Ok(Self {
            db,
            clock,
            ids: Ids::default(),
            tasks: Tasks::default(),
            subscriptions: Subscriptions::default(),
            wake: Arc::new(Notify::new()),
        })
    }
}
