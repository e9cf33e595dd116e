//! The question asked before every connection: may this address or URL be touched?
//! Invariant: nothing in this crate connects without an answer of yes.

use std::net::SocketAddr;

use url::Url;

/// Decides which addresses and URLs a scan may touch; asked for every single connection.
pub trait Guard: Send + Sync {
    /// Permits or refuses a connection to exactly this address.
    fn permit(&self, address: SocketAddr) -> Result<(), Refusal>;

    /// Permits or refuses a request for this URL, redirects included.
    fn permit_url(&self, url: &Url) -> Result<(), Refusal>;
}

/// Why a guard said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// The reason, in words an operator can act on.
    pub reason: String,
}

impl Refusal {
    /// Makes a refusal from its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}
