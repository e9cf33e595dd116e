//! Estimates learned from decisions: calibrated, the same in any order, off until they help.

use proptest::prelude::*;
use risk::false_positive::{Example, Feature, Features, Model, NEEDED, NEEDED_OF_EACH, NotYet, brier, calibration_error};

/// Numbers that look drawn and are the same every time (SplitMix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, most: u32) -> u32 {
        (self.next() * f64::from(most)) as u32
    }
}

/// A team whose rules are wrong at rates of their own, more so below `tests`.
fn decided(count: usize, seed: u64) -> Vec<(Example, f64)> {
    let mut draws = Draws(seed);
    (0..count)
        .map(|_| {
            let (rule, is_test, severity) = (draws.below(12), draws.next() < 0.3, draws.below(4));
            let odds = -2.0 + 0.4 * f64::from(rule) + if is_test { 1.5 } else { 0.0 } - 0.3 * f64::from(severity);
            let truth = 1.0 / (1.0 + (-odds).exp());
            let features = Features::new([
                (Feature::Rule, format!("rule-{rule}")),
                (Feature::PathClass, if is_test { "test" } else { "source" }.to_owned()),
                (Feature::Severity, severity.to_string()),
                (Feature::Asset, format!("asset-{}", draws.below(40))),
            ]);
            (Example { features, is_false: draws.next() < truth }, truth)
        })
        .collect()
}

fn examples(decided: &[(Example, f64)]) -> Vec<Example> {
    decided.iter().map(|(example, _)| example.clone()).collect()
}

#[test]
fn estimates_of_new_findings_are_calibrated_and_better_than_the_mean() {
    let model = Model::learn(&examples(&decided(1500, 1))).unwrap();
    let fresh = decided(4000, 2);
    let told: Vec<f64> = fresh.iter().map(|(example, _)| model.estimate(&example.features).probability).collect();
    let truths: Vec<bool> = fresh.iter().map(|(example, _)| example.is_false).collect();
    let ideal: Vec<f64> = fresh.iter().map(|(_, truth)| *truth).collect();
    let rate = truths.iter().filter(|truth| **truth).count() as f64 / truths.len() as f64;
    let (score, best, mean) = (brier(&told, &truths), brier(&ideal, &truths), rate * (1.0 - rate));
    let error = calibration_error(&told, &truths);
    assert!(error < 0.04, "calibration error {error}");
    assert!(score < best + 0.01 && score < mean - 0.02, "Brier {score}, of the truth {best}, of the mean {mean}");
    let quality = model.quality();
    assert!((quality.brier - score).abs() < 0.02 && quality.calibration_error < 0.05, "{quality:?}");
}

#[test]
fn nothing_is_estimated_from_few_one_sided_or_random_decisions() {
    let many = examples(&decided(400, 3));
    assert_eq!(Model::learn(&many[..NEEDED - 1]), Err(NotYet::TooFew { decisions: NEEDED - 1 }));
    let one_sided: Vec<Example> = many.iter().map(|example| Example { is_false: false, ..example.clone() }).collect();
    assert_eq!(Model::learn(&one_sided), Err(NotYet::OneSided { false_positives: 0, others: 400 }));
    // Features that tell nothing: the mean is as good.
    let blank: Vec<Example> = many.iter().map(|example| Example { features: Features::default(), ..example.clone() }).collect();
    assert_eq!(Model::learn(&blank), Err(NotYet::NoBetter));
}

#[test]
fn reasons_name_what_moved_the_estimate_with_the_decisions_behind_it() {
    let model = Model::learn(&examples(&decided(1500, 4))).unwrap();
    let at = |rule: &str, path: &str| model.estimate(&Features::new([(Feature::Rule, rule.into()), (Feature::PathClass, path.into())]));
    let (noisy, sound) = (at("rule-11", "test"), at("rule-0", "source"));
    assert!(noisy.probability > 0.8 && sound.probability < 0.25, "{noisy:?} {sound:?}");
    let first = &noisy.reasons[0];
    assert_eq!((first.feature, first.value.as_str()), (Feature::Rule, "rule-11"));
    assert!(first.weight > 0.0 && first.false_positives * 2 > first.decisions && sound.reasons[0].weight < 0.0, "{first:?}");
    let kept: Model = serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
    let again = kept.estimate(&Features::new([(Feature::Rule, "rule-11".into()), (Feature::PathClass, "test".into())]));
    assert!((again.probability - noisy.probability).abs() < 1e-9 && again.reasons.len() == noisy.reasons.len(), "{again:?}");
    assert!(at("nobody-knows", "test").reasons.iter().all(|reason| reason.feature != Feature::Rule));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_decisions_changes_nothing(seed in 0..1000_u64, turn in 1..119_usize) {
        let mut some = examples(&decided(120, seed));
        let model = Model::learn(&some);
        some.rotate_left(turn);
        some.swap(0, 60);
        prop_assert_eq!(model, Model::learn(&some));
    }

    #[test]
    fn every_estimate_is_a_probability_that_is_never_certain(seed in 0..1000_u64, rule in "[a-z]{0,8}|rule-1?[0-9]", severity in "[0-9]") {
        let Ok(model) = Model::learn(&examples(&decided(NEEDED + 4 * NEEDED_OF_EACH, seed))) else { return Ok(()) };
        let estimate = model.estimate(&Features::new([(Feature::Rule, rule), (Feature::Severity, severity)]));
        prop_assert!((0.01..=0.99).contains(&estimate.probability), "{}", estimate.probability);
        prop_assert!(estimate.reasons.len() <= 5);
    }

    /// One more false positive about a rule never makes the next one of that rule look less like one.
    #[test]
    fn a_rule_that_was_wrong_more_often_is_doubted_more(wrong in 4..16_usize) {
        let about = |wrong: usize| {
            let mut all = examples(&decided(150, 9));
            for number in 0..20 {
                let features = Features::new([(Feature::Rule, "ours".to_owned())]);
                all.push(Example { features, is_false: number < wrong });
            }
            Model::learn(&all).map(|model| model.estimate(&Features::new([(Feature::Rule, "ours".to_owned())])).probability)
        };
        if let (Ok(less), Ok(more)) = (about(wrong), about(wrong + 4)) {
            prop_assert!(more > less, "{less} {more}");
        }
    }
}
