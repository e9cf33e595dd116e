//! The global score and its four parts.

use serde::{Deserialize, Serialize};

/// Weight of the accelerometer.
pub const ACCELEROMETER_WEIGHT: f64 = 0.4;
/// Weight of the gyroscope.
pub const GYRO_WEIGHT: f64 = 0.3;
/// Weight of touch.
pub const TOUCH_WEIGHT: f64 = 0.15;
/// Weight of the network.
pub const NETWORK_WEIGHT: f64 = 0.15;
/// Share of the weights that must be present before a score may count towards a lock.
pub const COVERAGE_TO_LOCK: f64 = 0.7;

/// `0.4·accelerometer_score + 0.3·gyro_score + 0.15·touch_entropy + 0.15·network_spike`; all parts and the result in [0, 1].
pub fn global_score(accelerometer_score: f64, gyro_score: f64, touch_entropy: f64, network_spike: f64) -> f64 {
    ACCELEROMETER_WEIGHT * accelerometer_score + GYRO_WEIGHT * gyro_score + TOUCH_WEIGHT * touch_entropy + NETWORK_WEIGHT * network_spike
}

/// How scores are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The formula on all documented parts.
    #[default]
    Spec,
    /// The breaker is open: the two motion sensors by their reference distributions, nothing learned, and never a lock.
    Simplified,
}

/// The four parts, each in [0, 1] and uniform when nothing is wrong; `None` where the sensor said nothing lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// How unusual the accelerometer is.
    pub accelerometer_score: Option<f64>,
    /// How unusual the gyroscope and its coupling to the accelerometer are.
    pub gyro_score: Option<f64>,
    /// How unusual the touches are.
    pub touch_entropy: Option<f64>,
    /// How unusual network use is.
    pub network_spike: Option<f64>,
}

impl Parts {
    /// Name, weight and value of each part.
    pub fn weighted(&self) -> [(&'static str, f64, Option<f64>); 4] {
        [
            ("accelerometer_score", ACCELEROMETER_WEIGHT, self.accelerometer_score),
            ("gyro_score", GYRO_WEIGHT, self.gyro_score),
            ("touch_entropy", TOUCH_WEIGHT, self.touch_entropy),
            ("network_spike", NETWORK_WEIGHT, self.network_spike),
        ]
    }

    /// Share of the weights that is present.
    pub fn coverage(&self) -> f64 {
        self.weighted().iter().map(|(_, weight, value)| value.map_or(0.0, |_| *weight)).sum()
    }

    /// The global score; over what is present, when something is missing; `None` when all is.
    pub fn global(&self) -> Option<f64> {
        if let Self { accelerometer_score: Some(a), gyro_score: Some(g), touch_entropy: Some(t), network_spike: Some(n) } = *self {
            return Some(global_score(a, g, t, n));
        }
        let coverage = self.coverage();
        (coverage > 0.0)
            .then(|| self.weighted().iter().map(|(_, weight, value)| value.map_or(0.0, |value| weight * value)).sum::<f64>() / coverage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_is_the_documented_one_to_the_last_bit() {
        let parts = Parts { accelerometer_score: Some(0.9), gyro_score: Some(0.1), touch_entropy: Some(0.7), network_spike: Some(0.3) };
        let expected = 0.4 * 0.9 + 0.3 * 0.1 + 0.15 * 0.7 + 0.15 * 0.3;
        assert_eq!(parts.global().unwrap().to_bits(), f64::to_bits(expected));
        assert!((parts.coverage() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_missing_part_is_left_out_and_not_taken_for_zero() {
        let parts = Parts { accelerometer_score: Some(0.9), gyro_score: Some(0.9), ..Parts::default() };
        assert!((parts.global().unwrap() - 0.9).abs() < 1e-12);
        assert!((parts.coverage() - 0.7).abs() < 1e-12);
        assert!(parts.coverage() >= COVERAGE_TO_LOCK, "two sensors are enough to be counted");
        assert_eq!(Parts::default().global(), None);
    }
}
