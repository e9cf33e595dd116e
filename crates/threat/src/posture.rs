//! Observe, step up, restrict, lock, quarantine: how much a device may do.

use serde::{Deserialize, Serialize};

/// What a device may do, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Posture {
    /// Everything; the device is listened to and learned from.
    #[default]
    Observe,
    /// Everything, after the owner proves to be there.
    StepUp,
    /// Nothing of value until the owner proves to be there.
    Restrict,
    /// Nothing, until released or expired.
    Lock,
    /// Nothing, tokens revoked, until a person releases it.
    Quarantine,
}

impl Posture {
    /// All postures, mildest first.
    pub const ALL: [Self; 5] = [Self::Observe, Self::StepUp, Self::Restrict, Self::Lock, Self::Quarantine];
}
