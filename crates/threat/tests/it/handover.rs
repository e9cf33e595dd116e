//! A device moves from node to node in mid-stream.

use proptest::prelude::*;
use threat::{Attestation, Batch, Cohort, Device, HardSignal, Level, Mode, STATE_LIMIT, Setting, Standing, StateError, Touch, Traffic};

use crate::phone::{Dice, OWNER, STRANGER, enrolled, play, walk};

fn busy(seed: u64) -> Device {
    let mut dice = Dice(seed);
    let (mut device, start) = enrolled(&mut dice);
    let cohort = Cohort::default();
    let setting = Setting { cohort: &cohort, mode: Mode::Spec, learns: true };
    for index in 0..700_i64 {
        let touch = Touch { t: start + index * 300_000, pressure: dice.uniform() as f32, size: 0.3, speed: dice.uniform() as f32 * 3.0 };
        let minute =
            Traffic { t: index * 60_000_000, bytes: 1e5 * dice.uniform() as f32, connections: 7.0, domains: 3.0, names: Some(0.4) };
        device.accept(&Batch { arrived: start, touches: &[touch], traffic: &[minute], ..Batch::default() }, &setting, None, |_, _| {});
    }
    let standing = Standing { now: start, attestation: Attestation::Passed { level: Level::Strong, at: start }, ..Standing::default() };
    let recording = walk(STRANGER, start, 7, &mut dice);
    let batch = Batch {
        arrived: start + 7_000_000,
        accelerometer: &recording.accelerometer[..654],
        gyroscope: &recording.gyroscope[..654],
        ..Batch::default()
    };
    device.accept(&batch, &setting, None, |device, judgement| {
        device.decide(judgement, &standing);
    });
    device.prove(HardSignal::Indicator, &standing);
    device.released();
    device
}

#[test]
fn the_whole_state_fits_two_kilobytes_and_the_next_node_goes_on_as_if_nothing_had_happened() {
    let mut device = busy(1);
    let bytes = device.to_bytes();
    assert!(bytes.len() <= STATE_LIMIT, "{} bytes", bytes.len());
    assert!(size_of::<Device>() <= STATE_LIMIT + 64, "{} bytes in memory", size_of::<Device>());
    let mut other = Device::from_bytes(&bytes).unwrap();
    assert_eq!(device, other);
    let later = walk(OWNER, 410_000_000, 5, &mut Dice(2));
    assert_eq!(play(&mut device, &later, Mode::Spec, true), play(&mut other, &later, Mode::Spec, true));
    assert_eq!(device, other);
    assert_eq!(device.explain(&Cohort::default()), other.explain(&Cohort::default()));
}

#[test]
fn a_later_version_and_a_wrong_length_are_refused_by_name() {
    let bytes = Device::new().to_bytes();
    assert!(matches!(Device::from_bytes(&[]), Err(StateError::Length { found: 0, .. })));
    assert!(matches!(Device::from_bytes(&bytes[..bytes.len() - 1]), Err(StateError::Length { .. })));
    assert!(matches!(Device::from_bytes(&[&bytes[..], &[0]].concat()), Err(StateError::Length { .. })));
    let mut later = bytes;
    later[0] = 9;
    assert!(matches!(Device::from_bytes(&later), Err(StateError::Version { found: 9, known: 2 })));
}

#[test]
fn no_value_below_zero_is_read_back_as_another() {
    // Nothing is owed: the sum of that is zero, and of two zeros only one is written.
    for bytes in [Device::new().to_bytes(), busy(3).to_bytes()] {
        for place in 1..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 0x80;
            if let Ok(device) = Device::from_bytes(&bytes) {
                assert_eq!(device.to_bytes(), bytes, "{place}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn bytes_are_refused_or_read_back_as_they_are_and_never_break_the_engine(
        damage in prop::collection::vec((0_usize..2_048, any::<u8>()), 0..20),
    ) {
        static STATE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| busy(3).to_bytes());
        let mut bytes = STATE.clone();
        for (place, value) in damage {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        if let Ok(mut device) = Device::from_bytes(&bytes) {
            prop_assert_eq!(device.to_bytes(), bytes);
            for judgement in play(&mut device, &walk(OWNER, 500_000_000, 2, &mut Dice(4)), Mode::Spec, true) {
                prop_assert!(judgement.global.is_none_or(|score| (0.0..=1.0).contains(&score)), "{:?}", judgement);
            }
        }
    }
}
