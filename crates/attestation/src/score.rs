//! How much an attestation is worth, and how that fades: `A = level * exp(-age / 24 h)`.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What stands behind an accepted attestation, weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing: no attestation, or a refused one.
    #[default]
    None,
    /// A genuine answer from a device whose software nobody vouches for.
    Basic,
    /// A device that the platform recognises.
    Device,
    /// A key in a trusted execution environment, under verified software.
    TrustedEnvironment,
    /// A key in a secure element, App Attest in production, or Play Integrity's strong label.
    Strong,
}

impl Level {
    /// Worth of a fresh attestation of this level, from 0 to 1.
    pub const fn weight(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Basic => 0.3,
            Self::Device => 0.7,
            Self::TrustedEnvironment => 0.85,
            Self::Strong => 1.0,
        }
    }
}

/// Time after which an attestation is worth 1/e of what it was.
pub const FADING: TimeDelta = TimeDelta::hours(24);

/// Worth of an attestation of this level after `age`, from 0 to 1; an age before zero counts as zero.
pub fn score(level: Level, age: TimeDelta) -> f64 {
    let seconds = age.max(TimeDelta::zero()).as_seconds_f64();
    level.weight() * (-seconds / FADING.as_seconds_f64()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attestation_fades_to_a_third_in_a_day_and_never_grows() {
        assert!((score(Level::Strong, TimeDelta::zero()) - 1.0).abs() < 1e-12);
        assert!((score(Level::TrustedEnvironment, FADING) - 0.85 / std::f64::consts::E).abs() < 1e-12);
        assert!((score(Level::Device, TimeDelta::hours(-5)) - 0.7).abs() < 1e-12);
        assert!(score(Level::None, TimeDelta::zero()) == 0.0);
        let mut last = f64::INFINITY;
        for hours in 0..200 {
            let now = score(Level::Basic, TimeDelta::hours(hours));
            assert!(now <= last && now >= 0.0);
            last = now;
        }
    }
}
