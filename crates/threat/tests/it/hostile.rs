//! Readings that no honest sensor sends: counted, never scored blindly.

use proptest::prelude::*;
use threat::{Attestation, Batch, Check, Cohort, Device, Level, Memory, Mode, Reading, Recall, Setting, Standing};

use crate::phone::{Dice, OWNER, Recording, enrolled, play, walk};

#[test]
fn every_kind_of_bad_reading_is_counted_under_its_name() {
    let (mut device, start) = enrolled(&mut Dice(4));
    let before = device.faults();
    let good = walk(OWNER, start, 1, &mut Dice(5)).accelerometer;
    let bad = [
        Reading { x: f32::NAN, ..good[0] },
        Reading { y: f32::INFINITY, ..good[1] },
        Reading { z: 1e30, ..good[2] },
        Reading { x: 1e-40, ..good[3] },
        good[4],
        good[4],
        Reading { t: good[4].t + 3_600_000_000, ..good[5] },
    ];
    let cohort = Cohort::default();
    let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: true };
    let arrived = good[5].t + 40_000;
    device.accept(&Batch { arrived, accelerometer: &bad, ..Batch::default() }, &setting, None, |_, _| {});
    device.accept(&Batch { arrived, accelerometer: &good[..3], ..Batch::default() }, &setting, None, |_, _| {});
    let after = device.faults();
    assert_eq!(before.refused(), 0);
    assert_eq!((after.not_a_number, after.infinite, after.out_of_range, after.denormal), (1, 1, 1, 1));
    assert_eq!((after.duplicate, after.future, after.out_of_order), (1, 1, 3));
}

#[test]
fn a_shuffled_batch_is_put_in_order() {
    let (mut device, start) = enrolled(&mut Dice(6));
    let mut recording = walk(OWNER, start, 2, &mut Dice(7));
    let straight = play(&mut device.clone(), &recording, Mode::Spec, false);
    recording.accelerometer[..50].reverse();
    recording.gyroscope[50..100].swap(3, 40);
    assert_eq!(straight, play(&mut device, &recording, Mode::Spec, false));
    assert_eq!(device.faults().refused(), 0);
}

#[test]
fn a_clock_that_was_set_is_followed_after_three_batches_and_one_that_leaps_is_not() {
    for jump in [86_400_000_000_i64, -86_400_000_000] {
        let (mut device, start) = enrolled(&mut Dice(8));
        let cohort = Cohort::default();
        let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: false };
        let recording = walk(OWNER, start, 10, &mut Dice(9));
        let mut windows = 0;
        for chunk in recording.accelerometer.chunks(50) {
            let arrived = chunk[chunk.len() - 1].t + 40_000;
            let moved: Vec<Reading> = chunk.iter().map(|reading| Reading { t: reading.t + jump, ..*reading }).collect();
            device.accept(&Batch { arrived, accelerometer: &moved, ..Batch::default() }, &setting, None, |_, _| windows += 1);
        }
        assert_eq!(device.faults().clock_jumps, 1, "{jump}");
        assert!(windows >= 8, "{jump}: {windows} windows");
    }
}

/// Gives pieces of a recording to a device in batches that arrive as told, and counts those that locked.
fn send(device: &mut Device, recording: &Recording, pieces: impl IntoIterator<Item = (std::ops::Range<usize>, i64)>) -> usize {
    let cohort = Cohort::default();
    let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: true };
    let mut locks = 0;
    for (piece, arrived) in pieces {
        let (accelerometer, gyroscope) = (&recording.accelerometer[piece.clone()], &recording.gyroscope[piece]);
        device.accept(&Batch { arrived, accelerometer, gyroscope, ..Batch::default() }, &setting, None, |device, judgement| {
            let attestation = Attestation::Passed { level: Level::Strong, at: judgement.at };
            let standing = Standing { now: judgement.at, attestation, ..Standing::default() };
            locks += usize::from(device.decide(judgement, &standing).lock.is_some());
        });
    }
    locks
}

#[test]
fn batches_sent_again_after_lost_replies_are_repetitions_and_no_new_clock() {
    for (seconds, unanswered) in [(1, 8), (2, 4), (5, 6), (10, 4)] {
        for seed in 0..4 {
            let (mut device, start) = enrolled(&mut Dice(20 + seed));
            let recording = walk(OWNER, start, seconds * unanswered + 10, &mut Dice(40 + seed));
            let batch = |index: usize| index * seconds * 100..(index + 1) * seconds * 100;
            let sent = (0..unanswered).map(|index| (batch(index), start + ((index + 1) * seconds) as i64 * 1_000_000 + 40_000));
            assert_eq!(send(&mut device, &recording, sent), 0);
            let reconnected = start + (unanswered * seconds) as i64 * 1_000_000 + 3_000_000;
            let again = (0..unanswered).map(|index| (batch(index), reconnected + index as i64 * 60_000));
            assert_eq!(send(&mut device, &recording, again), 0, "{unanswered} batches of {seconds} s");
            let thrice = [batch(0), batch(0), batch(0)].map(|piece| (piece, reconnected + 600_000));
            assert_eq!(send(&mut device, &recording, thrice), 0);
            assert_eq!(device.faults().clock_jumps, 0, "{unanswered} batches of {seconds} s");
            let rest = (unanswered * seconds * 100..recording.accelerometer.len()).step_by(100);
            let newest = device.newest();
            send(&mut device, &recording, rest.map(|from| (from..from + 100, recording.accelerometer[from + 99].t + 40_000)));
            assert!(device.newest() > newest, "what is new is taken");
        }
    }
}

#[test]
fn batches_from_before_the_clock_was_set_that_come_again_prove_nothing() {
    let (mut device, start) = enrolled(&mut Dice(30));
    let recording = walk(OWNER, start, 60, &mut Dice(31));
    let day = 86_400_000_000;
    let set = Recording {
        accelerometer: recording.accelerometer[2_000..].iter().map(|reading| Reading { t: reading.t + day, ..*reading }).collect(),
        gyroscope: recording.gyroscope[2_000..].iter().map(|reading| Reading { t: reading.t + day, ..*reading }).collect(),
    };
    let batch = |index: usize, from: i64| (index * 200..(index + 1) * 200, from + (index as i64 + 1) * 2_000_000);
    assert_eq!(send(&mut device, &recording, (0..10).map(|index| batch(index, start))), 0);
    assert_eq!(send(&mut device, &set, (0..5).map(|index| batch(index, start + 20_000_000))), 0);
    assert_eq!(send(&mut device, &recording, (0..10).map(|index| batch(index, start + 30_000_000))), 0);
    assert_eq!(device.faults().clock_jumps, 2);
}

/// A phone that lies on a table: noise of `share` of a step, each reading a little like the one before.
fn resting(share: f64, likeness: f64, hours: f64, step: f64, dice: &mut Dice) -> Recording {
    let mut recording = Recording::default();
    let offsets: [f64; 6] = std::array::from_fn(|_| dice.uniform() - 0.5);
    let mut noise = [0.0_f64; 6];
    for index in 0..(hours * 360_000.0) as i64 {
        let values: [f32; 6] = std::array::from_fn(|axis| {
            noise[axis] = likeness * noise[axis] + (1.0 - likeness * likeness).sqrt() * dice.normal();
            (((offsets[axis] + share * noise[axis]).round() + if axis % 3 == 2 && axis < 3 { (9.8 / step).round() } else { 0.0 }) * step)
                as f32
        });
        let t = index * 10_000;
        recording.accelerometer.push(Reading { t, x: values[0], y: values[1], z: values[2] });
        recording.gyroscope.push(Reading { t, x: values[3], y: values[4], z: values[5] });
    }
    recording
}

#[test]
fn a_phone_at_rest_repeats_itself_honestly_however_coarse_its_sensors_are() {
    for step in [0.001_065_264_5, 0.038] {
        for (share, likeness) in [(0.15, 0.0), (0.3, 0.7), (0.5, 0.0), (0.9, 0.7)] {
            let mut dice = Dice(50);
            let recording = resting(share, likeness, 0.5, step, &mut dice);
            let mut device = Device::new();
            let mut memory = Memory::new(200_000);
            let cohort = Cohort::default();
            let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: true };
            let mut replays = 0;
            for (accelerometer, gyroscope) in recording.accelerometer.chunks(500).zip(recording.gyroscope.chunks(500)) {
                let arrived = accelerometer[accelerometer.len() - 1].t + 40_000;
                let recall = Some(Recall { memory: &mut memory, device: 1 });
                device.accept(&Batch { arrived, accelerometer, gyroscope, ..Batch::default() }, &setting, recall, |_, judgement| {
                    replays += usize::from(judgement.checks.contains(Check::Replayed));
                });
            }
            assert_eq!(replays, 0, "noise of {share} steps of {step}, likeness {likeness}");
        }
    }
}

fn reading() -> impl Strategy<Value = Reading> {
    let axis = prop_oneof![4 => -30.0_f32..30.0, 1 => proptest::num::f32::ANY];
    (prop_oneof![4 => 0_i64..10_000_000, 1 => any::<i64>()], axis.clone(), axis.clone(), axis).prop_map(|(t, x, y, z)| Reading {
        t,
        x,
        y,
        z,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_arrives_scores_stay_between_zero_and_one(
        batches in prop::collection::vec((any::<i64>(), prop::collection::vec(reading(), 0..300), prop::collection::vec(reading(), 0..300)), 1..8),
    ) {
        let (mut device, cohort) = (Device::new(), Cohort::default());
        let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: true };
        for (arrived, accelerometer, gyroscope) in &batches {
            let batch = Batch { arrived: *arrived, accelerometer, gyroscope, ..Batch::default() };
            let mut wrong = None;
            device.accept(&batch, &setting, None, |_, judgement| {
                if judgement.global.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
                    wrong = Some(*judgement);
                }
            });
            prop_assert!(wrong.is_none(), "{:?}", wrong);
        }
        let why = device.explain(&cohort);
        prop_assert!(why.features.iter().all(|feature| feature.value.is_finite() && feature.z.is_finite()));
    }
}
