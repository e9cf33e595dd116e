//! The two motion sensors, what they can measure, and the features that are made of their windows.

use serde::{Deserialize, Serialize};

use crate::spectrum::bands;
use crate::stream::Window;

/// A motion sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Sensor {
    /// Acceleration with gravity, m/s².
    Accelerometer,
    /// Turning rate, rad/s.
    Gyroscope,
}

impl Sensor {
    /// Steps of one unit that the ring resolves.
    pub(crate) const fn steps(self) -> f32 {
        match self {
            Self::Accelerometer => 320.0,
            Self::Gyroscope => 1_024.0,
        }
    }

    /// What no phone's sensor exceeds: 20 g, or 3,600 degrees a second.
    pub(crate) const fn limit(self) -> f32 {
        match self {
            Self::Accelerometer => 200.0,
            Self::Gyroscope => 63.0,
        }
    }

    /// Where the sensor's features are among all.
    pub(crate) const fn features(self) -> std::ops::Range<usize> {
        match self {
            Self::Accelerometer => 0..ACCELEROMETER,
            Self::Gyroscope => ACCELEROMETER..ACCELEROMETER + GYROSCOPE,
        }
    }
}

/// Features of the accelerometer.
pub(crate) const ACCELEROMETER: usize = 7;
/// Features of the gyroscope.
pub(crate) const GYROSCOPE: usize = 6;
/// Features of each sensor that need the spectrum; its last ones.
pub(crate) const BANDS: usize = 3;
/// All features, the coupling of both sensors last.
pub const FEATURES: usize = ACCELEROMETER + GYROSCOPE + 1;
/// Place of the coupling.
pub(crate) const COUPLING: usize = FEATURES - 1;

/// Names of the features, in their order.
pub const NAMES: [&str; FEATURES] = [
    "accelerometer.mean",
    "accelerometer.log_deviation",
    "accelerometer.log_jerk",
    "accelerometer.tilt",
    "accelerometer.low_band",
    "accelerometer.middle_band",
    "accelerometer.high_band",
    "gyroscope.log_mean",
    "gyroscope.log_deviation",
    "gyroscope.log_change",
    "gyroscope.low_band",
    "gyroscope.middle_band",
    "gyroscope.high_band",
    "coupling",
];

/// Smallest standard deviation that is believed, by feature: below it lies the sensors' own noise.
pub(crate) const FLOORS: [f32; FEATURES] = [0.02, 0.05, 0.05, 0.02, 0.02, 0.02, 0.02, 0.05, 0.05, 0.05, 0.02, 0.02, 0.02, 0.05];

/// Standard deviation of a feature within a device, by default: what a cohort that was never fitted assumes.
pub(crate) const USUAL: [f32; FEATURES] = [0.35, 0.45, 0.45, 0.5, 0.18, 0.12, 0.08, 0.5, 0.45, 0.45, 0.18, 0.12, 0.08, 0.3];

/// What the phone is doing; each has its own baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Context {
    /// On a table, in the pocket of someone who sits.
    Still,
    /// Moved, but not by steps.
    Handheld,
    /// Carried by someone who walks or runs.
    Walking,
}

impl Context {
    /// All contexts, in the order of their baselines.
    pub const ALL: [Self; 3] = [Self::Still, Self::Handheld, Self::Walking];

    /// Deviation of |a| in m/s² and the share of its energy between 0.5 and 3.2 Hz, where steps are.
    pub(crate) fn of(deviation: f32, steps: f32) -> Self {
        if deviation < 0.25 {
            Self::Still
        } else if deviation > 1.0 && steps > 0.25 {
            Self::Walking
        } else {
            Self::Handheld
        }
    }
}

/// Where the accelerometer's deviation stands among the features.
const DEVIATION: usize = 1;
/// Added to a deviation, so that silence has a logarithm.
const NOISE: f32 = 0.01;
/// Deviation of |a| in m/s² below which nobody has the phone: what it measures is its sensors' own noise, and tells of no person.
const REST: f32 = 0.04;

/// Whether these are features of a phone that lies somewhere.
pub(crate) fn is_at_rest(features: &[f32; FEATURES]) -> bool {
    features[DEVIATION] < (REST + NOISE).ln()
}

/// Mean and standard deviation.
pub(crate) fn moments(values: &[f32; crate::WINDOW]) -> (f32, f32) {
    let mut lanes = [0.0_f32; 4];
    for chunk in values.chunks_exact(4) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let mean = lanes.iter().sum::<f32>() / crate::WINDOW as f32;
    let mut squares = [0.0_f32; 4];
    for chunk in values.chunks_exact(4) {
        for (lane, value) in squares.iter_mut().zip(chunk) {
            *lane += (value - mean) * (value - mean);
        }
    }
    (mean, (squares.iter().sum::<f32>() / crate::WINDOW as f32).sqrt())
}

/// Features of an accelerometer window, and its context.
pub(crate) fn accelerometer(window: &Window, simplified: bool) -> ([f32; ACCELEROMETER], Context) {
    let (mean, deviation) = moments(&window.magnitudes);
    let [x, y, z] = window.mean;
    let gravity = (x * x + y * y + z * z).sqrt();
    let tilt = if gravity > 0.1 { (z / gravity).clamp(-1.0, 1.0).acos() } else { 0.0 };
    let bands = if simplified { [0.5, 0.0, 0.0] } else { bands(&window.magnitudes, mean, window.rate) };
    let features = [mean, (deviation + NOISE).ln(), (window.change + 0.1).ln(), tilt, bands[0], bands[1], bands[2]];
    (features, Context::of(deviation, bands[0]))
}

/// Features of a gyroscope window.
pub(crate) fn gyroscope(window: &Window, simplified: bool) -> [f32; GYROSCOPE] {
    let (mean, deviation) = moments(&window.magnitudes);
    let bands = if simplified { [0.0; 3] } else { bands(&window.magnitudes, mean, window.rate) };
    [(mean + 0.005).ln(), (deviation + 0.005).ln(), (window.change + 0.05).ln(), bands[0], bands[1], bands[2]]
}
