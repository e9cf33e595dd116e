//! What another instance believed comes over with its export: how a finding stood, since when, what was decided and written down about it.
//! It holds for findings nobody knows here; known ones are left alone, for an export is no test.

use audit::Change;
use base::{Result, Time};
use importers::{Belief, Carried, CarriedNote};

use super::apply::Origin;
use crate::model::{
    BatchId, Decision, DecisionKind, DecisionScope, DecisionState, FindingId, FindingNote, InForce, NewNote, State, check_reason,
};

/// A finding's life elsewhere.
pub(super) struct Past {
    pub(super) state: State,
    pub(super) first_seen: Time,
    pub(super) last_seen: Time,
    pub(super) fixed_at: Option<Time>,
    pub(super) times_seen: i64,
    pub(super) decision: Option<Decision>,
    pub(super) notes: Vec<FindingNote>,
}

impl Past {
    /// The decision as deriving a status wants it; one that waits for a second person does not hold.
    pub(super) fn in_force(&self) -> Option<InForce> {
        let decision = self.decision.as_ref().filter(|decision| decision.state == DecisionState::InForce)?;
        Some((decision.kind, decision.valid_until, decision.decided_at))
    }
}

/// Reads a belief; whatever it says lies in the past.
pub(super) fn past(change: &Change, origin: &Origin, finding: FindingId, belief: &str) -> Result<Past> {
    let belief: Belief =
        serde_json::from_str(belief).map_err(|cause| base::Error::internal("a spooled belief cannot be read").because(cause))?;
    let now = change.now();
    let moment = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Time>().ok()).map(|time| time.min(now));
    let last_seen = moment(&belief.last_seen).unwrap_or(now);
    let state = belief.state.parse().unwrap_or(State::Present);
    Ok(Past {
        state,
        first_seen: moment(&belief.first_seen).unwrap_or(last_seen).min(last_seen),
        last_seen,
        fixed_at: (state == State::Absent).then(|| moment(&belief.fixed_at).unwrap_or(last_seen)),
        times_seen: i64::from(belief.times_seen.max(1)),
        decision: belief.decision.and_then(|carried| decision(change, origin, finding, carried)),
        notes: belief.notes.into_iter().filter_map(|carried| note(change, finding, carried)).collect(),
    })
}

fn note(change: &Change, finding: FindingId, carried: CarriedNote) -> Option<FindingNote> {
    let text = NewNote { text: carried.text }.checked().ok()?.to_owned();
    Some(FindingNote {
        id: change.id(),
        finding_id: finding,
        text,
        written_by: None,
        written_by_name: named(&carried.written_by_name),
        created_at: carried.created_at.and_then(|at| at.parse::<Time>().ok()).unwrap_or(change.now()).min(change.now()),
    })
}

/// The name of somebody elsewhere, as long as names here may be.
fn named(name: &str) -> String {
    name.chars().take(256).collect()
}

fn decision(change: &Change, origin: &Origin, finding: FindingId, carried: Carried) -> Option<Decision> {
    let now = change.now();
    let moment = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Time>().ok());
    let kind: DecisionKind = carried.kind.parse().ok().filter(|kind| *kind != DecisionKind::Reopen)?;
    let valid_until = moment(&carried.valid_until);
    let is_over = valid_until.is_some_and(|until| until <= now);
    if is_over || check_reason(&carried.reason).is_err() {
        return None;
    }
    // A file can say of itself that somebody approved it; where two people must agree, one of them is here.
    let waits = origin.four_eyes && kind == DecisionKind::Accepted;
    Some(Decision {
        id: change.id(),
        finding_id: Some(finding),
        kind,
        scope: DecisionScope::Finding,
        state: if waits { DecisionState::Proposed } else { DecisionState::InForce },
        reason: carried.reason,
        valid_until,
        decided_by: None,
        decided_by_name: named(&carried.decided_by_name),
        decided_at: moment(&carried.decided_at).unwrap_or(now).min(now),
        approved_by_name: carried.approved_by_name.filter(|_| !waits).map(|name| named(&name)),
        batch_id: Some(BatchId::from_uuid(origin.import.uuid())),
    })
}
