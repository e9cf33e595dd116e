//! The ends of a lock: a person releases it, a person keeps it, its time is over. A release still asks the owner to prove to be there.

use audit::Change;
use backends::Run;
use base::{Action, Actor, Result};
use serde_json::json;

use super::Devices;
use crate::bars::is_barred;
use crate::events::{DeviceReleased, PostureChanged};
use crate::model::{Device, DeviceId, Lock};
use crate::order::line;
use crate::vocabulary::{CommandKind, Posture, Reach};
use crate::{actions, errors, store};

/// Locks ended in one run.
const BATCH: u32 = 500;

impl Devices {
    /// A person releases a locked phone, or trusts a restricted one again.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it is neither; `Forbidden`.
    pub async fn unlock(&self, actor: &Actor, id: DeviceId, reason: &str) -> Result<Device> {
        let reason = line("/reason", reason, 1000)?;
        self.release(actor, actions::UNLOCK, id, &reason).await
    }

    /// A person keeps a lock beyond its day.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the phone is not locked; `Forbidden`.
    pub async fn confirm_lock(&self, actor: &Actor, id: DeviceId, reason: &str) -> Result<Lock> {
        let reason = line("/reason", reason, 1000)?;
        let mut change = Change::begin(self.backends(), actor, actions::CONFIRM_LOCK).await?;
        let device = store::devices::hold(&mut change, id).await?.ok_or_else(errors::not_found)?;
        let lock = store::locks::open_for_change(&mut change, id).await?.ok_or_else(errors::not_locked)?;
        store::locks::confirm(&mut change, lock.id, &actor.username).await?;
        store::devices::set_posture(&mut change, id, lock.posture, None).await?;
        store::timeline::add(&mut change, id, "lock_confirmed", &json!({ "lock": lock.id, "reason": reason, "by": actor.username }))
            .await?;
        change.subject("device", id);
        change.detail(json!({ "lock": lock.id }));
        change.reason(&reason);
        let now = change.now();
        let standing = store::devices::standing_in(&mut change, id).await?;
        change.commit().await?;
        self.learned(device.tenant, standing).await;
        Ok(Lock { expires_at: None, confirmed_at: Some(now), confirmed_by: Some(actor.username.clone()), ..lock })
    }

    /// Ends locks whose time is over; how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire(&self, run: &Run) -> Result<u64> {
        let over = store::locks::expired(&self.backends().db, self.now(), BATCH).await?;
        let mut ended = 0;
        for (tenant, device) in over {
            match self.release(&run.system(tenant), actions::EXPIRE, device, "its time is over").await {
                Ok(_) => ended += 1,
                // Another node was faster.
                Err(error) if error.kind() == base::Kind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }

    async fn release(&self, actor: &Actor, action: Action, id: DeviceId, reason: &str) -> Result<Device> {
        let mut change = Change::begin(self.backends(), actor, action).await?;
        let device = store::devices::hold(&mut change, id).await?.ok_or_else(errors::not_found)?;
        let lock = store::locks::open_for_change(&mut change, id).await?;
        if action == actions::EXPIRE && lock.as_ref().is_none_or(|lock| lock.expires_at.is_none_or(|until| until > change.now())) {
            // Confirmed or replaced since it was found.
            return Err(errors::not_locked());
        }
        let to = match (&lock, device.posture) {
            (Some(_), _) => Posture::StepUp,
            (None, Posture::Observe) => return Err(errors::not_locked()),
            // Without a lock it is suspicion alone that a person puts aside.
            (None, _) => Posture::Observe,
        };
        store::devices::set_posture(&mut change, id, to, None).await?;
        let detail = json!({ "lock": lock.as_ref().map(|lock| lock.id), "from": device.posture, "to": to, "reason": reason });
        if let Some(lock) = &lock {
            let by = (action == actions::UNLOCK).then(|| actor.username.clone());
            store::locks::release(&mut change, lock.id, by, reason).await?;
            // Whom a kill switch stops still is told by the end of that.
            let switches = store::switches::on_in(&mut change).await?;
            let free = Device { posture: to, locked_until: None, ..device.clone() };
            if !is_barred(&free, &switches, change.now()) {
                let told = json!({ "lock": lock.id });
                self.command(&mut change, id, CommandKind::Release, Reach::Application, reason, told).await?;
            }
            change.publish(&DeviceReleased { device_id: id, user_id: device.user_id, lock_id: lock.id, reason: reason.to_owned() }).await?;
        } else {
            change.publish(&PostureChanged { device_id: id, user_id: device.user_id, from: device.posture, to }).await?;
        }
        store::timeline::add(&mut change, id, "released", &detail).await?;
        change.subject("device", id);
        change.detail(detail);
        change.reason(reason);
        let now = change.now();
        let standing = store::devices::standing_in(&mut change, id).await?;
        change.commit().await?;
        let hot = &self.backends().hot;
        if let Err(error) = hot.delete(&format!("revoked:device:{id}")).await {
            tracing::debug!(%error, "the hot store still shows a lock that has ended");
        }
        // Failures of before the release must not lock again with the next one.
        if let Err(error) = hot.delete(&format!("rl:failures:{id}")).await {
            tracing::debug!(%error, "counted failures stay until their window ends");
        }
        self.inner
            .fleet
            .with(hot, id, |engine| match to {
                Posture::Observe => engine.stepped_up(now.micros()),
                _ => engine.released(),
            })
            .await;
        self.learned(device.tenant, standing).await;
        Ok(Device { posture: to, locked_until: None, changed_at: now, ..device })
    }
}
