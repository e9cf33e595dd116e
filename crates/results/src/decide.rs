//! Deciding: about one finding, about a rule, about many findings at once, with a second person where the tenant wants one.

use audit::Change;
use base::{Actor, Page, PageRequest, Result};
use serde_json::json;

use crate::events::FindingDecided;
use crate::model::{
    BatchId, BulkDecision, BulkOutcome, Decision, DecisionId, DecisionKind, DecisionScope, DecisionState, Finding, FindingId,
    HappeningKind, ImportId, MOST_AT_ONCE, NewDecision, Policy,
};
use crate::service::Results;
use crate::store::decisions::{Before, Decided};
use crate::{actions, errors, store};

impl Results {
    /// Decides about a finding or its rule. What tools said stays as it is; the status follows.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound`; `Conflict` when there is nothing to take back; `Forbidden`.
    pub async fn decide(&self, actor: &Actor, id: FindingId, new: NewDecision) -> Result<Finding> {
        let mut change = Change::begin(&self.backends, actor, actions::DECIDE).await?;
        new.check(change.now())?;
        if new.scope != DecisionScope::Finding && !actor.units.is_empty() {
            return Err(errors::ruling_beyond_units());
        }
        let found = store::decisions::lock(&mut change, &[id]).await?.pop().ok_or_else(|| errors::finding_not_found(id))?;
        let waits = new.kind == DecisionKind::Accepted && store::decisions::four_eyes(&mut change).await?;
        let decision = Decision {
            state: if waits { DecisionState::Proposed } else { DecisionState::InForce },
            scope: new.scope,
            ..decision(&change, actor, &found, new.kind, &new.reason, new.valid_until)
        };
        if !waits {
            self.put_in_force(&mut change, &found, &decision).await?;
        } else {
            store::decisions::insert(&mut change, &[(&found, decision.clone())]).await?;
        }
        let turn = if waits { HappeningKind::Proposed } else { HappeningKind::Decided };
        store::ingest::add_history(&mut change, None, None, &[(id, turn, Some(said(decision.kind, &decision.reason)))]).await?;
        self.tell(change, &found, &decision).await
    }

    /// Makes a decision hold, wherever its scope says.
    async fn put_in_force(&self, change: &mut Change, found: &Decided, decision: &Decision) -> Result<()> {
        let in_force = (decision.id, (decision.kind, decision.valid_until, decision.decided_at));
        let ids = match (decision.scope, decision.kind) {
            (DecisionScope::Finding, DecisionKind::Reopen) => {
                if found.decision.is_none() {
                    return Err(errors::nothing_to_reopen());
                }
                // What a rule says is taken back for this finding by saying so; its own decision is simply gone.
                let is_own = found.scope == Some(DecisionScope::Finding);
                store::decisions::put(change, found.id, (!is_own).then_some(in_force)).await?;
                store::rulings::fall_back(change, &[found.id]).await?;
                vec![found.id]
            }
            (DecisionScope::Finding, _) => {
                store::decisions::put(change, found.id, Some(in_force)).await?;
                vec![found.id]
            }
            (scope, DecisionKind::Reopen) => {
                let ids = store::rulings::withdraw(change, found, scope).await?.ok_or_else(errors::nothing_to_reopen)?;
                store::rulings::fall_back(change, &ids).await?;
                ids
            }
            (scope, _) => {
                // What does not hold any more is in nobody's way.
                let mut ids = store::rulings::let_go(change, found, scope).await?;
                // One ruling per rule and place: the newer one takes the place of the older.
                ids.extend(store::rulings::withdraw(change, found, scope).await?.unwrap_or_default());
                ids.extend(store::rulings::put(change, found, decision).await?);
                ids
            }
        };
        if decision.state == DecisionState::InForce && decision.approved_by_name.is_none() {
            store::decisions::insert(change, &[(found, decision.clone())]).await?;
        }
        store::decisions::derive_again(change, &ids).await
    }

    async fn tell(&self, mut change: Change, found: &Decided, decision: &Decision) -> Result<Finding> {
        let (scope, now, id) = (change.scope(), change.now(), found.id);
        let status = store::findings::status_now(&mut change, id).await?;
        change.publish(&FindingDecided { finding_id: id, kind: decision.kind, status }).await?;
        change.subject("finding", id);
        change.reason(decision.reason.clone());
        change.detail(json!({
            "title": found.title, "kind": decision.kind, "scope": decision.scope, "state": decision.state, "valid_until": decision.valid_until,
            "status": status,
        }));
        change.commit().await?;
        store::findings::get(&self.backends.db, &scope, now, id).await?.ok_or_else(|| errors::finding_not_found(id))
    }

    /// Answers a decision that waits for a second person.
    ///
    /// # Errors
    /// `NotFound` when none waits; `Forbidden` for the person who asked; else the database's.
    pub async fn approve(&self, actor: &Actor, id: DecisionId, approve: bool) -> Result<Finding> {
        let mut change = Change::begin(&self.backends, actor, actions::APPROVE).await?;
        let decision = store::decisions::proposed(&mut change, id).await?.ok_or_else(errors::decision_not_found)?;
        if approve && decision.decided_by == actor.user {
            return Err(errors::same_person());
        }
        let finding = decision.finding_id.ok_or_else(errors::decision_not_found)?;
        let found = store::decisions::lock(&mut change, &[finding]).await?.pop().ok_or_else(|| errors::finding_not_found(finding))?;
        let state = if approve { DecisionState::InForce } else { DecisionState::Rejected };
        let decision = Decision { state, approved_by_name: Some(actor.username.clone()), ..decision };
        if approve {
            self.put_in_force(&mut change, &found, &decision).await?;
        }
        // After `put_in_force`, which withdraws what this one takes the place of.
        store::decisions::answer(&mut change, id, state, found.decision).await?;
        let turn = if approve { HappeningKind::Decided } else { HappeningKind::Rejected };
        let who = said(decision.kind, &actor.username);
        store::ingest::add_history(&mut change, None, None, &[(finding, turn, Some(who))]).await?;
        self.tell(change, &found, &decision).await
    }

    /// Decides the same about many findings.
    ///
    /// # Errors
    /// `Invalid` naming the field; `Forbidden`.
    pub async fn decide_all(&self, actor: &Actor, bulk: BulkDecision) -> Result<BulkOutcome> {
        let scope = actor.scope(actions::DECIDE)?;
        let new = NewDecision { kind: bulk.kind, reason: bulk.reason, valid_until: bulk.valid_until, scope: DecisionScope::Finding };
        new.check(self.backends.clock.now())?;
        let ids = match (&bulk.filter, bulk.ids.is_empty()) {
            (Some(filter), true) => {
                filter.check()?;
                store::findings::ids(&self.backends.db, &scope, self.backends.clock.now(), filter, MOST_AT_ONCE + 1).await?
            }
            (None, false) => bulk.ids,
            _ => return Err(errors::bulk("name either findings or a filter")),
        };
        if ids.len() > MOST_AT_ONCE {
            return Err(errors::bulk(&format!("more than {MOST_AT_ONCE} findings at once")));
        }
        let mut change = Change::begin(&self.backends, actor, actions::DECIDE).await?;
        let waits = new.kind == DecisionKind::Accepted && store::decisions::four_eyes(&mut change).await?;
        let batch: BatchId = change.id();
        let mut found = store::decisions::lock(&mut change, &ids).await?;
        if new.kind == DecisionKind::Reopen {
            found.retain(|one| one.decision.is_some());
        }
        let state = if waits { DecisionState::Proposed } else { DecisionState::InForce };
        let rows: Vec<(&Decided, Decision)> = found
            .iter()
            .map(|one| {
                let decision = decision(&change, actor, one, new.kind, &new.reason, new.valid_until);
                (one, Decision { state, batch_id: Some(batch), ..decision })
            })
            .collect();
        store::decisions::insert(&mut change, &rows).await?;
        let decided: Vec<FindingId> = found.iter().map(|one| one.id).collect();
        if !waits {
            store::decisions::put_batch(&mut change, batch).await?;
            store::decisions::derive_again(&mut change, &decided).await?;
        }
        let turn = if waits { HappeningKind::Proposed } else { HappeningKind::Decided };
        let note = said(new.kind, new.reason.trim());
        let turns: Vec<_> = decided.iter().map(|id| (*id, turn, Some(note.clone()))).collect();
        store::ingest::add_history(&mut change, None, None, &turns).await?;
        change.subject("decisions", batch);
        change.reason(new.reason.trim());
        change.detail(json!({ "kind": new.kind, "findings": decided.len(), "valid_until": new.valid_until, "state": state }));
        change.commit().await?;
        Ok(BulkOutcome { batch_id: batch, state, decided: decided.len() as u64, skipped: (ids.len() - decided.len()) as u64 })
    }

    /// Takes the decisions of a batch back, where they are still in force; returns how many.
    ///
    /// # Errors
    /// `NotFound` when nothing of it is left; `Forbidden`.
    pub async fn undo_decisions(&self, actor: &Actor, batch: BatchId) -> Result<usize> {
        let mut change = Change::begin(&self.backends, actor, actions::UNDO_DECISIONS).await?;
        let ids = store::decisions::take_back(&mut change, batch).await?;
        if ids.is_empty() {
            return Err(errors::batch_not_found());
        }
        store::decisions::derive_again(&mut change, &ids).await?;
        let turns: Vec<_> = ids.iter().map(|id| (*id, HappeningKind::Withdrawn, None)).collect();
        store::ingest::add_history(&mut change, None, None, &turns).await?;
        change.subject("decisions", batch);
        change.detail(json!({ "taken_back": ids.len() }));
        change.commit().await?;
        Ok(ids.len())
    }

    /// Lets what was decided about rules while an import was taken in hold for what it brought: its findings were not yet to be seen by
    /// who decided, and it knew the rulings of when it began. Returns how many findings that were.
    ///
    /// # Errors
    /// The database's.
    pub async fn rule(&self, actor: &Actor, import: ImportId) -> Result<usize> {
        let scope = actor.scope(actions::RULE)?;
        let ids = store::rulings::misruled(&self.backends.db, &scope, import, self.backends.clock.now()).await?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut change = Change::begin(&self.backends, actor, actions::RULE).await?;
        store::rulings::set_free(&mut change, &ids).await?;
        store::rulings::fall_back(&mut change, &ids).await?;
        store::decisions::derive_again(&mut change, &ids).await?;
        change.subject("import", import);
        change.detail(json!({ "findings": ids.len() }));
        change.commit().await?;
        Ok(ids.len())
    }

    /// Decisions, newest first.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a foreign cursor.
    pub async fn decisions(
        &self,
        actor: &Actor,
        state: Option<DecisionState>,
        of: Option<DecisionScope>,
        page: &PageRequest,
    ) -> Result<Page<Decision>> {
        let scope = actor.scope(actions::SURVEY)?;
        let rows = page.rows()?;
        let decisions = store::decisions::page(&self.backends.db, &scope, state, of, page.after()?, rows).await?;
        Page::cut(decisions, rows, |decision| Before(decision.id))
    }

    /// The tenant's rules for deciding.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn policy(&self, actor: &Actor) -> Result<Policy> {
        store::decisions::policy(&self.backends.db, &actor.scope(actions::READ)?).await
    }

    /// Changes the tenant's rules for deciding.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn set_policy(&self, actor: &Actor, policy: Policy) -> Result<Policy> {
        let mut change = Change::begin(&self.backends, actor, actions::SET_POLICY).await?;
        store::decisions::set_policy(&mut change, policy).await?;
        change.subject("policy", "findings");
        change.detail(json!(policy));
        change.commit().await?;
        Ok(policy)
    }
}

fn decision(change: &Change, actor: &Actor, found: &Decided, kind: DecisionKind, reason: &str, until: Option<base::Time>) -> Decision {
    Decision {
        id: change.id(),
        finding_id: Some(found.id),
        kind,
        scope: DecisionScope::Finding,
        state: DecisionState::InForce,
        reason: reason.trim().to_owned(),
        valid_until: until,
        decided_by: actor.user,
        decided_by_name: actor.username.clone(),
        decided_at: change.now(),
        approved_by_name: None,
        batch_id: None,
    }
}

/// The note of a turn: what was decided, and why or by whom.
pub(crate) fn said(kind: DecisionKind, rest: &str) -> String {
    format!("{kind}: {rest}")
}
