//! The protocol: who is enrolled on what, tested with what, and what is counted.

use serde::Serialize;

use super::attacks::{Attack, attack};
use super::bootstrap::{FalseLocks, Window, false_locks};
use super::dice::Dice;
use super::figures::{Interval, Separation};
use super::fit::{Measured, Sessions, fit};
use super::recording::{Recording, Recordings, Subjects};
use super::swap::{Scored, Swap, UserSwap};
use crate::errors::EvaluationError;
use crate::{Attestation, Batch, Cohort, Device, Judgement, Level, Memory, Mode, Posture, Recall, Sensor, Setting, Standing};

/// What may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Share of each subject's sessions that is enrolled, the earliest ones; at least one session remains on either side.
    pub enrolment: f64,
    /// Seconds over which scores are accumulated.
    pub seconds: f64,
    /// Draws of so many seconds for each pair and attack.
    pub draws: u32,
    /// Device-days of the bootstrap, four hours of use each.
    pub device_days: u32,
    /// Seed of all draws.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { enrolment: 0.5, seconds: 60.0, draws: 20, device_days: 40_000, seed: 1 }
    }
}

/// All figures.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How it was measured, in one sentence.
    pub protocol: String,
    /// Rows read.
    pub rows: u64,
    /// Rows that were refused by the engine.
    pub refused: u64,
    /// Subjects enrolled and tested.
    pub subjects: usize,
    /// Subjects left out because they have one session only.
    pub left_out: Vec<String>,
    /// Windows enrolled on, and honest windows tested with.
    pub windows: [usize; 2],
    /// Readings a second.
    pub rate: f64,
    /// Whether there was a gyroscope.
    pub has_gyroscope: bool,
    /// Another person on the same kind of phone; `None` with a single subject.
    pub user_swap: Option<UserSwap>,
    /// Figures by subject.
    pub by_subject: Vec<SubjectFigures>,
    /// Longest episode and accumulation, in seconds.
    pub seconds: f64,
    /// Streams that are not a sensor's.
    pub attacks: Vec<AttackFigures>,
    /// Honest streams in the same episodes: what the checks cost.
    pub honest: AttackFigures,
    /// Locks of honest devices.
    pub false_locks: FalseLocks,
}

/// Figures of one owner against all impostors.
#[derive(Clone, Debug, Serialize)]
pub struct SubjectFigures {
    /// Name.
    pub subject: String,
    /// Sessions enrolled on and tested with.
    pub sessions: [usize; 2],
    /// One window.
    pub per_window: Option<Separation>,
    /// Accumulated.
    pub accumulated: Option<Separation>,
}

/// What became of one kind of stream.
#[derive(Clone, Debug, Serialize)]
pub struct AttackFigures {
    /// Which.
    pub kind: Attack,
    /// Windows in which a check named it.
    pub windows_named: Interval,
    /// Episodes in which a check named it.
    pub episodes_named: Interval,
    /// Episodes that ended restricted or locked.
    pub episodes_restricted: Interval,
    /// Median seconds until a check named it.
    pub median_seconds: Option<f64>,
}

/// Runs the protocol.
pub fn evaluate(recordings: Recordings, options: &Options) -> Result<Report, EvaluationError> {
    let rows = recordings.rows();
    let Subjects { usable, lonely, activities, rate } = recordings.ordered()?;
    let windows_per_second = rate / crate::WINDOW as f64;
    let split: Vec<usize> = usable
        .iter()
        .map(|(_, sessions)| ((sessions.len() as f64 * options.enrolment).round() as usize).clamp(1, sessions.len() - 1))
        .collect();
    let enrolled: Vec<Sessions> =
        usable.iter().zip(&split).map(|((_, sessions), split)| sessions[..*split].iter().map(measure).collect()).collect();
    let tested: Vec<Vec<usize>> = usable
        .iter()
        .zip(&split)
        .map(|((_, sessions), split)| sessions[*split..].iter().map(|session| measure(session).len()).collect())
        .collect();
    let windows = [enrolled.iter().flatten().map(Vec::len).sum(), tested.iter().flatten().sum()];
    if windows.contains(&0) {
        return Err(EvaluationError::NoWindow);
    }
    let everyone = fit(enrolled.iter());
    let mut dice = Dice(options.seed);
    let mut swap = Swap::new(usable.len());
    for impostor in 0..usable.len() {
        if usable.len() < 2 {
            break;
        }
        // What the cohort knows must not come from the impostor.
        let cohort = fit(enrolled.iter().enumerate().filter(|(index, _)| *index != impostor).map(|(_, sessions)| sessions));
        let strange = &usable[impostor].1[split[impostor]..];
        for owner in (0..usable.len()).filter(|owner| *owner != impostor) {
            let own = &usable[owner].1;
            let device = enrol(&own[..split[owner]], &cohort, None);
            let genuine = test(&device, &own[split[owner]..], &cohort);
            let strange = test(&device, strange, &cohort);
            swap.add(owner, &genuine, &strange, options.draws, (options.seconds * windows_per_second).ceil() as usize, &mut dice);
        }
    }
    let mut figures: Vec<Episodes> = Attack::ALL.iter().map(|kind| Episodes::new(*kind)).collect();
    let mut honest_windows = Vec::new();
    let mut refused = 0;
    for (index, ((_, sessions), split)) in usable.iter().zip(&split).enumerate() {
        let mut memory = Memory::new(MEMORY);
        let device = enrol(&sessions[..*split], &everyone, Some(&mut memory));
        let others: Vec<&Recording> =
            usable.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, (_, sessions))| sessions).collect();
        // Honest readings meet what a whole organisation left: only there could chance, or sensors that are alike, accuse them.
        let crowded = crowd(memory.clone(), &others, &mut Dice(options.seed));
        for episodes in &mut figures {
            let met = if episodes.kind == Attack::None { &crowded } else { &memory };
            for _ in 0..options.draws {
                let stream = attack(episodes.kind, sessions, *split, &others, options.seconds, &mut dice);
                // Each episode meets the memory as it was.
                episodes.add(stream.as_ref().map(|stream| run_episode(&device, stream, &everyone, met.clone())));
            }
        }
        let watched = sessions[*split..].iter().map(|session| watch(&device, session, &everyone, crowded.clone()));
        honest_windows.push(watched.collect::<Vec<Vec<Window>>>());
        let mut whole = device;
        for session in &sessions[*split..] {
            play(&mut whole, session, &setting(&everyone, false), None, |_, _, _| {});
        }
        refused += whole.faults().refused();
    }
    let mut attacks: Vec<AttackFigures> = figures.into_iter().filter_map(Episodes::figures).collect();
    let honest = attacks.iter().position(|figures| figures.kind == Attack::None).map(|place| attacks.remove(place));
    let honest = honest.unwrap_or_else(|| AttackFigures::empty(Attack::None));
    Ok(Report {
        protocol: format!(
            "the earliest {:.0} % of each subject's sessions enrol, the later ones test; the cohort's model excludes the impostor; baselines are frozen before the test; honest windows meet the fingerprints of a whole organisation",
            options.enrolment * 100.0
        ),
        rows,
        refused,
        subjects: usable.len(),
        left_out: lonely,
        windows,
        rate,
        has_gyroscope: usable.iter().any(|(_, sessions)| sessions.iter().any(|session| !session.gyroscope.is_empty())),
        by_subject: usable
            .iter()
            .enumerate()
            .map(|(index, (name, sessions))| SubjectFigures {
                subject: name.clone(),
                sessions: [split[index], sessions.len() - split[index]],
                per_window: swap.subject(index, false),
                accumulated: swap.subject(index, true),
            })
            .collect(),
        user_swap: swap.report(options.seconds, &activities),
        seconds: options.seconds,
        attacks,
        honest,
        false_locks: false_locks(&honest_windows, options.device_days, windows_per_second, &mut dice),
    })
}

/// Fingerprints that an organisation's phones are remembered by, where the engine is used.
const MEMORY: usize = 200_000;
/// The device under test, in a memory.
const OWN: u64 = 1;

fn setting(cohort: &Cohort, learns: bool) -> Setting<'_> {
    Setting { cohort, mode: Mode::Spec, learns }
}

/// Plays a session after what the device has seen before; `on` also gets the place of the accelerometer reading it happened at.
fn play(
    device: &mut Device,
    session: &Recording,
    setting: &Setting<'_>,
    mut memory: Option<(&mut Memory, u64)>,
    mut on: impl FnMut(&mut Device, &Judgement, usize),
) {
    const CHUNK: usize = 50;
    let origin = device.newest().map_or(0, |newest| newest + 10_000_000);
    let moved = |readings: &[crate::Reading]| -> Vec<crate::Reading> {
        readings.iter().map(|reading| crate::Reading { t: reading.t + origin, ..*reading }).collect()
    };
    let (accelerometer, gyroscope) = (moved(&session.accelerometer), moved(&session.gyroscope));
    for start in (0..accelerometer.len().max(gyroscope.len())).step_by(CHUNK) {
        let piece = |readings: &'_ [crate::Reading]| start.min(readings.len())..(start + CHUNK).min(readings.len());
        let (left, right) = (&accelerometer[piece(&accelerometer)], &gyroscope[piece(&gyroscope)]);
        let newest = left.iter().chain(right).map(|reading| reading.t).max().unwrap_or(origin);
        let batch = Batch { arrived: newest, accelerometer: left, gyroscope: right, ..Batch::default() };
        let recall = memory.as_mut().map(|(memory, device)| Recall { memory, device: *device });
        device.accept(&batch, setting, recall, |device, judgement| on(device, judgement, start));
    }
}

fn measure(session: &Recording) -> Vec<Measured> {
    let mut windows = Vec::new();
    let cohort = Cohort::default();
    play(&mut Device::new(), session, &setting(&cohort, false), None, |device, judgement, _| {
        let [accelerometer, has_gyroscope] = judgement.windows;
        if accelerometer {
            windows.push(Measured { context: judgement.context, features: device.last.features, has_gyroscope });
        }
    });
    windows
}

fn enrol(sessions: &[Recording], cohort: &Cohort, mut memory: Option<&mut Memory>) -> Device {
    let mut device = Device::new();
    for session in sessions {
        play(&mut device, session, &setting(cohort, true), memory.as_deref_mut().map(|memory| (memory, OWN)), |_, _, _| {});
    }
    device
}

/// Scored windows of each session, by a device that learns nothing from them.
fn test(device: &Device, sessions: &[Recording], cohort: &Cohort) -> Vec<Vec<Scored>> {
    sessions
        .iter()
        .map(|session| {
            let mut windows = Vec::new();
            play(&mut device.clone(), session, &setting(cohort, false), None, |_, judgement, place| {
                let activity = session.activities.get(place.min(session.activities.len().saturating_sub(1))).copied().unwrap_or(u16::MAX);
                windows.extend(judgement.global.map(|score| Scored { score, context: judgement.context, activity }));
            });
            windows
        })
        .collect()
}

/// Fills a memory with what other devices left: the sessions of all others, each on a device of its own, and chance for the rest.
fn crowd(mut memory: Memory, others: &[&Recording], dice: &mut Dice) -> Memory {
    for (session, number) in others.iter().zip(OWN + 1..) {
        play(&mut Device::new(), session, &setting(&Cohort::default(), false), Some((&mut memory, number)), |_, _, _| {});
    }
    while memory.len() < MEMORY {
        let device = 1_000_000 + dice.below(1_000) as u64;
        let print = (dice.below(1 << 32) as u64) << 32 | dice.below(1 << 32) as u64;
        memory.take(device, Sensor::Accelerometer, print, dice.below(1 << 40) as i64);
    }
    memory
}

fn watch(device: &Device, session: &Recording, cohort: &Cohort, mut memory: Memory) -> Vec<Window> {
    let mut windows = Vec::new();
    let standing = honest(device.newest().unwrap_or_default());
    play(&mut device.clone(), session, &setting(cohort, false), Some((&mut memory, OWN)), |device, judgement, _| {
        let threshold = device.threshold(&standing).value;
        windows.push(Window { judgement: *judgement, threshold });
    });
    windows
}

fn honest(now: i64) -> Standing {
    Standing { now, attestation: Attestation::Passed { level: Level::Strong, at: now }, ..Standing::default() }
}

/// Windows, windows named, seconds to the first name, and the highest posture of one episode.
struct Episode {
    windows: u64,
    named: u64,
    first: Option<f64>,
    highest: Posture,
}

fn run_episode(device: &Device, stream: &Recording, cohort: &Cohort, mut memory: Memory) -> Episode {
    let mut episode = Episode { windows: 0, named: 0, first: None, highest: Posture::Observe };
    let mut device = device.clone();
    let start = device.newest().map_or(0, |newest| newest + 10_000_000);
    play(&mut device, stream, &setting(cohort, false), Some((&mut memory, OWN)), |device, judgement, _| {
        let decision = device.decide(judgement, &honest(judgement.at));
        episode.windows += 1;
        episode.highest = episode.highest.max(decision.to);
        if judgement.checks.against_the_stream() {
            episode.named += 1;
            episode.first.get_or_insert((judgement.at - start) as f64 / 1e6);
        }
    });
    episode
}

/// Episodes of one kind of stream.
struct Episodes {
    kind: Attack,
    list: Vec<Episode>,
}

impl Episodes {
    fn new(kind: Attack) -> Self {
        Self { kind, list: Vec::new() }
    }

    fn add(&mut self, episode: Option<Episode>) {
        self.list.extend(episode.filter(|episode| episode.windows > 0));
    }

    fn figures(self) -> Option<AttackFigures> {
        let mut firsts: Vec<f64> = self.list.iter().filter_map(|episode| episode.first).collect();
        firsts.sort_by(f64::total_cmp);
        let episodes = self.list.len() as u64;
        let count = |test: &dyn Fn(&Episode) -> bool| self.list.iter().filter(|episode| test(episode)).count() as u64;
        (episodes > 0).then(|| AttackFigures {
            kind: self.kind,
            windows_named: Interval::of(
                self.list.iter().map(|episode| episode.named).sum(),
                self.list.iter().map(|episode| episode.windows).sum(),
            ),
            episodes_named: Interval::of(firsts.len() as u64, episodes),
            episodes_restricted: Interval::of(count(&|episode| episode.highest >= Posture::Restrict), episodes),
            median_seconds: firsts.get(firsts.len() / 2).copied(),
        })
    }
}

impl AttackFigures {
    fn empty(kind: Attack) -> Self {
        let none = Interval::of(0, 0);
        Self { kind, windows_named: none, episodes_named: none, episodes_restricted: none, median_seconds: None }
    }
}
