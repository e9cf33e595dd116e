//! Streams that are not this device's sensors, made from recordings: frozen, replayed, invented, spliced.

use serde::Serialize;

use super::dice::Dice;
use super::recording::Recording;
use crate::Reading;

/// A kind of stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// Honest later sessions.
    None,
    /// The accelerometer repeats one reading, the gyroscope is honest.
    FrozenAccelerometer,
    /// The gyroscope repeats one reading, the accelerometer is honest.
    FrozenGyroscope,
    /// Both repeat one reading: a phone that only pretends to be there, or an emulator's default.
    FrozenBoth,
    /// Enrolled sessions sent again, from any offset.
    Replay,
    /// Three seconds of the present over and over.
    Loop,
    /// Gravity and white noise on both sensors.
    InventedNoise,
    /// A smooth walk without noise, as a script makes it.
    InventedWalk,
    /// A walk with noise, each sensor by itself.
    InventedNoisyWalk,
    /// The accelerometer of someone else, the gyroscope honest.
    SplicedAccelerometer,
    /// The gyroscope of someone else, the accelerometer honest.
    SplicedGyroscope,
    /// Enrolled sessions sent again with fresh noise on every value: not bit for bit, so only behaviour could tell.
    NoisyReplay,
}

impl Attack {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::FrozenAccelerometer,
        Self::FrozenGyroscope,
        Self::FrozenBoth,
        Self::Replay,
        Self::Loop,
        Self::InventedNoise,
        Self::InventedWalk,
        Self::InventedNoisyWalk,
        Self::SplicedAccelerometer,
        Self::SplicedGyroscope,
        Self::NoisyReplay,
    ];
}

/// One episode of `seconds`, from the subject's sessions (the first `split` were enrolled) and those of others.
/// `None` when the recordings lack what it takes.
pub(crate) fn attack(
    kind: Attack,
    sessions: &[Recording],
    split: usize,
    others: &[&Recording],
    seconds: f64,
    dice: &mut Dice,
) -> Option<Recording> {
    let (past, present) = (&sessions[..split], &sessions[split..]);
    let honest = drawn(&present.iter().collect::<Vec<_>>(), seconds, dice)?;
    let has_gyroscope = !honest.gyroscope.is_empty();
    let needs_gyroscope = matches!(kind, Attack::FrozenGyroscope | Attack::SplicedAccelerometer | Attack::SplicedGyroscope);
    if needs_gyroscope && !has_gyroscope {
        return None;
    }
    let frozen = |readings: &[Reading], dice: &mut Dice| -> Vec<Reading> {
        let held = readings.get(dice.below(readings.len())).copied();
        readings.iter().filter_map(|reading| held.map(|held| Reading { t: reading.t, ..held })).collect()
    };
    Some(match kind {
        Attack::None => honest,
        Attack::FrozenAccelerometer => Recording { accelerometer: frozen(&honest.accelerometer, dice), ..honest },
        Attack::FrozenGyroscope => Recording { gyroscope: frozen(&honest.gyroscope, dice), ..honest },
        Attack::FrozenBoth => {
            Recording { accelerometer: frozen(&honest.accelerometer, dice), gyroscope: frozen(&honest.gyroscope, dice), ..honest }
        }
        Attack::Replay => drawn(&past.iter().collect::<Vec<_>>(), seconds, dice)?,
        Attack::NoisyReplay => {
            let replay = drawn(&past.iter().collect::<Vec<_>>(), seconds, dice)?;
            Recording {
                accelerometer: noisy(&replay.accelerometer, 0.02, dice),
                gyroscope: noisy(&replay.gyroscope, 0.005, dice),
                ..replay
            }
        }
        Attack::Loop => looped(&honest, seconds, dice),
        Attack::InventedNoise | Attack::InventedWalk | Attack::InventedNoisyWalk => invented(kind, &honest, dice),
        Attack::SplicedAccelerometer => {
            let other = drawn(others, seconds, dice)?;
            Recording { accelerometer: retimed(&other.accelerometer, &honest.accelerometer), ..honest }
        }
        Attack::SplicedGyroscope => {
            let other = drawn(others, seconds, dice)?;
            Recording { gyroscope: retimed(&other.gyroscope, &honest.gyroscope), ..honest }
        }
    })
}

/// Whole sessions one after the other, half a second apart, the first from any offset; shorter when there are not enough.
fn drawn(from: &[&Recording], seconds: f64, dice: &mut Dice) -> Option<Recording> {
    let mut filled: Vec<&&Recording> = from.iter().filter(|session| session.accelerometer.len() > crate::WINDOW).collect();
    let mut stream = Recording::default();
    let mut skip = dice.uniform() * 0.5;
    while !filled.is_empty() && stream.seconds() < seconds {
        // Each session once: a second time would be a replay.
        let session = filled.swap_remove(dice.below(filled.len()));
        let from = (session.seconds() * skip * 1e6) as i64;
        let origin = stream.accelerometer.last().map_or(0, |reading| reading.t + 500_000) - from;
        let limit = origin + from + (seconds * 1e6) as i64;
        let moved = |readings: &[Reading]| {
            let later = readings.iter().filter(|reading| reading.t >= from).map(|reading| Reading { t: reading.t + origin, ..*reading });
            later.take_while(|reading| reading.t < limit).collect::<Vec<_>>()
        };
        stream.accelerometer.extend(moved(&session.accelerometer));
        stream.gyroscope.extend(moved(&session.gyroscope));
        skip = 0.0;
    }
    (!stream.accelerometer.is_empty()).then_some(stream)
}

fn noisy(readings: &[Reading], size: f64, dice: &mut Dice) -> Vec<Reading> {
    let mut add = |value: f32| value + (size * dice.normal()) as f32;
    readings.iter().map(|reading| Reading { t: reading.t, x: add(reading.x), y: add(reading.y), z: add(reading.z) }).collect()
}

/// The values of one stream at the times of another.
fn retimed(values: &[Reading], times: &[Reading]) -> Vec<Reading> {
    values.iter().zip(times).map(|(value, time)| Reading { t: time.t, ..*value }).collect()
}

fn looped(honest: &Recording, seconds: f64, dice: &mut Dice) -> Recording {
    let length = 300.min(honest.accelerometer.len());
    let start = dice.below(honest.accelerometer.len() - length + 1);
    let times: Vec<i64> = (0..(seconds * 100.0) as i64).map(|index| index * 10_000).collect();
    let again = |readings: &[Reading]| -> Vec<Reading> {
        let clip = readings.get(start..start + length).unwrap_or(readings);
        clip.iter().cycle().zip(&times).map(|(reading, t)| Reading { t: *t, ..*reading }).collect()
    };
    let gyroscope = if honest.gyroscope.is_empty() { Vec::new() } else { again(&honest.gyroscope) };
    Recording { accelerometer: again(&honest.accelerometer), gyroscope, ..Recording::default() }
}

fn invented(kind: Attack, honest: &Recording, dice: &mut Dice) -> Recording {
    let (walks, noise) = match kind {
        Attack::InventedNoise => (0.0, 0.3 + 2.0 * dice.uniform()),
        Attack::InventedWalk => (1.0, 0.0),
        _ => (1.0, 0.05 + 0.25 * dice.uniform()),
    };
    let (steps, strength, swing) = (1.6 + 0.6 * dice.uniform(), 1.5 + 2.5 * dice.uniform(), 0.5 + 1.5 * dice.uniform());
    // A script times its readings exactly.
    let at = |index: usize| index as i64 * 10_000;
    let mut make = |readings: &[Reading], gravity: f64, size: f64, noise: f64, frequency: f64| -> Vec<Reading> {
        (0..readings.len())
            .map(|index| {
                let turn = std::f64::consts::TAU * frequency * index as f64 / 100.0;
                let wave = walks * size * (turn.sin() + 0.3 * (2.0 * turn + 1.0).sin());
                let mut axis = |share: f64| (share * (gravity + wave) + noise * dice.normal()) as f32;
                Reading { t: at(index), x: axis(0.3), y: axis(0.9), z: axis(0.316) }
            })
            .collect()
    };
    Recording {
        accelerometer: make(&honest.accelerometer, 9.81, strength, noise, steps),
        gyroscope: make(&honest.gyroscope, 0.0, swing, noise / 5.0, steps / 2.0),
        ..Recording::default()
    }
}
