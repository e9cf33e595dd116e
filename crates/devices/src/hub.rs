//! The open lines of this process, one for each phone. A line is only told *that* something happened; what happened it reads itself, so
//! nothing piles up for a phone that is slow, and nothing is lost that the database has.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use base::{Id, Time};
use dashmap::DashMap;
use tokio::sync::Notify;

use crate::model::DeviceId;
use crate::store::devices::Standing;

/// The id of a line; later lines have higher ones.
pub(crate) type LinkId = Id<Link>;

/// Why a line is woken; several reasons add up.
pub(crate) mod why {
    /// The phone or its commands changed.
    pub(crate) const LOOK: u8 = 1;
    /// A kill switch was thrown or released.
    pub(crate) const BAR: u8 = 2;
    /// Its time came: to ping, to end.
    pub(crate) const DUE: u8 = 4;
    /// The phone has a newer line.
    pub(crate) const REPLACED: u8 = 8;
}

/// How a line is reached.
pub(crate) struct Link {
    pub(crate) id: LinkId,
    why: AtomicU8,
    waking: Notify,
    /// Microseconds since 1970 at which it wants to be woken.
    due: AtomicI64,
    /// Highest version of the phone's row that it has seen or was woken for.
    version: AtomicI64,
}

impl Link {
    /// Of a line that opens with what `version` of the phone's row says.
    pub(crate) fn new(id: LinkId, version: i64) -> Arc<Self> {
        let (why, waking) = (AtomicU8::new(0), Notify::new());
        Arc::new(Self { id, why, waking, due: AtomicI64::new(i64::MAX), version: AtomicI64::new(version) })
    }

    /// Wants to be woken at `time`.
    pub(crate) fn due_at(&self, time: Time) {
        self.due.store(time.micros(), Ordering::Relaxed);
    }

    fn wake(&self, why: u8) {
        self.why.fetch_or(why, Ordering::AcqRel);
        self.waking.notify_one();
    }

    /// Waits until there is a reason; loses none when it is dropped.
    pub(crate) async fn woken(&self) -> u8 {
        loop {
            let why = self.why.swap(0, Ordering::AcqRel);
            if why != 0 {
                return why;
            }
            self.waking.notified().await;
        }
    }
}

/// The open lines.
#[derive(Default)]
pub(crate) struct Hub {
    links: DashMap<DeviceId, Arc<Link>>,
}

impl Hub {
    /// A phone's line opens; the one it had ends.
    pub(crate) fn join(&self, device: DeviceId, link: &Arc<Link>) {
        if let Some(older) = self.links.insert(device, Arc::clone(link)) {
            older.wake(why::REPLACED);
        }
    }

    /// A line closed.
    pub(crate) fn leave(&self, device: DeviceId, link: &Link) {
        self.links.remove_if(&device, |_, held| held.id == link.id);
    }

    /// A line of this phone opened somewhere; an older one here ends.
    pub(crate) fn outrun(&self, device: DeviceId, newer: LinkId) {
        if let Some(link) = self.links.get(&device).filter(|link| link.id < newer) {
            link.wake(why::REPLACED);
        }
    }

    /// Something about this phone changed.
    pub(crate) fn wake(&self, device: DeviceId) {
        if let Some(link) = self.links.get(&device) {
            link.wake(why::LOOK);
        }
    }

    /// The phone's row was read; its line looks when it has not seen this version.
    pub(crate) fn read(&self, standing: &Standing) {
        if let Some(link) = self.links.get(&standing.id)
            && link.version.fetch_max(standing.version, Ordering::AcqRel) < standing.version
        {
            link.wake(why::LOOK);
        }
    }

    /// Something changed that may concern everybody.
    pub(crate) fn wake_all(&self, why: u8) {
        for link in &self.links {
            link.wake(why);
        }
    }

    /// Wakes whose time came.
    pub(crate) fn sweep(&self, now: Time) {
        for link in &self.links {
            if link.due.load(Ordering::Relaxed) <= now.micros() {
                link.due.store(i64::MAX, Ordering::Relaxed);
                link.wake(why::DUE);
            }
        }
    }

    /// How many lines are open.
    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> LinkId {
        LinkId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn phone() -> DeviceId {
        DeviceId::from_uuid(uuid::Uuid::from_u128(1))
    }

    #[tokio::test]
    async fn a_newer_line_ends_the_older_one_wherever_it_is() {
        let hub = Hub::default();
        let (one, two) = (Link::new(id(1), 0), Link::new(id(2), 0));
        hub.join(phone(), &one);
        hub.join(phone(), &two);
        assert_eq!(one.woken().await, why::REPLACED);
        hub.leave(phone(), &one);
        assert_eq!(hub.len(), 1, "the older one does not take the newer one's place with it");
        hub.outrun(phone(), id(2));
        hub.outrun(phone(), id(1));
        hub.wake(phone());
        assert_eq!(two.woken().await, why::LOOK, "neither itself nor an older one ends it");
        hub.outrun(phone(), id(3));
        assert_eq!(two.woken().await, why::REPLACED);
    }

    #[tokio::test]
    async fn reasons_add_up_and_none_is_lost() {
        let hub = Hub::default();
        let link = Link::new(id(1), 0);
        hub.join(phone(), &link);
        for why in [why::LOOK, why::BAR, why::LOOK] {
            hub.wake_all(why);
        }
        let time = Time::from_seconds(100);
        link.due_at(time);
        hub.sweep(Time::from_seconds(99));
        assert_eq!(link.woken().await, why::LOOK | why::BAR);
        hub.sweep(time);
        hub.sweep(time);
        assert_eq!(link.woken().await, why::DUE);
        assert!(futures::FutureExt::now_or_never(link.woken()).is_none());
    }
}
