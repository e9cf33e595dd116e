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

    /// Whether a decision for this changes what `written` says. Decisions raise; the only one that lowers ends a demand for the owner after
    /// calm. Anything else that is milder than what is written was decided on what is no longer so.
    pub fn outdoes(self, written: Self) -> bool {
        match self {
            Self::Observe => written == Self::StepUp,
            Self::StepUp | Self::Restrict | Self::Lock | Self::Quarantine => self > written,
        }
    }
}
