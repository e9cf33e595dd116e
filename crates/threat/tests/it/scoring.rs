//! Windows to scores and explanations.

use threat::{Cohort, Context, Device, Mode, Reading};

use crate::phone::{Dice, OWNER, Recording, STRANGER, enrolled, mean, play, walk};

#[test]
fn a_stranger_scores_higher_than_the_owner_and_the_explanation_says_why() {
    let mut dice = Dice(1);
    let (mut device, start) = enrolled(&mut dice);
    let owner = play(&mut device, &walk(OWNER, start, 60, &mut dice), Mode::Spec, false);
    assert!((0.1..0.6).contains(&mean(&owner)), "owner: {}", mean(&owner));
    let stranger = play(&mut device, &walk(STRANGER, start + 60_000_000, 60, &mut dice), Mode::Spec, false);
    assert!(mean(&stranger) > 0.9, "stranger: {}", mean(&stranger));
    let why = device.explain(&Cohort::default());
    assert_eq!(why.context, Context::Walking);
    assert!(why.features[0].z.abs() > 3.0, "{:?}", why.features);
    let sum: f64 = why.parts.iter().map(|part| part.contribution).sum();
    assert!((sum - why.global_score.unwrap()).abs() < 1e-9, "the contributions add up to the score");
}

#[test]
fn a_new_device_is_not_scored_before_it_is_known() {
    let first = play(&mut Device::new(), &walk(OWNER, 0, 4, &mut Dice(2)), Mode::Spec, true);
    assert_eq!(first.len(), 4);
    assert!(first.iter().all(|judgement| judgement.global.is_none()));
}

#[test]
fn the_simplified_mode_learns_nothing_and_still_tells_strangers_apart() {
    let mut dice = Dice(3);
    let (mut device, start) = enrolled(&mut dice);
    let owner = play(&mut device, &walk(OWNER, start, 60, &mut dice), Mode::Simplified, true);
    let stranger = play(&mut device, &walk(STRANGER, start + 60_000_000, 60, &mut dice), Mode::Simplified, true);
    assert!(mean(&stranger) > mean(&owner) + 0.2, "{} beside {}", mean(&stranger), mean(&owner));
    assert!(owner.iter().all(|judgement| judgement.mode == Mode::Simplified));
}

/// A phone held without moving it much, or on a table; both are `Still`.
fn kept(start: i64, seconds: usize, is_held: bool, dice: &mut Dice) -> Recording {
    let mut recording = Recording::default();
    let (shake, gravity) = if is_held { (0.12, [0.9, 7.1, 6.6]) } else { (0.012, [0.02, 0.05, 9.79]) };
    for index in 0..seconds * 100 {
        let t = start + index as i64 * 10_000 + (dice.uniform() * 1_000.0) as i64;
        let mut axis = |rest: f64, size: f64| (rest + size * dice.normal()) as f32;
        let [x, y, z] = gravity;
        recording.accelerometer.push(Reading { t, x: axis(x, shake), y: axis(y, shake), z: axis(z, shake) });
        recording.gyroscope.push(Reading { t, x: axis(0.0, shake / 2.0), y: axis(0.0, shake / 2.0), z: axis(0.0, shake / 2.0) });
    }
    recording
}

#[test]
fn a_phone_that_is_laid_down_is_not_held_against_its_owner() {
    let mut dice = Dice(5);
    let mut device = Device::new();
    play(&mut device, &kept(0, 400, true, &mut dice), Mode::Spec, true);
    let held = play(&mut device, &kept(400_000_000, 60, true, &mut dice), Mode::Spec, true);
    assert!(held.iter().all(|judgement| judgement.context == Context::Still && judgement.global.is_some()));
    let laid = play(&mut device, &kept(460_000_000, 120, false, &mut dice), Mode::Spec, true);
    // The first window still has the moment in which it was laid down.
    assert!(laid[1..].iter().all(|judgement| judgement.global.is_none()), "nobody has it, so nobody is scored");
    let again = play(&mut device, &kept(580_000_000, 60, true, &mut dice), Mode::Spec, true);
    assert!((0.1..0.9).contains(&mean(&again[1..])), "what is known of the owner is what it was: {}", mean(&again[1..]));
}
