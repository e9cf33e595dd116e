//! From windows to evidence: one window says little, so surprise is added up, in two stages, and must come from two sensors.

use crate::checks::Checks;
use crate::score::{COVERAGE_TO_LOCK, Mode, Parts};

/// A part of the score above this counts as loud.
const LOUD: f64 = 0.95;
/// Windows back that loudness is remembered.
const RECENT: u8 = 0b1_1111;
/// A past calmer than this counts as this: real people's scores come to 0.4 and more on average. To be somewhat less calm for a minute
/// speaks against nobody, and invented walkers of a very even gait were restricted for it within the hour.
const CALMEST: f32 = 0.4;
/// Slack of the sum in standard deviations.
const SLACK: f32 = 0.5;

/// Limits of the two stages, in standard deviations added up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Above it the device is restricted.
    pub restrict: f32,
    /// Above it a lock may be considered, if something else confirms it.
    pub candidate: f32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { restrict: 10.0, candidate: 17.0 }
    }
}

/// What was added up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Accumulator {
    pub(crate) sum: f32,
    /// Mean and variance of the device's scores while nothing is wrong.
    pub(crate) mean: f32,
    pub(crate) variance: f32,
    pub(crate) windows: u16,
    /// For each part, in which of the last eight windows it was loud; newest lowest.
    pub(crate) loud: [u8; 4],
    /// In which of the last eight windows the score was over the threshold.
    pub(crate) over: u8,
    /// In which of the last eight windows a check spoke against the stream.
    pub(crate) broken: u8,
}

impl Default for Accumulator {
    fn default() -> Self {
        Self { sum: 0.0, mean: 0.5, variance: 0.04, windows: 0, loud: [0; 4], over: 0, broken: 0 }
    }
}

/// Behaviour has gone so far that a lock may be considered. It is not one: only something else can confirm it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    sum: f32,
}

impl Candidate {
    /// What had been added up.
    pub fn sum(self) -> f32 {
        self.sum
    }
}

impl Accumulator {
    /// Adds a window; returns its standardised score.
    pub(crate) fn add(&mut self, parts: &Parts, global: Option<f64>, checks: Checks, learns: bool) -> Option<f32> {
        for (loud, (_, _, value)) in self.loud.iter_mut().zip(parts.weighted()) {
            *loud = (*loud << 1) | u8::from(value.is_some_and(|value| value > LOUD));
        }
        self.broken = (self.broken << 1) | u8::from(checks.against_the_stream());
        self.over <<= 1;
        let score = global? as f32;
        let deviation = self.variance.sqrt().max(0.1);
        let z = (score - self.mean) / deviation;
        let usual = self.mean.max(CALMEST);
        // Below that a score adds nothing, and takes away no more than it is calmer than the device's own past.
        let surprise = if score > usual { (score - usual) / deviation } else { z.min(0.0) };
        self.sum = (self.sum + surprise - SLACK).clamp(0.0, 1e4);
        if learns && z.abs() <= 3.0 {
            let rate = (1.0 / (f32::from(self.windows) + 20.0)).max(0.005);
            let difference = score - self.mean;
            self.mean += rate * difference;
            self.variance = (1.0 - rate) * (self.variance + rate * difference * difference);
            self.windows = self.windows.saturating_add(1);
        }
        Some(z)
    }

    /// Marks the newest window as over the threshold.
    pub(crate) fn exceeds(&mut self) {
        self.over |= 1;
    }

    /// Windows over the threshold among the last five.
    pub(crate) fn exceedances(&self) -> u32 {
        (self.over & RECENT).count_ones()
    }

    /// Windows with a broken stream among the last five.
    pub(crate) fn breakages(&self) -> u32 {
        (self.broken & RECENT).count_ones()
    }

    /// A candidate for a lock, when everything that behaviour can say is said: the sum, two loud sensors, enough coverage, full scoring.
    pub(crate) fn candidate(&self, limits: Limits, coverage: f64, mode: Mode) -> Option<Candidate> {
        let sensors = self.loud.iter().filter(|loud| **loud & RECENT != 0).count();
        (self.sum > limits.candidate && sensors >= 2 && coverage >= COVERAGE_TO_LOCK && mode == Mode::Spec)
            .then_some(Candidate { sum: self.sum })
    }

    /// Forgets the evidence, after the owner proved to be there.
    pub(crate) fn clear(&mut self) {
        *self = Self { mean: self.mean, variance: self.variance, windows: self.windows, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(accumulator: &mut Accumulator, score: f64) {
        let parts = Parts { accelerometer_score: Some(score), gyro_score: Some(score), ..Parts::default() };
        accumulator.add(&parts, parts.global(), Checks::default(), true);
    }

    #[test]
    fn a_very_even_person_may_be_less_even_and_somebody_else_is_still_noticed() {
        let mut accumulator = Accumulator::default();
        (0..2_000).for_each(|window| add(&mut accumulator, [0.05, 0.12][window % 2]));
        (0..300).for_each(|_| add(&mut accumulator, 0.35));
        assert!(accumulator.sum <= f32::EPSILON, "{}", accumulator.sum);
        let mut interrupted = accumulator;
        (0..5).for_each(|_| add(&mut accumulator, 0.9));
        assert!(accumulator.sum > Limits::default().candidate, "{}", accumulator.sum);
        // Somebody who pauses between their steps is added up all the same.
        (0..12).for_each(|window| add(&mut interrupted, [0.9, 0.1][window % 2]));
        assert!(interrupted.sum > Limits::default().restrict, "{}", interrupted.sum);
    }
}
