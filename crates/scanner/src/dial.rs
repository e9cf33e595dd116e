//! The only way to connect: guard, rate limit, time-outs and counting in one place.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::guard::{Guard, Refusal};
use crate::pace::Pace;
use crate::plan::Limits;

/// Refusals kept word by word; a refused network would otherwise fill the memory.
const REFUSALS_KEPT: usize = 4096;

/// Why a connection was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DialError {
    #[error("refused by the guard: {0}")]
    Refused(String),
    #[error("connection timed out")]
    Timeout,
    #[error("connection failed: {0}")]
    Failed(String),
}

pub(crate) struct Dialer {
    guard: Arc<dyn Guard>,
    pub(crate) pace: Option<Pace>,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) retries: u8,
    connections: AtomicU64,
    refused: Mutex<BTreeMap<String, String>>,
}

impl Dialer {
    pub(crate) fn new(guard: Arc<dyn Guard>, limits: &Limits) -> Self {
        Self {
            guard,
            pace: limits.rate_per_second.map(Pace::new),
            connect_timeout: limits.connect_timeout,
            read_timeout: limits.read_timeout,
            retries: limits.retries,
            connections: AtomicU64::new(0),
            refused: Mutex::new(BTreeMap::new()),
        }
    }

    /// Asks the guard for an address and remembers a refusal.
    pub(crate) fn permit(&self, address: SocketAddr) -> Result<(), Refusal> {
        self.guard.permit(address).inspect_err(|refusal| self.remember(address.to_string(), refusal))
    }

    /// Asks the guard for a URL and remembers a refusal.
    pub(crate) fn permit_url(&self, url: &Url) -> Result<(), Refusal> {
        self.guard.permit_url(url).inspect_err(|refusal| self.remember(url.to_string(), refusal))
    }

    fn remember(&self, what: String, refusal: &Refusal) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REFUSALS_KEPT {
            refused.insert(what, refusal.reason.clone());
        }
    }

    /// Counts one connection attempt that passed the guard.
    pub(crate) fn count(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self) -> Vec<(String, String)> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(what, reason)| (what.clone(), reason.clone())).collect()
    }

    /// Connects, trying again only after a time-out.
    pub(crate) async fn connect(&self, address: SocketAddr) -> Result<TcpStream, DialError> {
        let mut last = DialError::Timeout;
        for _ in 0..=self.retries {
            self.permit(address).map_err(|refusal| DialError::Refused(refusal.reason))?;
            if let Some(pace) = &self.pace {
                pace.wait().await;
            }
            self.count();
            match timeout(self.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Best effort: without it small probes wait for Nagle's algorithm.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => return Err(DialError::Failed(error.to_string())),
                Err(_) => last = DialError::Timeout,
            }
        }
        Err(last)
    }
}
