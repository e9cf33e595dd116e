//! Why a device was judged as it was: the parts with their weights, the features with their values, the checks.

use serde::Serialize;

use crate::baseline::situation;
use crate::checks::Check;
use crate::cohort::Cohort;
use crate::device::Device;
use crate::score::Mode;
use crate::sensor::{COUPLING, Context, FEATURES, NAMES, Sensor};

/// The newest judgement of a device, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Server time of the newest window, microseconds.
    pub at: i64,
    /// What the phone was doing.
    pub context: Context,
    /// How it was scored.
    pub mode: Mode,
    /// The global score.
    pub global_score: Option<f64>,
    /// Share of the weights present.
    pub coverage: f64,
    /// The four parts, in the order of the formula.
    pub parts: Vec<Part>,
    /// The features, most unusual first.
    pub features: Vec<Feature>,
    /// What is wrong with the stream itself, and drift.
    pub checks: Vec<Check>,
}

/// One part of the formula.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Name in the formula.
    pub name: &'static str,
    /// Weight in the formula.
    pub weight: f64,
    /// Value in [0, 1]; `None` when the sensor said nothing lately.
    pub value: Option<f64>,
    /// What it adds to the global score.
    pub contribution: f64,
}

/// One feature of the newest window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feature {
    /// Name, with its sensor.
    pub name: &'static str,
    /// Value in the newest window.
    pub value: f32,
    /// What is usual for this device in this context.
    pub usual: f32,
    /// Standard deviation it is measured with.
    pub deviation: f32,
    /// Distance from the usual in standard deviations, with its sign.
    pub z: f32,
}

impl Device {
    /// Takes the newest judgement apart; values are those of the newest window, against the baseline as it is now.
    pub fn explain(&self, cohort: &Cohort) -> Explanation {
        let parts = self.last.parts();
        let coverage = parts.coverage();
        let profile = &self.profiles[self.last.context as usize];
        let model = situation(cohort, self.last.context);
        let measured = |feature: usize| match feature {
            COUPLING => self.last.times[Sensor::Gyroscope as usize] == self.last.at,
            feature if Sensor::Accelerometer.features().contains(&feature) => self.last.times[0] == self.last.at,
            _ => self.last.times[1] == self.last.at,
        };
        let mut features: Vec<Feature> = (0..FEATURES)
            .filter(|feature| profile.learned(*feature) > 0 && measured(*feature))
            .map(|feature| Feature {
                name: NAMES[feature],
                value: self.last.features[feature],
                usual: profile.means[feature],
                deviation: profile.deviation(feature, model),
                z: profile.deviations(feature, self.last.features[feature], model),
            })
            .collect();
        features.sort_by(|one, other| other.z.abs().total_cmp(&one.z.abs()));
        Explanation {
            at: self.last.at,
            context: self.last.context,
            mode: self.last.mode,
            global_score: parts.global(),
            coverage,
            parts: parts
                .weighted()
                .into_iter()
                .map(|(name, weight, value)| Part {
                    name,
                    weight,
                    value,
                    contribution: value.map_or(0.0, |value| if coverage >= 1.0 { weight * value } else { weight * value / coverage }),
                })
                .collect(),
            features,
            checks: self.last.checks.iter().collect(),
        }
    }
}
