//! Who is refused, held in this process: locked phones, revoked generations, kill switches. The database is the truth; what is held here
//! is only believed while it is fresh, nothing can have been missed, and no word about the phone waits to be read. Else the database is asked.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base::{Result, TenantId, Time};
use dashmap::DashMap;
use tokio::time::Instant;

use crate::errors;
use crate::model::{Device, DeviceId, Switch};
use crate::store::devices::Standing;
use crate::vocabulary::{Posture, SwitchScope};

/// How old what is held may be before the database is asked instead. Whoever could not tell the other nodes of a lock waits for so long.
pub(crate) const FRESH: Duration = Duration::from_secs(3);

/// A phone as its token names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) tenant: TenantId,
    pub(crate) device: DeviceId,
    pub(crate) generation: i64,
}

/// What is known of one phone, and since when.
#[derive(Debug, Clone, Copy)]
struct Held {
    standing: Standing,
    taken: Instant,
}

/// What is held.
pub(crate) struct Bars {
    devices: DashMap<DeviceId, Held>,
    switches: RwLock<Vec<(TenantId, Switch)>>,
    since: Instant,
    /// Milliseconds after `since` of the last reading of the database, plus one; zero when there was none.
    read: AtomicU64,
    /// The session of the bus in which that reading began, plus one; zero when nobody listened.
    session: AtomicU64,
    /// Phones of which something was told that is not read yet, and how often.
    doubted: DashMap<DeviceId, u32>,
    /// The same of everybody.
    all_doubted: AtomicU32,
}

/// Whom a word makes doubtful until it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doubt {
    /// One phone.
    Of(DeviceId),
    /// Everybody.
    OfAll,
}

impl Default for Bars {
    fn default() -> Self {
        Self {
            devices: DashMap::new(),
            switches: RwLock::default(),
            since: Instant::now(),
            read: AtomicU64::new(0),
            session: AtomicU64::new(0),
            doubted: DashMap::new(),
            // Nobody listens yet.
            all_doubted: AtomicU32::new(1),
        }
    }
}

impl Bars {
    /// Takes what is known of one phone; `forgotten` is the moment before which revocations no longer matter. Readings may overtake each
    /// other: an earlier version of the row never replaces a later one.
    pub(crate) fn take(&self, standing: Standing, forgotten: Time) {
        if self.devices.get(&standing.id).is_some_and(|held| held.standing.version > standing.version) {
            return;
        }
        if standing.posture >= Posture::Lock || standing.revoked_at.is_some_and(|at| at >= forgotten) {
            self.devices.insert(standing.id, Held { standing, taken: Instant::now() });
        } else {
            self.devices.remove_if(&standing.id, |_, held| held.standing.version <= standing.version);
        }
    }

    /// Replaces everything held before `begun`, when the reading of these began.
    pub(crate) fn replace(&self, standings: Vec<Standing>, begun: Instant, forgotten: Time) {
        let wanted: HashSet<DeviceId> = standings.iter().map(|standing| standing.id).collect();
        for standing in standings {
            self.take(standing, forgotten);
        }
        self.devices.retain(|id, held| wanted.contains(id) || held.taken >= begun);
    }

    pub(crate) fn set_switches(&self, on: Vec<(TenantId, Switch)>) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = on;
    }

    /// A reading of the database is complete that began at `begun`, while words came by this session of the bus.
    pub(crate) fn refreshed(&self, begun: Instant, session: Option<u64>) {
        let at = u64::try_from(begun.duration_since(self.since).as_millis()).unwrap_or(0) + 1;
        self.session.store(session.map_or(0, |session| session + 1), Ordering::SeqCst);
        self.read.store(at, Ordering::SeqCst);
    }

    /// Something could not be read: nothing that is held counts until everything was read again.
    pub(crate) fn distrust(&self) {
        self.read.store(0, Ordering::SeqCst);
    }

    /// Something was told that is not read yet.
    pub(crate) fn doubt(&self, doubt: Doubt) {
        match doubt {
            Doubt::Of(device) => *self.doubted.entry(device).or_insert(0) += 1,
            Doubt::OfAll => drop(self.all_doubted.fetch_add(1, Ordering::SeqCst)),
        }
    }

    /// It was read, or nothing that is held counts anyway.
    pub(crate) fn settle(&self, doubt: Doubt) {
        match doubt {
            Doubt::Of(device) => {
                if let Some(mut count) = self.doubted.get_mut(&device) {
                    *count = count.saturating_sub(1);
                }
                self.doubted.remove_if(&device, |_, count| *count == 0);
            }
            Doubt::OfAll => drop(self.all_doubted.fetch_sub(1, Ordering::SeqCst)),
        }
    }

    /// Whether what is held of this phone may be believed, when words come by this session of the bus.
    pub(crate) fn knows(&self, device: DeviceId, session: Option<u64>) -> bool {
        let read = self.read.load(Ordering::SeqCst);
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        read > 0
            && now.saturating_sub(read) < FRESH.as_millis() as u64
            && session.is_some_and(|session| self.session.load(Ordering::SeqCst) == session + 1)
            && self.all_doubted.load(Ordering::SeqCst) == 0
            && !self.doubted.contains_key(&device)
    }

    /// How many phones are held.
    pub(crate) fn len(&self) -> usize {
        self.devices.len()
    }

    /// Refuses who is barred, by what is held.
    pub(crate) fn check(&self, named: Named, now: Time) -> Result<()> {
        let standing = self.devices.get(&named.device).map(|held| held.standing);
        let switches = self.switches.read().unwrap_or_else(PoisonError::into_inner);
        judge(named, standing, &switches, now)
    }
}

/// Refuses who is barred, by what was read.
pub(crate) fn judge(named: Named, standing: Option<Standing>, switches: &[(TenantId, Switch)], now: Time) -> Result<()> {
    if let Some(switch) = stopping(named.tenant, named.device, switches, now) {
        return Err(errors::stopped(switch.expires_at));
    }
    let Some(standing) = standing else { return Ok(()) };
    if standing.posture >= Posture::Lock && standing.locked_until.is_none_or(|until| now < until) {
        return Err(errors::locked(standing.locked_until));
    }
    if named.generation < standing.generation { Err(errors::revoked()) } else { Ok(()) }
}

/// The kill switch that stops a phone longest, of those that are thrown.
pub(crate) fn stopping(tenant: TenantId, device: DeviceId, switches: &[(TenantId, Switch)], now: Time) -> Option<&Switch> {
    let stops = |(owner, switch): &&(TenantId, Switch)| {
        now < switch.expires_at
            && match switch.scope {
                SwitchScope::Global => true,
                SwitchScope::Tenant => *owner == tenant,
                SwitchScope::Device => switch.device_id == Some(device),
            }
    };
    switches.iter().filter(stops).map(|(_, switch)| switch).max_by_key(|switch| switch.expires_at)
}

/// Whether something keeps this phone from being served whatever it holds: its lock, or one of these kill switches.
pub(crate) fn is_barred(device: &Device, switches: &[(TenantId, Switch)], now: Time) -> bool {
    device.is_locked(now) || stopping(device.tenant, device.id, switches, now).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_believed_only_while_nothing_can_have_been_missed() {
        let (bars, now) = (Bars::default(), Instant::now());
        let [one, two] = [1, 2].map(|number| DeviceId::from_uuid(uuid::Uuid::from_u128(number)));
        bars.refreshed(now, Some(7));
        assert!(!bars.knows(one, Some(7)), "nobody listens yet");
        bars.settle(Doubt::OfAll);
        assert!(bars.knows(one, Some(7)));
        bars.doubt(Doubt::Of(one));
        bars.doubt(Doubt::Of(one));
        bars.settle(Doubt::Of(one));
        assert!(!bars.knows(one, Some(7)), "a second word came while the first was read");
        assert!(bars.knows(two, Some(7)));
        bars.settle(Doubt::Of(one));
        assert!(bars.knows(one, Some(7)));
        for session in [None, Some(9)] {
            assert!(!bars.knows(one, session), "words were lost since the reading: {session:?}");
        }
        bars.refreshed(now, None);
        assert!(!bars.knows(one, Some(9)), "nothing was heard when the reading began");
        bars.refreshed(now, Some(9));
        assert!(bars.knows(one, Some(9)));
        bars.distrust();
        assert!(!bars.knows(one, Some(9)));
    }
}
