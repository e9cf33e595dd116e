//! Rows on their way between the store and the taking in of a run.

use std::collections::HashMap;

use base::Time;
use importers::{Location, Observation, Severity};
use scans::ScanId;

use super::coverage::Place;
use super::matching::Key;
use crate::model::{DecisionId, DecisionKind, Derived, FindingId, ImportId, InForce, State};

/// A finding, and the decision that was read of it.
pub(crate) type Read = (FindingId, Option<InForce>);

/// A known finding as recognising it needs it.
#[derive(Debug, Clone)]
pub(crate) struct KnownFinding {
    pub(crate) id: FindingId,
    pub(crate) source: String,
    pub(crate) state: State,
    /// The status as it was written.
    pub(crate) stands: Derived,
    pub(crate) first_seen: Time,
    pub(crate) last_seen: Time,
    pub(crate) last_scan: Option<ScanId>,
    pub(crate) first_import: String,
    pub(crate) content: String,
    pub(crate) decision: Option<InForce>,
}

/// A known finding that a run did not show under its strongest name, with what comparing and closing it need.
#[derive(Debug, Clone)]
pub(crate) struct Unseen {
    pub(crate) known: KnownFinding,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) check: String,
    pub(crate) location: Location,
    pub(crate) is_fixable: bool,
    /// Names that also came in.
    pub(crate) digests: Vec<String>,
}

impl Unseen {
    /// As coverage sees it.
    pub(crate) fn place(&self) -> Place<'_> {
        let Self { known, severity, check, location, is_fixable, .. } = self;
        Place { source: &known.source, check, location, severity: *severity, is_fixable: *is_fixable }
    }
}

/// A finding about to be written.
#[derive(Debug)]
pub(crate) struct FindingRow {
    pub(crate) id: FindingId,
    pub(crate) observation: Observation,
    pub(crate) cvss_score: Option<f64>,
    pub(crate) content: String,
    pub(crate) asset: String,
    pub(crate) cluster: Option<(String, String)>,
    pub(crate) state: State,
    pub(crate) derived: Derived,
    /// The decision that was read of it, from which `derived` follows; a finding that is born has none.
    pub(crate) decision: Option<InForce>,
    pub(crate) ruling: Option<Ruling>,
    pub(crate) ambiguous: bool,
    pub(crate) first_seen: Time,
    pub(crate) first_import: String,
    pub(crate) fixed_at: Option<Time>,
}

/// A name a finding is known by from now on.
#[derive(Debug)]
pub(crate) struct NewKey {
    pub(crate) finding: FindingId,
    /// The import that adds it to a known finding; with a finding that is born, its names come and go.
    pub(crate) added_by: Option<ImportId>,
    /// Its place among the finding's names, strongest first.
    pub(crate) position: usize,
    pub(crate) key: Key,
}

/// One sighting; an empty body says the same as the one before.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) finding: FindingId,
    pub(crate) observed_at: Option<String>,
    pub(crate) body: String,
}

/// A question for a person: which of these is the new finding?
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) finding: FindingId,
    pub(crate) candidates: Vec<FindingId>,
    pub(crate) reason: String,
}

/// A decision that holds for a rule, everywhere or on one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    pub(crate) id: DecisionId,
    pub(crate) kind: DecisionKind,
    pub(crate) until: Option<Time>,
    pub(crate) decided_at: Time,
}

/// The rulings in force, by tool, check and asset; the asset is empty for those that hold everywhere.
#[derive(Debug, Default)]
pub(crate) struct Rulings {
    pub(crate) by_rule: HashMap<(String, String, Option<String>), Ruling>,
}

impl Rulings {
    /// The narrowest ruling for a finding of this tool and check at this place.
    pub(crate) fn of(&self, source: &str, check: &str, place: &str) -> Option<&Ruling> {
        if self.by_rule.is_empty() {
            return None;
        }
        let rule = |asset: Option<&str>| self.by_rule.get(&(source.to_owned(), check.to_owned(), asset.map(str::to_owned)));
        rule(Some(place)).or_else(|| rule(None))
    }
}
