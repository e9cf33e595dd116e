//! `Backends::connect`: the one place that picks engines and refuses combinations that cannot work.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use base::Result;
use tokio::sync::Notify;

use crate::events::Subscriptions;
use crate::tls::Authorities;
use crate::{Blobs, Bus, Clock, Config, Db, Hot, Ids, Keys, Mail, Outbound, Search, Tasks};

/// Handles on the outside world. One count to clone: every service holds them, and services are cloned for every request.
#[derive(Clone)]
pub struct Backends(Arc<Engines>);

/// What [`Backends`] hands on.
#[derive(Clone)]
pub struct Engines {
    /// Truth.
    pub db: Db,
    /// Keys that expire, counters, nonces: fast, and rebuilt when lost.
    pub hot: Hot,
    /// Tells all nodes.
    pub bus: Bus,
    /// Finds documents by what is in them: rebuilt from the database when lost.
    pub search: Search,
    /// Files.
    pub blobs: Blobs,
    /// Signing and sealing keys.
    pub keys: Keys,
    /// Letters.
    pub mail: Mail,
    /// HTTP to the outside.
    pub outbound: Outbound,
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
    /// `db`, `hot`, `bus`, `blobs`, `keys` or `search`.
    pub name: &'static str,
    /// Whether a process without it cannot serve.
    pub required: bool,
    /// Whether it answers.
    pub ok: bool,
    /// What is wrong, when it does not.
    pub detail: Option<String>,
}

impl Deref for Backends {
    type Target = Engines;

    fn deref(&self) -> &Engines {
        &self.0
    }
}

/// Another engine in the place of one: seen through this handle alone.
impl DerefMut for Backends {
    fn deref_mut(&mut self) -> &mut Engines {
        Arc::make_mut(&mut self.0)
    }
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
        let tasks = Tasks::default();
        let authorities = Authorities::load(config.outbound.authorities.as_deref())?;
        let hot = Hot::connect(&config.hot, &clock, &tasks, &authorities).await?;
        let bus = Bus::connect(&config.bus, &tasks, &authorities).await?;
        let search = Search::connect(&config.search, &config.search_prefix, &authorities)?;
        let blobs = Blobs::connect(&config.blobs)?;
        let keys = Keys::connect(&config.keys, config.keys_passphrase.as_ref(), &clock).await?;
        let mail = Mail::connect(&config.mail, &config.mail_from, &clock, &authorities)?;
        let outbound = Outbound::new(&config.outbound, &authorities)?;
        Ok(Self(Arc::new(Engines {
            db,
            hot,
            bus,
            search,
            blobs,
            keys,
            mail,
            outbound,
            clock,
            ids: Ids::default(),
            tasks,
            subscriptions: Subscriptions::default(),
            wake: Arc::new(Notify::new()),
        })))
    }

    /// Asks every dependency whether it answers.
    pub async fn health(&self) -> Vec<Health> {
        let told = |name, required, outcome: Result<()>| {
            let detail = outcome.as_ref().err().map(|error| error.detail().to_owned());
            Health { name, required, ok: outcome.is_ok(), detail }
        };
        let (db, hot, bus, search, blobs, keys) =
            tokio::join!(self.db.ping(), self.hot.ping(), self.bus.ping(), self.search.ping(), self.blobs.ping(), self.keys.ping());
        vec![
            told("db", true, db),
            told("hot", true, hot),
            told("bus", true, bus),
            told("search", false, search),
            told("blobs", true, blobs),
            told("keys", true, keys),
        ]
    }

    /// Ends background tasks, writes what is still in memory and closes connections; `false` when some task did not end in time.
    pub async fn close(&self, patience: std::time::Duration) -> bool {
        let ended = self.tasks.drain(patience).await;
        if let Err(error) = self.hot.flush().await {
            tracing::warn!(%error, "the last hot keys could not be written");
        }
        self.db.close().await;
        ended
    }
}
