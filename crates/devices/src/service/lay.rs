//! Laying a lock: row, command, revocation, timeline and audit entry together or not at all. A lock nobody ordered is withheld where an
//! organisation only watches, from phones on the allow-list, and when too many phones are locked at once.

use std::time::Duration;

use audit::Change;
use base::{Actor, Result, Time};
use serde_json::{Value as Json, json};
use threat::{BlastRadius, Halt, HardSignal, Trait};

use super::Devices;
use crate::bars::Named;
use crate::events::DeviceLocked;
use crate::model::{Device, DeviceId, Lock};
use crate::order::{LockOrder, line};
use crate::store::locks::Laid as Earlier;
use crate::vocabulary::{Cause, CommandKind, Posture, Reach, Withheld};
use crate::{actions, errors, store};

/// Window in which locks are counted for the blast radius.
const WINDOW: Duration = Duration::from_secs(600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// Locks of one window that are looked at; more than are ever allowed.
const COUNTED: u32 = 5_000;

/// What is kept of reasons that came while a lock stood.
const ALSO: usize = 20;

/// A lock about to be laid.
pub(crate) struct Order {
    pub(crate) posture: Posture,
    pub(crate) cause: Cause,
    pub(crate) reason: String,
    pub(crate) evidence: Json,
    pub(crate) reach: Reach,
    /// When it ends; a day at most, and always by itself until a person confirms it.
    pub(crate) expires_at: Option<Time>,
    /// Whether everything given out dies with it.
    pub(crate) revokes: bool,
    /// The score it rests on.
    pub(crate) score: Option<f64>,
}

impl Devices {
    /// A person locks a phone.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` naming the field; `Forbidden` without the permission, or beyond what the phone's owner allows.
    pub async fn lock(&self, actor: &Actor, id: DeviceId, order: LockOrder) -> Result<Lock> {
        let reason = line("/reason", &order.reason, 1000)?;
        let most = self.config().lock_life();
        let life = order.seconds.map_or(most, |seconds| Duration::from_secs(seconds.into()));
        if life > most || life < Duration::from_secs(60) {
            return Err(errors::field("/seconds", format!("it must be 60 to {}", most.as_secs())));
        }
        let posture = if order.quarantine { Posture::Quarantine } else { Posture::Lock };
        let order = Order {
            posture,
            cause: Cause::Operator,
            reason,
            evidence: json!({ "ordered_by": actor.username }),
            reach: order.reach,
            expires_at: Some(self.now() + life),
            revokes: order.quarantine,
            score: None,
        };
        self.lay(actor, id, order).await?.ok_or_else(|| base::Error::internal("an operator's lock was withheld"))
    }

    /// Lays a lock, and gives the one that stands now; one at least as grave that stood before lasts longer instead. None when it is
    /// withheld.
    pub(crate) async fn lay(&self, actor: &Actor, id: DeviceId, order: Order) -> Result<Option<Lock>> {
        let automatic = order.cause != Cause::Operator;
        let action = if automatic { actions::LOCK_ITSELF } else { actions::LOCK };
        let mut change = Change::begin(self.backends(), actor, action).await?;
        let device = store::devices::hold(&mut change, id).await?.ok_or_else(errors::not_found)?;
        device.allows(order.reach)?;
        let standing = store::locks::open_for_change(&mut change, id).await?;
        let now = change.now();
        let standing = standing.filter(|standing| standing.expires_at.is_none_or(|until| now < until));
        if let Some(standing) = &standing
            && standing.posture >= order.posture
        {
            if automatic && knows(standing, order.cause) {
                return Ok(Some(standing.clone()));
            }
            // Where nothing locks by itself no lock lasts longer by itself; that nothing new locks for now is decided with new locks.
            let withheld = if automatic { self.reason_to_withhold(&mut change, &device, &order).await?.map(|(why, _)| why) } else { None };
            return self.reinforce(change, actor, &device, (standing.clone(), withheld), order).await.map(Some);
        }
        if automatic && let Some((why, halt)) = self.reason_to_withhold(&mut change, &device, &order).await? {
            // What was written so far must not stay; the refusal is a change of its own.
            drop(change);
            self.withhold(actor, &device, &order, why, halt).await?;
            return Ok(None);
        }
        store::locks::supersede(&mut change, id).await?;
        let kept = standing.filter(|standing| standing.confirmed_at.is_some()).and_then(|standing| standing.confirmed_by);
        let expires_at = kept.is_none().then(|| order.expires_at.unwrap_or(now + self.config().lock_life()));
        let lock = Lock {
            id: change.id(),
            device_id: id,
            posture: order.posture,
            cause: order.cause,
            automatic,
            reason: order.reason,
            evidence: order.evidence,
            reach: order.reach,
            created_by: (!automatic).then(|| actor.username.clone()),
            created_at: now,
            expires_at,
            confirmed_at: kept.as_ref().map(|_| now),
            confirmed_by: kept.clone(),
            released_at: None,
            released_by: None,
            release_reason: None,
        };
        store::locks::insert(&mut change, &lock, &device).await?;
        if let Some(by) = &kept {
            // A person decided that a lock lasts; a graver one does not end sooner.
            store::locks::confirm(&mut change, lock.id, by).await?;
        }
        store::devices::set_posture(&mut change, id, lock.posture, expires_at).await?;
        let revokes = order.revokes || lock.posture == Posture::Quarantine;
        if revokes {
            store::devices::revoke(&mut change, id).await?;
            store::families::revoke_all(&mut change, id, lock.cause.as_str()).await?;
        }
        let told = json!({ "lock": lock.id, "cause": lock.cause, "until": expires_at });
        self.command(&mut change, id, command_of(lock.posture), lock.reach, &lock.reason, told).await?;
        let detail = json!({ "lock": lock.id, "posture": lock.posture, "cause": lock.cause, "reason": lock.reason, "reach": lock.reach,
            "expires_at": expires_at, "revokes": revokes, "evidence": lock.evidence });
        store::timeline::add(&mut change, id, "locked", &detail).await?;
        change.subject("device", id);
        change.detail(detail);
        change.reason(&lock.reason);
        if let Some(score) = order.score {
            change.threat(score, Some(device.attestation_state.as_str().to_owned()));
        }
        let event = DeviceLocked {
            device_id: id,
            user_id: device.user_id,
            lock_id: lock.id,
            posture: lock.posture,
            cause: lock.cause,
            reason: lock.reason.clone(),
        };
        change.publish(&event).await?;
        let standing = store::devices::standing_in(&mut change, id).await?;
        change.commit().await?;
        metrics::counter!("device_locks_total", "cause" => lock.cause.as_str()).increment(1);
        // First of all: what follows may wait for a store that is away.
        self.learned(device.tenant, standing).await;
        self.tell_engine(&device, lock.cause).await;
        self.show_revoked(id, expires_at.map_or(self.config().lock_life(), |until| until.since(now))).await;
        Ok(Some(lock))
    }

    /// The threat engine learns of proof it did not find itself: trust falls, and after the release it watches for calm.
    async fn tell_engine(&self, device: &Device, cause: Cause) {
        let signal = match cause {
            Cause::RefreshReuse => HardSignal::RefreshReuse,
            Cause::AttestationReplay => HardSignal::AttestationReplay,
            Cause::RepeatedFailures => HardSignal::RepeatedFailures,
            Cause::Indicator => HardSignal::Indicator,
            Cause::CriticalIndicator => HardSignal::CriticalIndicator,
            Cause::Operator => HardSignal::Operator,
            // Its own.
            Cause::ReplayedReadings | Cause::AttestationFailed | Cause::AttestationStale | Cause::ChallengeFailed => return,
        };
        let standing = self.standing(device, None, self.now());
        self.inner.fleet.with(&self.backends().hot, device.id, |engine| engine.prove(signal, &standing)).await;
    }

    /// The phone is locked already, at least as gravely: that lock lasts as long and reaches as far as this one would, knows its cause
    /// and evidence, and what the phone holds dies when this one says so. One that is withheld leaves end and reach as they are.
    async fn reinforce(
        &self,
        mut change: Change,
        actor: &Actor,
        device: &Device,
        (standing, withheld): (Lock, Option<Withheld>),
        order: Order,
    ) -> Result<Lock> {
        let (id, now) = (device.id, change.now());
        let until = order.expires_at.unwrap_or(now + self.config().lock_life());
        // A lock that a person confirmed has no end.
        let (expires_at, reach) = match withheld {
            None => (standing.expires_at.map(|end| end.max(until)), standing.reach.max(order.reach)),
            Some(why) => {
                metrics::counter!("device_locks_withheld_total", "why" => why.as_str()).increment(1);
                (standing.expires_at, standing.reach)
            }
        };
        let (is_longer, is_wider) = (expires_at != standing.expires_at, reach != standing.reach);
        let told = json!({ "cause": order.cause, "reason": order.reason, "evidence": order.evidence, "at": now,
            "by": (order.cause == Cause::Operator).then_some(&actor.username) });
        let lock = Lock { expires_at, reach, evidence: beside(standing.evidence, told), ..standing };
        store::locks::reinforce(&mut change, &lock).await?;
        if is_longer {
            store::devices::set_posture(&mut change, id, lock.posture, expires_at).await?;
        }
        if is_longer || is_wider {
            let about = json!({ "lock": lock.id, "cause": lock.cause, "until": expires_at });
            self.command(&mut change, id, command_of(lock.posture), reach, &order.reason, about).await?;
        }
        if order.revokes {
            store::devices::revoke(&mut change, id).await?;
            store::families::revoke_all(&mut change, id, order.cause.as_str()).await?;
        }
        let detail = json!({ "lock": lock.id, "cause": order.cause, "reason": order.reason, "evidence": order.evidence, "reach": reach,
            "expires_at": expires_at, "revokes": order.revokes, "withheld": withheld });
        store::timeline::add(&mut change, id, "lock_reinforced", &detail).await?;
        change.subject("device", id);
        change.detail(detail);
        change.reason(&order.reason);
        let standing = store::devices::standing_in(&mut change, id).await?;
        change.commit().await?;
        self.learned(device.tenant, standing).await;
        if is_longer {
            self.show_revoked(id, expires_at.map_or(self.config().lock_life(), |until| until.since(now))).await;
        }
        Ok(lock)
    }

    /// `revoked:device:{id}` for whoever looks there; the database decides.
    async fn show_revoked(&self, id: DeviceId, life: Duration) {
        if let Err(error) = self.backends().hot.set(&format!("revoked:device:{id}"), b"1", Some(life)).await {
            tracing::warn!(%error, "a lock is not shown in the hot store; the database has it");
        }
    }

    async fn reason_to_withhold(&self, change: &mut Change, device: &Device, order: &Order) -> Result<Option<(Withheld, Option<Json>)>> {
        let policy = store::policies::find_for_change(change).await?.unwrap_or_else(|| self.default_policy());
        if policy.shadow {
            return Ok(Some((Withheld::Shadow, None)));
        }
        if device.allow_listed {
            return Ok(Some((Withheld::AllowList, None)));
        }
        if policy.halt.is_some() {
            return Ok(Some((Withheld::BlastRadius, None)));
        }
        // Two nodes must not both find room for the last lock.
        change.lock(i64::from_be_bytes(std::array::from_fn(|index| device.tenant.uuid().as_bytes()[index + 8]))).await?;
        let now = change.now();
        // What a person looked at and let go on does not count again.
        let resumed = store::policies::resumed_at(change).await?.unwrap_or_default();
        let earlier = store::locks::laid_since(change, (now - WINDOW).max(resumed), COUNTED).await?;
        let week = store::locks::count_since(change, now - WEEK).await?;
        let active = store::devices::count(change).await?;
        let usual = (week - earlier.len() as i64).max(0) as f64 / (WEEK.as_secs() / WINDOW.as_secs()) as f64;
        let halt = admit(&earlier, now, traits(order.cause.as_str(), device), u64::try_from(active).unwrap_or(0), usual);
        Ok(halt.map(|halt| (Withheld::BlastRadius, serde_json::to_value(halt).ok())))
    }

    /// Writes down that there was reason to lock and why it was not done; a new halt stops all further locks of the organisation.
    pub(crate) async fn withhold(&self, actor: &Actor, device: &Device, order: &Order, why: Withheld, halt: Option<Json>) -> Result<()> {
        metrics::counter!("device_locks_withheld_total", "why" => why.as_str()).increment(1);
        let mut change = Change::begin(self.backends(), actor, actions::WITHHOLD).await?;
        if let Some(halt) = &halt {
            tracing::error!(tenant = %device.tenant, %halt, "too many devices would be locked: locking stops until a person resumes it");
            store::policies::halt(&mut change, halt, &self.default_policy()).await?;
        }
        let detail = json!({ "withheld": why, "cause": order.cause, "reason": order.reason, "evidence": order.evidence, "halt": halt });
        store::timeline::add(&mut change, device.id, "lock_withheld", &detail).await?;
        change.subject("device", device.id);
        change.detail(detail);
        change.reason(&order.reason);
        change.commit().await?;
        self.inner.policies.invalidate(&device.tenant);
        Ok(())
    }

    /// Whether the phone may be served, for doors that hold it open.
    ///
    /// # Errors
    /// As a request of the phone would get.
    pub async fn still_served(&self, device: &Device) -> Result<()> {
        self.bar(Named { tenant: device.tenant, device: device.id, generation: device.generation }).await
    }
}

fn command_of(posture: Posture) -> CommandKind {
    if posture == Posture::Quarantine { CommandKind::ImmediateQuarantine } else { CommandKind::CriticalLock }
}

/// Whether this is what the lock rests on, or came to it before.
fn knows(lock: &Lock, cause: Cause) -> bool {
    let also = lock.evidence.get("also").and_then(Json::as_array);
    lock.cause == cause || also.is_some_and(|also| also.iter().any(|told| told["cause"].as_str() == Some(cause.as_str())))
}

/// Evidence with what came later under `also`; the oldest of that goes first.
fn beside(evidence: Json, told: Json) -> Json {
    let mut members = match evidence {
        Json::Object(members) => members,
        other => serde_json::Map::from_iter([("first".to_owned(), other)]),
    };
    if let Json::Array(also) = members.entry("also").or_insert_with(|| json!([])) {
        if also.len() >= ALSO {
            also.remove(0);
        }
        also.push(told);
    }
    Json::Object(members)
}

fn traits(cause: &str, device: &Device) -> Vec<Trait> {
    shared(cause, device.app_version.as_deref(), device.os_version.as_deref())
}

fn shared(cause: &str, app_version: Option<&str>, os_version: Option<&str>) -> Vec<Trait> {
    let named = |kind, value: Option<&str>| value.map(|value| Trait { kind, value: value.to_owned() });
    [named("rule", Some(cause)), named("app_version", app_version), named("os_version", os_version)].into_iter().flatten().collect()
}

/// Asks for one more lock after `earlier`; why not, when not.
fn admit(earlier: &[Earlier], now: Time, traits: Vec<Trait>, active: u64, usual: f64) -> Option<Halt> {
    let mut radius = BlastRadius::default();
    for lock in earlier {
        let traits = shared(&lock.cause, lock.app_version.as_deref(), lock.os_version.as_deref());
        // What was laid was admitted, or a person resumed since; only the new one is asked about.
        if radius.admit(lock.at.micros(), traits, active, usual).is_err() {
            break;
        }
    }
    radius.admit(now.micros(), traits, active, usual).err()
}
