//! Resolves names for the HTTP client and hands out permitted addresses only: what was checked is what
//! is connected to, whatever the name says a moment later.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::Policy;

/// The system's resolver behind the policy.
pub(super) struct Resolver {
    policy: Arc<Policy>,
}

/// Why no address was handed out; found again in the client's error.
#[derive(Debug)]
pub(super) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Resolver {
    pub(super) fn new(policy: Arc<Policy>) -> Self {
        Self { policy }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let mut permitted = Vec::new();
            let mut refusal = None;
            for address in found {
                match policy.permits(host, address.ip()) {
                    Ok(()) => permitted.push(address),
                    Err(reason) => refusal = Some(reason),
                }
            }
            match refusal {
                Some(reason) if permitted.is_empty() => Err(Refused(reason).into()),
                _ => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}
