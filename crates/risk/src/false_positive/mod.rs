//! How likely a finding is to be a false positive, learned from what the same people decided before.
//!
//! A regularised logistic regression over few, plain features, calibrated (Platt) on decisions it did not see. Pure: the same
//! decisions in any order give the same model. It estimates, it never decides.

mod fit;
mod measure;

use serde::{Deserialize, Serialize};

pub use measure::{brier, calibration_error};

/// Decisions that are needed before anything is estimated.
pub const NEEDED: usize = 50;
/// How many of them have to say "false positive", and how many have to say the contrary.
pub const NEEDED_OF_EACH: usize = 10;
/// Parts the decisions are cut into to measure on what was not learned from.
const FOLDS: usize = 5;
/// Nobody is ever surer than this, one way or the other.
const SUREST: f64 = 0.99;
/// Reasons that are told.
const REASONS: usize = 5;
/// A contribution below this, in log-odds, is not worth telling.
const TRIFLE: f64 = 0.05;

/// What a finding is looked at by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// The tool.
    Tool,
    /// The rule of the tool.
    Rule,
    /// The host or site.
    Asset,
    /// What sort of thing it is on: a page, a package, a file.
    AssetKind,
    /// How grave the tool says it is.
    Severity,
    /// What sort of path it is at, such as tests or documentation.
    PathClass,
    /// The weakness class.
    Weakness,
    /// How sure the tool is.
    Confidence,
}

impl Feature {
    /// The text form used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Rule => "rule",
            Self::Asset => "asset",
            Self::AssetKind => "asset_kind",
            Self::Severity => "severity",
            Self::PathClass => "path_class",
            Self::Weakness => "weakness",
            Self::Confidence => "confidence",
        }
    }
}

/// The features of one finding: at most one value of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Features(Vec<(Feature, String)>);

impl Features {
    /// Features from pairs; of several values of the same feature the first counts, an empty value does not.
    pub fn new(pairs: impl IntoIterator<Item = (Feature, String)>) -> Self {
        let mut all: Vec<(Feature, String)> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        all.sort_by_key(|(feature, _)| *feature);
        all.dedup_by_key(|(feature, _)| *feature);
        Self(all)
    }
}

/// One finding that a person decided about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// What was known.
    pub features: Features,
    /// Whether it was declared a false positive; otherwise it was taken for real.
    pub is_false: bool,
}

/// Why nothing is estimated yet.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotYet {
    /// There are fewer decisions than [`NEEDED`].
    #[error("{decisions} of {NEEDED} decisions")]
    TooFew {
        /// How many there are.
        decisions: usize,
    },
    /// Nearly all decisions say the same.
    #[error("{false_positives} false positives and {others} others, at least {NEEDED_OF_EACH} of each are needed")]
    OneSided {
        /// Decisions that say "false positive".
        false_positives: usize,
        /// Decisions that say the contrary.
        others: usize,
    },
    /// On decisions it had not seen, the model did no better than always telling the mean.
    #[error("past decisions tell no more about new ones than their mean does")]
    NoBetter,
}

/// How well a model did on decisions it had not seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Mean squared error of the probability; 0 is best.
    pub brier: f64,
    /// The same for always telling the mean.
    pub baseline: f64,
    /// Expected calibration error over ten bins: how far told and true frequencies are apart.
    pub calibration_error: f64,
}

/// One value of a feature, as the model knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    feature: Feature,
    value: String,
    /// Log-odds it adds.
    weight: f64,
    decisions: u32,
    false_positives: u32,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    intercept: f64,
    /// By feature and value.
    known: Vec<Known>,
    /// Platt's slope, never negative, and intercept.
    slope: f64,
    shift: f64,
    decisions: u32,
    false_positives: u32,
    quality: Quality,
}

/// One thing that moved an estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The feature.
    pub feature: Feature,
    /// Its value here.
    pub value: String,
    /// Log-odds by which it moves the estimate from that of the average finding: up or down.
    pub weight: f64,
    /// Decisions about findings with this value.
    pub decisions: u32,
    /// Of those, how many said "false positive".
    pub false_positives: u32,
}

/// An estimate and its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Probability that a person would call it a false positive, 0.01 to 0.99.
    pub probability: f64,
    /// What moved it most, strongest first; at most five.
    pub reasons: Vec<Reason>,
}

impl Model {
    /// Learns from decisions.
    ///
    /// # Errors
    /// [`NotYet`] while there is too little to learn from, or nothing.
    pub fn learn(examples: &[Example]) -> Result<Self, NotYet> {
        let (decisions, false_positives) = (examples.len(), examples.iter().filter(|example| example.is_false).count());
        if decisions < NEEDED {
            return Err(NotYet::TooFew { decisions });
        }
        let others = decisions - false_positives;
        if false_positives < NEEDED_OF_EACH || others < NEEDED_OF_EACH {
            return Err(NotYet::OneSided { false_positives, others });
        }
        // Sums of floating-point numbers depend on their order; the result must not.
        let mut sorted: Vec<&Example> = examples.iter().collect();
        sorted.sort();
        let (mut scores, mut truths) = (Vec::with_capacity(decisions), Vec::with_capacity(decisions));
        for fold in 0..FOLDS {
            let part = |inside: bool| sorted.iter().enumerate().filter(move |(index, _)| (index % FOLDS == fold) == inside);
            let seen: Vec<&Example> = part(false).map(|(_, example)| *example).collect();
            let fitted = fit::logistic(&seen);
            for (_, example) in part(true) {
                scores.push(fitted.score(&example.features));
                truths.push(example.is_false);
            }
        }
        let (slope, shift) = fit::platt(&scores, &truths);
        let told: Vec<f64> = scores.iter().map(|score| fit::probability(slope * score + shift)).collect();
        let rate = false_positives as f64 / decisions as f64;
        let quality =
            Quality { brier: brier(&told, &truths), baseline: rate * (1.0 - rate), calibration_error: calibration_error(&told, &truths) };
        if quality.brier >= quality.baseline {
            return Err(NotYet::NoBetter);
        }
        let fitted = fit::logistic(&sorted);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Self {
            intercept: fitted.intercept,
            known: fitted.known,
            slope,
            shift,
            decisions: count(decisions),
            false_positives: count(false_positives),
            quality,
        })
    }

    /// How likely a finding with these features is to be called a false positive, and why.
    #[must_use]
    pub fn estimate(&self, features: &Features) -> Estimate {
        let found: Vec<&Known> = features.0.iter().filter_map(|(feature, value)| self.find(*feature, value)).collect();
        let score = self.intercept + found.iter().map(|known| known.weight).sum::<f64>();
        let probability = fit::probability(self.slope * score + self.shift).clamp(1.0 - SUREST, SUREST);
        let mut reasons: Vec<Reason> = found
            .into_iter()
            .map(|known| Reason {
                feature: known.feature,
                value: known.value.clone(),
                weight: self.slope * known.weight * (1.0 - f64::from(known.decisions) / f64::from(self.decisions)),
                decisions: known.decisions,
                false_positives: known.false_positives,
            })
            .filter(|reason| reason.weight.abs() >= TRIFLE)
            .collect();
        reasons.sort_by(|one, other| other.weight.abs().total_cmp(&one.weight.abs()).then(one.feature.cmp(&other.feature)));
        reasons.truncate(REASONS);
        Estimate { probability, reasons }
    }

    /// Decisions it was learned from.
    #[must_use]
    pub fn decisions(&self) -> u32 {
        self.decisions
    }

    /// Of those, how many said "false positive".
    #[must_use]
    pub fn false_positives(&self) -> u32 {
        self.false_positives
    }

    /// How well it did on decisions it had not seen.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.quality
    }

    fn find(&self, feature: Feature, value: &str) -> Option<&Known> {
        let place = self.known.binary_search_by(|known| (known.feature, known.value.as_str()).cmp(&(feature, value)));
        place.ok().and_then(|index| self.known.get(index))
    }
}
