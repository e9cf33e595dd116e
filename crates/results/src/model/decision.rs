//! Decisions: what a person says about a finding. They are kept beside it and never change what tools said.

use std::time::Duration;

use base::{Id, Result, Time, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::finding::words;
use crate::errors;

/// A decision's id.
pub type DecisionId = Id<Decision>;

/// Nobody can accept a risk for longer without looking at it again.
const LONGEST: Duration = Duration::from_secs(5 * 366 * 24 * 3600);
const LONGEST_REASON: usize = 4000;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// Not a weakness.
    FalsePositive,
    /// A weakness we live with, for a time.
    Accepted,
    /// Repaired; holds until a tool sees it again.
    Fixed,
    /// Takes the decision in force back.
    Reopen,
}

words! { DecisionKind, "kind" { FalsePositive = "false_positive", Accepted = "accepted", Fixed = "fixed", Reopen = "reopen" } }

/// What a person decided about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// What.
    pub kind: DecisionKind,
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
    /// Until when, for `accepted` only.
    #[serde(default)]
    pub valid_until: Option<Time>,
}

impl NewDecision {
    /// Checks what can be checked without looking at the finding.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub(crate) fn check(&self, now: Time) -> Result<()> {
        let reason = self.reason.trim();
        if reason.is_empty() || self.reason.chars().count() > LONGEST_REASON || self.reason.contains('\0') {
            return Err(errors::reason());
        }
        match (self.kind, self.valid_until) {
            (_, None) => Ok(()),
            (DecisionKind::Accepted, Some(until)) if until > now && until <= now + LONGEST => Ok(()),
            (DecisionKind::Accepted, Some(_)) => Err(errors::valid_until("it must be in the future and at most five years away")),
            (_, Some(_)) => Err(errors::valid_until("only `accepted` can end by itself")),
        }
    }
}
