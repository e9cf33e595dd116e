//! Rows on their way between the store and the taking in of a run.

use base::Time;
use importers::{Location, Observation};
use scans::ScanId;
use targets::TargetId;

use crate::model::{DecisionKind, Derived, FindingId, ImportId, State};

/// A known finding as matching and closing need it.
#[derive(Debug, Clone)]
pub(crate) struct KnownFinding {
    pub(crate) id: FindingId,
    pub(crate) source: String,
    pub(crate) check: String,
    pub(crate) location: Location,
    pub(crate) state: State,
    pub(crate) first_seen: Time,
    pub(crate) last_seen: Time,
    pub(crate) last_scan: Option<ScanId>,
    pub(crate) times_seen: i64,
    pub(crate) decision: Option<(DecisionKind, Option<Time>, Time)>,
    /// Digests that also came in.
    pub(crate) digests: Vec<String>,
}

/// A finding about to be written.
#[derive(Debug)]
pub(crate) struct FindingRow {
    pub(crate) id: FindingId,
    pub(crate) target: Option<TargetId>,
    pub(crate) observation: Observation,
    pub(crate) cvss_score: Option<f64>,
    pub(crate) derived: Derived,
    pub(crate) ambiguous: bool,
    pub(crate) first_seen: Time,
    pub(crate) seen: Time,
    pub(crate) scan: Option<ScanId>,
    pub(crate) import: ImportId,
    pub(crate) times_seen: i64,
}
