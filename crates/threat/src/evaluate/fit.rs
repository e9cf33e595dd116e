//! A cohort's model from enrolment windows: spread within a device, and how far a session strays from the device's others.

use crate::baseline::{MINIMUM, Profile};
use crate::cohort::{Cohort, Shape, Situation};
use crate::sensor::{COUPLING, Context, FEATURES, Sensor};

/// One window, measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) context: Context,
    pub(crate) features: [f32; FEATURES],
    pub(crate) has_gyroscope: bool,
}

/// Windows of one device by session.
pub(crate) type Sessions = Vec<Vec<Measured>>;

/// Fewest windows that say more than the default.
const ENOUGH: usize = 30;

/// The cohort that these devices form.
pub(crate) fn fit<'a>(devices: impl Iterator<Item = &'a Sessions> + Clone) -> Cohort {
    let mut cohort = Cohort::default();
    for context in Context::ALL {
        let situation = &mut cohort.situations[context as usize];
        spread(situation, devices.clone(), context);
        shapes(situation, devices.clone(), context);
    }
    cohort
}

fn spread<'a>(situation: &mut Situation, devices: impl Iterator<Item = &'a Sessions> + Clone, context: Context) {
    for feature in 0..FEATURES {
        let (mut squares, mut count, mut groups) = (0.0, 0_usize, 0_usize);
        for sessions in devices.clone() {
            let values: Vec<f64> = sessions
                .iter()
                .flatten()
                .filter(|window| window.context == context && (feature < Sensor::Accelerometer.features().end || window.has_gyroscope))
                .map(|window| f64::from(window.features[feature]))
                .collect();
            if values.len() < 2 {
                continue;
            }
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            squares += values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
            count += values.len();
            groups += 1;
        }
        if count >= ENOUGH {
            situation.deviation[feature] = (squares / (count - groups) as f64).sqrt() as f32;
        }
    }
}

/// Each session against a baseline of the device's other sessions: what an honest device scores on another day.
fn shapes<'a>(situation: &mut Situation, devices: impl Iterator<Item = &'a Sessions>, context: Context) {
    let (mut accelerometer, mut gyroscope, mut coupling) = (Vec::new(), Vec::new(), Vec::new());
    for sessions in devices {
        for left_out in 0..sessions.len() {
            let mut profile = Profile::default();
            for window in sessions.iter().enumerate().filter(|(index, _)| *index != left_out).flat_map(|(_, session)| session) {
                if window.context == context {
                    learn(&mut profile, window, situation);
                }
            }
            for window in sessions[left_out].iter().filter(|window| window.context == context) {
                let statistic =
                    |sensor: Sensor| profile.statistic(sensor, &profile.measure(sensor.features(), &window.features, situation), false);
                accelerometer.extend(statistic(Sensor::Accelerometer));
                if window.has_gyroscope {
                    gyroscope.extend(statistic(Sensor::Gyroscope));
                    if profile.learned(COUPLING) >= MINIMUM {
                        coupling.push(window.features[COUPLING] - profile.means[COUPLING]);
                    }
                }
            }
        }
    }
    if let Some(shape) = shape(&mut accelerometer) {
        situation.accelerometer = shape;
    }
    if let Some(shape) = shape(&mut gyroscope) {
        situation.gyroscope = shape;
    }
    if coupling.len() >= ENOUGH {
        let square = coupling.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>() / coupling.len() as f64;
        // A coupling is measured in units of one over the root of the effective readings, about a fifth.
        situation.coupling = (square.sqrt() * 5.0).max(1.0) as f32;
    }
}

pub(crate) fn learn(profile: &mut Profile, window: &Measured, situation: &Situation) {
    profile.learn(Sensor::Accelerometer.features(), &window.features, situation);
    if window.has_gyroscope {
        profile.learn(Sensor::Gyroscope.features(), &window.features, situation);
        profile.learn(COUPLING..FEATURES, &window.features, situation);
    }
}

fn shape(values: &mut [f32]) -> Option<Shape> {
    if values.len() < ENOUGH {
        return None;
    }
    values.sort_by(f32::total_cmp);
    // The very largest would decide everything.
    let most = values[values.len() * 98 / 100];
    let count = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(value.min(most))).sum::<f64>() / count;
    let variance = values.iter().map(|value| (f64::from(value.min(most)) - mean).powi(2)).sum::<f64>() / count;
    Some(Shape::of(mean, variance))
}
