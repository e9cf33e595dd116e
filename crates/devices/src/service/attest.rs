//! A phone proves again what it is, over a nonce that is spent exactly once. Failures count only when the phone's own key signed them,
//! so nobody can quarantine somebody else's phone; a repetition after a lost reply is answered and counts nothing.

use std::time::Duration;

use audit::Change;
use aws_lc_rs::constant_time;
use backends::Quota;
use base::{Origin, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::lay::Order;
use super::{Challenge, Devices, Phone, Tokens, guarding};
use crate::events::{DeviceAttested, PostureChanged};
use crate::evidence::{Asked, Judged};
use crate::model::{Device, DeviceId};
use crate::store::devices::Proven;
use crate::token::sha256;
use crate::vocabulary::{Attested, Cause, Level, Platform, Posture, Reach};
use crate::{actions, errors, store};

/// Nonces one phone may ask for.
const NONCES: Quota = Quota { burst: 20, per: Duration::from_secs(300) };
/// How long failures are counted together.
const FAILURE_WINDOW: Duration = Duration::from_secs(600);

/// What a phone attests with.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attesting {
    /// The nonce it was given.
    #[schema(max_length = 128)]
    pub nonce: String,
    /// What its platform says.
    #[serde(default)]
    #[schema(max_length = 65536)]
    pub evidence: String,
    /// Ask for new tokens, after the old ones were revoked or lost.
    #[serde(default)]
    pub wants_tokens: bool,
}

/// What an attestation came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceAttestation)]
pub struct Attestation {
    /// What became of it.
    pub state: Attested,
    /// What it is worth.
    pub level: Level,
    /// The same as a number, 0 to 1; it fades within a day.
    pub score: f64,
    /// New tokens, when they were asked for.
    pub tokens: Option<Tokens>,
}

/// What became of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Used {
    /// It was good, and is spent now.
    Fresh,
    /// The same request spent it before: the reply was lost. What it came to, once that is known.
    Repeated(Option<Outcome>),
    /// It was spent by something else.
    Replayed,
    /// It is over, or nobody remembers it: that blames nobody.
    Unknown,
}

/// What evidence came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    state: Attested,
    level: Level,
}

/// Who spent a nonce, and what that came to.
#[derive(Serialize, Deserialize)]
struct Spent {
    by: String,
    outcome: Option<Outcome>,
}

impl Devices {
    pub(super) async fn challenge(&self, device: DeviceId) -> Result<Challenge> {
        let hot = &self.backends().hot;
        let verdict = hot.limit(&format!("rl:nonce:{device}"), NONCES).await?;
        if !verdict.allowed {
            return Err(errors::too_often(verdict.retry_after));
        }
        let name = self.backends().ids.secret(9)?;
        let secret = self.backends().ids.secret(24)?;
        let life = self.config().nonce_ttl();
        hot.set(&nonce_key(device, name.expose()), secret.expose().as_bytes(), Some(life)).await?;
        Ok(Challenge { device_id: device, nonce: format!("{}.{}", name.expose(), secret.expose()), expires_at: self.now() + life })
    }

    /// Spends a nonce of this phone: of all who bring it, on whatever node, one finds it fresh.
    pub(crate) async fn spend(&self, device: DeviceId, nonce: &str, request: &str) -> Result<Used> {
        let hot = &self.backends().hot;
        let Some((name, secret)) = nonce.split_once('.').filter(|_| nonce.len() <= 128) else { return Ok(Used::Unknown) };
        let (key, used) = (nonce_key(device, name), used_key(device, name));
        let by = sha256(request);
        let is_there = hot.get(&key).await?.is_some_and(|kept| constant_time::verify_slices_are_equal(&kept, secret.as_bytes()).is_ok());
        // Who spends it is written down first: a repetition that overtakes the first try is still known for one.
        let spent = serde_json::to_vec(&Spent { by: by.clone(), outcome: None }).unwrap_or_default();
        let is_first = is_there && hot.set_new(&used, &spent, Some(self.spent_life())).await?;
        let outcome = if is_first {
            if hot.delete_if(&key, secret.as_bytes()).await? { Used::Fresh } else { Used::Unknown }
        } else {
            let spent = hot.get(&used).await?.and_then(|kept| serde_json::from_slice::<Spent>(&kept).ok());
            match spent {
                Some(spent) if spent.by == by => Used::Repeated(spent.outcome),
                Some(_) => Used::Replayed,
                None => Used::Unknown,
            }
        };
        let label = match outcome {
            Used::Fresh => "fresh",
            Used::Repeated(_) => "repeated",
            Used::Replayed => "refused",
            Used::Unknown => "unknown",
        };
        metrics::counter!("device_nonces_total", "outcome" => label).increment(1);
        Ok(outcome)
    }

    /// Keeps with a nonce what was judged over it: a repetition is answered from this alone. Should it be lost, or whoever judges be
    /// stopped before, nothing was judged and the phone asks for another nonce.
    async fn remember_outcome(&self, device: DeviceId, attesting: &Attesting, outcome: Outcome) {
        let Some((name, _)) = attesting.nonce.split_once('.') else { return };
        let spent = serde_json::to_vec(&Spent { by: sha256(&attesting.evidence), outcome: Some(outcome) }).unwrap_or_default();
        if let Err(error) = self.backends().hot.set(&used_key(device, name), &spent, Some(self.spent_life())).await {
            tracing::warn!(%error, "what an attestation came to is not kept for a lost reply");
        }
    }

    fn spent_life(&self) -> Duration {
        self.config().nonce_ttl() * 2
    }

    /// Takes an attestation of an enrolled phone.
    ///
    /// # Errors
    /// `Forbidden` when the nonce or the evidence is refused, `Unavailable` when it cannot be told whether the nonce was used.
    pub async fn attest(&self, phone: &Phone, new: Attesting, origin: &Origin) -> Result<Attestation> {
        let device = &phone.device;
        let outcome = match self.spend(device.id, &new.nonce, &new.evidence).await? {
            Used::Fresh => self.judge_again(phone, &new, origin).await?,
            Used::Repeated(Some(Outcome { state: Attested::Failed | Attested::Outdated, .. })) => {
                return Err(errors::attestation(&["refused before"]));
            }
            Used::Repeated(Some(outcome)) => outcome,
            Used::Repeated(None) | Used::Unknown => return Err(errors::nonce()),
            Used::Replayed => {
                self.count_failure(device, "an attestation nonce was used again", origin).await?;
                return Err(errors::nonce());
            }
        };
        let tokens = if new.wants_tokens { Some(self.new_family(device, "attested anew", origin).await?) } else { None };
        let Outcome { state, level } = outcome;
        Ok(Attestation { state, level, score: attestation::Level::from(level).weight(), tokens })
    }

    async fn judge_again(&self, phone: &Phone, new: &Attesting, origin: &Origin) -> Result<Outcome> {
        let device = &phone.device;
        if device.platform == Platform::Software {
            // It proves its key, which the request did already, and nothing more.
            let outcome = Outcome { state: Attested::Never, level: Level::None };
            self.remember_outcome(device.id, new, outcome).await;
            return Ok(outcome);
        }
        let asked = Asked {
            platform: device.platform,
            at: self.now().to_chrono(),
            nonce: &new.nonce,
            thumbprint: &device.thumbprint,
            key: None,
            evidence: &new.evidence,
            attested: device.attested_key.as_deref().map(|key| (key, device.attested_counter, device.attestation_level)),
        };
        let judged = self.inner.verifiers.judge(&asked).await?;
        let is_good = judged.failed.is_empty();
        let outcome = if is_good { "passed" } else { "refused" };
        metrics::counter!("device_attestations_total", "platform" => device.platform.as_str(), "outcome" => outcome).increment(1);
        if is_good && self.note_attestation(phone, &judged, Attested::Passed).await? {
            let outcome = Outcome { state: Attested::Passed, level: judged.report.level.into() };
            self.remember_outcome(device.id, new, outcome).await;
            return Ok(outcome);
        }
        let failed = if is_good { vec!["counter"] } else { judged.failed.clone() };
        // An old system proves nothing against whoever holds the phone.
        let state = if judged.is_only_outdated() { Attested::Outdated } else { Attested::Failed };
        self.note_attestation(phone, &judged, state).await?;
        self.remember_outcome(device.id, new, Outcome { state, level: Level::None }).await;
        if state == Attested::Outdated {
            return Err(errors::attestation(&failed));
        }
        let now = self.now().micros();
        self.inner.fleet.with(&self.backends().hot, device.id, |engine| engine.attestation_failed(now)).await;
        self.count_failure(device, &format!("the attestation failed: {}", failed.join(", ")), origin).await?;
        Err(errors::attestation(&failed))
    }

    /// False when an assertion's counter was not higher than the last one.
    async fn note_attestation(&self, phone: &Phone, judged: &Judged, state: Attested) -> Result<bool> {
        let device = &phone.device;
        let report = serde_json::to_value(&judged.report).unwrap_or_default();
        let passed = state == Attested::Passed;
        let level = if passed { judged.report.level.into() } else { device.attestation_level };
        let action = if passed { actions::ATTEST } else { actions::ATTEST_FAILED };
        let mut change = Change::begin(self.backends(), &phone.actor, action).await?;
        let proven = Proven {
            state,
            level,
            // An outdated answer is genuine: it is as fresh as any, and goes stale like one.
            at: if state == Attested::Failed { device.attested_at } else { Some(change.now()) },
            report: &report,
            counter: judged.counter.filter(|_| passed),
        };
        if !store::devices::attested(&mut change, device.id, &proven).await? {
            return Ok(false);
        }
        let told = json!({ "state": state, "level": level, "failed": judged.failed });
        let kind = match state {
            Attested::Passed | Attested::Never => "attested",
            Attested::Outdated => "attestation_outdated",
            Attested::Failed => "attestation_failed",
        };
        store::timeline::add(&mut change, device.id, kind, &told).await?;
        change.subject("device", device.id);
        change.detail(told);
        change.publish(&DeviceAttested { device_id: device.id, state, level }).await?;
        let mut standing = store::devices::standing_in(&mut change, device.id).await?;
        if passed && standing.posture == Posture::Restrict {
            // The phone is genuine; whether its owner holds it is waited for.
            let (from, to) = (standing.posture, Posture::StepUp);
            store::devices::set_posture(&mut change, device.id, to, None).await?;
            store::timeline::add(&mut change, device.id, "posture", &json!({ "from": from, "to": to })).await?;
            change.publish(&PostureChanged { device_id: device.id, user_id: device.user_id, from, to }).await?;
            standing = store::devices::standing_in(&mut change, device.id).await?;
        }
        change.commit().await?;
        if passed {
            self.inner.fleet.with(&self.backends().hot, device.id, threat::Device::challenge_passed).await;
        }
        self.learned(device.tenant, standing).await;
        Ok(true)
    }

    /// One more failure that the phone's own key signed; too many quarantine it.
    pub(crate) async fn count_failure(&self, device: &Device, what: &str, origin: &Origin) -> Result<()> {
        let count = self.backends().hot.count(&format!("rl:failures:{}", device.id), 1, FAILURE_WINDOW).await?;
        tracing::info!(device = %device.id, failures = count.value, what, "a device failed to prove itself");
        if count.value < i64::from(self.config().failures) {
            return Ok(());
        }
        let order = Order {
            posture: Posture::Quarantine,
            cause: Cause::RepeatedFailures,
            reason: format!("{} failures within ten minutes; the last: {what}", count.value),
            evidence: json!({ "failures": count.value, "last": what }),
            reach: Reach::Application,
            expires_at: None,
            revokes: true,
            score: None,
        };
        self.lay(&guarding(device.tenant, device.id, origin), device.id, order).await.map(drop)
    }
}

fn nonce_key(device: DeviceId, name: &str) -> String {
    format!("nonce:{device}:{name}")
}

fn used_key(device: DeviceId, name: &str) -> String {
    format!("nonce:used:{device}:{name}")
}
