//! What a phone's motion sensors give: people who walk, sit and hold their phones, or recordings of such. Values lie on the steps of
//! real hardware, and no two phones ever give the same readings: only an attack repeats anything.

use std::fmt::Write;
use std::sync::Arc;

use threat::Reading;
use threat::evaluate::Track;

use crate::dice::Dice;
use crate::plan::Activity;

/// A step of the accelerometer in m/s² (16 bits over ±4 g) and of the gyroscope in rad/s (16 bits over ±2,000 degrees a second).
const STEPS: [f64; 2] = [9.806_65 * 8.0 / 65_536.0, 4_000.0 / 65_536.0 * std::f64::consts::PI / 180.0];
/// Microseconds that one activity lasts before the next.
const EPISODE: i64 = 40_000_000;

/// How a person moves, and how they carry the phone.
#[derive(Debug, Clone, Copy)]
struct Person {
    steps_per_second: f64,
    strength: f64,
    swing: f64,
    /// Direction of gravity in the phone's axes.
    gravity: [f64; 3],
    tremor: f64,
}

impl Person {
    fn drawn(dice: &mut Dice) -> Self {
        let tilt = dice.between(-0.4, 0.4);
        let roll = dice.between(-0.3, 0.3);
        Self {
            steps_per_second: dice.between(1.6, 2.0),
            strength: dice.between(2.0, 3.2),
            swing: dice.between(0.8, 1.3),
            gravity: [9.81 * roll.sin(), 9.81 * tilt.cos() * roll.cos(), 9.81 * tilt.sin() * roll.cos()],
            tremor: dice.between(0.04, 0.08),
        }
    }

    /// Somebody who moves clearly otherwise: a faster and stronger gait, another grip.
    fn other(self, dice: &mut Dice) -> Self {
        let drawn = Self::drawn(dice);
        Self {
            steps_per_second: self.steps_per_second * 1.28,
            strength: self.strength * 1.8,
            swing: self.swing * 2.1,
            tremor: self.tremor * 2.5,
            ..drawn
        }
    }
}

/// Where readings come from.
#[derive(Debug, Clone)]
enum Source {
    /// A person of numbers.
    Person(Person),
    /// A recording from this place on.
    Track(Arc<Track>, Cursor),
    /// A script that knows no sensor.
    Script,
}

/// A place in a recording that is played over and over.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    /// Phone time at which the recording's zero lies.
    origin: i64,
    /// Steps of both sensors' values.
    steps: [f64; 2],
    length: i64,
}

/// Readings of both sensors over the same stretch of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stretch {
    pub(crate) accelerometer: Vec<Reading>,
    pub(crate) gyroscope: Vec<Reading>,
}

impl Stretch {
    /// The batch in JSON, as every route for readings takes it.
    pub(crate) fn to_json(&self) -> String {
        let mut text = String::with_capacity(40 * (self.accelerometer.len() + self.gyroscope.len()) + 48);
        for (name, readings) in [("{\"accelerometer\":[", &self.accelerometer), ("],\"gyroscope\":[", &self.gyroscope)] {
            text.push_str(name);
            for (index, reading) in readings.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                // Writing to a string cannot fail.
                let _ = write!(text, "{comma}[{},{},{},{}]", reading.t, reading.x, reading.y, reading.z);
            }
        }
        text.push_str("]}");
        text
    }
}

/// A phone's sensors.
#[derive(Debug, Clone)]
pub(crate) struct Motion {
    dice: Dice,
    source: Source,
    activity: Activity,
    rate: f64,
    phase: f64,
    vigour: f64,
    /// Phone time up to which readings were given, microseconds.
    at: i64,
}

impl Motion {
    /// The sensors of a phone whose clock stands at `at`: recorded when there are recordings, of `activity` at `rate` else.
    pub(crate) fn new(mut dice: Dice, number: usize, tracks: &[Arc<Track>], activity: Activity, rate: f64, at: i64) -> Self {
        let source = match tracks.get(number % tracks.len().max(1)) {
            Some(track) => played(track, &mut dice, at),
            None => Source::Person(Person::drawn(&mut dice)),
        };
        let phase = dice.uniform();
        Self { dice, source, activity, rate, phase, vigour: 1.0, at }
    }

    /// Phone time of the next reading, microseconds.
    pub(crate) fn at(&self) -> i64 {
        self.at
    }

    /// Somebody else takes the phone.
    pub(crate) fn swap_person(&mut self, number: usize, tracks: &[Arc<Track>]) {
        self.source = match &self.source {
            Source::Person(person) => Source::Person(person.other(&mut self.dice)),
            _ => match tracks.get((number + 1) % tracks.len().max(1)) {
                Some(track) => played(track, &mut self.dice, self.at),
                None => Source::Script,
            },
        };
    }

    /// From now on a script invents the readings.
    pub(crate) fn inject(&mut self) {
        self.source = Source::Script;
    }

    /// Sets the clock forward.
    pub(crate) fn skew(&mut self, by: i64) {
        self.at += by;
        if let Source::Track(_, cursor) = &mut self.source {
            cursor.origin += by;
        }
    }

    /// The readings of the next `length` microseconds.
    pub(crate) fn advance(&mut self, length: i64) -> Stretch {
        let (from, to) = (self.at, self.at + length);
        self.at = to;
        match self.source.clone() {
            Source::Person(person) => self.walk(person, from, to),
            Source::Track(track, cursor) => self.play(&track, cursor, from, to),
            Source::Script => self.invent(from, to),
        }
    }

    fn activity(&self, at: i64) -> Activity {
        match self.activity {
            Activity::Mixed => match (at / EPISODE) % 4 {
                0 | 2 => Activity::Walking,
                1 => Activity::Handheld,
                _ => Activity::Still,
            },
            one => one,
        }
    }

    fn walk(&mut self, person: Person, from: i64, to: i64) -> Stretch {
        let mut stretch = Stretch::default();
        let (interval, tau) = (1e6 / self.rate, std::f64::consts::TAU);
        let count = ((to - from) as f64 / interval).round() as i64;
        for index in 0..count {
            let t = from + (index as f64 * interval) as i64 + (self.dice.uniform() * interval * 0.1) as i64;
            if index % (self.rate as i64).max(1) == 0 {
                self.vigour = 1.0 + 0.1 * self.dice.normal();
            }
            self.phase += person.steps_per_second * (1.0 + 0.02 * self.dice.normal()) / self.rate;
            let turn = tau * self.phase;
            let (bounce, swing) = match self.activity(t) {
                Activity::Walking | Activity::Mixed => (
                    self.vigour * person.strength * (turn.sin() + 0.4 * (2.0 * turn).sin()),
                    self.vigour * person.swing * (turn / 2.0).sin(),
                ),
                Activity::Handheld => (0.25 * self.vigour * (turn / 3.0).sin(), 0.12 * self.vigour * person.swing * (turn / 2.5).sin()),
                Activity::Still => (0.0, 0.0),
            };
            let noise = if self.activity(t) == Activity::Still { 0.012 } else { person.tremor };
            let [gx, gy, gz] = person.gravity;
            let accelerometer = [gx + 1.5 * swing, gy + bounce, gz + 0.3 * bounce];
            let gyroscope = [swing, 0.2 * bounce, 0.4 * swing];
            stretch.accelerometer.push(self.measured(t, accelerometer, noise, STEPS[0]));
            stretch.gyroscope.push(self.measured(t, gyroscope, noise * 0.4, STEPS[1]));
        }
        stretch
    }

    /// A value as hardware gives it: with noise, in whole steps.
    fn measured(&mut self, t: i64, values: [f64; 3], noise: f64, step: f64) -> Reading {
        let mut axis = |value: f64| (((value + noise * self.dice.normal()) / step).round() * step) as f32;
        Reading { t, x: axis(values[0]), y: axis(values[1]), z: axis(values[2]) }
    }

    fn play(&mut self, track: &Track, cursor: Cursor, from: i64, to: i64) -> Stretch {
        let mut stretch = Stretch::default();
        let mut round = (from - cursor.origin).div_euclid(cursor.length);
        loop {
            let begin = cursor.origin + round * cursor.length;
            if begin >= to {
                return stretch;
            }
            for (readings, into, step) in [
                (&track.accelerometer, &mut stretch.accelerometer, cursor.steps[0]),
                (&track.gyroscope, &mut stretch.gyroscope, cursor.steps[1]),
            ] {
                let first = readings.partition_point(|reading| reading.t + begin < from);
                for reading in readings[first..].iter().take_while(|reading| reading.t + begin < to) {
                    // Up to a step more or less on each axis: what this phone gives is its own, and still on the grid of its hardware.
                    let mut axis = |value: f32| (f64::from(value) + (self.dice.below(3) as f64 - 1.0) * step) as f32;
                    into.push(Reading { t: reading.t + begin, x: axis(reading.x), y: axis(reading.y), z: axis(reading.z) });
                }
            }
            round += 1;
        }
    }

    /// Gravity and a smooth walk with white noise, each sensor by itself, in full precision.
    fn invent(&mut self, from: i64, to: i64) -> Stretch {
        let mut stretch = Stretch::default();
        let interval = 1e6 / self.rate;
        for index in 0..((to - from) as f64 / interval).round() as i64 {
            let t = from + (index as f64 * interval) as i64;
            let turn = std::f64::consts::TAU * (t as f64 / 1e6) * 1.9;
            let mut near = |value: f64, size: f64| (value + size * self.dice.normal()) as f32;
            stretch.accelerometer.push(Reading { t, x: near(0.0, 0.3), y: near(9.8 + 2.0 * turn.sin(), 0.3), z: near(0.0, 0.3) });
            stretch.gyroscope.push(Reading { t, x: near(0.0, 0.2), y: near(0.0, 0.2), z: near(0.0, 0.2) });
        }
        stretch
    }
}

fn played(track: &Arc<Track>, dice: &mut Dice, at: i64) -> Source {
    let length = track.accelerometer.last().map_or(0, |reading| reading.t).max(1_000_000) + 500_000;
    let origin = at - (dice.uniform() * length as f64) as i64;
    Source::Track(Arc::clone(track), Cursor { origin, steps: [step(&track.accelerometer), step(&track.gyroscope)], length })
}

/// The smallest difference between two values in a row: what the hardware, or the file, counts in.
fn step(readings: &[Reading]) -> f64 {
    let differences = readings.windows(2).take(5_000).filter_map(|pair| pair.first().zip(pair.get(1)));
    let sizes = differences.map(|(one, other)| f64::from((one.x - other.x).abs())).filter(|size| *size > 5e-5);
    let smallest = sizes.fold(f64::MAX, f64::min);
    if smallest < 1.0 { smallest } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use threat::{Batch, Check, Cohort, Device, Mode, Posture, Setting, Standing};

    use super::*;

    fn sensors(number: usize, activity: Activity) -> Motion {
        Motion::new(Dice::of(7, number), number, &[], activity, 50.0, 1_000_000)
    }

    /// Gives a phone's engine so many seconds, and tells the worst posture and what was found wrong with the stream.
    fn live(motion: &mut Motion, engine: &mut Device, seconds: usize) -> (Posture, Vec<Check>) {
        let (cohort, mut found) = (Cohort::default(), Vec::new());
        for _ in 0..seconds / 5 {
            let stretch = motion.advance(5_000_000);
            let batch = Batch {
                arrived: motion.at() + 40_000,
                accelerometer: &stretch.accelerometer,
                gyroscope: &stretch.gyroscope,
                ..Batch::default()
            };
            let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: true };
            // As a phone that cannot attest: nothing that could confirm what behaviour suspects.
            let attestation = threat::Attestation::Passed { level: threat::Level::Basic, at: motion.at() };
            let standing = Standing { now: motion.at(), attestation, ..Standing::default() };
            engine.accept(&batch, &setting, None, |engine, judgement| {
                found.extend(judgement.checks.iter().filter(|check| check.is_about_the_stream()));
                engine.decide(judgement, &standing);
            });
        }
        (engine.posture(), found)
    }

    #[test]
    fn honest_phones_are_taken_for_sensors_whatever_they_do_and_a_stranger_and_a_script_are_noticed() {
        let (mut stepped_up, mut strangers) = (0, 0);
        for number in 0..12 {
            for activity in [Activity::Walking, Activity::Mixed] {
                let (mut motion, mut engine) = (sensors(number, activity), Device::new());
                let (posture, found) = live(&mut motion, &mut engine, 400);
                assert!(found.is_empty(), "{number} {activity:?}: {found:?}");
                // Whoever does something new may be asked whether it is still them; nobody loses anything by it alone.
                assert!(posture <= Posture::Restrict);
                stepped_up += usize::from(activity == Activity::Walking && posture > Posture::Observe);
            }
            let (mut motion, mut engine) = (sensors(number, Activity::Walking), Device::new());
            live(&mut motion, &mut engine, 300);
            let mut taken = (motion.clone(), engine.clone());
            taken.0.swap_person(number, &[]);
            strangers += usize::from(live(&mut taken.0, &mut taken.1, 120).0 >= Posture::StepUp);
            motion.inject();
            let (posture, found) = live(&mut motion, &mut engine, 60);
            assert!(posture >= Posture::Restrict && found.contains(&Check::Synthetic), "{number}: {posture:?} {found:?}");
        }
        assert!(stepped_up <= 2 && strangers == 12, "{stepped_up} of 12 honest walkers stepped up, {strangers} of 12 strangers noticed");
    }

    #[test]
    fn phones_that_play_one_recording_repeat_neither_each_other_nor_themselves() {
        let source = sensors(1, Activity::Walking).advance(20_000_000);
        let moved = |readings: &[Reading]| readings.iter().map(|reading| Reading { t: reading.t - 1_000_000, ..*reading }).collect();
        let track =
            Arc::new(Track { subject: "ana".to_owned(), accelerometer: moved(&source.accelerometer), gyroscope: moved(&source.gyroscope) });
        let mut seen = HashSet::new();
        for number in 0..3 {
            let mut motion = Motion::new(Dice::of(3, number), number, std::slice::from_ref(&track), Activity::Walking, 50.0, 0);
            let played = motion.advance(60_000_000);
            assert!(played.accelerometer.len() > 2_700 && played.accelerometer.is_sorted_by_key(|reading| reading.t));
            for run in played.accelerometer.windows(16) {
                let bits: Vec<u32> =
                    run.iter().flat_map(|reading| [reading.x.to_bits(), reading.y.to_bits(), reading.z.to_bits()]).collect();
                assert!(seen.insert(bits), "phone {number} repeats sixteen readings");
            }
        }
    }
}
