//! Checks of a window's stream: does each sensor move at all, do both move together, do values lie where this hardware puts them.

use crate::checks::{Check, Checks};
use crate::sensor::{FEATURES, Sensor};
use crate::stream::Window;

/// Repeats in a window that make it frozen, and those that make it a resting one.
const FROZEN: u8 = 95;
const RESTING: u8 = 50;
/// Resting windows during enrolment after which resting is this device's habit.
const HABIT: u8 = 5;
/// Deviation of |a| in m/s² and mean |w| in rad/s beyond which a phone surely moves.
const MOVES: [f32; 2] = [0.25, 0.1];
/// Residual, in standard deviations, from which a window teaches nothing.
const ODD: f32 = 3.0;
/// What a window may disagree by, squared and in variances, before it adds to the sum; and the sum that decouples the sensors.
const SLACK: f32 = 2.5;
const LIMIT: f32 = 14.0;
/// Windows that the relation is remembered over, and those before it is trusted.
const MEMORY: f32 = 500.0;
const TRUSTED: u16 = 20;

/// What is usual for the device's stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Authenticity {
    /// Resting windows seen during enrolment, by sensor.
    pub(crate) rests: [u8; 2],
    /// How the gyroscope's deviation follows the accelerometer's, both as logarithms: means, variances, covariance.
    pub(crate) means: [f32; 2],
    pub(crate) moments: [f32; 3],
    pub(crate) windows: u16,
    /// How far they have not followed each other, added up.
    pub(crate) disagreement: f32,
}

impl Default for Authenticity {
    fn default() -> Self {
        // A wide guess until the device is known: the slope is 0.8, the residual 0.6.
        Self { rests: [0; 2], means: [0.2, -0.7], moments: [1.5, 1.32, 1.2], windows: 0, disagreement: 0.0 }
    }
}

impl Authenticity {
    /// Looks at what both windows show together; learns where nothing is wrong.
    pub(crate) fn look(&mut self, windows: &[Option<Window>; 2], features: &[f32; FEATURES], learns: bool, checks: &mut Checks) {
        let deviation = features[1].exp();
        let turning = features[Sensor::Gyroscope.features().start].exp();
        let moves = [windows[0].is_some() && deviation > MOVES[0], windows[1].is_some() && turning > MOVES[1]];
        for (sensor, check) in [(0, Check::FrozenAccelerometer), (1, Check::FrozenGyroscope)] {
            let Some(window) = &windows[sensor] else { continue };
            if window.repeats >= RESTING && learns && self.windows < TRUSTED {
                self.rests[sensor] = self.rests[sensor].saturating_add(1);
            }
            if window.repeats >= FROZEN && (moves[1 - sensor] || self.rests[sensor] < HABIT) {
                checks.insert(check);
            }
        }
        if windows.iter().all(Option::is_some) && windows.iter().flatten().all(|window| window.repeats < RESTING) {
            let values = [features[1], features[Sensor::Gyroscope.features().start + 1]];
            let residual = self.residual(values);
            // One wild window is not enough; from two on it is.
            let adds = (residual * residual).min(LIMIT * 0.75) - SLACK;
            self.disagreement = (self.disagreement + adds).clamp(0.0, 2.0 * LIMIT);
            if self.disagreement > LIMIT && self.windows >= TRUSTED {
                checks.insert(Check::Decoupled);
            }
            if learns && !checks.against_the_stream() && (residual.abs() <= ODD || self.windows < TRUSTED) {
                self.learn(values);
            }
        }
    }

    fn residual(&self, [accelerometer, gyroscope]: [f32; 2]) -> f32 {
        let [xx, xy, yy] = self.moments;
        let slope = xy / xx.max(0.05);
        let spread = (yy - slope * xy).max(0.0).sqrt().max(0.35);
        (gyroscope - self.means[1] - slope * (accelerometer - self.means[0])) / spread
    }

    fn learn(&mut self, values: [f32; 2]) {
        // The guess counts as ten windows.
        let rate = (1.0 / (f32::from(self.windows) + 10.0)).max(1.0 / MEMORY);
        let [x, y] = [values[0] - self.means[0], values[1] - self.means[1]];
        self.means = [self.means[0] + rate * x, self.means[1] + rate * y];
        for (moment, product) in self.moments.iter_mut().zip([x * x, x * y, y * y]) {
            *moment = (1.0 - rate) * (*moment + rate * product);
        }
        self.windows = self.windows.saturating_add(1);
    }
}
