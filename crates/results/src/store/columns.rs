//! The columns of a finding that imports write, once: what each is decides who may touch it.

use self::Kind::{Born, Said, Standing};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Where the finding comes from, and what people said: written at first sight and never by a tool again.
    Born,
    /// What the tool said last, and where that puts it; when it did, the database keeps beside the finding.
    Said,
    /// The status, which follows from what was said and decided.
    Standing,
}

/// Columns in the order in which they are written; the first [`SHARED`] are the same for all rows of a statement.
const COLUMNS: [(&str, Kind); 33] = [
    ("tenant_id", Born),
    ("target_id", Born),
    ("service", Born),
    ("cluster_fixed", Born),
    ("id", Born),
    ("source", Born),
    ("check_id", Said),
    ("title", Said),
    ("description", Said),
    ("remediation", Said),
    ("severity", Said),
    ("cvss", Said),
    ("cvss_score", Said),
    ("cwes", Said),
    ("cves", Said),
    ("refs", Said),
    ("tags", Said),
    ("location", Said),
    ("confidence", Said),
    ("labels", Said),
    ("search", Said),
    ("state", Said),
    ("status", Standing),
    ("status_until", Standing),
    ("base_status", Standing),
    ("ambiguous", Born),
    ("first_seen", Born),
    ("asset", Said),
    ("content", Said),
    ("first_import", Born),
    ("fixed_at", Said),
    ("cluster", Born),
    ("cluster_reason", Born),
];
/// How many columns all rows of a statement share.
pub(super) const SHARED: usize = 4;
/// How many are a row's own.
pub(super) const OWN: usize = COLUMNS.len() - SHARED;

/// All columns, in the order in which they are written.
pub(super) fn all() -> String {
    COLUMNS.map(|(name, _)| name).join(", ")
}

fn of(kinds: &'static [Kind]) -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().filter(|(_, kind)| kinds.contains(kind)).map(|(name, _)| name)
}

/// What a repeated sighting writes.
pub(super) fn seen_again() -> impl Iterator<Item = &'static str> {
    of(&[Said, Standing])
}

/// What goes with the newer of two findings that are one.
pub(super) fn said() -> impl Iterator<Item = &'static str> {
    of(&[Said])
}

/// What is put back when an import is taken back; the status follows from it.
pub(super) fn restored() -> impl Iterator<Item = &'static str> {
    of(&[Said]).chain(["ambiguous"])
}
