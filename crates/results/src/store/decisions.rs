//! SQL of decisions.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Result, Scope, Time};

use super::{clean, list};
use crate::model::{Decision, DecisionKind, Derived, FindingId, State};

/// What deciding needs to know of a finding.
pub(crate) struct Decided {
    pub(crate) title: String,
    pub(crate) state: State,
    pub(crate) last_seen: Time,
    pub(crate) has_decision: bool,
}

/// Takes the finding for this change alone.
pub(crate) async fn lock(change: &mut Change, id: FindingId) -> Result<Option<Decided>> {
    let statement =
        sql("UPDATE vulnerabilities SET id = id WHERE tenant_id = $1 AND id = $2 RETURNING title, state, last_seen, decision_id");
    let row = change.one(statement.bind(change.scope().tenant()).bind(id)).await?;
    row.map(|row| {
        Ok(Decided {
            title: row.get("title")?,
            state: row.parse("state")?,
            last_seen: row.get("last_seen")?,
            has_decision: row.get::<Option<String>>("decision_id")?.is_some(),
        })
    })
    .transpose()
}

/// Keeps a decision and puts it in force; `Reopen` puts none in force.
pub(crate) async fn insert(change: &mut Change, finding: FindingId, decision: &Decision, derived: Derived) -> Result<()> {
    let tenant = change.scope().tenant();
    let statement =
        sql("INSERT INTO decisions (id, tenant_id, finding_id, kind, reason, valid_until, decided_by, decided_by_name, decided_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    let statement = statement
        .bind(decision.id)
        .bind(tenant)
        .bind(finding)
        .bind(decision.kind.as_str())
        .bind(clean(&decision.reason))
        .bind(decision.valid_until)
        .bind(decision.decided_by)
        .bind(clean(&decision.decided_by_name))
        .bind(decision.decided_at);
    change.run(statement).await?;
    let in_force = decision.kind != DecisionKind::Reopen;
    let statement = sql("UPDATE vulnerabilities SET decision_id = $3, decision_kind = $4, decision_until = $5, decision_at = $6,
             status = $7, status_until = $8, base_status = $9 WHERE tenant_id = $1 AND id = $2");
    let statement = statement
        .bind(tenant)
        .bind(finding)
        .bind(in_force.then_some(decision.id))
        .bind(in_force.then_some(decision.kind.as_str()))
        .bind(decision.valid_until.filter(|_| in_force))
        .bind(in_force.then_some(decision.decided_at))
        .bind(derived.status.as_str())
        .bind(derived.until)
        .bind(derived.base.as_str());
    change.run(statement).await.map(drop)
}

fn decision(row: &Row) -> Result<Decision> {
    Ok(Decision {
        id: row.get("id")?,
        kind: row.parse("kind")?,
        reason: row.get("reason")?,
        valid_until: row.get("valid_until")?,
        decided_by: row.get("decided_by")?,
        decided_by_name: row.get("decided_by_name")?,
        decided_at: row.get("decided_at")?,
    })
}

/// What people decided about a finding, newest first.
pub(crate) async fn of_finding(db: &Db, scope: &Scope, finding: FindingId, limit: u32) -> Result<Vec<Decision>> {
    let statement = format!("SELECT * FROM decisions WHERE tenant_id = $1 AND finding_id = $2 ORDER BY id DESC LIMIT {limit}");
    db.all(Sql::built(statement).bind(scope.tenant()).bind(finding)).await?.iter().map(decision).collect()
}

/// Ends acceptances whose time is over; returns the findings.
pub(crate) async fn expire(change: &mut Change) -> Result<Vec<FindingId>> {
    let ended = sql(
        "SELECT id FROM vulnerabilities WHERE tenant_id = $1 AND status_until IS NOT NULL AND status_until <= $2 ORDER BY id LIMIT 5000",
    );
    let rows = change.all(ended.bind(change.scope().tenant()).bind(change.now())).await?;
    let ids: Vec<FindingId> = rows.iter().map(|row| row.get("id")).collect::<Result<_>>()?;
    if !ids.is_empty() {
        let statement = format!(
            "UPDATE vulnerabilities SET status = base_status, status_until = NULL, decision_id = NULL, decision_kind = NULL, decision_until = NULL, decision_at = NULL
             WHERE tenant_id = $1 AND id IN ({})",
            list(ids.len(), 1)
        );
        change.run(Sql::built(statement).bind(change.scope().tenant()).bind_all(ids.iter().map(|id| (*id).into()))).await?;
    }
    Ok(ids)
}
