//! From judgements to decisions: what behaviour may do, and what it may not.

use proptest::prelude::*;
use threat::{
    Attestation, Batch, Cause, Cohort, Corroboration, Decision, Device, HardSignal, Level, Memory, Mode, Posture, Reading, Recall, Setting,
    Standing, Withheld,
};

use crate::phone::{Dice, OWNER, Recording, STRANGER, enrolled, walk};

fn honest(now: i64) -> Standing {
    Standing { now, attestation: Attestation::Passed { level: Level::Strong, at: now - 60_000_000 }, ..Standing::default() }
}

fn run(device: &mut Device, recording: &Recording, mode: Mode, standing: impl Fn(i64) -> Standing) -> Vec<Decision> {
    let cohort = Cohort::default();
    let mut decisions = Vec::new();
    for (accelerometer, gyroscope) in recording.accelerometer.chunks(50).zip(recording.gyroscope.chunks(50)) {
        let arrived = accelerometer.last().map_or(0, |reading| reading.t) + 40_000;
        let batch = Batch { arrived, accelerometer, gyroscope, ..Batch::default() };
        device.accept(&batch, &Setting { cohort: &cohort, mode, learns: true }, None, |device, judgement| {
            decisions.push(device.decide(judgement, &standing(arrived)));
        });
    }
    decisions
}

fn highest(decisions: &[Decision]) -> Posture {
    decisions.iter().map(|decision| decision.to).max().unwrap_or_default()
}

#[test]
fn a_takeover_restricts_and_demands_a_challenge_and_locks_only_when_something_else_confirms_it() {
    let mut dice = Dice(11);
    let (device, start) = enrolled(&mut dice);
    let stranger = walk(STRANGER, start, 120, &mut dice);
    let alone = run(&mut device.clone(), &stranger, Mode::Spec, honest);
    assert_eq!(highest(&alone), Posture::Restrict);
    assert!(alone.iter().any(|decision| decision.demands_challenge));

    for (standing, by) in [
        ((|now| Standing { challenge_failed: true, ..honest(now) }) as fn(i64) -> Standing, Corroboration::ChallengeFailed),
        (|now| Standing { attestation: Attestation::Failed { at: now }, ..honest(now) }, Corroboration::AttestationFailed),
        (|now| Standing { attestation: Attestation::Never, ..honest(now) }, Corroboration::AttestationStale),
    ] {
        let confirmed = run(&mut device.clone(), &stranger, Mode::Spec, standing);
        let locks: Vec<_> = confirmed.iter().filter_map(|decision| decision.lock).collect();
        assert!(
            matches!(locks[..], [lock] if matches!(lock.cause(), Cause::Confirmed { by: found, sum } if found == by && sum > 17.0)),
            "{locks:?}"
        );
        let owner = run(&mut device.clone(), &walk(OWNER, start, 120, &mut dice), Mode::Spec, standing);
        assert!(highest(&owner) < Posture::Lock, "what confirms is nothing without behaviour");
    }
    let shadowed = run(&mut device.clone(), &stranger, Mode::Spec, |now| Standing {
        withhold: Some(Withheld::Shadow),
        challenge_failed: true,
        ..honest(now)
    });
    assert!(highest(&shadowed) < Posture::Lock && shadowed.iter().any(|decision| decision.withheld == Some(Withheld::Shadow)));
}

#[test]
fn an_attestation_that_is_merely_old_locks_only_who_does_not_renew_it_within_a_minute() {
    let mut dice = Dice(16);
    let (device, start) = enrolled(&mut dice);
    let stranger = walk(STRANGER, start, 150, &mut dice);
    let stale = |now| Standing { attestation: Attestation::Never, ..honest(now) };
    let mut silent = device.clone();
    let decisions = run(&mut silent, &stranger, Mode::Spec, stale);
    let demanded = decisions.iter().position(|decision| decision.demands_challenge).unwrap();
    let locked = decisions.iter().position(|decision| decision.lock.is_some()).unwrap();
    assert!((60..=62).contains(&(locked - demanded)), "asked in window {demanded}, locked in window {locked}");
}

#[test]
fn a_step_up_ends_what_behaviour_began() {
    let mut dice = Dice(12);
    let (mut device, start) = enrolled(&mut dice);
    run(&mut device, &walk(STRANGER, start, 120, &mut dice), Mode::Spec, honest);
    assert_eq!(device.posture(), Posture::Restrict);
    let trust = device.trust();
    device.stepped_up(start + 120_000_000);
    assert_eq!((device.posture(), device.accumulated()), (Posture::Observe, 0.0));
    assert!(device.trust() > trust);
    let owner = run(&mut device, &walk(OWNER, start + 121_000_000, 120, &mut dice), Mode::Spec, honest);
    assert_eq!(highest(&owner), Posture::Observe);
}

#[test]
fn simplified_scores_ask_for_a_step_up_at_most() {
    let mut dice = Dice(13);
    let (mut device, start) = enrolled(&mut dice);
    let failed = |now| Standing { attestation: Attestation::Failed { at: now }, challenge_failed: true, ..honest(now) };
    let decisions = run(&mut device, &walk(STRANGER, start, 300, &mut dice), Mode::Simplified, failed);
    assert_eq!(highest(&decisions), Posture::StepUp);
    assert_eq!(device.prove(HardSignal::Operator, &honest(start)).to, Posture::Lock, "a person still can");
}

#[test]
fn a_replayed_walk_is_proof() {
    let mut dice = Dice(14);
    let (mut device, start) = enrolled(&mut dice);
    let now = walk(OWNER, start, 12, &mut dice);
    run(&mut device, &now, Mode::Spec, honest);
    let again = |reading: &threat::Reading| threat::Reading { t: reading.t + 12_137_000, ..*reading };
    let replay = Recording {
        accelerometer: now.accelerometer[30..].iter().map(again).collect(),
        gyroscope: now.gyroscope[30..].iter().map(again).collect(),
    };
    let decisions = run(&mut device, &replay, Mode::Spec, honest);
    assert!(decisions.iter().any(|decision| decision.lock.is_some_and(|lock| lock.cause() == Cause::Signal(HardSignal::ReplayedReadings))));
}

#[test]
fn one_phones_recording_played_on_another_is_proof() {
    let mut dice = Dice(15);
    let (mut victim, start) = enrolled(&mut dice);
    let mut thief = victim.clone();
    let mut memory = Memory::new(200_000);
    let recording = walk(OWNER, start, 20, &mut dice);
    let (cohort, mut locks) = (Cohort::default(), [0, 0]);
    for (place, device, from) in [(0, &mut victim, 0), (1, &mut thief, 300)] {
        for (accelerometer, gyroscope) in recording.accelerometer[from..].chunks(100).zip(recording.gyroscope[from..].chunks(100)) {
            // The thief's clock is its own.
            let own = |reading: &Reading| Reading { t: reading.t + 7_300_000_000 * place as i64, ..*reading };
            let accelerometer: Vec<_> = accelerometer.iter().map(own).collect();
            let gyroscope: Vec<_> = gyroscope.iter().map(own).collect();
            let arrived = accelerometer[accelerometer.len() - 1].t + 40_000;
            let batch = Batch { arrived, accelerometer: &accelerometer, gyroscope: &gyroscope, ..Batch::default() };
            let recall = Some(Recall { memory: &mut memory, device: place as u64 });
            device.accept(&batch, &Setting { cohort: &cohort, mode: Mode::Spec, learns: true }, recall, |device, judgement| {
                locks[place] += usize::from(device.decide(judgement, &honest(arrived)).lock.is_some());
            });
        }
    }
    assert_eq!(locks, [0, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn behaviour_alone_never_locks(seed in any::<u64>(), people in prop::collection::vec((0.3_f64..6.0, 0.0_f64..15.0, 0.0_f64..9.0), 1..4)) {
        let mut dice = Dice(seed);
        let (mut device, mut start) = enrolled(&mut dice);
        for (steps_per_second, strength, swing) in people {
            let gait = crate::phone::Gait { steps_per_second, strength, swing };
            let decisions = run(&mut device, &walk(gait, start, 40, &mut dice), Mode::Spec, honest);
            start += 41_000_000;
            prop_assert!(highest(&decisions) < Posture::Lock);
            prop_assert!(decisions.iter().all(|decision| decision.lock.is_none()));
        }
    }
}
