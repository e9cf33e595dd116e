//! A finding: our belief about a weakness, kept over scans. Its status is derived, never set by hand.

use base::{Id, Time, words};
use importers::{Location, Severity};
use scans::ScanId;
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::ToSchema;

use super::decision::{Decision, DecisionKind};
use super::doubt::FalsePositiveEstimate;
use super::import::{CoverageRow, ImportId};
use super::risk::RiskView;
use super::schema::{LocationSchema, SeveritySchema};
use crate::errors;

/// A finding's id.
pub type FindingId = Id<Finding>;

words! {
    errors::word;
    /// What the tools last said about it; people never set this.
    State, "state" {
        /// Seen when it was last looked for.
        Present = "present",
        /// Looked for again at the same place, and gone.
        Absent = "absent",
        /// A newer test did not look there again.
        NotRetested = "not_retested",
    }
    /// Where a finding stands, derived from its state and the decision in force.
    Status, "status" {
        /// There.
        Open = "open",
        /// Was there; no later test looked again.
        NotRetested = "not_retested",
        /// There, and somebody accepted the risk.
        Accepted = "accepted",
        /// There, but nothing we answer for.
        OutOfScope = "out_of_scope",
        /// There, and something else keeps it from being used.
        Mitigated = "mitigated",
        /// Not a weakness after all.
        FalsePositive = "false_positive",
        /// Looked for again and gone, or declared fixed and not seen since.
        Fixed = "fixed",
    }
}

impl Status {
    /// Whether people put it there, one finding or rule at a time: few findings stand so.
    pub(crate) const fn is_decided(self) -> bool {
        matches!(self, Self::Accepted | Self::OutOfScope | Self::Mitigated | Self::FalsePositive)
    }
}

/// The status and until when it holds: an acceptance ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Derived {
    /// As of now.
    pub(crate) status: Status,
    /// When `status` gives way to `base`.
    pub(crate) until: Option<Time>,
    /// What it is without the decision that ends.
    pub(crate) base: Status,
}

/// A decision in force, as far as a status follows from it: what it says, until when, and since when.
pub(crate) type InForce = (DecisionKind, Option<Time>, Time);

/// Derives the status from the tools' state, when it was last seen, and the decision in force.
pub(crate) fn derive(state: State, last_seen: Time, decision: Option<InForce>, now: Time) -> Derived {
    let base = match state {
        State::Present => Status::Open,
        State::Absent => Status::Fixed,
        State::NotRetested => Status::NotRetested,
    };
    let plain = Derived { status: base, until: None, base };
    let Some((kind, until, decided)) = decision else { return plain };
    let overlay = match kind {
        DecisionKind::FalsePositive => Status::FalsePositive,
        DecisionKind::OutOfScope => Status::OutOfScope,
        // What is gone is fixed, whatever was accepted about it.
        DecisionKind::Accepted if state != State::Absent => Status::Accepted,
        DecisionKind::Mitigated if state != State::Absent => Status::Mitigated,
        // Somebody says it is fixed; a tool that sees it later knows better.
        DecisionKind::Fixed if last_seen <= decided => Status::Fixed,
        _ => return plain,
    };
    match until {
        None => Derived { status: overlay, until: None, base: overlay },
        Some(until) if until > now => Derived { status: overlay, until: Some(until), base },
        Some(_) => plain,
    }
}

/// Our belief about one weakness.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// The target it belongs to.
    #[schema(value_type = Option<TargetId>)]
    pub target_id: Option<TargetId>,
    /// One line.
    #[schema(max_length = 1000)]
    pub title: String,
    /// What it is, in the words of the tool.
    #[schema(max_length = 65536)]
    pub description: String,
    /// What to do about it.
    #[schema(max_length = 65536)]
    pub remediation: Option<String>,
    /// How grave.
    #[schema(value_type = SeveritySchema)]
    pub severity: Severity,
    /// CVSS vector.
    #[schema(max_length = 512)]
    pub cvss: Option<String>,
    /// Base score of the vector, computed by us.
    #[schema(minimum = 0, maximum = 10)]
    pub cvss_score: Option<f64>,
    /// Weakness classes (CWE numbers).
    #[schema(max_items = 1000)]
    pub cwes: Vec<u32>,
    /// Vulnerability names (CVE).
    #[schema(max_items = 1000)]
    pub cves: Vec<String>,
    /// Where to read more.
    #[schema(max_items = 1000)]
    pub references: Vec<String>,
    /// Labels of the tool.
    #[schema(max_items = 1000)]
    pub tags: Vec<String>,
    /// The tool: `tyrian`, `nmap`, `sarif:<driver>`…
    #[schema(max_length = 256)]
    pub source: String,
    /// Id of the check inside the source.
    #[schema(max_length = 1000)]
    pub check: String,
    /// Where.
    #[schema(value_type = LocationSchema)]
    pub location: Location,
    /// Where it stands.
    pub status: Status,
    /// Whether it might be one of several older findings; a person should look.
    pub ambiguous: bool,
    /// First time it was seen.
    pub first_seen: Time,
    /// Last time it was seen.
    pub last_seen: Time,
    /// Last scan that saw it.
    #[schema(value_type = Option<ScanId>)]
    pub last_scan: Option<ScanId>,
    /// Imports and scans that saw it.
    #[schema(minimum = 0, format = "int64")]
    pub times_seen: i64,
    /// How sure the detection is, 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub confidence: u8,
    /// The service of the target it belongs to.
    #[schema(max_length = 200)]
    pub service: Option<String>,
    /// When it was last found to be gone.
    pub fixed_at: Option<Time>,
    /// What it shares with findings of other tools about the same weakness.
    pub cluster: Option<ClusterRef>,
    /// The decision in force.
    pub decision: Option<Decision>,
    /// Risk, 0 to 10, as last assessed; the detail computes and explains it anew.
    #[schema(minimum = 0, maximum = 10)]
    pub risk: Option<f64>,
    /// Until when it must be gone.
    pub due_at: Option<Time>,
    /// Whether it is open past that.
    pub overdue: bool,
    /// What tools last said, without what people decided.
    #[serde(skip, default = "present")]
    #[schema(ignore)]
    pub(crate) state: State,
    /// Ten-thousandths of a point, for the order of lists.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) risk_fine: i64,
}

const fn present() -> State {
    State::Present
}

/// The cluster a finding belongs to, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterRef {
    /// Its name.
    #[schema(max_length = 64)]
    pub id: String,
    /// What its members have in common.
    #[schema(max_length = 1024)]
    pub reason: String,
    /// Whether a person put it there.
    pub by_hand: bool,
}

/// A piece of proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenEvidence {
    /// What it is, such as `response`.
    #[schema(max_length = 256)]
    pub label: String,
    /// The text.
    #[schema(max_length = 65536)]
    pub body: String,
    /// Whether it was cut.
    pub truncated: bool,
}

/// One observation of a finding: what a tool said at one time, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Seen {
    /// When it was taken in.
    pub at: Time,
    /// When the tool saw it, as far as it says.
    #[schema(max_length = 64)]
    pub observed_at: Option<String>,
    /// The import it came with.
    pub import_id: ImportId,
    /// The scan it came from.
    #[schema(value_type = Option<ScanId>)]
    pub scan_id: Option<ScanId>,
    /// The tool's title.
    #[schema(max_length = 1000)]
    pub title: String,
    /// The tool's severity.
    #[schema(value_type = SeveritySchema)]
    pub severity: Severity,
    /// Where.
    #[schema(value_type = LocationSchema)]
    pub location: Location,
    /// What proves it.
    #[schema(max_items = 1000)]
    pub evidence: Vec<SeenEvidence>,
}

words! {
    errors::word;
    /// What kind of turn a finding took.
    HappeningKind, "happening" {
        /// Seen for the first time.
        New = "new",
        /// Seen again after it was gone.
        Reopened = "reopened",
        /// Recognised at another place.
        Moved = "moved",
        /// Looked for again and gone.
        Fixed = "fixed",
        /// A newer test did not look there.
        NotRetested = "not_retested",
        /// Somebody asked for a decision that a second person has to agree to.
        Proposed = "proposed",
        /// Somebody decided, or agreed.
        Decided = "decided",
        /// A second person did not agree, or whoever asked took it back.
        Rejected = "rejected",
        /// A decision was taken back with others of its batch.
        Withdrawn = "withdrawn",
        /// An acceptance ended.
        Expired = "expired",
    }
}

/// One turn in a finding's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Happening {
    /// When.
    pub at: Time,
    /// What.
    pub kind: HappeningKind,
    /// The scan that caused it.
    #[schema(value_type = Option<ScanId>)]
    pub scan_id: Option<ScanId>,
    /// The import that caused it.
    pub import_id: Option<ImportId>,
    /// In words.
    #[schema(max_length = 4096)]
    pub note: Option<String>,
}

/// A finding with everything known about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingDetail {
    /// The finding.
    pub finding: Finding,
    /// What tools said, newest first.
    #[schema(max_items = 100)]
    pub observations: Vec<Seen>,
    /// Its life, newest first.
    #[schema(max_items = 200)]
    pub history: Vec<Happening>,
    /// What people decided, newest first.
    #[schema(max_items = 100)]
    pub decisions: Vec<Decision>,
    /// Whether and how its check ran in the newest scans of its target, newest first.
    #[schema(max_items = 100)]
    pub coverage: Vec<CoverageRow>,
    /// How grave it is here and now, why, and until when it must be gone.
    pub risk: RiskView,
    /// Findings of the same weakness by other tools or at other places.
    #[schema(max_items = 50)]
    pub cluster: Vec<Finding>,
    /// How likely people are to call it a false positive, by what they decided before; nothing until they decided enough.
    pub false_positive: Option<FalsePositiveEstimate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    #[test]
    fn the_status_follows_from_state_and_decision() {
        let now = at(100);
        let status = |state, decision| derive(state, at(50), decision, now).status;
        assert_eq!(status(State::Present, None), Status::Open);
        assert_eq!(status(State::Absent, None), Status::Fixed);
        assert_eq!(status(State::NotRetested, None), Status::NotRetested);
        assert_eq!(status(State::Present, Some((DecisionKind::FalsePositive, None, at(60)))), Status::FalsePositive);
        assert_eq!(status(State::Present, Some((DecisionKind::Accepted, Some(at(101)), at(60)))), Status::Accepted);
        assert_eq!(status(State::Present, Some((DecisionKind::Accepted, Some(at(100)), at(60)))), Status::Open);
        assert_eq!(status(State::Absent, Some((DecisionKind::Accepted, None, at(60)))), Status::Fixed);
        assert_eq!(status(State::Present, Some((DecisionKind::Fixed, None, at(60)))), Status::Fixed);
        assert_eq!(status(State::Present, Some((DecisionKind::Fixed, None, at(40)))), Status::Open, "seen after it was declared fixed");
        assert_eq!(status(State::Present, Some((DecisionKind::Reopen, None, at(60)))), Status::Open);
    }
}
