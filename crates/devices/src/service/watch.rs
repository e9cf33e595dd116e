//! Keeps what this process holds of locks, revocations and kill switches up to date: told by the bus at once, read from the database
//! twice a second, and read whole at the start and whenever messages were lost. Nothing depends on a message arriving.

use std::time::Duration;

use backends::{Message, Subscription};
use base::{Result, TenantId, Time};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Devices;
use crate::hub::{LinkId, why};
use crate::live;
use crate::model::DeviceId;
use crate::store;
use crate::store::devices::Standing;

/// Where nodes tell each other of phones.
pub(crate) const CHANNEL: &str = "devices";
const TICK: Duration = Duration::from_millis(500);
/// Changes this old are read again each time: commits of other nodes become visible late, and clocks differ.
const OVERLAP: Duration = Duration::from_secs(60);
/// Readings between two readings of everything.
const WHOLE_EVERY: u32 = 1_200;

/// What is told on the bus.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Word {
    /// What a phone may do changed.
    Changed { tenant: TenantId, device: DeviceId },
    /// A phone has a new command.
    Commanded { tenant: TenantId, device: DeviceId },
    /// A kill switch was thrown or released, for one organisation or for all.
    Switched { tenant: Option<TenantId> },
    /// A phone's line opened; older ones end.
    Joined { device: DeviceId, line: LinkId },
}

impl Devices {
    /// Begins to keep watch; every process that serves phones does.
    pub fn start(&self) {
        self.backends().tasks.spawn("devices.watch", watch(self.clone()));
        self.backends().tasks.spawn("devices.lines", sweep(self.clone()));
    }

    /// This process changed a phone: it knows at once, the others by a word.
    pub(crate) async fn learned(&self, tenant: TenantId, standing: Standing) {
        self.inner.bars.take(standing, self.forgotten());
        self.inner.known.invalidate(&standing.id);
        self.inner.hub.wake(standing.id);
        self.say(&Word::Changed { tenant, device: standing.id }).await;
    }

    pub(crate) async fn tell_joined(&self, device: DeviceId, line: LinkId) {
        self.say(&Word::Joined { device, line }).await;
    }

    pub(crate) async fn tell_commanded(&self, tenant: TenantId, device: DeviceId) {
        self.inner.hub.wake(device);
        self.say(&Word::Commanded { tenant, device }).await;
    }

    /// A kill switch changed: for this organisation, or for all when none is named.
    pub(crate) async fn switched(&self, tenant: Option<TenantId>) {
        if let Err(error) = self.read_switches().await {
            tracing::warn!(%error, "kill switches cannot be read");
        }
        self.inner.hub.wake_all(why::BAR);
        self.say(&Word::Switched { tenant }).await;
    }

    async fn say(&self, word: &Word) {
        let body = serde_json::to_vec(word).unwrap_or_default();
        if let Err(error) = self.backends().bus.publish(CHANNEL, body).await {
            tracing::debug!(%error, "other nodes are not told; they read it within a second");
        }
    }

    /// Revocations before this no longer matter: no token from before is still in its time.
    fn forgotten(&self) -> Time {
        self.now() - self.config().access_ttl() - Duration::from_secs(60)
    }

    async fn read_switches(&self) -> Result<()> {
        let on = store::switches::on(&self.backends().db, self.now()).await?;
        self.inner.bars.set_switches(on);
        Ok(())
    }

    /// Reads everything that bars anybody.
    async fn read_all(&self) -> Result<()> {
        let begun = Instant::now();
        let forgotten = self.forgotten();
        let barred = store::devices::barred(&self.backends().db, forgotten).await?;
        self.read_switches().await?;
        self.inner.bars.replace(barred, begun, forgotten);
        self.inner.known.invalidate_all();
        self.inner.policies.invalidate_all();
        self.inner.bars.refreshed(begun);
        // Words about commands may have been lost.
        self.inner.hub.wake_all(why::LOOK);
        Ok(())
    }

    /// Reads what changed lately.
    async fn read_changes(&self) -> Result<()> {
        let begun = Instant::now();
        let changed = store::devices::changed(&self.backends().db, self.now() - OVERLAP).await?;
        self.read_switches().await?;
        let forgotten = self.forgotten();
        for standing in changed {
            self.inner.bars.take(standing, forgotten);
            // The same changes are read for a minute; the row is read again once for each.
            if self.inner.known.get(&standing.id).is_some_and(|device| device.version < standing.version) {
                self.inner.known.invalidate(&standing.id);
            }
            self.inner.hub.read(&standing);
        }
        self.inner.bars.refreshed(begun);
        Ok(())
    }

    async fn hear(&self, message: Message) -> Result<()> {
        let Some(body) = message.body() else { return self.read_all().await };
        match serde_json::from_slice(body) {
            Ok(Word::Changed { device, .. }) => {
                if let Some(standing) = store::devices::standing_of(&self.backends().db, device).await? {
                    self.inner.bars.take(standing, self.forgotten());
                }
                self.inner.known.invalidate(&device);
                self.inner.hub.wake(device);
                Ok(())
            }
            Ok(Word::Switched { .. }) => {
                self.read_switches().await?;
                self.inner.hub.wake_all(why::BAR);
                Ok(())
            }
            Ok(Word::Commanded { device, .. }) => {
                self.inner.hub.wake(device);
                Ok(())
            }
            Ok(Word::Joined { device, line }) => {
                self.inner.hub.outrun(device, line);
                Ok(())
            }
            Err(error) => {
                tracing::debug!(%error, "a word about devices is not understood");
                Ok(())
            }
        }
    }
}

async fn watch(devices: Devices) {
    let stop = devices.backends().tasks.stop();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut subscription: Option<Subscription> = None;
    let mut until_whole = 0;
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => None,
            message = next(&mut subscription) => Some(message),
        };
        let outcome = match heard {
            Some(Some(message)) => devices.hear(message).await,
            Some(None) => {
                subscription = None;
                Ok(())
            }
            None => {
                if subscription.is_none() {
                    subscription = devices.backends().bus.subscribe(CHANNEL).await.ok();
                    // Whatever was said before this is in the database.
                    until_whole = 0;
                }
                if let Some(simplified) = devices.inner.fleet.sample(TICK.as_secs_f64(), devices.now()) {
                    live::proclaim(&devices.backends().hot, &simplified).await;
                }
                metrics::gauge!("devices_barred").set(devices.inner.bars.len() as f64);
                let whole = until_whole == 0;
                until_whole = if whole { WHOLE_EVERY } else { until_whole - 1 };
                if whole { devices.read_all().await } else { devices.read_changes().await }
            }
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "locks cannot be read; the database is asked with every request until they can");
            until_whole = 0;
        }
    }
}

/// Wakes lines whose time came. Apart from the watch, which may wait for the database.
async fn sweep(devices: Devices) {
    let stop = devices.backends().tasks.stop();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => devices.inner.hub.sweep(devices.now()),
        }
    }
}

async fn next(subscription: &mut Option<Subscription>) -> Option<Message> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}
