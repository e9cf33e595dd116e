//! Who is refused, held in this process: locked phones, revoked generations, kill switches. The database is the truth; what is held here
//! is only believed while it is fresh, and whoever finds it stale asks the database.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base::{Result, TenantId, Time};
use dashmap::DashMap;
use tokio::time::Instant;

use crate::errors;
use crate::model::{DeviceId, Switch};
use crate::store::devices::Standing;
use crate::vocabulary::{Posture, SwitchScope};

/// How old what is held may be before the database is asked instead.
const FRESH: Duration = Duration::from_secs(3);

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
}

impl Default for Bars {
    fn default() -> Self {
        Self { devices: DashMap::new(), switches: RwLock::default(), since: Instant::now(), read: AtomicU64::new(0) }
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

    /// A reading of the database that began at `begun` is complete.
    pub(crate) fn refreshed(&self, begun: Instant) {
        let at = u64::try_from(begun.duration_since(self.since).as_millis()).unwrap_or(0) + 1;
        self.read.fetch_max(at, Ordering::SeqCst);
    }

    pub(crate) fn is_fresh(&self) -> bool {
        let read = self.read.load(Ordering::SeqCst);
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        read > 0 && now.saturating_sub(read) < FRESH.as_millis() as u64
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
    let stops = |(tenant, switch): &&(TenantId, Switch)| {
        now < switch.expires_at
            && match switch.scope {
                SwitchScope::Global => true,
                SwitchScope::Tenant => *tenant == named.tenant,
                SwitchScope::Device => switch.device_id == Some(named.device),
            }
    };
    if let Some((_, switch)) = switches.iter().find(stops) {
        return Err(errors::stopped(switch.expires_at));
    }
    let Some(standing) = standing else { return Ok(()) };
    if standing.posture >= Posture::Lock && standing.locked_until.is_none_or(|until| now < until) {
        return Err(errors::locked(standing.locked_until));
    }
    if named.generation < standing.generation { Err(errors::revoked()) } else { Ok(()) }
}
