//! Which engine stands behind each need; one URL per need decides.

use std::path::Path;

use base::Secret;
use serde::Deserialize;

/// The `[backends]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `sqlite:PATH` or `postgres://…`.
    pub db: String,
    /// Widest use of the database, in connections.
    pub db_connections: u32,
    /// `embedded:DIR` or `redis://…`.
    pub hot: String,
    /// `memory:` or `redis://…`.
    pub bus: String,
    /// `tantivy:DIR`, `opensearch+https://…` or `elasticsearch+https://…`.
    pub search: String,
    /// What names of indices on a search server begin with.
    pub search_prefix: String,
    /// `file:DIR`.
    pub blobs: String,
    /// `file:DIR`.
    pub keys: String,
    /// Seals the key files; without it a key file beside them does.
    pub keys_passphrase: Option<Secret<String>>,
    /// `log:` or `smtp://…`.
    pub mail: String,
    /// Sender of every mail.
    pub mail_from: String,
    /// HTTP to the outside.
    pub outbound: OutboundConfig,
}

/// The `[backends.outbound]` section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// Hosts (with subdomains when written `.example.org`) and networks that may be reached although they are private.
    pub allow: Vec<String>,
    /// Seconds for a whole exchange; 0 means 30.
    pub timeout_seconds: u64,
    /// Largest body read, in bytes; 0 means 10 MiB.
    pub maximum_bytes: u64,
    /// PEM file with further certificate authorities.
    pub authorities: Option<std::path::PathBuf>,
}

impl Config {
    /// Everything embedded below `folder`.
    #[must_use]
    pub fn embedded(folder: &Path) -> Self {
        let below = |name: &str| folder.join(name).display().to_string();
        Self {
            db: format!("sqlite:{}", below("tyrian.db")),
            db_connections: 16,
            hot: format!("embedded:{}", below("hot")),
            bus: "memory:".to_owned(),
            search: format!("tantivy:{}", below("search")),
            search_prefix: String::new(),
            blobs: format!("file:{}", below("blobs")),
            keys: format!("file:{}", below("keys")),
            keys_passphrase: None,
            mail: "log:".to_owned(),
            mail_from: "tyrian@localhost".to_owned(),
            outbound: OutboundConfig::default(),
        }
    }

    /// The keys whose engines belong to one process alone, with their URLs.
    #[must_use]
    pub fn private_engines(&self) -> Vec<(&'static str, &str)> {
        [("db", &self.db, "sqlite:"), ("hot", &self.hot, "embedded:"), ("bus", &self.bus, "memory:")]
            .into_iter()
            .filter(|(_, url, own)| url.starts_with(own))
            .map(|(key, url, _)| (key, url.as_str()))
            .collect()
    }
}
