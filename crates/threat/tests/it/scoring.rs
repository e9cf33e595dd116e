//! Windows to scores and explanations.

use threat::{Cohort, Context, Device, Mode};

use crate::phone::{Dice, OWNER, STRANGER, enrolled, mean, play, walk};

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
