//! Threat engine: sensor readings to features, scores, explanations and decisions. No clock, no chance, no I/O:
//! the same readings give the same decisions on every node, and a device's whole state travels in two kilobytes.

mod accumulate;
mod authenticity;
mod baseline;
mod blast;
mod breaker;
mod chance;
mod checks;
mod clock;
mod cohort;
mod coupling;
mod decision;
mod device;
mod drift;
mod entropy;
mod errors;
pub mod evaluate;
mod explain;
mod lattice;
mod lock;
mod network;
mod posture;
mod rank;
mod reading;
mod replay;
mod score;
mod sensor;
mod spectrum;
mod standing;
mod state;
mod stream;
mod touch;
mod trust;

pub use accumulate::{Candidate, Limits};
pub use blast::{BlastRadius, Halt, Trait};
pub use breaker::{Breaker, BreakerChange, BreakerLimits, Load, LoadMeter, Overload};
pub use checks::{Check, Checks};
pub use cohort::{Cohort, Shape, Situation};
pub use decision::{Decision, Withheld};
pub use device::{Device, Judgement, Setting};
pub use entropy::{jensen_shannon, miller_madow};
pub use errors::{EvaluationError, StateError};
pub use explain::{Explanation, Feature, Part};
pub use lock::{Cause, Corroboration, HardSignal, Lock};
pub use posture::Posture;
pub use reading::{Batch, Faults, Reading, Touch, Traffic};
pub use replay::{Memory, Recall, Sighting};
pub use score::{ACCELEROMETER_WEIGHT, COVERAGE_TO_LOCK, GYRO_WEIGHT, Mode, NETWORK_WEIGHT, Parts, TOUCH_WEIGHT, global_score};
pub use sensor::{Context, FEATURES, NAMES, Sensor};
pub use standing::{STALE, Standing};
pub use state::STATE_LIMIT;
pub use trust::{Attestation, Level, Plan, Threshold, Trust};

/// Readings of one decision: the ring of every sensor holds as many, and windows do not overlap.
pub const WINDOW: usize = 100;
