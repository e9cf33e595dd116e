//! Events: written with the change that causes them, handed to the jobs that listen, replayable by whoever was away.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base::{Actor, Error, Id, Result, TenantId, Time};
use serde::Serialize;
use serde_json::Value as Json;

use crate::db::{Tx, sql};
use crate::jobs::{Handlers, queue_for_event};
use crate::{Backends, Db};

/// Marks ids of events.
#[derive(Debug)]
pub enum Happening {}
/// An event's id; sorts by time.
pub type EventId = Id<Happening>;

/// Something that happened, named in the past tense: `scan.completed`.
pub trait Event: Serialize + Sync {
    /// `noun.verb_in_the_past`, unique.
    const NAME: &'static str;

    /// The id of what it happened to.
    fn subject(&self) -> String;
}

/// Declares the events of a context that happen to one sort of thing, whose id is in the field named first.
///
/// ```
/// backends::events! { scan_id;
///     /// A scan is over.
///     ScanCompleted = "scan.completed" {
///         /// The scan.
///         scan_id: u64,
///     }
/// }
/// ```
#[macro_export]
macro_rules! events {
    ($subject:ident; $($(#[$about:meta])* $name:ident = $text:literal { $($(#[$doc:meta])* $field:ident: $kind:ty),+ $(,)? })+) => {
        $(
            $(#[$about])*
            #[derive(Debug, Clone, serde::Serialize)]
            pub struct $name {
                $($(#[$doc])* pub $field: $kind,)+
            }

            impl $crate::Event for $name {
                const NAME: &'static str = $text;

                fn subject(&self) -> String {
                    self.$subject.to_string()
                }
            }
        )+
    };
}

/// A stored event.
#[derive(Debug, Clone, Serialize)]
pub struct Stored {
    /// Sorts by time; give it back to read on from here.
    pub id: EventId,
    /// Its name.
    pub name: String,
    /// What it happened to.
    pub subject: String,
    /// Its fields.
    pub body: Json,
    /// When.
    pub created_at: Time,
}

/// Which jobs listen to which events; the same in every process, because every service is always built.
#[derive(Clone, Default)]
pub struct Subscriptions {
    by_event: Arc<RwLock<BTreeMap<&'static str, Vec<Listener>>>>,
}

#[derive(Clone)]
struct Listener {
    job: &'static str,
    queue: &'static str,
    attempts: u32,
}

impl Subscriptions {
    /// Takes the listeners from the handlers' `ON` lists.
    pub fn set(&self, handlers: &Handlers) {
        let mut by_event: BTreeMap<&'static str, Vec<Listener>> = BTreeMap::new();
        for (job, handler) in &handlers.by_name {
            for event in handler.on {
                by_event.entry(event).or_default().push(Listener { job, queue: handler.queue, attempts: handler.attempts });
            }
        }
        *self.by_event.write().unwrap_or_else(PoisonError::into_inner) = by_event;
    }

    fn to(&self, event: &str) -> Vec<Listener> {
        self.by_event.read().unwrap_or_else(PoisonError::into_inner).get(event).cloned().unwrap_or_default()
    }
}

/// A hint for the bus, to be sent once the transaction has committed.
#[derive(Debug, Clone, Serialize)]
pub struct Hint {
    id: EventId,
    tenant: TenantId,
    name: &'static str,
    subject: String,
    #[serde(skip)]
    has_listeners: bool,
}

impl Hint {
    /// Whether jobs were queued with the event; wake the workers once the transaction has committed.
    #[must_use]
    pub const fn has_listeners(&self) -> bool {
        self.has_listeners
    }
}

/// Writes the event and one job per listener into the transaction; send the hint after the commit.
///
/// # Errors
/// The database's, or `Internal` when the event cannot be written as JSON.
pub async fn publish<E: Event>(backends: &Backends, tx: &mut Tx, actor: &Actor, event: &E) -> Result<Hint> {
    let body = serde_json::to_value(event).map_err(|cause| Error::internal("an event cannot be written as JSON").because(cause))?;
    let listeners = backends.subscriptions.to(E::NAME);
    let has_listeners = !listeners.is_empty();
    let hint = Hint { id: backends.ids.next(), tenant: actor.tenant, name: E::NAME, subject: event.subject(), has_listeners };
    tx.run(
        sql("INSERT INTO events (id, tenant_id, name, subject, body, correlation_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(hint.id)
            .bind(hint.tenant)
            .bind(hint.name)
            .bind(&hint.subject)
            .bind(&body)
            .bind(actor.origin.correlation_id.as_ref())
            .bind(backends.clock.now()),
    )
    .await?;
    for listener in listeners {
        queue_for_event(backends, tx, actor, listener.job, listener.queue, listener.attempts, body.clone()).await?;
    }
    Ok(hint)
}

/// Tells the other nodes that something was committed. Losing a hint costs a moment, never an event.
pub async fn announce(backends: &Backends, hints: &[Hint]) {
    for hint in hints {
        let body = serde_json::to_vec(hint).unwrap_or_default();
        if let Err(error) = backends.bus.publish("events", body).await {
            tracing::debug!(%error, "event hint not sent");
        }
    }
}

/// Events of a tenant after `after`, oldest first.
///
/// # Errors
/// The database's.
pub async fn since(db: &Db, tenant: TenantId, after: Option<EventId>, limit: u32) -> Result<Vec<Stored>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = db
        .all(
            sql("SELECT id, name, subject, body, created_at FROM events WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3")
                .bind(tenant)
                .bind(after)
                .bind(limit),
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Stored {
                id: row.get("id")?,
                name: row.get("name")?,
                subject: row.get("subject")?,
                body: row.json("body")?,
                created_at: row.get("created_at")?,
            })
        })
        .collect()
}
