//! The `[gateway]` section: limits and doors of the edge.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

/// Limits and doors of the edge.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Largest request body, in bytes, unless a route allows more.
    pub maximum_body_bytes: usize,
    /// Most connections at once; further ones wait.
    pub maximum_connections: usize,
    /// Most connections of one address at once (IPv6: of one /64); further ones are closed. Trusted proxies are not counted, and an open
    /// WebSocket is no longer.
    pub maximum_connections_per_address: usize,
    /// Seconds a client may take to begin to speak, and to send its headers.
    pub header_timeout_seconds: u64,
    /// Seconds until an unanswered request is given up.
    pub request_timeout_seconds: u64,
    /// Requests per address.
    pub rate_per_address: RateConfig,
    /// Requests per user or token.
    pub rate_per_user: RateConfig,
    /// Origins of pages that may call the API (`https://console.example.org`); none by default.
    pub cors_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate and key; without them the edge speaks plain HTTP.
    pub tls: Option<TlsConfig>,
    /// Where roles live that this process does not run, by role: `scans = "http://10.0.0.2:8003"`.
    pub upstreams: Upstreams,
}

/// Role to base URL.
pub type Upstreams = BTreeMap<String, Url>;

/// A rate: so many at once, so many a minute.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// How many may come at once.
    pub burst: u32,
    /// How many may come per minute in the long run.
    pub per_minute: u32,
}

/// Files of the edge's certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM private key.
    pub key: PathBuf,
    /// Also speak TLS 1.2.
    #[serde(default)]
    pub allow_tls12: bool,
}

/// Files of a listener that wants certificates of its clients.
#[derive(Debug, Clone)]
pub struct MutualTls {
    /// PEM certificate chain, leaf first.
    pub certificate: PathBuf,
    /// PEM private key.
    pub key: PathBuf,
    /// PEM certificates of those whose client certificates are taken.
    pub authorities: PathBuf,
    /// PEM lists of client certificates that were revoked.
    pub revocations: Option<PathBuf>,
}
