//! A phone that can be moved: readings of a person who sits, handles it, or walks, from a seed.

use threat::{Batch, Cohort, Device, Judgement, Mode, Reading, Setting};

/// Random numbers that are the same in every run.
#[derive(Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// How a person moves.
#[derive(Clone, Copy)]
pub(crate) struct Gait {
    pub(crate) steps_per_second: f64,
    pub(crate) strength: f64,
    pub(crate) swing: f64,
}

pub(crate) const OWNER: Gait = Gait { steps_per_second: 1.8, strength: 2.5, swing: 1.0 };
pub(crate) const STRANGER: Gait = Gait { steps_per_second: 2.3, strength: 4.5, swing: 2.2 };

/// Recorded readings of both sensors.
#[derive(Clone, Default)]
pub(crate) struct Recording {
    pub(crate) accelerometer: Vec<Reading>,
    pub(crate) gyroscope: Vec<Reading>,
}

/// `seconds` of walking from `start` on (microseconds), 100 readings a second.
pub(crate) fn walk(gait: Gait, start: i64, seconds: usize, dice: &mut Dice) -> Recording {
    let mut recording = Recording::default();
    let (mut phase, mut vigour) = (dice.uniform(), 1.0);
    for index in 0..seconds * 100 {
        if index % 100 == 0 {
            vigour = 1.0 + 0.1 * dice.normal();
        }
        phase += gait.steps_per_second * (1.0 + 0.02 * dice.normal()) / 100.0;
        let turn = std::f64::consts::TAU * phase;
        let bounce = vigour * gait.strength * (turn.sin() + 0.4 * (2.0 * turn).sin());
        let swing = vigour * gait.swing * (turn / 2.0).sin();
        let t = start + index as i64 * 10_000 + (dice.uniform() * 1_000.0) as i64;
        let noise = |dice: &mut Dice, size: f64| (size * dice.normal()) as f32;
        recording.accelerometer.push(Reading {
            t,
            x: (1.5 * swing) as f32 + noise(dice, 0.05),
            y: (9.4 + bounce) as f32 + noise(dice, 0.05),
            z: (2.5 + 0.3 * bounce) as f32 + noise(dice, 0.05),
        });
        recording.gyroscope.push(Reading {
            t,
            x: swing as f32 + noise(dice, 0.02),
            y: (0.2 * bounce) as f32 + noise(dice, 0.02),
            z: (0.4 * swing) as f32 + noise(dice, 0.02),
        });
    }
    recording
}

/// Gives a recording to a device, half a second at a time, and returns what came of it.
pub(crate) fn play(device: &mut Device, recording: &Recording, mode: Mode, learns: bool) -> Vec<Judgement> {
    let cohort = Cohort::default();
    let mut judgements = Vec::new();
    for (accelerometer, gyroscope) in recording.accelerometer.chunks(50).zip(recording.gyroscope.chunks(50)) {
        let arrived = accelerometer.iter().map(|reading| reading.t).max().unwrap_or(0) + 40_000;
        let batch = Batch { arrived, accelerometer, gyroscope, ..Batch::default() };
        device.accept(&batch, &Setting { cohort: &cohort, mode, learns }, None, |_, judgement| judgements.push(*judgement));
    }
    judgements
}

/// A device that knows its owner's walk.
pub(crate) fn enrolled(dice: &mut Dice) -> (Device, i64) {
    let mut device = Device::new();
    play(&mut device, &walk(OWNER, 0, 400, dice), Mode::Spec, true);
    (device, 400_000_000)
}

/// Mean of the global scores.
pub(crate) fn mean(judgements: &[Judgement]) -> f64 {
    let scores: Vec<f64> = judgements.iter().filter_map(|judgement| judgement.global).collect();
    scores.iter().sum::<f64>() / scores.len() as f64
}
