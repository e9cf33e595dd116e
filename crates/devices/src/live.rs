//! What the threat engine knows of each phone, in this process, handed over to the next through `sig:{device}`. Losing it costs a
//! baseline, never a lock. The node that has the higher version of a phone's state is right.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use backends::Hot;
use base::TenantId;
use dashmap::DashMap;
use moka::sync::Cache;
use threat::{Breaker, BreakerChange, Cohort, Device as Engine, LoadMeter, Memory, Mode};

use crate::model::{DeviceId, Sample};

/// Phones held at once; each is about three kilobytes.
const HELD: u64 = 100_000;
/// How long a silent phone is held.
const IDLE: Duration = Duration::from_secs(900);
/// How long its state is kept for whoever asks next.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Fingerprints remembered for one organisation.
const FINGERPRINTS: usize = 200_000;

/// One phone's state and how often it was written.
#[derive(Default)]
struct Live {
    engine: Engine,
    version: u64,
}

/// All phones of this process.
pub(crate) struct Fleet {
    devices: Cache<DeviceId, Arc<tokio::sync::Mutex<Live>>>,
    memories: DashMap<TenantId, Arc<Mutex<Memory>>>,
    load: Mutex<(LoadMeter, Breaker)>,
    /// What phones of all kinds have in common.
    pub(crate) cohort: Cohort,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            devices: Cache::builder().max_capacity(HELD).time_to_idle(IDLE).build(),
            memories: DashMap::new(),
            load: Mutex::default(),
            cohort: Cohort::default(),
        }
    }
}

impl Fleet {
    /// Works on a phone's state alone: the newest there is, kept for all nodes afterwards.
    pub(crate) async fn with<T>(&self, hot: &Hot, id: DeviceId, work: impl FnOnce(&mut Engine) -> T) -> T {
        let cell = self.devices.get_with(id, Arc::default);
        let mut live = cell.lock().await;
        newest(hot, id, &mut live).await;
        let done = work(&mut live.engine);
        live.version += 1;
        let bytes = [&live.version.to_le_bytes()[..], &live.engine.to_bytes()].concat();
        if let Err(error) = hot.set(&state_key(id), &bytes, Some(KEPT)).await {
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
        load.0.arrived();
        load.1.mode()
    }

    /// A batch was scored: it arrived then, and scoring began then.
    pub(crate) fn scored(&self, arrived: Instant, begun: Instant) {
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let took = begun.elapsed();
        metrics::histogram!("device_scoring_seconds").record(took.as_secs_f64());
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        load.0.scored(micros(begun.duration_since(arrived)), micros(took));
    }

    /// Ends an interval of load; tells when the breaker opens or closes.
    pub(crate) fn sample(&self, seconds: f64) {
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = load.0.close(seconds);
        match load.1.sample(sample) {
            Some(BreakerChange::Opened { because, load }) => {
                tracing::warn!(?because, ?load, "scoring cannot keep up: scores are simplified and lock nobody");
            }
            Some(BreakerChange::Closed { .. }) => tracing::info!("scores are whole again"),
            None => {}
        }
        metrics::gauge!("device_breaker_open").set(if load.1.is_open() { 1.0 } else { 0.0 });
    }
}

/// Brings a phone's state up to what another node may have made of it.
async fn newest(hot: &Hot, id: DeviceId, live: &mut Live) {
    let Ok(Some(bytes)) = hot.get(&state_key(id)).await else { return };
    let Some((version, state)) = bytes.split_first_chunk::<8>() else { return };
    let version = u64::from_le_bytes(*version);
    if version <= live.version {
        return;
    }
    match Engine::from_bytes(state) {
        Ok(engine) => *live = Live { engine, version },
        Err(error) => tracing::warn!(%error, device = %id, "a device's state cannot be read and is begun anew"),
    }
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
    if let Err(error) = hot.set(&sample_key(id), &bytes, Some(KEPT)).await {
        tracing::debug!(%error, "a device's newest score is not kept");
    }
}

/// The newest scored window.
pub(crate) async fn recall(hot: &Hot, id: DeviceId) -> Option<Sample> {
    serde_json::from_slice(&hot.get(&sample_key(id)).await.ok()??).ok()
}
