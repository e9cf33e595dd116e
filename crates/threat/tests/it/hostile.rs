//! Readings that no honest sensor sends: counted, never scored blindly.

use proptest::prelude::*;
use threat::{Batch, Cohort, Device, Mode, Reading, Setting};

use crate::phone::{Dice, OWNER, enrolled, play, walk};

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
