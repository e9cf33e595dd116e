//! Readings in, posture out. Whatever is wrong with readings is counted and never scored; what the score leads to is decided by the
//! threat engine, and written down only when it changes something.

use std::time::Instant;

use audit::Change;
use base::{Origin, Result, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use threat::{Batch, Decision, Judgement, Reading, Recall, Setting, Standing, Touch, Traffic};
use utoipa::ToSchema;

use super::lay::Order;
use super::{Devices, Phone, guarding};
use crate::events::PostureChanged;
use crate::live::Written;
use crate::model::{Device, Sample};
use crate::vocabulary::{Attested, Cause, Platform, Posture, Reach, Withheld};
use crate::{actions, errors, live, store};

/// Readings of one sensor taken at once: ten seconds at the fastest rate there is.
const READINGS: usize = 10_000;
/// Touches and minutes taken at once.
const RARER: usize = 1_000;

/// One reading: time on the phone's clock in microseconds, then the three axes; an axis may be null, which is counted.
pub(crate) type Point = (i64, Option<f32>, Option<f32>, Option<f32>);

/// What a phone measured since its last batch.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalBatch {
    /// Accelerometer: `[t, x, y, z]` in microseconds and m/s².
    #[serde(default)]
    #[schema(value_type = Vec<Vec<f64>>, max_items = 10000)]
    pub accelerometer: Vec<Point>,
    /// Gyroscope: `[t, x, y, z]` in microseconds and rad/s.
    #[serde(default)]
    #[schema(value_type = Vec<Vec<f64>>, max_items = 10000)]
    pub gyroscope: Vec<Point>,
    /// Touches: time, pressure, size, speed.
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 1000)]
    pub touches: Vec<Touch>,
    /// Minutes of network use: server time, bytes, connections, domains, names.
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 1000)]
    pub traffic: Vec<Traffic>,
}

/// What came of a batch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignalReceipt {
    /// Readings that came.
    #[schema(minimum = 0)]
    pub received: usize,
    /// Readings of this batch that were not scored: no numbers, out of range, out of order, repeated, or from the future.
    #[schema(minimum = 0)]
    pub refused: u64,
    /// Windows it completed.
    #[schema(minimum = 0)]
    pub windows: usize,
    /// The global score of the newest of them, 0 to 1.
    pub score: Option<f64>,
    /// What the phone may do now.
    pub posture: Posture,
    /// Attest now, with a fresh nonce: behaviour is in doubt. That ends a restriction; then the owner is waited for.
    pub attest_now: bool,
}

/// One window, what was decided, and, for a lock, why.
struct Window {
    judgement: Judgement,
    decision: Decision,
    explanation: Option<Json>,
}

/// What is read off the engine after a batch.
struct After {
    windows: Vec<Window>,
    refused: u64,
    posture: Posture,
    /// It was decided here and is not in the row yet.
    is_unwritten: bool,
    threshold: f64,
    trust: f64,
    /// A lock that is to be laid, and the newest window taken apart.
    owed: Option<(threat::Lock, Json)>,
}

impl Devices {
    /// Takes a batch of readings of a served phone.
    ///
    /// # Errors
    /// `Invalid` for a batch that is too large; `Forbidden` when it led to a lock.
    pub async fn signals(&self, phone: &Phone, batch: SignalBatch, origin: &Origin) -> Result<SignalReceipt> {
        for (pointer, length, most) in [
            ("/accelerometer", batch.accelerometer.len(), READINGS),
            ("/gyroscope", batch.gyroscope.len(), READINGS),
            ("/touches", batch.touches.len(), RARER),
            ("/traffic", batch.traffic.len(), RARER),
        ] {
            if length > most {
                return Err(errors::batch(pointer, most));
            }
        }
        let received = batch.accelerometer.len() + batch.gyroscope.len() + batch.touches.len() + batch.traffic.len();
        let device = &phone.device;
        let policy = self.policy_of(device.tenant).await?;
        let withhold = self.withholding(device, &policy);
        let now = self.now();
        let after = self.score(device, &batch, withhold, now).await;
        metrics::counter!("device_readings_total", "outcome" => "received").increment(received as u64);
        metrics::counter!("device_readings_total", "outcome" => "refused").increment(after.refused);
        let posture = after.posture.max(device.posture);
        let is_doubted = after.windows.iter().any(|window| window.decision.demands_challenge || window.decision.to > window.decision.from);
        // The reply that asked may be lost. A phone whose attestation was refused has answered: to ask it with every batch would count its
        // failures up to a quarantine.
        let is_awaited = posture == Posture::Restrict && !matches!(device.attestation_state, Attested::Failed | Attested::Outdated);
        let receipt = SignalReceipt {
            received,
            refused: after.refused,
            windows: after.windows.len(),
            score: after.windows.last().and_then(|window| window.judgement.global),
            posture,
            attest_now: device.platform != Platform::Software && (is_doubted || is_awaited),
        };
        if let Some(window) = after.windows.last() {
            live::remember(&self.backends().hot, device.id, &sample(&window.judgement, &after, now)).await;
        }
        self.act(phone, &after, receipt, origin).await
    }

    async fn score(&self, device: &Device, batch: &SignalBatch, withhold: Option<Withheld>, now: Time) -> After {
        let arrived = Instant::now();
        let fleet = &self.inner.fleet;
        let mode = fleet.arrived();
        let (accelerometer, gyroscope) = (readings(&batch.accelerometer), readings(&batch.gyroscope));
        let standing = self.standing(device, withhold, now);
        let memory = fleet.memory(device.tenant);
        let number = device.id.uuid().as_u64_pair().1;
        fleet
            .follow(&self.backends().hot, device, now, |engine| {
                let begun = Instant::now();
                let before = engine.faults().refused();
                let batch = Batch {
                    arrived: now.micros(),
                    accelerometer: &accelerometer,
                    gyroscope: &gyroscope,
                    touches: &batch.touches,
                    traffic: &batch.traffic,
                };
                let setting = Setting { cohort: &fleet.cohort, mode, learns: true };
                let mut windows = Vec::new();
                let mut memory = memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                engine.accept(&batch, &setting, Some(Recall { memory: &mut memory, device: number }), |engine, judgement| {
                    let decision = engine.decide(judgement, &standing);
                    let is_grave = decision.lock.is_some() || decision.held_back.is_some();
                    let explanation = is_grave.then(|| serde_json::to_value(engine.explain(&fleet.cohort)).unwrap_or_default());
                    windows.push(Window { judgement: *judgement, decision, explanation });
                });
                drop(memory);
                let refused = engine.faults().refused().saturating_sub(before);
                fleet.scored(arrived, begun);
                After {
                    windows,
                    refused,
                    posture: engine.posture().into(),
                    is_unwritten: engine.unwritten().is_some(),
                    threshold: engine.threshold(&standing).value,
                    trust: engine.trust(),
                    owed: engine.owed().map(|lock| (lock, serde_json::to_value(engine.explain(&fleet.cohort)).unwrap_or_default())),
                }
            })
            .await
    }

    /// What the engine knows of a phone from outside its sensors.
    pub(crate) fn standing(&self, device: &Device, withhold: Option<Withheld>, now: Time) -> Standing {
        Standing {
            now: now.micros(),
            attestation: device.attestation(now),
            plan: device.plan.into(),
            withhold: withhold.map(threat::Withheld::from),
            ..Standing::default()
        }
    }

    /// Makes decisions durable: a lock, or another posture. What cannot be written is decided still: the next batch brings it again.
    async fn act(&self, phone: &Phone, after: &After, receipt: SignalReceipt, origin: &Origin) -> Result<SignalReceipt> {
        let device = &phone.device;
        let actor = guarding(device.tenant, device.id, origin);
        if let Some((lock, newest)) = &after.owed {
            let window = after.windows.iter().find(|window| window.decision.lock.is_some());
            let laid = self.lay(&actor, device.id, order(lock, window, Some(newest), after)).await?;
            let hot = &self.backends().hot;
            if let Some(lock) = laid {
                self.inner.fleet.with(hot, device.id, threat::Device::settled).await;
                return Err(errors::locked(lock.expires_at));
            }
            self.inner.fleet.with(hot, device.id, threat::Device::spared).await;
            return Ok(SignalReceipt { posture: Posture::StepUp.max(device.posture), ..receipt });
        }
        let held_back = after.windows.iter().find_map(|window| window.decision.held_back.map(|lock| (window, lock)));
        if let Some((window, lock)) = held_back
            && let Some(why) = window.decision.withheld
        {
            let told = self.withhold(&actor, device, &order(&lock, Some(window), None, after), why.into(), None).await;
            if told.is_err() {
                self.inner.fleet.with(&self.backends().hot, device.id, threat::Device::untold).await;
            }
            told?;
        }
        if after.is_unwritten {
            let written = self.change_posture(&actor, device, after).await?;
            self.inner.fleet.written(&self.backends().hot, device.id, written, self.now()).await;
            return Ok(SignalReceipt { posture: written.posture, ..receipt });
        }
        Ok(receipt)
    }

    /// Writes down what was decided, where it outdoes the row as it is by now; what the row says then.
    async fn change_posture(&self, actor: &base::Actor, device: &Device, after: &After) -> Result<Written> {
        let mut change = Change::begin(self.backends(), actor, actions::CHANGE_POSTURE).await?;
        let found = store::devices::hold(&mut change, device.id).await?.ok_or_else(errors::not_found)?;
        let (from, to) = (found.posture, after.posture);
        // A lock that came meanwhile is not softened by what behaviour said before it.
        if !threat::Posture::from(to).outdoes(from.into()) {
            // Holding the row made it a version newer, which is not kept.
            return Ok(Written { posture: from, version: found.version - 1 });
        }
        store::devices::set_posture(&mut change, device.id, to, None).await?;
        let score = after.windows.last().and_then(|window| window.judgement.global);
        let detail = json!({ "from": from, "to": to, "score": score, "threshold": after.threshold, "trust": after.trust });
        store::timeline::add(&mut change, device.id, "posture", &detail).await?;
        change.subject("device", device.id);
        change.detail(detail);
        if let Some(score) = score {
            change.threat(score, Some(found.attestation_state.as_str().to_owned()));
        }
        change.publish(&PostureChanged { device_id: device.id, user_id: device.user_id, from, to }).await?;
        let standing = store::devices::standing_in(&mut change, device.id).await?;
        change.commit().await?;
        self.learned(device.tenant, standing).await;
        Ok(Written { posture: to, version: standing.version })
    }
}

/// The order to lay what was decided on a window, or on one whose lock could not be written.
fn order(lock: &threat::Lock, window: Option<&Window>, newest: Option<&Json>, after: &After) -> Order {
    let cause = Cause::from(lock.cause());
    Order {
        posture: lock.posture().into(),
        cause,
        reason: match lock.cause() {
            threat::Cause::Signal(_) => "readings that were sent before came again".to_owned(),
            threat::Cause::Confirmed { sum, .. } => {
                format!("unusual behaviour added up to {sum:.1} standard deviations, confirmed by {}", cause.as_str())
            }
        },
        evidence: json!({
            "cause": lock.cause(), "judgement": window.map(|window| window.judgement),
            "explanation": window.and_then(|window| window.explanation.as_ref()).or(newest),
            "threshold": after.threshold, "trust": after.trust,
        }),
        reach: Reach::Application,
        expires_at: None,
        revokes: false,
        score: window.and_then(|window| window.judgement.global),
    }
}

fn readings(points: &[Point]) -> Vec<Reading> {
    let axis = |value: Option<f32>| value.unwrap_or(f32::NAN);
    points.iter().map(|&(t, x, y, z)| Reading { t, x: axis(x), y: axis(y), z: axis(z) }).collect()
}

fn sample(judgement: &Judgement, after: &After, now: Time) -> Sample {
    Sample {
        at: now,
        score: judgement.global,
        threshold: after.threshold,
        parts: judgement.parts.weighted().into_iter().map(|(_, _, value)| value).collect(),
        coverage: judgement.coverage,
        trust: after.trust,
        posture: after.posture,
    }
}
