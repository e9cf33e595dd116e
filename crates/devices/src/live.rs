//! What the threat engine knows of each phone, in this process, handed over to the next through `sig:{device}`. Losing it costs a
//! baseline, never a lock. The node that has the higher version of a phone's state is right.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use backends::Hot;
use base::{TenantId, Time};
use dashmap::DashMap;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use threat::{Breaker, BreakerChange, BreakerLimits, Cohort, Device as Engine, LoadMeter, Memory, Mode, Overload};

use crate::model::{Device, DeviceId, Sample};
use crate::vocabulary::Posture;

/// Phones held at once; each is about three kilobytes.
const HELD: u64 = 100_000;
/// How long a silent phone is held.
const IDLE: Duration = Duration::from_secs(900);
/// How long its state is kept for whoever asks next.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Fingerprints remembered for one organisation.
const FINGERPRINTS: usize = 200_000;

/// Where a node says that its scores are simplified, and for how long that is believed.
const SIMPLIFIED: &str = "sig:simplified";
const PROCLAIMED: Duration = Duration::from_secs(3);

/// One phone's state and how often it was written.
#[derive(Default)]
struct Live {
    engine: Engine,
    version: u64,
    /// Version of the newest row that the engine followed: an older one, read before or held elsewhere, says nothing new.
    row: i64,
}

/// What a phone's row says it may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) posture: Posture,
    pub(crate) version: i64,
}

impl Live {
    fn follow(&mut self, written: Written, now: Time) {
        self.row = written.version;
        self.engine.follow(written.posture.into(), now.micros());
    }
}

/// All phones of this process.
pub(crate) struct Fleet {
    devices: Cache<DeviceId, Arc<tokio::sync::Mutex<Live>>>,
    memories: DashMap<TenantId, Arc<Mutex<Memory>>>,
    load: Mutex<Load>,
    /// What phones of all kinds have in common.
    pub(crate) cohort: Cohort,
}

/// How scoring keeps up, in this process.
struct Load {
    meter: LoadMeter,
    breaker: Breaker,
    /// While the breaker is open.
    simplified: Option<Simplified>,
}

/// Scores are simplified.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Simplified {
    /// What went over its limit.
    pub because: Overload,
    /// Since when.
    pub since: Time,
}

impl Fleet {
    /// Nobody yet; scoring is simplified beyond these limits.
    pub(crate) fn new(limits: BreakerLimits) -> Self {
        Self {
            devices: Cache::builder().max_capacity(HELD).time_to_idle(IDLE).build(),
            memories: DashMap::new(),
            load: Mutex::new(Load { meter: LoadMeter::default(), breaker: Breaker::new(limits), simplified: None }),
            cohort: Cohort::default(),
        }
    }
}

impl Fleet {
    /// Works on a phone's state alone: the newest there is, kept for all nodes afterwards.
    pub(crate) async fn with<T>(&self, hot: &Hot, id: DeviceId, work: impl FnOnce(&mut Engine) -> T) -> T {
        self.alone(hot, id, |live| work(&mut live.engine)).await
    }

    /// The same, after the engine followed what this row says, unless it knows of a newer one.
    pub(crate) async fn follow<T>(&self, hot: &Hot, device: &Device, now: Time, work: impl FnOnce(&mut Engine) -> T) -> T {
        let written = Written { posture: device.posture, version: device.version };
        let follow = |live: &mut Live| {
            if written.version > live.row {
                live.follow(written, now);
            }
            work(&mut live.engine)
        };
        self.alone(hot, device.id, follow).await
    }

    /// What the engine decided is written down, or was found to be outdone by this.
    pub(crate) async fn written(&self, hot: &Hot, id: DeviceId, written: Written, now: Time) {
        let agree = |live: &mut Live| {
            if written.version >= live.row {
                live.follow(written, now);
            }
        };
        self.alone(hot, id, agree).await;
    }

    async fn alone<T>(&self, hot: &Hot, id: DeviceId, work: impl FnOnce(&mut Live) -> T) -> T {
        let cell = self.devices.get_with(id, Arc::default);
        let mut live = cell.lock().await;
        newest(hot, id, &mut live).await;
        let done = work(&mut live);
        live.version += 1;
        let bytes = [&live.version.to_le_bytes()[..], &live.row.to_le_bytes(), &live.engine.to_bytes()].concat();
        if let Err(error) = hot.set_lazily(&state_key(id), &bytes, Some(KEPT)).await {
            tracing::debug!(%error, "a device's state is not handed over");
        }
        done
    }

    /// Reads a phone's state without changing it.
    pub(crate) async fn look<T>(&self, hot: &Hot, id: DeviceId, look: impl FnOnce(&Engine) -> T) -> T {
        let cell = self.devices.get_with(id, Arc::default);
        let mut live = cell.lock().await;
        newest(hot, id, &mut live).await;
        look(&live.engine)
    }

    /// The fingerprints of an organisation's phones, where one phone's recording played on another is found.
    pub(crate) fn memory(&self, tenant: TenantId) -> Arc<Mutex<Memory>> {
        Arc::clone(&self.memories.entry(tenant).or_insert_with(|| Arc::new(Mutex::new(Memory::new(FINGERPRINTS)))))
    }

    /// A batch arrived; how to score it.
    pub(crate) fn arrived(&self) -> Mode {
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        load.meter.arrived();
        load.breaker.mode()
    }

    /// A batch was scored: it arrived then, and scoring began then.
    pub(crate) fn scored(&self, arrived: Instant, begun: Instant) {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let took = begun.elapsed();
        metrics::histogram!("device_scoring_seconds").record(took.as_secs_f64());
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        load.meter.scored(micros(begun.duration_since(arrived)), micros(took));
    }

    /// Ends an interval of load; tells when the breaker opens or closes, and whether it is open.
    pub(crate) fn sample(&self, seconds: f64, now: Time) -> Option<Simplified> {
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = load.meter.close(seconds);
        match load.breaker.sample(sample) {
            Some(BreakerChange::Opened { because, load: measured }) => {
                tracing::warn!(?because, load = ?measured, "scoring cannot keep up: scores are simplified and lock nobody");
                metrics::counter!("device_breaker_changes_total", "to" => "open").increment(1);
                load.simplified = Some(Simplified { because, since: now });
            }
            Some(BreakerChange::Closed { .. }) => {
                tracing::warn!("scoring keeps up again: scores are whole");
                metrics::counter!("device_breaker_changes_total", "to" => "closed").increment(1);
                load.simplified = None;
            }
            None => {}
        }
        metrics::gauge!("device_breaker_open").set(if load.breaker.is_open() { 1.0 } else { 0.0 });
        load.simplified
    }
}

/// Brings a phone's state up to what another node may have made of it.
async fn newest(hot: &Hot, id: DeviceId, live: &mut Live) {
    let Ok(Some(bytes)) = hot.get(&state_key(id)).await else { return };
    let Some((version, bytes)) = bytes.split_first_chunk::<8>() else { return };
    let Some((row, state)) = bytes.split_first_chunk::<8>() else { return };
    let (version, row) = (u64::from_le_bytes(*version), i64::from_le_bytes(*row));
    if version <= live.version {
        return;
    }
    match Engine::from_bytes(state) {
        Ok(engine) => *live = Live { engine, version, row },
        Err(error) => tracing::warn!(%error, device = %id, "a device's state cannot be read and is begun anew"),
    }
}

/// Tells people on every node that scores are simplified on this one, for a moment.
pub(crate) async fn proclaim(hot: &Hot, simplified: &Simplified) {
    let Ok(bytes) = serde_json::to_vec(simplified) else { return };
    if let Err(error) = hot.set(SIMPLIFIED, &bytes, Some(PROCLAIMED)).await {
        tracing::debug!(%error, "people of other nodes do not see that scores are simplified");
    }
}

/// What a node told last, while that is fresh.
pub(crate) async fn proclaimed(hot: &Hot) -> Option<Simplified> {
    serde_json::from_slice(&hot.get(SIMPLIFIED).await.ok()??).ok()
}

fn state_key(id: DeviceId) -> String {
    format!("sig:{id}")
}

fn sample_key(id: DeviceId) -> String {
    format!("sig:last:{id}")
}

/// Keeps the newest scored window, for people.
pub(crate) async fn remember(hot: &Hot, id: DeviceId, sample: &Sample) {
    let Ok(bytes) = serde_json::to_vec(sample) else { return };
    if let Err(error) = hot.set_lazily(&sample_key(id), &bytes, Some(KEPT)).await {
        tracing::debug!(%error, "a device's newest score is not kept");
    }
}

/// The newest scored window.
pub(crate) async fn recall(hot: &Hot, id: DeviceId) -> Option<Sample> {
    serde_json::from_slice(&hot.get(&sample_key(id)).await.ok()??).ok()
}
