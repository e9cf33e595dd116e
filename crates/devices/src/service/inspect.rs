//! What people see of phones, and what a phone is told of itself.

use audit::Change;
use base::{Actor, Page, PageRequest, Result};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Devices, Phone};
use crate::bars::stopping;
use crate::model::{Device, DeviceId, Filter, Lock, Moment, Seen, Why};
use crate::order::{DevicePatch, line};
use crate::vocabulary::{Cause, Posture, Withheld};
use crate::words::{Language, for_stopped, for_user};
use crate::{actions, errors, live, store};

/// Locks shown of one phone.
const LOCKS: u32 = 100;

/// Why a phone may do what it may do, in words for its user.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeviceReason {
    /// What the phone may do.
    pub posture: Posture,
    /// Why it is locked.
    pub cause: Option<Cause>,
    /// When the lock ends by itself.
    pub until: Option<base::Time>,
    /// Until when a kill switch stops the phone, whatever else holds of it.
    pub stopped_until: Option<base::Time>,
    /// The same for the phone's user, in their language.
    #[schema(max_length = 1000)]
    pub reason_user: String,
}

impl Devices {
    /// Phones, newest first, each with what it said last.
    ///
    /// # Errors
    /// `Invalid` for a page that makes no sense; `Forbidden`.
    pub async fn list(&self, actor: &Actor, filter: &Filter, page: &PageRequest) -> Result<Page<Seen>> {
        let scope = actor.scope(actions::READ)?;
        let found = store::devices::list(&self.backends().db, &scope, filter, page).await?;
        let last = futures::future::join_all(found.items.iter().map(|device| live::recall(&self.backends().hot, device.id))).await;
        let mut last = last.into_iter();
        Ok(found.map(|device| Seen { device, last: last.next().flatten() }))
    }

    /// One phone.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn get(&self, actor: &Actor, id: DeviceId) -> Result<Seen> {
        let scope = actor.scope(actions::READ)?;
        let device = store::devices::find(&self.backends().db, &scope, id).await?.ok_or_else(errors::not_found)?;
        Ok(Seen { last: live::recall(&self.backends().hot, id).await, device })
    }

    /// Renames a phone, or puts it on the allow-list.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` naming the field; `Forbidden`.
    pub async fn patch(&self, actor: &Actor, id: DeviceId, patch: DevicePatch) -> Result<Device> {
        let mut change = Change::begin(self.backends(), actor, actions::UPDATE).await?;
        let mut device = store::devices::hold(&mut change, id).await?.ok_or_else(errors::not_found)?;
        let before = json!({ "name": device.name, "allow_listed": device.allow_listed });
        if let Some(name) = patch.name {
            device.name = line("/name", &name, 128)?;
        }
        device.allow_listed = patch.allow_listed.unwrap_or(device.allow_listed);
        device.changed_at = change.now();
        store::devices::rename(&mut change, &device).await?;
        change.subject("device", id);
        change.detail(json!({ "before": before, "after": { "name": device.name, "allow_listed": device.allow_listed } }));
        let standing = store::devices::standing_in(&mut change, id).await?;
        change.commit().await?;
        self.learned(device.tenant, standing).await;
        Ok(device)
    }

    /// What happened to a phone, newest first.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a page that makes no sense; `Forbidden`.
    pub async fn timeline(&self, actor: &Actor, id: DeviceId, page: &PageRequest) -> Result<Page<Moment>> {
        let scope = actor.scope(actions::READ)?;
        store::devices::find(&self.backends().db, &scope, id).await?.ok_or_else(errors::not_found)?;
        store::timeline::list(&self.backends().db, &scope, id, page).await
    }

    /// Locks of a phone, newest first.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn locks(&self, actor: &Actor, id: DeviceId) -> Result<Vec<Lock>> {
        let scope = actor.scope(actions::READ)?;
        store::devices::find(&self.backends().db, &scope, id).await?.ok_or_else(errors::not_found)?;
        store::locks::of_device(&self.backends().db, &scope, id, LOCKS).await
    }

    /// Why a phone may do what it may do: its lock, its newest window taken apart, its attestation.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn why(&self, actor: &Actor, id: DeviceId) -> Result<Why> {
        let scope = actor.scope(actions::READ)?;
        let db = &self.backends().db;
        let device = store::devices::find(db, &scope, id).await?.ok_or_else(errors::not_found)?;
        let lock = store::locks::open(db, &scope, id).await?;
        let report = store::devices::report(db, &scope, id).await?;
        let policy = self.policy_of(device.tenant).await?;
        let (now, fleet) = (self.now(), &self.inner.fleet);
        let withheld = self.withholding(&device, &policy);
        let standing = self.standing(&device, withheld, now);
        let seen = fleet
            .look(&self.backends().hot, id, |engine| {
                let has_window = engine.raw().iter().any(|value| *value != 0.0);
                let explanation = has_window.then(|| serde_json::to_value(engine.explain(&fleet.cohort)).unwrap_or_default());
                (explanation, json!(engine.threshold(&standing)), engine.accumulated(), json!(engine.faults()))
            })
            .await;
        let (explanation, threshold, accumulated, faults) = seen;
        Ok(Why {
            attestation_score: device.attestation_score(now),
            device,
            lock,
            withheld,
            threshold: explanation.is_some().then_some(threshold),
            accumulated: explanation.is_some().then_some(accumulated),
            explanation,
            faults: Some(faults),
            attestation_report: report,
        })
    }

    /// The same in words for the phone's user.
    ///
    /// # Errors
    /// The database's.
    pub async fn reason(&self, phone: &Phone, accept_language: Option<&str>) -> Result<DeviceReason> {
        let scope = phone.actor.scope(actions::ACKNOWLEDGE)?;
        let (id, now) = (phone.device.id, self.now());
        let device = store::devices::find(&self.backends().db, &scope, id).await?.ok_or_else(errors::unknown_key)?;
        let lock = store::locks::open(&self.backends().db, &scope, id).await?.filter(|_| device.is_locked(now));
        let posture = if device.posture >= Posture::Lock && lock.is_none() { Posture::StepUp } else { device.posture };
        let cause = lock.as_ref().map(|lock| lock.cause);
        let on = store::switches::on(&self.backends().db, now).await?;
        let stopped_until = stopping(device.tenant, id, &on, now).map(|switch| switch.expires_at);
        let language = Language::of(accept_language);
        let reason_user = match stopped_until {
            Some(_) if posture < Posture::Lock => for_stopped(language),
            _ => for_user(language, posture, cause),
        };
        Ok(DeviceReason {
            posture,
            cause,
            until: lock.and_then(|lock| lock.expires_at),
            stopped_until,
            reason_user: reason_user.to_owned(),
        })
    }

    /// A reason to lay no lock on this phone by itself.
    pub(crate) fn withholding(&self, device: &Device, policy: &crate::model::Policy) -> Option<Withheld> {
        if policy.shadow {
            Some(Withheld::Shadow)
        } else if device.allow_listed {
            Some(Withheld::AllowList)
        } else {
            policy.halt.as_ref().map(|_| Withheld::BlastRadius)
        }
    }
}
