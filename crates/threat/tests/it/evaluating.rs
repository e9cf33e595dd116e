//! The evaluation protocol: on people made from a seed, and on recordings of real ones.

use std::io::Read;

use threat::EvaluationError;
use threat::evaluate::{Attack, Options, Recordings, Report, Row, evaluate};

use crate::phone::{Dice, Gait, OWNER, walk};

const QUICK: Options = Options { enrolment: 0.5, seconds: 20.0, draws: 4, device_days: 20, seed: 1 };

/// People of different gait, `sessions` of half a minute each; `unit` is what a second is in.
fn people(count: usize, sessions: usize, unit: f64, has_gyroscope: bool) -> Recordings {
    let mut recordings = Recordings::default();
    for person in 0..count {
        let share = person as f64;
        let gait = Gait { steps_per_second: 1.6 + 0.3 * share, strength: 1.5 + 2.0 * share, swing: 0.6 + 0.7 * share };
        for session in 0..sessions {
            let recording = walk(gait, 0, 30, &mut Dice((person * 100 + session) as u64));
            for (left, right) in recording.accelerometer.iter().zip(&recording.gyroscope) {
                // Hardware counts in steps.
                let grid = |value: f32, step: f32| (value / step).round() * step;
                recordings.push(&Row {
                    subject: &format!("p{person}"),
                    session: &format!("s{session}"),
                    activity: "walking",
                    t: left.t as f64 / 1e6 * unit,
                    accelerometer: [left.x, left.y, left.z].map(|axis| grid(axis, 0.012)),
                    gyroscope: has_gyroscope.then(|| [right.x, right.y, right.z].map(|axis| grid(axis, 0.000_6))),
                });
            }
        }
    }
    recordings
}

fn named(report: &Report, kind: Attack) -> f64 {
    report.attacks.iter().find(|figures| figures.kind == kind).map_or(0.0, |figures| figures.episodes_named.rate)
}

#[test]
fn different_gaits_are_told_apart_and_invented_streams_are_named() {
    let report = evaluate(people(3, 6, 1.0, true), &QUICK).unwrap();
    assert_eq!((report.subjects, report.windows), (3, [270, 270]));
    let swap = report.user_swap.as_ref().unwrap();
    assert!(swap.accumulated.auc > 0.95 && swap.per_window.auc > 0.8, "{swap:?}");
    for kind in
        [Attack::FrozenAccelerometer, Attack::FrozenGyroscope, Attack::FrozenBoth, Attack::Replay, Attack::Loop, Attack::InventedWalk]
    {
        assert!((named(&report, kind) - 1.0).abs() < 1e-9, "{kind:?}: {}", named(&report, kind));
    }
    assert_eq!((report.honest.windows_named.count, report.false_locks.locks), (0, 0));
    assert!((report.false_locks.locks_per_10000_days_upper - 3.0 / 20.0 * 1e4).abs() < 10.0);
}

#[test]
fn units_of_time_are_told_from_the_rate_and_a_missing_gyroscope_is_said() {
    let seconds = evaluate(people(2, 4, 1.0, true), &QUICK).unwrap();
    let nanoseconds = evaluate(people(2, 4, 1e9, true), &QUICK).unwrap();
    assert!((seconds.rate - nanoseconds.rate).abs() < 0.1 && seconds.windows == nanoseconds.windows);
    let without = evaluate(people(2, 4, 1.0, false), &QUICK).unwrap();
    assert!(!without.has_gyroscope && without.user_swap.is_some());
    assert!(without.attacks.iter().all(|figures| figures.kind != Attack::FrozenGyroscope));
}

#[test]
fn what_cannot_be_compared_is_refused_or_left_out_by_name() {
    assert_eq!(evaluate(people(3, 1, 1.0, true), &QUICK).unwrap_err(), EvaluationError::NothingToCompare { subjects: 3 });
    assert_eq!(evaluate(people(1, 4, 50.0, true), &QUICK).unwrap_err(), EvaluationError::Rate);
    let alone = evaluate(people(1, 4, 1.0, true), &QUICK).unwrap();
    assert!(alone.user_swap.is_none());
    let mut recordings = people(2, 2, 1.0, true);
    for reading in walk(OWNER, 0, 20, &mut Dice(9)).accelerometer {
        let accelerometer = [reading.x, reading.y, reading.z];
        recordings.push(&Row { subject: "once", session: "a", activity: "", t: reading.t as f64 / 1e6, accelerometer, gyroscope: None });
    }
    assert_eq!(evaluate(recordings, &QUICK).unwrap().left_out, ["once"]);
}

#[test]
fn recorded_people_are_told_apart_and_no_honest_window_is_accused() {
    let Some(folder) = std::env::var_os("TYRIAN_TESTDATA") else {
        println!("TYRIAN_TESTDATA is not set: recorded people are not read");
        return;
    };
    let path = std::path::Path::new(&folder).join("sensors/geotec/smartphone_s01_s12.csv.gz");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut recordings = Recordings::default();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |place: usize| fields[place].parse::<f32>().unwrap();
        recordings.push(&Row {
            subject: fields[0],
            session: fields[1],
            activity: fields[2],
            t: fields[3].parse().unwrap(),
            accelerometer: [number(4), number(5), number(6)],
            gyroscope: Some([number(7), number(8), number(9)]),
        });
    }
    let report = evaluate(recordings, &Options { draws: 3, device_days: 50, ..Options::default() }).unwrap();
    assert_eq!((report.rows, report.subjects), (134_496, 12));
    let swap = report.user_swap.as_ref().unwrap();
    assert!(swap.per_window.auc > 0.65 && swap.accumulated.auc > 0.85, "{swap:?}");
    assert_eq!((report.honest.windows_named.count, report.false_locks.locks), (0, 0));
    let honest_mistakes = [Attack::None, Attack::SplicedAccelerometer, Attack::SplicedGyroscope];
    for figures in report.attacks.iter().filter(|figures| !honest_mistakes.contains(&figures.kind)) {
        assert!(figures.episodes_named.rate >= 0.99, "{figures:?}");
    }
    for kind in [Attack::SplicedAccelerometer, Attack::SplicedGyroscope] {
        assert!(named(&report, kind) >= 0.9, "{kind:?}: {}", named(&report, kind));
    }
}
