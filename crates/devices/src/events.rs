//! What this context tells the others.

use backends::Event;
use base::UserId;
use serde::Serialize;

use crate::model::{DeviceId, LockId, SwitchId};
use crate::vocabulary::{Attested, Cause, Level, Posture};

/// A kill switch stopped one phone of an organisation, or all of them.
#[derive(Debug, Clone, Serialize)]
pub struct PhonesStopped {
    /// The switch.
    pub switch_id: SwitchId,
    /// The phone; absent when all of the organisation are stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Why, in words.
    pub reason: String,
}

impl Event for PhonesStopped {
    const NAME: &'static str = "device.stopped";

    fn subject(&self) -> String {
        self.switch_id.to_string()
    }
}

backends::events! { device_id;
    /// A phone enrolled.
    DeviceEnrolled = "device.enrolled" {
        /// The phone.
        device_id: DeviceId,
        /// What its attestation is worth.
        attestation_level: Level,
    }
    /// A phone's attestation passed or failed.
    DeviceAttested = "device.attested" {
        /// The phone.
        device_id: DeviceId,
        /// What became of it.
        state: Attested,
        /// What it is worth.
        level: Level,
    }
    /// What a phone may do changed without a lock.
    PostureChanged = "device.posture_changed" {
        /// The phone.
        device_id: DeviceId,
        /// Who carries it.
        user_id: Option<UserId>,
        /// Before.
        from: Posture,
        /// Now.
        to: Posture,
    }
    /// A phone was locked or quarantined.
    DeviceLocked = "device.locked" {
        /// The phone.
        device_id: DeviceId,
        /// Who carries it.
        user_id: Option<UserId>,
        /// The lock.
        lock_id: LockId,
        /// Lock or quarantine.
        posture: Posture,
        /// Why.
        cause: Cause,
        /// Why, in words.
        reason: String,
    }
    /// A lock ended.
    DeviceReleased = "device.released" {
        /// The phone.
        device_id: DeviceId,
        /// Who carries it.
        user_id: Option<UserId>,
        /// The lock.
        lock_id: LockId,
        /// Why, in words.
        reason: String,
    }
    /// All tokens of a phone were revoked.
    TokensRevoked = "device.tokens_revoked" {
        /// The phone.
        device_id: DeviceId,
        /// Who carries it.
        user_id: Option<UserId>,
        /// Why, in words.
        reason: String,
    }
}
