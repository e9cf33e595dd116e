//! What is known about devices in general, for those that are not yet known themselves: spread within a device, and how far
//! the sum of squared deviations strays from its textbook distribution.

use serde::{Deserialize, Serialize};

use crate::sensor::{FEATURES, FLOORS, Sensor, USUAL};

/// A scaled chi-squared distribution: features lean on each other and sessions differ, so the textbook one would cry wolf.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// What the statistic is divided by.
    pub scale: f32,
    /// Degrees of freedom afterwards.
    pub freedom: u32,
}

impl Shape {
    /// The shape with this mean and variance (Satterthwaite's approximation), at least one degree.
    pub fn of(mean: f64, variance: f64) -> Self {
        let freedom = (2.0 * mean * mean / variance.max(1e-9)).round().clamp(1.0, 16.0);
        Self { scale: (mean / freedom).max(1e-3) as f32, freedom: freedom as u32 }
    }

    /// Tail exponent of a statistic.
    pub(crate) fn exponent(self, statistic: f32) -> f32 {
        crate::chance::chi_squared(self.freedom, f64::from(statistic / self.scale)) as f32
    }
}

/// The cohort's model of one context.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Situation {
    /// Standard deviation of each feature within a device.
    pub deviation: [f32; FEATURES],
    /// Distribution of the accelerometer's sum of squared deviations.
    pub accelerometer: Shape,
    /// Distribution of the gyroscope's.
    pub gyroscope: Shape,
    /// What a coupling's deviation is divided by.
    pub coupling: f32,
}

impl Default for Situation {
    fn default() -> Self {
        Self {
            deviation: USUAL,
            accelerometer: Shape { scale: 2.0, freedom: 4 },
            gyroscope: Shape { scale: 2.0, freedom: 3 },
            coupling: 2.0,
        }
    }
}

impl Situation {
    pub(crate) fn shape(&self, sensor: Sensor) -> Shape {
        match sensor {
            Sensor::Accelerometer => self.accelerometer,
            Sensor::Gyroscope => self.gyroscope,
        }
    }
}

/// What devices of one kind have in common; the default is a wide guess.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cohort {
    /// One model for each context, in the order of [`Context::ALL`](crate::Context::ALL).
    pub situations: [Situation; 3],
}

/// The larger of a feature's deviation and its floor.
pub(crate) fn floored(feature: usize, deviation: f32) -> f32 {
    deviation.max(FLOORS.get(feature).copied().unwrap_or(0.02))
}
