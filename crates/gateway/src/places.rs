//! The places of a listener: so many connections at once, of which one address gets a share, so that nobody takes them all.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use web::{Share, Shares};

/// The places of one listener.
pub(crate) struct Places {
    free: Arc<Semaphore>,
    shared: Option<Shared>,
}

/// How many places one address may hold.
pub(crate) struct Shared {
    each: Shares<IpAddr>,
    /// Proxies, which bring the connections of many.
    trusted: Arc<[IpNet]>,
}

/// What a connection holds while it lasts.
pub(crate) struct Place {
    _one_of_all: OwnedSemaphorePermit,
    _one_of_its_address: Option<Share<IpAddr>>,
}

impl Places {
    pub(crate) fn new(all: usize, shared: Option<Shared>) -> Self {
        Self { free: Arc::new(Semaphore::new(all)), shared }
    }

    /// Waits for a free place.
    pub(crate) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_owned().await.ok()
    }

    /// The place `one` for a connection of `ip`, unless that address holds all it may.
    pub(crate) fn give(&self, one: OwnedSemaphorePermit, ip: IpAddr) -> Option<Place> {
        let share = match &self.shared {
            Some(shared) if !shared.is_trusted(ip) => Some(shared.each.take(web::network(ip))?),
            _ => None,
        };
        Some(Place { _one_of_all: one, _one_of_its_address: share })
    }
}

impl Shared {
    pub(crate) fn new(each: usize, trusted: &[IpNet]) -> Self {
        Self { each: Shares::new(each), trusted: trusted.into() }
    }

    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&ip.to_canonical()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_holds_its_share_and_a_trusted_proxy_is_not_counted() {
        let places = Places::new(100, Some(Shared::new(2, &["10.0.0.0/8".parse().unwrap()])));
        let take = |ip: &str| places.give(places.free.clone().try_acquire_owned().unwrap(), ip.parse().unwrap());
        let held = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(held.iter().all(Option::is_some) && take("2001:db8::3").is_none());
        assert!(take("2001:db8:0:1::3").is_some(), "the next site has its own");
        let behind: Vec<_> = (0..5).map(|_| take("::ffff:10.0.0.1")).collect();
        assert!(behind.iter().all(Option::is_some));
    }
}
