//! One device: takes what arrives, closes windows, scores each, and learns from those that are like the past.

use serde::Serialize;

use crate::WINDOW;
use crate::accumulate::Accumulator;
use crate::authenticity::Authenticity;
use crate::baseline::{Profiles, situation};
use crate::chance::chi_squared;
use crate::checks::{Check, Checks};
use crate::clock::{Clock, ordered};
use crate::cohort::Cohort;
use crate::coupling::coupling;
use crate::decision::Course;
use crate::drift::{Adwin, Cusum};
use crate::network::Network;
use crate::posture::Posture;
use crate::rank::Ranks;
use crate::reading::{Batch, Faults, Reading};
use crate::replay::{Carried, Recall};
use crate::score::{Mode, Parts};
use crate::sensor::{COUPLING, Context, FEATURES, Sensor, accelerometer, gyroscope, is_at_rest};
use crate::stream::{Stream, Surroundings, Window};
use crate::touch::Touches;
use crate::trust::Trust;

/// How long a part of the score counts after its sensor's last window, microseconds: accelerometer, gyroscope, touch, network.
const HELD: [i64; 4] = [3_000_000, 3_000_000, 300_000_000, 180_000_000];

/// What scoring depends on beside the device itself.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// What devices of this kind have in common.
    pub cohort: &'a Cohort,
    /// Formula or fallback.
    pub mode: Mode,
    /// Whether windows that look usual are learned; `false` freezes the baseline.
    pub learns: bool,
}

/// What one window came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Server time of the window's last reading, microseconds.
    pub at: i64,
    /// What the phone was doing.
    pub context: Context,
    /// The four parts.
    pub parts: Parts,
    /// The global score, or `None` while nothing can be said.
    pub global: Option<f64>,
    /// Share of the weights present.
    pub coverage: f64,
    /// How it was scored.
    pub mode: Mode,
    /// What is wrong with the stream itself.
    #[serde(skip)]
    pub checks: Checks,
    /// Which of the two motion sensors completed a window: accelerometer, gyroscope.
    pub windows: [bool; 2],
}

/// Everything known about one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    pub(crate) streams: [Stream; 2],
    pub(crate) authenticity: Authenticity,
    pub(crate) carried: Carried,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) profiles: Profiles,
    pub(crate) touches: Touches,
    pub(crate) network: Network,
    /// Past global scores, as `-ln(1-S)`.
    pub(crate) scores: Ranks,
    pub(crate) cusum: Cusum,
    pub(crate) adwin: Adwin,
    pub(crate) accumulator: Accumulator,
    pub(crate) trust: Trust,
    pub(crate) course: Course,
    pub(crate) last: Last,
}

/// The newest features and parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Last {
    pub(crate) features: [f32; FEATURES],
    pub(crate) parts: [f32; 4],
    /// Server time of each part; the minimum when there never was one.
    pub(crate) times: [i64; 4],
    pub(crate) at: i64,
    pub(crate) context: Context,
    pub(crate) mode: Mode,
    pub(crate) checks: Checks,
}

impl Default for Last {
    fn default() -> Self {
        Self {
            features: [0.0; FEATURES],
            parts: [0.0; 4],
            times: [i64::MIN; 4],
            at: i64::MIN,
            context: Context::Still,
            mode: Mode::Spec,
            checks: Checks::default(),
        }
    }
}

impl Last {
    /// The parts that are recent enough to count.
    pub(crate) fn parts(&self) -> Parts {
        let part = |index: usize| (self.at.saturating_sub(self.times[index]) <= HELD[index]).then(|| f64::from(self.parts[index]));
        Parts { accelerometer_score: part(0), gyro_score: part(1), touch_entropy: part(2), network_spike: part(3) }
    }

    fn set(&mut self, part: usize, score: Option<f32>, at: i64) {
        match score {
            Some(score) => (self.parts[part], self.times[part]) = (score, at),
            None => self.times[part] = i64::MIN,
        }
    }
}

impl Device {
    /// A device nothing is known about.
    pub fn new() -> Self {
        Self::default()
    }

    /// Time of the newest reading on the device's own clock, microseconds.
    pub fn newest(&self) -> Option<i64> {
        self.streams.iter().map(|stream| stream.now.last).max().filter(|newest| *newest > i64::MIN)
    }

    /// Features of the newest window, in the order of [`NAMES`](crate::NAMES).
    pub fn raw(&self) -> &[f32; FEATURES] {
        &self.last.features
    }

    /// What had to be refused so far.
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Takes a batch and calls `on` with every window that it completes. Send both motion sensors of the same seconds together:
    /// their coupling is only seen when their windows close together.
    pub fn accept(
        &mut self,
        batch: &Batch<'_>,
        setting: &Setting<'_>,
        mut recall: Option<Recall<'_>>,
        mut on: impl FnMut(&mut Self, &Judgement),
    ) {
        let (accelerometer, gyroscope) = (ordered(batch.accelerometer), ordered(batch.gyroscope));
        let batch = Batch { accelerometer: &accelerometer, gyroscope: &gyroscope, ..*batch };
        let newest = self.newest().unwrap_or(i64::MIN);
        let arrival = self.clock.arrive(&batch, newest, &mut self.faults);
        if arrival.is_jump {
            self.streams.iter_mut().for_each(Stream::forget);
            self.carried = Carried::default();
        }
        self.take_rarer(&batch, setting);
        let (mut accelerometer, mut gyroscope) = (batch.accelerometer, batch.gyroscope);
        loop {
            accelerometer = self.feed(Sensor::Accelerometer, accelerometer, arrival.latest, &mut recall);
            gyroscope = self.feed(Sensor::Gyroscope, gyroscope, arrival.latest, &mut recall);
            let full = self.streams.each_ref().map(Stream::is_full);
            // A full window waits for the other sensor until its own next reading would push it out.
            let goes = match full {
                [true, true] => full,
                [true, false] if !accelerometer.is_empty() => full,
                [false, true] if !gyroscope.is_empty() => full,
                _ => break,
            };
            let judgement = self.judge(goes, setting);
            on(self, &judgement);
        }
    }

    /// Touches and minutes: their scores are held until the next motion window counts them.
    fn take_rarer(&mut self, batch: &Batch<'_>, setting: &Setting<'_>) {
        let learns = self.learns(setting);
        for touch in batch.touches {
            if let Some(score) = self.touches.take(touch, learns, &mut self.faults) {
                self.last.set(2, Some(score), batch.arrived);
            }
        }
        for minute in batch.traffic {
            if let Some(score) = self.network.take(minute, learns, &mut self.faults) {
                self.last.set(3, Some(score), batch.arrived);
            }
        }
    }

    /// Learning stops as soon as anything is suspected, and while scores are simplified.
    fn learns(&self, setting: &Setting<'_>) -> bool {
        setting.learns && setting.mode == Mode::Spec && self.course.posture == Posture::Observe
    }

    fn feed<'r>(&mut self, sensor: Sensor, readings: &'r [Reading], latest: i64, recall: &mut Option<Recall<'_>>) -> &'r [Reading] {
        let recall = recall.as_mut().map(|recall| Recall { memory: recall.memory, device: recall.device });
        let mut around = Surroundings { faults: &mut self.faults, carried: &mut self.carried, recall, latest };
        let taken = self.streams[sensor as usize].take(sensor, readings, &mut around);
        readings.get(taken..).unwrap_or_default()
    }

    fn judge(&mut self, goes: [bool; 2], setting: &Setting<'_>) -> Judgement {
        let simplified = setting.mode == Mode::Simplified;
        let learns = self.learns(setting);
        let mut windows: [Option<Window>; 2] = [None, None];
        for sensor in [Sensor::Accelerometer, Sensor::Gyroscope] {
            let index = sensor as usize;
            if goes[index] {
                let stream = &mut self.streams[index];
                self.last.at = self.last.at.max(self.clock.server(stream.now.last));
                windows[index] = Some(stream.close(sensor, learns, &mut self.faults));
            }
        }
        if let Some(window) = &windows[0] {
            let (features, context) = accelerometer(window, simplified);
            self.last.features[Sensor::Accelerometer.features()].copy_from_slice(&features);
            self.last.context = context;
        }
        if let Some(window) = &windows[1] {
            self.last.features[Sensor::Gyroscope.features()].copy_from_slice(&gyroscope(window, simplified));
        }
        let mut checks = Checks::default();
        if self.carried.proven() {
            checks.insert(Check::Replayed);
        }
        if windows.iter().flatten().any(|window| window.is_between_steps) {
            checks.insert(Check::Synthetic);
        }
        self.authenticity.look(&windows, &self.last.features, learns, &mut checks);
        self.score(&windows, setting, checks);
        let parts = self.last.parts();
        self.watch(&parts, setting);
        Judgement {
            at: self.last.at,
            context: self.last.context,
            parts,
            global: parts.global(),
            coverage: parts.coverage(),
            mode: setting.mode,
            checks: self.last.checks,
            windows: goes,
        }
    }

    /// Scores the motion sensors' windows, then learns them.
    fn score(&mut self, windows: &[Option<Window>; 2], setting: &Setting<'_>, mut checks: Checks) {
        // A phone that lies somewhere says nothing of who carries it: that is no deviation from how it is carried, and no habit to learn.
        let rests = is_at_rest(&self.last.features);
        let learns = self.learns(setting) && !rests;
        let last = &mut self.last;
        let profile = &mut self.profiles[last.context as usize];
        let model = situation(setting.cohort, last.context);
        let simplified = setting.mode == Mode::Simplified;
        let mut surprises = [None; 2];
        let mut deviations = [[0.0; FEATURES]; 2];
        for sensor in [Sensor::Accelerometer, Sensor::Gyroscope] {
            let index = sensor as usize;
            if windows[index].is_some() && !rests {
                deviations[index] = profile.measure(sensor.features(), &last.features, model);
                surprises[index] =
                    profile.statistic(sensor, &deviations[index], simplified).map(|statistic| model.shape(sensor).exponent(statistic));
            }
        }
        let mut coupled = false;
        if let [Some(left), Some(right)] = windows
            && !simplified
            && !rests
            && (left.rate / right.rate - 1.0).abs() < 0.05
            && let Some(coupling) = coupling(&left.magnitudes, &right.magnitudes)
        {
            coupled = true;
            last.features[COUPLING] = coupling.rho.atanh();
            if let Some(surprise) = &mut surprises[1]
                && profile.learned(COUPLING) >= crate::baseline::MINIMUM
            {
                let zeta = (last.features[COUPLING] - profile.means[COUPLING]).abs() * (coupling.effective - 3.0).max(1.0).sqrt();
                let coupling = crate::chance::normal_two_sided(f64::from(zeta / model.coupling));
                // Fisher's method: twice the sum of two exponents has four degrees of freedom.
                *surprise = chi_squared(4, 2.0 * (f64::from(*surprise) + coupling)) as f32;
            }
        }
        for (sensor, surprise) in [Sensor::Accelerometer, Sensor::Gyroscope].into_iter().zip(surprises) {
            let index = sensor as usize;
            if windows[index].is_some() {
                let score = surprise.map(|surprise| match setting.mode {
                    Mode::Spec => profile.ranks[index].score(surprise),
                    Mode::Simplified => 1.0 - (-surprise).exp(),
                });
                last.set(index, score, last.at);
            }
        }
        if learns && !checks.against_the_stream() {
            let mut dragged = 0;
            for (sensor, surprise) in [Sensor::Accelerometer, Sensor::Gyroscope].into_iter().zip(surprises) {
                if windows[sensor as usize].is_some() {
                    dragged += profile.learn_measured(sensor.features(), &last.features, &deviations[sensor as usize]);
                    if let Some(surprise) = surprise
                        && profile.is_settled(sensor)
                    {
                        profile.ranks[sensor as usize].learn(surprise);
                    }
                }
            }
            if coupled {
                dragged += profile.learn(COUPLING..FEATURES, &last.features, model);
            }
            if dragged > 0 {
                checks.insert(Check::Poisoned);
            }
        }
        last.mode = setting.mode;
        last.checks = checks;
    }

    /// Adds the window's score up, and watches for drift.
    fn watch(&mut self, parts: &Parts, setting: &Setting<'_>) {
        let learns = self.learns(setting) && !self.last.checks.against_the_stream();
        let global = parts.global();
        let z = self.accumulator.add(parts, global, self.last.checks, learns);
        if let (Some(score), Some(z)) = (global, z) {
            if self.cusum.take(z) {
                self.last.checks.insert(Check::AbruptDrift);
            }
            if self.adwin.take(score as f32) {
                self.last.checks.insert(Check::GradualDrift);
            }
            if learns {
                self.scores.learn(-(1.0 - score as f32).max(1e-7).ln());
            }
        }
    }
}

const _: () = assert!(WINDOW <= u8::MAX as usize, "readings of a window are counted in a byte");
