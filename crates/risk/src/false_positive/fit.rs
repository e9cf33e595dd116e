//! The arithmetic of learning: logistic regression by coordinates that never overshoots, and Platt's two numbers.

use std::collections::BTreeMap;

use super::{Example, Feature, Features, Known};

/// How strongly weights are drawn to nothing: as if one decision each way had been made about every value.
const RIDGE: f64 = 1.0;
const SWEEPS: usize = 60;
/// A value that one decision alone knows tells nothing about the next.
const RARE: usize = 2;
const NEWTON: usize = 50;

/// Weights before calibration.
pub(super) struct Fitted {
    pub(super) intercept: f64,
    /// By feature and value.
    pub(super) known: Vec<Known>,
}

impl Fitted {
    pub(super) fn score(&self, features: &Features) -> f64 {
        let weight = |feature: Feature, value: &str| {
            let place = self.known.binary_search_by(|known| (known.feature, known.value.as_str()).cmp(&(feature, value)));
            place.ok().and_then(|index| self.known.get(index)).map_or(0.0, |known| known.weight)
        };
        self.intercept + features.0.iter().map(|(feature, value)| weight(*feature, value)).sum::<f64>()
    }
}

/// The probability of log-odds.
pub(super) fn probability(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// Fits weights to examples. Every step minimises a bound of the loss that lies above it everywhere, so it goes down only.
pub(super) fn logistic(examples: &[&Example]) -> Fitted {
    let mut members: BTreeMap<(Feature, &str), Vec<usize>> = BTreeMap::new();
    for (index, example) in examples.iter().enumerate() {
        for (feature, value) in &example.features.0 {
            members.entry((*feature, value.as_str())).or_default().push(index);
        }
    }
    members.retain(|_, among| among.len() >= RARE);
    let truth: Vec<f64> = examples.iter().map(|example| f64::from(u8::from(example.is_false))).collect();
    let mut scores = vec![0.0_f64; examples.len()];
    let mut weights = vec![0.0_f64; members.len()];
    let mut intercept = 0.0;
    let step = |scores: &[f64], among: &mut dyn Iterator<Item = usize>, weight: f64, ridge: f64| {
        let (mut slope, mut count) = (ridge * weight, 0.0);
        for index in among {
            slope += probability(scores[index]) - truth[index];
            count += 1.0;
        }
        // A quarter is the most that the loss of one example can curve.
        -slope / (0.25 * count + ridge)
    };
    for _ in 0..SWEEPS {
        let by = step(&scores, &mut (0..scores.len()), intercept, 0.0);
        intercept += by;
        scores.iter_mut().for_each(|score| *score += by);
        for (weight, among) in weights.iter_mut().zip(members.values()) {
            let by = step(&scores, &mut among.iter().copied(), *weight, RIDGE);
            *weight += by;
            among.iter().for_each(|index| scores[*index] += by);
        }
    }
    let known = members.into_iter().zip(weights).map(|(((feature, value), among), weight)| {
        let false_positives = among.iter().filter(|index| examples[**index].is_false).count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Known { feature, value: value.to_owned(), weight, decisions: count(among.len()), false_positives: count(false_positives) }
    });
    Fitted { intercept, known: known.collect() }
}

/// Slope and intercept that turn scores into frequencies (Platt 1999, with his targets that are never quite certain). The slope is
/// never negative: calibration may flatten an order, never turn it round.
pub(super) fn platt(scores: &[f64], truths: &[bool]) -> (f64, f64) {
    let yes = truths.iter().filter(|truth| **truth).count() as f64;
    let no = truths.len() as f64 - yes;
    let (high, low) = ((yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0));
    let target = |truth: bool| if truth { high } else { low };
    let loss = |slope: f64, shift: f64| {
        let one = |(score, truth): (&f64, &bool)| {
            let odds = slope * score + shift;
            // log(1 + e^x) without overflow.
            odds.max(0.0) + (-odds.abs()).exp().ln_1p() - target(*truth) * odds
        };
        scores.iter().zip(truths).map(one).sum::<f64>()
    };
    let (mut slope, mut shift) = (1.0, 0.0);
    let mut current = loss(slope, shift);
    for _ in 0..NEWTON {
        let (mut by_slope, mut by_shift, mut aa, mut ab, mut bb) = (0.0, 0.0, 1e-9, 0.0, 1e-9);
        for (score, truth) in scores.iter().zip(truths) {
            let told = probability(slope * score + shift);
            let (error, curve) = (told - target(*truth), told * (1.0 - told));
            by_slope += error * score;
            by_shift += error;
            aa += curve * score * score;
            ab += curve * score;
            bb += curve;
        }
        let determinant = aa * bb - ab * ab;
        if determinant <= 0.0 {
            break;
        }
        let (mut along, mut across) = ((bb * by_slope - ab * by_shift) / determinant, (aa * by_shift - ab * by_slope) / determinant);
        let mut next = (slope - along, shift - across);
        while loss(next.0, next.1) > current && along.abs() + across.abs() > 1e-9 {
            (along, across) = (along / 2.0, across / 2.0);
            next = (slope - along, shift - across);
        }
        let reached = loss(next.0, next.1);
        if reached >= current {
            break;
        }
        (slope, shift) = next;
        if current - reached < 1e-10 {
            break;
        }
        current = reached;
    }
    if slope > 0.0 { (slope, shift) } else { (0.0, ((yes + 1.0) / (no + 1.0)).ln()) }
}
