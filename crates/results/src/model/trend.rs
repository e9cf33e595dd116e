//! Figures over time, and filters kept under a name.

use base::{Id, Time, Unit};
use scans::BySeverity;
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::{IntoParams, ToSchema};

use super::query::Filter;

/// One day's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrendDay {
    /// The day, UTC, such as `2026-01-31`.
    #[schema(max_length = 10)]
    pub day: String,
    /// Findings seen for the first time, or again after they were gone.
    #[schema(minimum = 0, format = "int64")]
    pub opened: u64,
    /// Findings looked for again and gone.
    #[schema(minimum = 0, format = "int64")]
    pub fixed: u64,
    /// Findings that counted as being there at its end.
    #[schema(minimum = 0, format = "int64")]
    pub standing: u64,
    /// Of those, how many were past their due moment, by the policy of their organisation or unit.
    #[schema(minimum = 0, format = "int64")]
    pub overdue: u64,
    /// Those that stood, by severity.
    pub by_severity: BySeverity,
    /// Mean time from first sight to gone, of those gone on the day, in seconds; none when none went.
    #[schema(minimum = 0, format = "int64")]
    pub seconds_to_fix: Option<u64>,
}

/// What occurs most among findings that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cause {
    /// Its name.
    #[schema(max_length = 1000)]
    pub name: String,
    /// Findings.
    #[schema(minimum = 0, format = "int64")]
    pub findings: u64,
}

/// How it goes: what stands, how fast it goes away, and where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Analytics {
    /// Findings that count as being there, by severity.
    pub standing: BySeverity,
    /// Of those, past their due moment.
    pub overdue: BySeverity,
    /// Seen in the period for the first time, or again after they were gone.
    #[schema(minimum = 0, format = "int64")]
    pub opened: u64,
    /// Gone in the period.
    #[schema(minimum = 0, format = "int64")]
    pub fixed: u64,
    /// Mean time from first sight to gone, of those gone in the period, in seconds; none when none went.
    #[schema(minimum = 0, format = "int64")]
    pub seconds_to_fix: Option<u64>,
    /// Day by day, oldest first; today as it is now.
    #[schema(max_items = 400)]
    pub days: Vec<TrendDay>,
    /// Checks with the most findings.
    #[schema(max_items = 20)]
    pub checks: Vec<Cause>,
    /// Assets with the most findings.
    #[schema(max_items = 20)]
    pub assets: Vec<Cause>,
    /// Tools with the most findings.
    #[schema(max_items = 20)]
    pub sources: Vec<Cause>,
}

/// Which figures.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Period {
    /// Of this target only.
    #[param(value_type = Option<TargetId>)]
    pub target: Option<TargetId>,
    /// Of targets of this business unit and those within it.
    #[param(inline)]
    pub unit: Option<Unit>,
    /// How many days back, 1 to 366; 90 when absent.
    #[param(minimum = 1, maximum = 366)]
    pub days: Option<u32>,
}

/// A saved filter's id.
pub type FilterId = Id<SavedFilter>;

/// A filter kept under a name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SavedFilter {
    /// Its id.
    pub id: FilterId,
    /// Its name.
    #[schema(max_length = 100)]
    pub name: String,
    /// What it shows.
    #[schema(value_type = Object)]
    pub filter: Filter,
    /// Whether everybody of the tenant sees it.
    pub is_shared: bool,
    /// When it was saved.
    pub created_at: Time,
}

/// A filter to be kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFilter {
    /// Its name.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it shows.
    #[schema(value_type = Object)]
    pub filter: Filter,
    /// Whether everybody of the tenant sees it.
    #[serde(default)]
    pub is_shared: bool,
}
