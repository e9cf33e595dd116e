//! Search: a projection of the database, made of documents whose words are ready-made, so that every engine gives the same
//! answers in the same order. Losing it loses speed, never truth.
//!
//! An index exists in generations: one is live; another can be filled beside it and published in its place at once.

mod embedded;
mod server;

use std::sync::Arc;

use base::Result;
use query::{Document, Expression, Key, Portion, Schema, Sort};
use serde::{Deserialize, Serialize};

use self::embedded::Embedded;
use self::server::{Product, Server};
use crate::db::{Sql, Value};
use crate::errors;
use crate::tls::Authorities;

/// Matches counted; there may be more.
pub const COUNTED: u64 = 10_000;

/// The search engine.
#[derive(Clone)]
pub struct Search {
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Embedded(Embedded),
    Server(Arc<Server>),
}

/// One change of an index.
#[derive(Debug, Clone)]
pub enum Entry {
    /// The document is now like this.
    Put(Document),
    /// There is no document of this id any more.
    Remove(String),
}

/// Which generation of an index is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// The one that answers.
    Live,
    /// The one of this name.
    Generation(&'a str),
}

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Inquiry<'a> {
    /// Whose documents; no other ones are ever found.
    pub tenant: &'a str,
    /// Which of them.
    pub expression: &'a Expression,
    /// In which order.
    pub sort: Sort,
    /// Only those after this one.
    pub after: Option<&'a Position>,
    /// How many, 1 to 500.
    pub limit: u32,
}

/// The place of a document in the order of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What it is sorted by; `None` when sorted by id alone.
    pub key: Option<Key>,
    /// Its id.
    pub id: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The documents, in order.
    pub hits: Vec<Position>,
    /// How many there are in all, `after` apart; at most [`COUNTED`].
    pub total: u64,
}

impl Search {
    /// The engine the URL names: `tantivy:DIR`, `opensearch+https://…` or `elasticsearch+https://…` (`+http` on loopback only). A
    /// server need not answer yet. Names of indices on a server begin with `prefix`.
    ///
    /// # Errors
    /// `Invalid` for a URL that names none.
    pub fn connect(url: &str, prefix: &str, authorities: &Authorities) -> Result<Self> {
        let engine = match url.split_once(':') {
            Some(("tantivy", folder)) if !folder.is_empty() => Engine::Embedded(Embedded::new(folder)),
            Some(("opensearch+https" | "opensearch+http", _)) => {
                Engine::Server(Arc::new(Server::new(Product::OpenSearch, url, prefix, authorities)?))
            }
            Some(("elasticsearch+https" | "elasticsearch+http", _)) => {
                Engine::Server(Arc::new(Server::new(Product::Elasticsearch, url, prefix, authorities)?))
            }
            _ => {
                let known = "`tantivy:DIR`, `opensearch+https://…`, `elasticsearch+https://…`";
                return Err(errors::unknown_engine("search", url, known));
            }
        };
        Ok(Self { engine })
    }

    /// Whether the engine answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not, `Invalid` when it is another product than configured.
    pub async fn ping(&self) -> Result<()> {
        match &self.engine {
            Engine::Embedded(embedded) => embedded.ping().await,
            Engine::Server(server) => server.ping().await,
        }
    }

    /// The generation that answers for the index; `None` when there is none, or only one made by other rules.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn live(&self, schema: &'static Schema) -> Result<Option<String>> {
        match &self.engine {
            Engine::Embedded(embedded) => embedded.live(schema).await,
            Engine::Server(server) => server.live(schema).await,
        }
    }

    /// Makes an empty generation; its name is lower-case letters and digits.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn create(&self, schema: &'static Schema, generation: &str) -> Result<()> {
        match &self.engine {
            Engine::Embedded(embedded) => embedded.create(schema, generation).await,
            Engine::Server(server) => server.create(schema, generation).await,
        }
    }

    /// Lets the generation answer from now on and removes all others of the index.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn publish(&self, schema: &'static Schema, generation: &str) -> Result<()> {
        match &self.engine {
            Engine::Embedded(embedded) => embedded.publish(schema, generation).await,
            Engine::Server(server) => server.publish(schema, generation).await,
        }
    }

    /// Writes the entries; on return they survive a power cut and are found. `ticket` is a number taken before the documents were
    /// read: what a greater one wrote stays as it is.
    ///
    /// # Errors
    /// `Unavailable`, also when there is no such generation. Some entries may have been written then; writing all again is right.
    pub async fn write(&self, schema: &'static Schema, place: Place<'_>, ticket: i64, entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        match &self.engine {
            Engine::Embedded(embedded) => embedded.write(schema, place, ticket, entries).await,
            Engine::Server(server) => server.write(schema, place, ticket, &entries).await,
        }
    }

    /// The documents that are looked for.
    ///
    /// # Errors
    /// `Unavailable`, also while there is no index.
    pub async fn find(&self, schema: &'static Schema, inquiry: &Inquiry<'_>) -> Result<Found> {
        let start = std::time::Instant::now();
        let found = match &self.engine {
            Engine::Embedded(embedded) => embedded.find(schema, inquiry).await,
            Engine::Server(server) => server.find(schema, inquiry).await,
        };
        metrics::histogram!("search_seconds", "index" => schema.name).record(start.elapsed().as_secs_f64());
        found
    }
}

/// `select` (up to and without `WHERE`) for a portion of the things whose id is in `column`.
#[must_use]
pub fn portion(select: &str, column: &str, portion: Portion<'_>) -> Sql {
    match portion {
        Portion::These([]) => Sql::built(format!("{select} WHERE {column} IS NULL")),
        Portion::These(ids) => {
            let values = ids.iter().map(|id| Value::from(id.as_str()));
            Sql::built(format!("{select} WHERE {column} IN ({})", Sql::list(ids.len(), 0))).bind_all(values)
        }
        Portion::After(id, count) => Sql::built(format!("{select} WHERE {column} > $1 ORDER BY {column} LIMIT {count}")).bind(id),
    }
}

/// Names of what an index keeps beside the fields of its schema.
mod names {
    /// Whose the document is.
    pub(super) const TENANT: &str = "meta_tenant";
    /// Which it is.
    pub(super) const ID: &str = "meta_id";
    /// Words of all free fields.
    pub(super) const WORDS: &str = "meta_words";
    /// Names of the fields that have a value.
    pub(super) const PRESENT: &str = "meta_present";

    /// Keeps the key of a sortable field.
    pub(super) fn order(field: &str) -> String {
        format!("order_{field}")
    }
}

/// Whether a name of a generation has our shape; only such are ever removed.
fn is_generation(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
