//! Threat engine: sensor readings to features, scores, explanations and decisions. No clock, no chance, no I/O:
//! the same readings give the same decisions on every node, and a device's whole state travels in two kilobytes.

mod baseline;
mod chance;
mod checks;
mod clock;
mod cohort;
mod coupling;
mod device;
mod explain;
mod rank;
mod reading;
mod replay;
mod score;
mod sensor;
mod spectrum;
mod stream;

pub use checks::{Check, Checks};
pub use cohort::{Cohort, Shape, Situation};
pub use device::{Device, Judgement, Setting};
pub use explain::{Explanation, Feature, Part};
pub use reading::{Batch, Faults, Reading, Touch, Traffic};
pub use replay::Memory;
pub use score::{ACCELEROMETER_WEIGHT, COVERAGE_TO_LOCK, GYRO_WEIGHT, Mode, NETWORK_WEIGHT, Parts, TOUCH_WEIGHT, global_score};
pub use sensor::{Context, FEATURES, NAMES, Sensor};

/// Readings of one decision: the ring of every sensor holds as many, and windows do not overlap.
pub const WINDOW: usize = 100;
