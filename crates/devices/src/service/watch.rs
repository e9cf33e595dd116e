//! Keeps what this process holds of locks, revocations and kill switches up to date: told by the bus at once, read from the database
//! twice a second, and read whole at the start and whenever messages were lost. What was told and is not read yet makes requests ask the
//! database, and so does a bus that is silent: a lock that was acknowledged holds on every node from that moment on.

use std::time::Duration;

use backends::Message;
use base::{Id, Result, TenantId, Time};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

use super::Devices;
use crate::bars::{Doubt, FRESH};
use crate::hub::{LinkId, why};
use crate::live;
use crate::model::DeviceId;
use crate::store;
use crate::store::devices::Standing;
use crate::vocabulary::Posture;

/// Where nodes tell each other of phones.
pub(crate) const CHANNEL: &str = "devices";
const TICK: Duration = Duration::from_millis(500);
/// Changes this old are read again each time: commits of other nodes become visible late, and clocks differ.
const OVERLAP: Duration = Duration::from_secs(60);
/// The same where this process alone writes, by one clock: longer than a change takes. Thousands that enrolled are not read for a minute.
const OVERLAP_ALONE: Duration = Duration::from_secs(5);
/// Readings between two readings of everything.
const WHOLE_EVERY: u32 = 1_200;

/// Marks ids of processes that serve phones or change what they may do.
pub(crate) enum Node {}

/// What is told on the bus. Whoever said that something changed has read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Word {
    /// What a phone may do changed.
    Changed { tenant: TenantId, device: DeviceId, from: Id<Node> },
    /// A phone has a new command.
    Commanded { tenant: TenantId, device: DeviceId },
    /// A kill switch was thrown or released, for one organisation or for all.
    Switched { tenant: Option<TenantId>, from: Id<Node> },
    /// A phone's line opened; older ones end.
    Joined { device: DeviceId, line: LinkId },
}

/// What was told and must be read.
#[derive(Debug, Clone, Copy)]
enum Unread {
    Phone(DeviceId),
    Switches,
    Everything,
}

impl Unread {
    fn doubt(self) -> Doubt {
        match self {
            Self::Phone(device) => Doubt::Of(device),
            Self::Switches | Self::Everything => Doubt::OfAll,
        }
    }
}

impl Devices {
    /// Begins to keep watch; every process that serves phones does.
    pub fn start(&self) {
        let (told, unread) = unbounded_channel();
        self.backends().tasks.spawn("devices.words", listen(self.clone(), told));
        self.backends().tasks.spawn("devices.watch", watch(self.clone(), unread));
        self.backends().tasks.spawn("devices.lines", sweep(self.clone()));
    }

    /// This process changed a phone: it knows at once, the others by a word. Ends when they cannot serve it any more, should it be barred.
    pub(crate) async fn learned(&self, tenant: TenantId, standing: Standing) {
        self.inner.bars.take(standing, self.forgotten());
        self.inner.known.invalidate(&standing.id);
        self.inner.hub.wake(standing.id);
        let is_told = self.say(&Word::Changed { tenant, device: standing.id, from: self.inner.node }).await;
        if !is_told && (standing.posture >= Posture::Lock || standing.revoked_at.is_some_and(|at| at >= self.forgotten())) {
            self.sit_out().await;
        }
    }

    pub(crate) async fn tell_joined(&self, device: DeviceId, line: LinkId) {
        self.say(&Word::Joined { device, line }).await;
    }

    pub(crate) async fn tell_commanded(&self, tenant: TenantId, device: DeviceId) {
        self.inner.hub.wake(device);
        self.say(&Word::Commanded { tenant, device }).await;
    }

    /// A kill switch changed: for this organisation, or for all when none is named. Ends when no node serves those whom it stops.
    pub(crate) async fn switched(&self, tenant: Option<TenantId>) {
        if let Err(error) = self.read_switches().await {
            tracing::warn!(%error, "kill switches cannot be read");
            self.inner.bars.distrust();
        }
        self.inner.hub.wake_all(why::BAR);
        if !self.say(&Word::Switched { tenant, from: self.inner.node }).await {
            self.sit_out().await;
        }
    }

    /// Says it to the other nodes; whether it went out.
    async fn say(&self, word: &Word) -> bool {
        let body = serde_json::to_vec(word).unwrap_or_default();
        let said = self.backends().bus.publish(CHANNEL, body).await;
        if let Err(error) = &said {
            tracing::debug!(%error, "other nodes are not told; they read it within a second");
        }
        said.is_ok()
    }

    /// Waits until every node has read the database since now, or asks it.
    async fn sit_out(&self) {
        sleep(FRESH).await;
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
        let (begun, session) = (Instant::now(), self.backends().bus.session());
        let forgotten = self.forgotten();
        let barred = store::devices::barred(&self.backends().db, forgotten).await?;
        self.read_switches().await?;
        self.inner.bars.replace(barred, begun, forgotten);
        self.inner.known.invalidate_all();
        self.inner.policies.invalidate_all();
        self.inner.bars.refreshed(begun, session);
        Ok(())
    }

    /// Reads what changed lately.
    async fn read_changes(&self) -> Result<()> {
        let (begun, session) = (Instant::now(), self.backends().bus.session());
        let db = &self.backends().db;
        let overlap = if db.is_shared() { OVERLAP } else { OVERLAP_ALONE };
        let changed = store::devices::changed(db, self.now() - overlap).await?;
        self.read_switches().await?;
        let forgotten = self.forgotten();
        for standing in changed {
            self.inner.bars.take(standing, forgotten);
            // The same changes are read many times; the row is read again once for each.
            if self.inner.known.get(&standing.id).is_some_and(|device| device.version < standing.version) {
                self.inner.known.invalidate(&standing.id);
            }
            self.inner.hub.read(&standing);
        }
        self.inner.bars.refreshed(begun, session);
        Ok(())
    }

    /// What of a message must be read; words about lines and commands are attended to at once.
    fn hear(&self, message: &Message) -> Option<Unread> {
        let Some(body) = message.body() else { return Some(Unread::Everything) };
        match serde_json::from_slice(body) {
            Ok(Word::Changed { from, .. } | Word::Switched { from, .. }) if from == self.inner.node => {}
            Ok(Word::Changed { device, .. }) => return Some(Unread::Phone(device)),
            Ok(Word::Switched { .. }) => return Some(Unread::Switches),
            Ok(Word::Commanded { device, .. }) => self.inner.hub.wake(device),
            Ok(Word::Joined { device, line }) => self.inner.hub.outrun(device, line),
            Err(error) => tracing::debug!(%error, "a word about devices is not understood"),
        }
        None
    }

    async fn read(&self, unread: Unread) -> Result<()> {
        match unread {
            Unread::Phone(device) => {
                if let Some(standing) = store::devices::standing_of(&self.backends().db, device).await? {
                    self.inner.bars.take(standing, self.forgotten());
                }
                self.inner.known.invalidate(&device);
            }
            Unread::Switches => self.read_switches().await?,
            Unread::Everything => self.read_all().await?,
        }
        Ok(())
    }

    /// Wakes the lines that something which was read concerns, once it counts: else all of them would ask the database.
    fn wake(&self, read: Unread) {
        match read {
            Unread::Phone(device) => self.inner.hub.wake(device),
            Unread::Switches => self.inner.hub.wake_all(why::BAR),
            // Words about commands may have been lost.
            Unread::Everything => self.inner.hub.wake_all(why::LOOK),
        }
    }
}

/// Hears what is told the moment it comes, whatever the watch waits for. While nobody listens everybody is doubted, as at the beginning.
async fn listen(devices: Devices, told: UnboundedSender<Unread>) {
    let stop = devices.backends().tasks.stop();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let Ok(mut subscription) = devices.backends().bus.subscribe(CHANNEL).await else { continue };
        // Whatever was said before this is in the database; when that is read nobody is doubted any more.
        if told.send(Unread::Everything).is_err() {
            return;
        }
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return,
                message = subscription.next() => message,
            };
            let Some(message) = message else { break };
            if let Some(unread) = devices.hear(&message) {
                devices.inner.bars.doubt(unread.doubt());
                if told.send(unread).is_err() {
                    return;
                }
            }
        }
        devices.inner.bars.doubt(Doubt::OfAll);
    }
}

async fn watch(devices: Devices, mut told: UnboundedReceiver<Unread>) {
    let stop = devices.backends().tasks.stop();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut until_whole = 0;
    loop {
        let unread = tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => None,
            Some(unread) = told.recv() => Some(unread),
        };
        let (read, outcome) = match unread {
            Some(unread) => (Some(unread), devices.read(unread).await),
            None => {
                if let Some(simplified) = devices.inner.fleet.sample(TICK.as_secs_f64(), devices.now()) {
                    live::proclaim(&devices.backends().hot, &simplified).await;
                }
                devices.inner.verifiers.look(devices.now().to_chrono()).await;
                metrics::gauge!("devices_barred").set(devices.inner.bars.len() as f64);
                let is_whole = until_whole == 0;
                until_whole = if is_whole { WHOLE_EVERY } else { until_whole - 1 };
                if is_whole { (Some(Unread::Everything), devices.read_all().await) } else { (None, devices.read_changes().await) }
            }
        };
        let is_read = outcome.is_ok();
        if let Err(error) = outcome {
            tracing::warn!(%error, "locks cannot be read; the database is asked with every request until they can");
            devices.inner.bars.distrust();
            until_whole = 0;
        }
        if let Some(unread) = unread {
            devices.inner.bars.settle(unread.doubt());
        }
        if let Some(read) = read.filter(|_| is_read) {
            devices.wake(read);
        }
    }
    // Requests that are still answered have nobody who listens for them.
    devices.inner.bars.distrust();
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
