//! What is usual for one device in one context: moving mean and variance of every feature, and a slow anchor that a patient
//! attacker would have to drag along.

use std::ops::Range;

use crate::cohort::{Cohort, Situation, floored};
use crate::rank::Ranks;
use crate::sensor::{BANDS, COUPLING, Context, FEATURES, Sensor};

/// Windows that the moving mean remembers.
const MEMORY: f32 = 200.0;
/// Windows after which the anchor is set and deviations are refused.
const ANCHORED: u16 = 50;
/// Windows that a context needs before it is scored at all.
pub(crate) const MINIMUM: u16 = 5;
/// Windows after which values go into the ranks: earlier ones are too far from a mean that is still moving.
const SETTLED: u16 = 20;
/// Deviations beyond which a value teaches nothing, and beyond which an anchor has been left behind.
const REFUSED: f32 = 3.0;
/// Parts of a spread that the anchor resolves.
const PARTS: f32 = 1_024.0;

/// Baseline of one context.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Profile {
    pub(crate) means: [f32; FEATURES],
    pub(crate) variances: [f32; FEATURES],
    /// Slow mean minus fast mean, in parts of the slow spread.
    pub(crate) anchors: [i16; FEATURES],
    /// Slow spread, in sixteenths of an octave around one.
    pub(crate) spreads: [u8; FEATURES],
    /// Windows learned: accelerometer, gyroscope, coupling.
    pub(crate) windows: [u16; 3],
    /// Past surprise of the accelerometer and the gyroscope term.
    pub(crate) ranks: [Ranks; 2],
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            means: [0.0; FEATURES],
            variances: [0.0; FEATURES],
            anchors: [0; FEATURES],
            spreads: [128; FEATURES],
            windows: [0; 3],
            ranks: [Ranks::default(); 2],
        }
    }
}

/// Baselines of all contexts.
pub(crate) type Profiles = [Profile; Context::ALL.len()];

fn kind(feature: usize) -> usize {
    match feature {
        COUPLING => 2,
        feature if Sensor::Accelerometer.features().contains(&feature) => 0,
        _ => 1,
    }
}

/// A spread from its code: sixteenths of an octave, straight between octaves, which is what the bits of a float are.
fn spread(code: u8) -> f32 {
    f32::from_bits((u32::from(code) + 127 * 16 - 128) << 19)
}

fn code(spread: f32) -> u8 {
    ((spread.clamp(0.004, 250.0).to_bits() >> 19) - (127 * 16 - 128)).min(255) as u8
}

impl Profile {
    /// Windows learned of the sensor that the feature belongs to.
    pub(crate) fn learned(&self, feature: usize) -> u16 {
        self.windows[kind(feature)]
    }

    /// Standard deviation that a feature is measured with: the device's own, and the cohort's while that is new.
    pub(crate) fn deviation(&self, feature: usize, situation: &Situation) -> f32 {
        let (own, uncertain) = self.confidence(feature);
        self.blended(feature, situation, own, uncertain)
    }

    /// Deviation of a value from what is usual, in standard deviations.
    pub(crate) fn deviations(&self, feature: usize, value: f32, situation: &Situation) -> f32 {
        (value - self.means[feature]) / self.deviation(feature, situation)
    }

    /// Deviations of the features of one sensor; the others stay zero.
    pub(crate) fn measure(&self, range: Range<usize>, features: &[f32; FEATURES], situation: &Situation) -> [f32; FEATURES] {
        let mut deviations = [0.0; FEATURES];
        let (own, uncertain) = self.confidence(range.start);
        for feature in range {
            deviations[feature] = (features[feature] - self.means[feature]) / self.blended(feature, situation, own, uncertain);
        }
        deviations
    }

    /// How much of a variance is the device's own, and what a mean of few windows adds to it.
    fn confidence(&self, feature: usize) -> (f32, f32) {
        let windows = f32::from(self.learned(feature));
        (windows / (windows + MEMORY), 1.0 + 1.0 / windows.max(1.0))
    }

    fn blended(&self, feature: usize, situation: &Situation, own: f32, uncertain: f32) -> f32 {
        let cohort = situation.deviation[feature];
        let variance = own * self.variances[feature] + (1.0 - own) * cohort * cohort;
        floored(feature, (variance * uncertain).sqrt())
    }

    /// Sum of squared deviations of a sensor's features; `None` while the context is too new.
    pub(crate) fn statistic(&self, sensor: Sensor, deviations: &[f32; FEATURES], simplified: bool) -> Option<f32> {
        let mut range = sensor.features();
        if simplified {
            // The bands come last and are not measured then.
            range.end -= BANDS;
        }
        // One wild feature must not drown the others: beyond ten deviations nothing more is told apart.
        let square = |z: &f32| z.clamp(-10.0, 10.0) * z.clamp(-10.0, 10.0);
        (self.learned(range.start) >= MINIMUM).then(|| deviations[range].iter().map(square).sum())
    }

    /// Whether a slow poisoning moved the feature further than its past allows.
    pub(crate) fn is_dragged(&self, feature: usize) -> bool {
        f32::from(self.anchors[feature]).abs() > REFUSED * PARTS
    }

    /// Learns a sensor's features; returns how many the guard held back because the mean had been dragged away from its anchor.
    pub(crate) fn learn(&mut self, range: Range<usize>, features: &[f32; FEATURES], situation: &Situation) -> u32 {
        let deviations = self.measure(range.clone(), features, situation);
        self.learn_measured(range, features, &deviations)
    }

    /// The same with the deviations at hand.
    pub(crate) fn learn_measured(&mut self, range: Range<usize>, features: &[f32; FEATURES], deviations: &[f32; FEATURES]) -> u32 {
        let Some(windows) = self.windows.get(kind(range.start)).copied() else { return 0 };
        let mut dragged = 0;
        for feature in range.clone() {
            let value = features[feature];
            if windows >= ANCHORED {
                if self.is_dragged(feature) {
                    dragged += 1;
                    continue;
                }
                if deviations[feature].abs() > REFUSED {
                    continue;
                }
            }
            self.step(feature, value, windows);
        }
        self.windows[kind(range.start)] = windows.saturating_add(1);
        dragged
    }

    fn step(&mut self, feature: usize, value: f32, windows: u16) {
        let rate = (1.0 / (f32::from(windows) + 1.0)).max(2.0 / (MEMORY + 1.0));
        let difference = value - self.means[feature];
        self.means[feature] += rate * difference;
        self.variances[feature] = (1.0 - rate) * (self.variances[feature] + rate * difference * difference);
        let deviation = floored(feature, self.variances[feature].sqrt());
        if windows < ANCHORED {
            self.spreads[feature] = code(deviation);
            return;
        }
        let unit = spread(self.spreads[feature]) / PARTS;
        let behind = f32::from(self.anchors[feature]) * unit;
        // The fast mean moved away from the anchor, which follows at a twentieth of the speed.
        let follow = rate / 20.0 * (difference - behind);
        let parts = ((behind - rate * difference + follow) / unit).clamp(-32_000.0, 32_000.0);
        self.anchors[feature] = (parts + 0.5_f32.copysign(parts)) as i16;
        if windows.is_multiple_of(MEMORY as u16) {
            let wanted = code(deviation);
            let held = self.spreads[feature];
            self.spreads[feature] = if wanted > held {
                held.saturating_add(1)
            } else if wanted < held {
                held.saturating_sub(1)
            } else {
                held
            };
        }
    }

    /// Accepts where the means are now as the new anchor: after the owner proved to be there.
    pub(crate) fn accept_drift(&mut self) {
        for feature in 0..FEATURES {
            self.anchors[feature] = 0;
            self.spreads[feature] = code(floored(feature, self.variances[feature].sqrt()));
        }
    }

    /// Whether surprises of this sensor belong into the ranks.
    pub(crate) fn is_settled(&self, sensor: Sensor) -> bool {
        self.learned(sensor.features().start) >= SETTLED
    }
}

/// The cohort's model of a context.
pub(crate) fn situation(cohort: &Cohort, context: Context) -> &Situation {
    &cohort.situations[context as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(value: f32) -> [f32; FEATURES] {
        [value; FEATURES]
    }

    fn noise(state: &mut u64) -> f32 {
        let mut sum = 0.0;
        for _ in 0..12 {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            sum += (*state >> 40) as f32 / 16_777_216.0;
        }
        sum - 6.0
    }

    #[test]
    fn mean_and_variance_converge() {
        let (mut profile, situation, mut state) = (Profile::default(), Situation::default(), 3);
        for _ in 0..2_000 {
            let value = 5.0 + 0.5 * noise(&mut state);
            profile.learn(0..7, &features(value), &situation);
        }
        assert!((profile.means[3] - 5.0).abs() < 0.15, "{}", profile.means[3]);
        assert!((profile.variances[3].sqrt() - 0.5).abs() < 0.12, "{}", profile.variances[3].sqrt());
        assert_eq!(profile.learned(3), 2_000);
    }

    #[test]
    fn a_patient_poisoner_is_stopped_by_the_anchor() {
        let (mut profile, situation, mut state) = (Profile::default(), Situation::default(), 5);
        for _ in 0..400 {
            profile.learn(0..7, &features(0.5 * noise(&mut state)), &situation);
        }
        let mut dragged = 0;
        for step in 0..20_000_u32 {
            // Always inside what is still taken for usual.
            let target = profile.means[0] + 0.8 * profile.deviation(0, &situation);
            dragged += profile.learn(0..7, &features(target), &situation);
            if dragged > 0 {
                assert!(step > 50);
                break;
            }
        }
        assert!(dragged > 0);
        assert!(profile.means[0] < 3.0, "the mean came as far as {}", profile.means[0]);
        profile.accept_drift();
        assert_eq!(profile.learn(0..7, &features(profile.means[0]), &situation), 0);
    }

    #[test]
    fn what_is_far_away_teaches_nothing() {
        let (mut profile, situation, mut state) = (Profile::default(), Situation::default(), 5);
        for _ in 0..100 {
            profile.learn(0..7, &features(0.5 * noise(&mut state)), &situation);
        }
        let before = profile.means;
        profile.learn(0..7, &features(40.0), &situation);
        assert_eq!(before, profile.means);
    }
}
