//! Is this a sensor at all: what only a broken, replayed or invented stream does. Each check says what it saw.

use serde::{Deserialize, Serialize};

/// A check that found something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Check {
    /// Readings seen before, bit for bit: proof of a replay.
    Replayed,
    /// The accelerometer repeats one reading.
    FrozenAccelerometer,
    /// The gyroscope repeats one reading.
    FrozenGyroscope,
    /// One sensor moves and the other does not follow.
    Decoupled,
    /// Values between the steps in which this device's hardware counts.
    Synthetic,
    /// Mean or variance had been moved slowly, away from their anchor: nothing was learned.
    Poisoned,
    /// The score changed suddenly (CUSUM).
    AbruptDrift,
    /// The score changed slowly (ADWIN).
    GradualDrift,
}

impl Check {
    /// All checks.
    pub const ALL: [Self; 8] = [
        Self::Replayed,
        Self::FrozenAccelerometer,
        Self::FrozenGyroscope,
        Self::Decoupled,
        Self::Synthetic,
        Self::Poisoned,
        Self::AbruptDrift,
        Self::GradualDrift,
    ];

    /// Whether it speaks against the stream itself, and not only against the person.
    pub fn is_about_the_stream(self) -> bool {
        !matches!(self, Self::Poisoned | Self::AbruptDrift | Self::GradualDrift)
    }
}

/// A set of checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks(pub(crate) u8);

impl Checks {
    /// Adds one.
    pub fn insert(&mut self, check: Check) {
        self.0 |= 1 << check as u8;
    }

    /// Whether it holds this one.
    pub fn contains(self, check: Check) -> bool {
        self.0 & (1 << check as u8) != 0
    }

    /// Those it holds.
    pub fn iter(self) -> impl Iterator<Item = Check> {
        Check::ALL.into_iter().filter(move |check| self.contains(*check))
    }

    /// Whether it holds none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one of them speaks against the stream itself.
    pub fn against_the_stream(self) -> bool {
        self.iter().any(Check::is_about_the_stream)
    }
}
