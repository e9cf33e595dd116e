//! The places of a listener: so many connections at once, of which one address gets a share, so that nobody takes them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of one listener.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    shares: Option<Shares>,
}

/// How many places one address may hold.
#[derive(Clone)]
pub(crate) struct Shares {
    each: usize,
    /// Proxies, which bring the connections of many.
    trusted: Arc<[IpNet]>,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A share in use, given back when dropped.
pub(crate) struct Share {
    ip: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Places {
    pub(crate) fn new(all: usize, shares: Option<Shares>) -> Self {
        Self { free: Arc::new(Semaphore::new(all)), shares }
    }

    /// Waits for a free place.
    pub(crate) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.ok()
    }

    /// Whether `ip` may hold one more place, and what it gives back afterwards where shares are counted.
    ///
    /// # Errors
    /// When its share is used up.
    pub(crate) fn share(&self, ip: IpAddr) -> Result<Option<Share>, UsedUp> {
        self.shares.as_ref().map_or(Ok(None), |shares| shares.take(ip))
    }
}

/// An address holds all the places it may.
#[derive(Debug)]
pub(crate) struct UsedUp;

impl Shares {
    pub(crate) fn new(each: usize, trusted: &[IpNet]) -> Self {
        Self { each, trusted: trusted.into(), held: Arc::default() }
    }

    fn take(&self, ip: IpAddr) -> Result<Option<Share>, UsedUp> {
        if self.trusted.iter().any(|net| net.contains(&ip.to_canonical())) {
            return Ok(None);
        }
        let ip = web::network(ip);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(ip).or_default();
        if *count >= self.each {
            return Err(UsedUp);
        }
        *count += 1;
        Ok(Some(Share { ip, held: self.held.clone() }))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_holds_its_share_and_a_trusted_proxy_is_not_counted() {
        let shares = Shares::new(2, &["10.0.0.0/8".parse().unwrap()]);
        let take = |ip: &str| shares.take(ip.parse().unwrap());
        let first = take("2001:db8::1").unwrap();
        let _second = take("2001:db8::2").unwrap();
        assert!(take("2001:db8::3").is_err() && take("2001:db8:0:1::3").is_ok());
        drop(first);
        assert!(take("2001:db8::3").is_ok(), "given back");
        assert!((0..5).map(|_| take("::ffff:10.0.0.1")).all(|taken| taken.is_ok_and(|share| share.is_none())));
        assert_eq!(shares.held.lock().unwrap().len(), 1, "who left is forgotten");
    }
}
