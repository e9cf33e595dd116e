//! Figures over time.

use async_graphql::SimpleObject;
use results::{Analytics, Cause, TrendDay};

/// Findings by severity.
#[derive(SimpleObject)]
#[graphql(name = "SeverityCounts")]
pub(crate) struct CountsNode {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
}

impl From<scans::BySeverity> for CountsNode {
    fn from(counts: scans::BySeverity) -> Self {
        let scans::BySeverity { critical, high, medium, low, info } = counts;
        Self { critical, high, medium, low, info }
    }
}

/// One day's figures.
#[derive(SimpleObject)]
#[graphql(name = "TrendDay")]
pub(crate) struct DayNode {
    /// The day, UTC, such as `2026-01-31`.
    day: String,
    /// Findings seen for the first time, or again after they were gone.
    opened: u64,
    /// Findings looked for again and gone.
    fixed: u64,
    /// Findings that counted as being there at its end.
    standing: u64,
    /// Of those, past the time their severity allows.
    overdue: u64,
}

impl From<TrendDay> for DayNode {
    fn from(day: TrendDay) -> Self {
        Self { day: day.day, opened: day.opened, fixed: day.fixed, standing: day.standing, overdue: day.overdue }
    }
}

/// What occurs most among findings that are there.
#[derive(SimpleObject)]
#[graphql(name = "TrendCause")]
pub(crate) struct CauseNode {
    /// Its name.
    name: String,
    /// Findings.
    findings: u64,
}

impl From<Cause> for CauseNode {
    fn from(cause: Cause) -> Self {
        Self { name: cause.name, findings: cause.findings }
    }
}

/// What stands, how fast it goes away, and where it comes from.
#[derive(SimpleObject)]
#[graphql(name = "Trends")]
pub(crate) struct TrendsNode {
    /// Findings that count as being there.
    standing: CountsNode,
    /// Of those, past the time their severity allows.
    overdue: CountsNode,
    /// Seen in the period for the first time, or again after they were gone.
    opened: u64,
    /// Gone in the period.
    fixed: u64,
    /// Mean time from first sight to gone, in seconds; none when none went.
    seconds_to_fix: Option<u64>,
    /// Day by day, oldest first; today as it is now.
    days: Vec<DayNode>,
    /// Checks with the most findings.
    checks: Vec<CauseNode>,
    /// Assets with the most findings.
    assets: Vec<CauseNode>,
    /// Tools with the most findings.
    sources: Vec<CauseNode>,
}

impl From<Analytics> for TrendsNode {
    fn from(figures: Analytics) -> Self {
        let named = |causes: Vec<Cause>| causes.into_iter().map(Into::into).collect();
        Self {
            standing: figures.standing.into(),
            overdue: figures.overdue.into(),
            opened: figures.opened,
            fixed: figures.fixed,
            seconds_to_fix: figures.seconds_to_fix,
            days: figures.days.into_iter().map(Into::into).collect(),
            checks: named(figures.checks),
            assets: named(figures.assets),
            sources: named(figures.sources),
        }
    }
}
