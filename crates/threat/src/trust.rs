//! How far a device is trusted, and what a score must exceed for it: history, attestation and plan move the threshold.

use serde::{Deserialize, Serialize};

use crate::rank::Ranks;
use crate::score::{ACCELEROMETER_WEIGHT, GYRO_WEIGHT, NETWORK_WEIGHT, Parts, TOUCH_WEIGHT};

const HOUR: f64 = 3_600e6;
/// Half-life of what is remembered of a device, microseconds.
const HALF_LIFE: f64 = 7.0 * 24.0 * HOUR;
/// What a window without anything odd adds.
const CLEAN: f32 = 0.002;
/// How long attestation counts fully before it fades, microseconds.
const FADES: f64 = 24.0 * HOUR;
/// Where the threshold may lie.
const RANGE: [f64; 2] = [0.80, 0.99];

/// Trust from history: the mean of a Beta distribution that starts at Beta(2, 2) and returns there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    pub(crate) good: f32,
    pub(crate) bad: f32,
    /// Server time of the newest event, microseconds.
    pub(crate) at: i64,
}

impl Default for Trust {
    fn default() -> Self {
        Self { good: 2.0, bad: 2.0, at: i64::MIN }
    }
}

impl Trust {
    /// Trust in [0, 1]; one half when nothing is known.
    pub fn value(&self) -> f64 {
        f64::from(self.good / (self.good + self.bad))
    }

    fn fade(&mut self, now: i64) {
        if self.at != i64::MIN && now > self.at {
            let left = (-(now.saturating_sub(self.at)) as f64 / HALF_LIFE).exp2() as f32;
            self.good = 2.0 + (self.good - 2.0) * left;
            self.bad = 2.0 + (self.bad - 2.0) * left;
        }
        self.at = self.at.max(now);
    }

    /// A window without anything odd.
    pub(crate) fn clean(&mut self, now: i64) {
        self.fade(now);
        self.good = (self.good + CLEAN).min(1e4);
    }

    /// An alarm or a failed attestation, by weight; an owner who proved to be there counts for them.
    pub(crate) fn event(&mut self, now: i64, good: f32, bad: f32) {
        self.fade(now);
        self.good = (self.good + good).min(1e4);
        self.bad = (self.bad + bad).min(1e4);
    }
}

/// What a passed attestation proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Basic integrity only.
    Basic,
    /// Device integrity.
    Device,
    /// Key in a trusted execution environment.
    TrustedEnvironment,
    /// Key in a secure element, strong integrity, or App Attest in production.
    Strong,
}

impl Level {
    fn score(self) -> f64 {
        match self {
            Self::Basic => 0.3,
            Self::Device => 0.7,
            Self::TrustedEnvironment => 0.85,
            Self::Strong => 1.0,
        }
    }
}

/// The newest attestation of a device; times are server time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Attestation {
    /// There never was one.
    #[default]
    Never,
    /// It passed.
    Passed {
        /// What it proved.
        level: Level,
        /// When.
        at: i64,
    },
    /// It was wrong: forged, revoked, another key. A reply that never came is not a failure.
    Failed {
        /// When.
        at: i64,
    },
}

impl Attestation {
    /// Score in [0, 1]: the level, fading with a time constant of one day.
    pub fn score(self, now: i64) -> f64 {
        match self {
            Self::Passed { level, at } => level.score() * (-(now.saturating_sub(at).max(0) as f64) / FADES).exp(),
            Self::Never | Self::Failed { .. } => 0.0,
        }
    }

    /// Whether it is older than `limit` microseconds, or never was.
    pub fn is_stale(self, now: i64, limit: i64) -> bool {
        match self {
            Self::Never => true,
            Self::Passed { at, .. } => now.saturating_sub(at) > limit,
            Self::Failed { .. } => false,
        }
    }
}

/// What the tenant pays for decides how many false alarms a window may give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// One window in 1,000.
    #[default]
    Free,
    /// One in 2,000.
    Professional,
    /// Three in 1,000: high security would rather ask once too often.
    HighSecurity,
}

impl Plan {
    /// Share of honest windows that may exceed the threshold.
    pub fn alarm_rate(self) -> f64 {
        match self {
            Self::Free => 1e-3,
            Self::Professional => 5e-4,
            Self::HighSecurity => 3e-3,
        }
    }
}

/// A threshold and what it was made from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// What a global score must exceed.
    pub value: f64,
    /// Share of honest windows that may exceed it: `α_plan · e^(−2(trust−½) − 2(attestation−½))`.
    pub alarm_rate: f64,
    /// Trust from history.
    pub trust: f64,
    /// Attestation score.
    pub attestation: f64,
}

/// Odds that dependence between the sensors multiplies false alarms by; measured for a correlation of 0.6.
const DEPENDENCE: f64 = 8.0;

/// The score that honest devices exceed with probability `alarm_rate`, for the parts present, from the closed form
/// `(1−t)^m / (m! Π wᵢ)` of independent uniform parts and the dependence between sensors.
fn cohort_quantile(alarm_rate: f64, parts: &Parts) -> f64 {
    let coverage = parts.coverage();
    if coverage <= 0.0 {
        return RANGE[1];
    }
    let weights = [ACCELEROMETER_WEIGHT, GYRO_WEIGHT, TOUCH_WEIGHT, NETWORK_WEIGHT];
    let (mut terms, mut product) = (0_i32, 1.0);
    for (weight, (_, _, value)) in weights.into_iter().zip(parts.weighted()) {
        if value.is_some() {
            terms += 1;
            product *= f64::from(terms) * weight / coverage;
        }
    }
    let dependence = if terms > 1 { DEPENDENCE } else { 1.0 };
    1.0 - (alarm_rate / dependence * product).powf(1.0 / f64::from(terms))
}

/// The threshold of a device: its own quantile of scores, shrunk towards the cohort's while it is young.
pub(crate) fn threshold(trust: &Trust, attestation: f64, plan: Plan, scores: &Ranks, parts: &Parts) -> Threshold {
    let trust = trust.value();
    let alarm_rate = plan.alarm_rate() * (-2.0 * (trust - 0.5) - 2.0 * (attestation - 0.5)).exp();
    let cohort = cohort_quantile(alarm_rate, parts);
    let seen = f64::from(scores.len());
    // Scores are ranked by -ln(1-S). A quantile needs ten times as many values as it leaves above it.
    let own_weight = seen / (seen + 10.0 / alarm_rate);
    let own = 1.0 - (-f64::from(scores.quantile((1.0 - alarm_rate) as f32))).exp();
    let value = if seen > 0.0 { own_weight * own + (1.0 - own_weight) * cohort } else { cohort };
    Threshold { value: value.clamp(RANGE[0], RANGE[1]), alarm_rate, trust, attestation }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Parts = Parts { accelerometer_score: Some(0.5), gyro_score: Some(0.5), touch_entropy: Some(0.5), network_spike: Some(0.5) };
    const DAY: i64 = 24 * 3_600_000_000;

    #[test]
    fn the_threshold_rises_with_trust_and_attestation_and_falls_with_a_stricter_plan() {
        let value = |trust: &Trust, attestation, plan| threshold(trust, attestation, plan, &Ranks::default(), &ALL).value;
        let (mut trusted, mut doubted) = (Trust::default(), Trust::default());
        trusted.event(0, 20.0, 0.0);
        doubted.event(0, 0.0, 20.0);
        assert!(value(&trusted, 1.0, Plan::Free) > value(&Trust::default(), 1.0, Plan::Free));
        assert!(value(&Trust::default(), 1.0, Plan::Free) > value(&doubted, 1.0, Plan::Free));
        assert!(value(&doubted, 1.0, Plan::Free) > value(&doubted, 0.0, Plan::Free));
        assert!(value(&doubted, 0.0, Plan::Professional) > value(&doubted, 0.0, Plan::HighSecurity));
        for trust in [&trusted, &doubted] {
            assert!((0.80..=0.99).contains(&value(trust, 0.0, Plan::HighSecurity)));
        }
    }

    #[test]
    fn the_closed_form_matches_the_documented_table() {
        // P(S > 0.90) = 0.00154 for independent parts; dependence is taken out to compare.
        assert!((cohort_quantile(0.001_54 * DEPENDENCE, &ALL) - 0.90).abs() < 1e-3);
        assert!((cohort_quantile(9.6e-5 * DEPENDENCE, &ALL) - 0.95).abs() < 1e-3);
    }

    #[test]
    fn trust_and_attestation_fade() {
        let mut trust = Trust::default();
        trust.event(0, 0.0, 6.0);
        let before = trust.value();
        trust.clean(7 * DAY);
        assert!((trust.bad - 5.0).abs() < 1e-3 && trust.value() > before);
        let strong = Attestation::Passed { level: Level::Strong, at: 0 };
        assert!((strong.score(DAY) - (-1.0_f64).exp()).abs() < 1e-9);
        assert!(strong.is_stale(DAY + 1, DAY) && !strong.is_stale(DAY, DAY) && !Attestation::Failed { at: 0 }.is_stale(DAY * 9, DAY));
    }
}
