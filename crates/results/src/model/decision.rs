//! Decisions: what a person says about a finding, or about a rule. They are kept beside findings and never change what tools said.

use std::time::Duration;

use base::{Id, Result, Time, UserId, words};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::finding::FindingId;
use super::query::Filter;
use crate::errors;

/// A decision's id.
pub type DecisionId = Id<Decision>;
/// A batch of decisions made together.
pub type BatchId = Id<Batch>;
/// Marks ids of batches.
#[derive(Debug)]
pub enum Batch {}

/// Nobody can accept a risk for longer without looking at it again.
const LONGEST: Duration = Duration::from_secs(5 * 366 * 24 * 3600);
const LONGEST_REASON: usize = 4000;
/// Findings decided about together.
pub(crate) const MOST_AT_ONCE: usize = 10_000;

words! {
    errors::word;
    /// What is decided.
    DecisionKind, "kind" {
        /// Not a weakness.
        FalsePositive = "false_positive",
        /// A weakness we live with, for a time.
        Accepted = "accepted",
        /// A weakness, but not of anything we answer for.
        OutOfScope = "out_of_scope",
        /// A weakness that something else keeps from being used.
        Mitigated = "mitigated",
        /// Looked at, and it is one; changes no status.
        Confirmed = "confirmed",
        /// Repaired; holds until a tool sees it again.
        Fixed = "fixed",
        /// Takes the decision in force back.
        Reopen = "reopen",
    }
}

impl DecisionKind {
    /// Whether it can end by itself, and can hold for a rule.
    const fn is_lasting(self) -> bool {
        matches!(self, Self::FalsePositive | Self::Accepted | Self::OutOfScope | Self::Mitigated)
    }
}

words! {
    errors::word;
    /// What a decision holds for; findings yet to come included.
    #[derive(Default)]
    DecisionScope, "scope" {
        /// This finding.
        #[default]
        Finding = "finding",
        /// This check of this tool on this asset of this target.
        RuleOnAsset = "rule_on_asset",
        /// This check of this tool, everywhere.
        Rule = "rule",
    }
    /// Where a decision stands.
    #[derive(Default)]
    DecisionState, "state" {
        /// Waits for a second person.
        Proposed = "proposed",
        /// Made; whether it still holds depends on its end and on later ones.
        #[default]
        InForce = "in_force",
        /// A second person said no.
        Rejected = "rejected",
        /// Taken back.
        Withdrawn = "withdrawn",
        /// Its time is over.
        Expired = "expired",
    }
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// The finding it was made from.
    #[serde(default)]
    pub finding_id: Option<FindingId>,
    /// What.
    pub kind: DecisionKind,
    /// What it holds for.
    #[serde(default)]
    pub scope: DecisionScope,
    /// Where it stands.
    #[serde(default)]
    pub state: DecisionState,
    /// Why.
    #[schema(max_length = 4000)]
    pub reason: String,
    /// Until when; without end when absent.
    pub valid_until: Option<Time>,
    /// Who.
    pub decided_by: Option<UserId>,
    /// Who, by name.
    #[schema(max_length = 256)]
    pub decided_by_name: String,
    /// When.
    pub decided_at: Time,
    /// Who approved or rejected it, by name.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub approved_by_name: Option<String>,
    /// The batch it was made in.
    #[serde(default)]
    pub batch_id: Option<BatchId>,
}

/// A decision to be made.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// What.
    pub kind: DecisionKind,
    /// Why; people will ask.
    #[schema(min_length = 1, max_length = 4000)]
    pub reason: String,
    /// Until when; not for `fixed`, `confirmed` and `reopen`.
    #[serde(default)]
    pub valid_until: Option<Time>,
    /// What it holds for; this finding when absent.
    #[serde(default)]
    pub scope: DecisionScope,
}

impl NewDecision {
    /// Checks what can be checked without looking at the finding.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub(crate) fn check(&self, now: Time) -> Result<()> {
        check_reason(&self.reason)?;
        if self.scope != DecisionScope::Finding && !self.kind.is_lasting() && self.kind != DecisionKind::Reopen {
            return Err(errors::scope());
        }
        match self.valid_until {
            None => Ok(()),
            Some(until) if self.kind.is_lasting() && until > now && until <= now + LONGEST => Ok(()),
            Some(_) if self.kind.is_lasting() => Err(errors::valid_until("it must be in the future and at most five years away")),
            Some(_) => Err(errors::valid_until("a decision of this kind does not end by itself")),
        }
    }
}

/// Checks the words of a decision.
pub(crate) fn check_reason(reason: &str) -> Result<()> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON || reason.contains('\0') {
        return Err(errors::reason());
    }
    Ok(())
}

/// The same decision about many findings: those named, or those a filter shows.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkDecision {
    /// The findings.
    #[serde(default)]
    #[schema(max_items = 10000)]
    pub ids: Vec<FindingId>,
    /// Or: every finding this shows, at most ten thousand.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Filter>,
    /// What.
    pub kind: DecisionKind,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    pub reason: String,
    /// Until when.
    #[serde(default)]
    pub valid_until: Option<Time>,
}

/// What a bulk decision did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkOutcome {
    /// The batch, by which all of it can be taken back.
    pub batch_id: BatchId,
    /// Where its decisions stand: `proposed` when they wait for a second person.
    pub state: DecisionState,
    /// Findings decided about.
    #[schema(minimum = 0, format = "int64")]
    pub decided: u64,
    /// Findings that do not exist, or have nothing to reopen.
    #[schema(minimum = 0, format = "int64")]
    pub skipped: u64,
}

/// The answer of a second person.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether the decision may stand.
    pub approve: bool,
}

/// The rules for deciding in this tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether accepting a risk needs a second person.
    pub four_eyes: bool,
}
