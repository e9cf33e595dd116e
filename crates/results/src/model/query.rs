//! Which findings a list shows, in which order, and how they are counted.

use base::{Id, Result, Unit, words};
use scans::BySeverity;
use scans::ScanId;
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::{IntoParams, ToSchema};

use super::finding::{Finding, Status};
use super::import::ImportId;
use super::schema::SeveritySchema;
use crate::errors;

/// Narrows a list of findings; absent fields do not.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct Filter {
    /// Severities, repeated: `severity=high&severity=critical`.
    #[param(value_type = Vec<SeveritySchema>, max_items = 5)]
    pub severity: Vec<String>,
    /// Statuses, repeated; `open` does not include `not_retested`.
    #[param(value_type = Vec<Status>, max_items = 7)]
    pub status: Vec<String>,
    /// Findings of this target.
    #[param(value_type = Option<TargetId>)]
    pub target: Option<TargetId>,
    /// Findings of targets of this business unit and those within it.
    #[param(inline)]
    pub unit: Option<Unit>,
    /// Findings this scan saw.
    #[param(value_type = Option<ScanId>)]
    pub scan: Option<ScanId>,
    /// Findings of this tool.
    #[param(max_length = 256)]
    pub source: Option<String>,
    /// Findings whose title, place or check contains this.
    #[param(max_length = 256)]
    pub q: Option<String>,
    /// Findings with this CVE.
    #[param(max_length = 32)]
    pub cve: Option<String>,
    /// Findings of this weakness class.
    #[param(minimum = 1, maximum = 100_000)]
    pub cwe: Option<u32>,
    /// Findings of this check.
    #[param(max_length = 1000)]
    pub check: Option<String>,
    /// Findings of this service of a target.
    #[param(max_length = 200)]
    pub service: Option<String>,
    /// Findings of this cluster.
    #[param(max_length = 64)]
    pub cluster: Option<String>,
    /// Findings this import brought for the first time.
    #[param(value_type = Option<ImportId>)]
    pub import: Option<ImportId>,
}

impl Filter {
    /// Findings of one scan.
    #[must_use]
    pub fn of_scan(scan: ScanId) -> Self {
        Self { scan: Some(scan), ..Self::default() }
    }

    /// Findings of one target.
    #[must_use]
    pub fn of_target(target: TargetId) -> Self {
        Self { target: Some(target), ..Self::default() }
    }

    /// Whether any finding could ever be shown: nothing is longer or larger than what it would be found in.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.check().is_ok()
    }

    /// Says no to what is longer than anything it could be found in.
    ///
    /// # Errors
    /// `Invalid` naming the parameter.
    pub(crate) fn check(&self) -> Result<()> {
        let bounded = [
            ("source", &self.source, 256),
            ("q", &self.q, 256),
            ("cve", &self.cve, 32),
            ("check", &self.check, 1000),
            ("service", &self.service, 200),
            ("cluster", &self.cluster, 64),
        ];
        for (name, given, maximum) in bounded {
            if given.as_ref().is_some_and(|text| text.chars().count() > maximum) {
                return Err(errors::filter(name, &format!("it must have at most {maximum} characters")));
            }
        }
        for (name, given, maximum) in [("severity", self.severity.len(), 5), ("status", self.status.len(), 7)] {
            if given > maximum {
                return Err(errors::filter(name, &format!("it can be given {maximum} times at most")));
            }
        }
        match self.cwe {
            Some(cwe) if !(1..=100_000).contains(&cwe) => Err(errors::filter("cwe", "it must be 1 to 100000")),
            _ => Ok(()),
        }
    }

    /// Whether it asks for nothing but severities, statuses, a target and a unit: of those, figures are kept.
    pub(crate) fn is_by_kind(&self) -> bool {
        let Self { severity: _, status: _, target: _, unit: _, scan, source, q, cve, cwe, check, service, cluster, import } = self;
        let texts = [source, q, cve, check, service, cluster];
        scan.is_none() && cwe.is_none() && import.is_none() && texts.iter().all(|text| text.is_none())
    }

    /// Whether it asks for something that few findings may have.
    pub(crate) fn is_narrow(&self) -> bool {
        let Self { severity: _, status, target, unit, scan, source, q, cve, cwe, check, service, cluster, import } = self;
        let texts = [source, q, cve, check, service, cluster];
        let is_decided = !status.is_empty() && status.iter().all(|word| word.parse().is_ok_and(Status::is_decided));
        let is_placed = target.is_some() || unit.is_some() || scan.is_some() || import.is_some();
        is_decided || is_placed || cwe.is_some() || texts.iter().any(|text| text.is_some())
    }

    pub(crate) fn severities(&self) -> Result<Vec<i64>> {
        self.severity
            .iter()
            .map(|word| word.parse().map(rank).map_err(|_| errors::word("severity", word, &["info", "low", "medium", "high", "critical"])))
            .collect()
    }

    pub(crate) fn statuses(&self) -> Result<Vec<Status>> {
        self.status.iter().map(|word| word.parse()).collect()
    }
}

/// Severity as a number that sorts.
pub(crate) const fn rank(severity: importers::Severity) -> i64 {
    severity as i64
}

words! {
    errors::word;
    /// The order of a list of findings.
    #[derive(Default)]
    Sort, "sort" {
        /// Gravest first.
        #[default]
        Severity = "severity",
        /// First seen last, first.
        Newest = "newest",
        /// Last seen last, first.
        LastSeen = "last_seen",
        /// By title.
        Title = "title",
        /// Highest risk first.
        Risk = "risk",
        /// Due first, first; what has no due date is left out.
        Due = "due",
    }
}

/// What stands beside a finding in a list.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The one before it, when there is one.
    pub before: Option<Finding>,
    /// The one after it, when there is one.
    pub after: Option<Finding>,
}

/// How many findings a filter shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matching {
    /// Findings counted.
    pub count: u64,
    /// Whether there are more: beyond ten thousand nobody counts.
    pub more: bool,
}

/// Findings counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// All that match.
    #[schema(minimum = 0, format = "int64")]
    pub total: u64,
    /// By severity, only those that count as being there (open or not retested).
    pub by_severity: BySeverity,
    /// By status.
    pub by_status: ByStatus,
}

/// How often each status occurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the words of `Status`")]
pub struct ByStatus {
    #[schema(minimum = 0, format = "int64")]
    pub open: u64,
    #[schema(minimum = 0, format = "int64")]
    pub not_retested: u64,
    #[schema(minimum = 0, format = "int64")]
    pub accepted: u64,
    #[schema(minimum = 0, format = "int64")]
    pub out_of_scope: u64,
    #[schema(minimum = 0, format = "int64")]
    pub mitigated: u64,
    #[schema(minimum = 0, format = "int64")]
    pub false_positive: u64,
    #[schema(minimum = 0, format = "int64")]
    pub fixed: u64,
}

/// Where a page of findings ends: the sort, its value, the id.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) sort: Sort,
    pub(crate) number: i64,
    pub(crate) text: String,
    pub(crate) id: Id<Finding>,
}
