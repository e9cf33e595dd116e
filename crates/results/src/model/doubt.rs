//! What past decisions tell about findings: an estimate with its reasons, never a status.

use base::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How likely people are to call a finding a false positive, by what they decided before. It changes nothing by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FalsePositiveEstimate {
    /// Probability, 0.01 to 0.99.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// What moved it most, strongest first.
    #[schema(max_items = 5)]
    pub reasons: Vec<FalsePositiveReason>,
    /// Decisions it was learned from.
    #[schema(minimum = 0, format = "int32")]
    pub decisions: u32,
}

/// One thing that moved an estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FalsePositiveReason {
    /// tool, rule, asset, asset_kind, severity, path_class, weakness or confidence.
    #[schema(max_length = 32)]
    pub feature: String,
    /// Its value here.
    #[schema(max_length = 2048)]
    pub value: String,
    /// Log-odds by which it moves the estimate, up or down.
    pub weight: f64,
    /// Decisions about findings with this value.
    #[schema(minimum = 0, format = "int32")]
    pub decisions: u32,
    /// Of those, how many said "false positive".
    #[schema(minimum = 0, format = "int32")]
    pub false_positives: u32,
    /// In words.
    #[schema(max_length = 4096)]
    pub message: String,
}

/// Whether there are estimates in this organisation, and how good they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FalsePositiveLearning {
    /// Whether findings carry estimates.
    pub is_on: bool,
    /// Why not, when they do not.
    #[schema(max_length = 1024)]
    pub why_not: Option<String>,
    /// Decisions that were learned from, or could be.
    #[schema(minimum = 0, format = "int64")]
    pub decisions: u64,
    /// Of those, how many said "false positive".
    #[schema(minimum = 0, format = "int64")]
    pub false_positives: u64,
    /// Decisions that are needed at least.
    #[schema(minimum = 0, format = "int64")]
    pub needed: u64,
    /// And of each kind.
    #[schema(minimum = 0, format = "int64")]
    pub needed_of_each: u64,
    /// Mean squared error of the probability on decisions it had not seen.
    pub brier: Option<f64>,
    /// The same for always telling the mean: what it has to beat.
    pub brier_of_mean: Option<f64>,
    /// Expected calibration error on decisions it had not seen.
    pub calibration_error: Option<f64>,
    /// When it learned last.
    pub learned_at: Option<Time>,
}
