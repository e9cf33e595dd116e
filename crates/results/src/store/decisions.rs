//! SQL of decisions: about a finding, about a rule, in batches, and waiting for a second person.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope, Time};
use serde::{Deserialize, Serialize};

use super::{clean, rulings};
use crate::model::{BatchId, Decision, DecisionId, DecisionScope, DecisionState, Derived, FindingId, InForce, Policy, derive};

/// Ids named in one statement.
const IDS: usize = 10_000;

/// What deciding needs to know of a finding.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) id: FindingId,
    pub(crate) title: String,
    pub(crate) source: String,
    pub(crate) check: String,
    /// Target and asset, as rules on assets name them.
    pub(crate) place: String,
    pub(crate) decision: Option<DecisionId>,
    pub(crate) scope: Option<DecisionScope>,
}

fn decided(row: &Row) -> Result<Decided> {
    let (target, asset): (String, String) = (row.get("target_id")?, row.get("asset")?);
    let scope: Option<String> = row.get("scope")?;
    Ok(Decided {
        id: row.get("id")?,
        title: row.get("title")?,
        source: row.get("source")?,
        check: row.get("check_id")?,
        place: format!("{target}\n{asset}"),
        decision: row.get("decision_id")?,
        scope: scope.map(|scope| scope.parse()).transpose()?,
    })
}

/// The decision in force, in a row of a finding.
pub(crate) fn in_force(row: &Row) -> Result<Option<InForce>> {
    let kind: Option<String> = row.get("decision_kind")?;
    let Some(kind) = kind else { return Ok(None) };
    Ok(Some((kind.parse()?, row.get("decision_until")?, row.get::<Option<Time>>("decision_at")?.unwrap_or_default())))
}

/// Takes findings for this change alone.
pub(crate) async fn lock(change: &mut Change, ids: &[FindingId]) -> Result<Vec<Decided>> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(IDS) {
        let scope = change.scope();
        let mut values: Vec<Value> = vec![scope.tenant().into()];
        values.extend(some.iter().map(|id| Value::from(*id)));
        let among = Sql::list(some.len(), 1);
        let held = format!("UPDATE vulnerabilities SET id = id WHERE tenant_id = $1 AND id IN ({among})");
        change.run(Sql::built(held).bind_all(values.clone())).await?;
        let within = targets::within(&scope, "v.target_id", &mut values);
        let statement = format!(
            "SELECT v.id, v.title, v.source, v.check_id, v.target_id, v.asset, v.decision_id, d.scope
             FROM vulnerabilities v LEFT JOIN decisions d ON d.id = v.decision_id WHERE v.tenant_id = $1 AND v.id IN ({among}){within}"
        );
        for row in change.all(Sql::built(statement).bind_all(values)).await? {
            found.push(decided(&row)?);
        }
    }
    Ok(found)
}

/// Keeps decisions, in force or not; each with the rule it is about and the decision it takes the place of.
pub(crate) async fn insert(change: &mut Change, rows: &[(&Decided, Decision)]) -> Result<()> {
    for some in rows.chunks(1500) {
        let statement = format!(
            "INSERT INTO decisions (id, tenant_id, finding_id, kind, reason, valid_until, decided_by, decided_by_name, decided_at, scope, state,
                 source, check_id, asset, batch_id, previous_id, approved_by_name) VALUES {}",
            Sql::rows(some.len(), 17, 0)
        );
        let tenant = change.scope().tenant();
        let mut insert = Sql::built(statement);
        for (finding, decision) in some {
            let asset = (decision.scope == DecisionScope::RuleOnAsset).then(|| finding.place.clone());
            insert = insert
                .bind(decision.id)
                .bind(tenant)
                .bind(finding.id)
                .bind(decision.kind.as_str())
                .bind(clean(&decision.reason))
                .bind(decision.valid_until)
                .bind(decision.decided_by)
                .bind(clean(&decision.decided_by_name))
                .bind(decision.decided_at)
                .bind(decision.scope.as_str())
                .bind(decision.state.as_str())
                .bind(&finding.source)
                .bind(&finding.check)
                .bind(asset)
                .bind(decision.batch_id)
                .bind(finding.decision)
                .bind(decision.approved_by_name.as_deref().map(clean));
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Puts one decision in force on a finding, or none.
pub(crate) async fn put(change: &mut Change, id: FindingId, decision: Option<(DecisionId, InForce)>) -> Result<()> {
    let statement = sql("UPDATE vulnerabilities SET decision_id = $3, decision_kind = $4, decision_until = $5, decision_at = $6
         WHERE tenant_id = $1 AND id = $2");
    let statement = statement
        .bind(change.scope().tenant())
        .bind(id)
        .bind(decision.map(|(id, _)| id))
        .bind(decision.map(|(_, (kind, ..))| kind.as_str()))
        .bind(decision.and_then(|(_, (_, until, _))| until))
        .bind(decision.map(|(_, (.., at))| at));
    change.run(statement).await.map(drop)
}

/// Puts every decision of a batch in force on its finding.
pub(crate) async fn put_batch(change: &mut Change, batch: BatchId) -> Result<()> {
    let statement = sql("UPDATE vulnerabilities SET decision_id = d.id, decision_kind = d.kind, decision_until = d.valid_until, decision_at = d.decided_at
         FROM decisions AS d
         WHERE vulnerabilities.tenant_id = $1 AND d.tenant_id = $1 AND d.batch_id = $2 AND d.state = 'in_force' AND d.finding_id = vulnerabilities.id");
    change.run(statement.bind(change.scope().tenant()).bind(batch)).await.map(drop)
}

/// Puts what held before a batch back where the batch still holds: an older decision about the finding, else what holds for its rule now;
/// returns the findings.
pub(crate) async fn take_back(change: &mut Change, batch: BatchId) -> Result<Vec<FindingId>> {
    let (tenant, now) = (change.scope().tenant(), change.now());
    // Held first: what somebody decides meanwhile is seen here, or waits.
    let held = sql("UPDATE vulnerabilities SET id = id
         WHERE tenant_id = $1 AND decision_id IN (SELECT id FROM decisions WHERE tenant_id = $1 AND batch_id = $2) RETURNING id");
    let rows = change.all(held.bind(tenant).bind(batch)).await?;
    let ids = rows.iter().map(|row| row.get("id")).collect::<Result<Vec<FindingId>>>()?;
    if ids.is_empty() {
        return Ok(ids);
    }
    let withdraw = sql("UPDATE decisions SET state = 'withdrawn' WHERE tenant_id = $1 AND batch_id = $2 AND state = 'in_force'");
    change.run(withdraw.bind(tenant).bind(batch)).await?;
    // What took the place of a decision of this batch has, from now on, taken the place of what was before it.
    let relink = sql("UPDATE decisions SET previous_id = b.previous_id FROM decisions AS b
         WHERE decisions.tenant_id = $1 AND b.tenant_id = $1 AND b.batch_id = $2 AND decisions.previous_id = b.id");
    change.run(relink.bind(tenant).bind(batch)).await?;
    let restore = sql(
        "UPDATE vulnerabilities SET decision_id = p.id, decision_kind = p.kind, decision_until = p.valid_until, decision_at = p.decided_at
         FROM decisions AS b LEFT JOIN decisions AS p ON p.id = b.previous_id AND p.scope = 'finding' AND p.state = 'in_force'
             AND (p.valid_until IS NULL OR p.valid_until > $3)
         WHERE vulnerabilities.tenant_id = $1 AND b.tenant_id = $1 AND b.batch_id = $2 AND vulnerabilities.decision_id = b.id",
    );
    change.run(restore.bind(tenant).bind(batch).bind(now)).await?;
    rulings::fall_back(change, &ids).await?;
    Ok(ids)
}

/// Derives the status of findings from what tools said and what is in force; findings that come out alike share a statement.
pub(crate) async fn derive_again(change: &mut Change, ids: &[FindingId]) -> Result<()> {
    let now = change.now();
    let mut alike: std::collections::HashMap<Derived, Vec<FindingId>> = std::collections::HashMap::new();
    for some in ids.chunks(IDS) {
        let statement = format!(
            "SELECT id, state, last_seen, decision_kind, decision_until, decision_at FROM vulnerabilities JOIN finding_sightings USING (tenant_id, id)
             WHERE tenant_id = $1 AND id IN ({})",
            Sql::list(some.len(), 1)
        );
        let statement = Sql::built(statement).bind(change.scope().tenant()).bind_all(some.iter().map(|id| Value::from(*id)));
        for row in change.all(statement).await? {
            let derived = derive(row.parse("state")?, row.get("last_seen")?, in_force(&row)?, now);
            alike.entry(derived).or_default().push(row.get("id")?);
        }
    }
    for (derived, ids) in alike {
        for some in ids.chunks(IDS) {
            let statement = format!(
                "UPDATE vulnerabilities SET status = $2, status_until = $3, base_status = $4 WHERE tenant_id = $1 AND id IN ({})",
                Sql::list(some.len(), 4)
            );
            let statement = Sql::built(statement)
                .bind(change.scope().tenant())
                .bind(derived.status.as_str())
                .bind(derived.until)
                .bind(derived.base.as_str())
                .bind_all(some.iter().map(|id| Value::from(*id)));
            change.run(statement).await?;
        }
    }
    Ok(())
}

fn decision(row: &Row) -> Result<Decision> {
    Ok(Decision {
        id: row.get("id")?,
        finding_id: row.get("finding_id")?,
        kind: row.parse("kind")?,
        scope: row.parse("scope")?,
        state: row.parse("state")?,
        reason: row.get("reason")?,
        valid_until: row.get("valid_until")?,
        decided_by: row.get("decided_by")?,
        decided_by_name: row.get("decided_by_name")?,
        decided_at: row.get("decided_at")?,
        approved_by_name: row.get("approved_by_name")?,
        batch_id: row.get("batch_id")?,
    })
}

/// What people decided about a finding, or about its rule from it, newest first.
pub(crate) async fn of_finding(db: &Db, scope: &Scope, finding: FindingId, limit: u32) -> Result<Vec<Decision>> {
    let statement = format!("SELECT * FROM decisions WHERE tenant_id = $1 AND finding_id = $2 ORDER BY id DESC LIMIT {limit}");
    db.all(Sql::built(statement).bind(scope.tenant()).bind(finding)).await?.iter().map(decision).collect()
}

/// Where a page of decisions ends.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before(pub(crate) DecisionId);

/// Decisions, newest first; those in a state, or with a scope, when asked.
pub(crate) async fn page(
    db: &Db,
    scope: &Scope,
    state: Option<DecisionState>,
    of: Option<DecisionScope>,
    before: Option<Before>,
    rows: u32,
) -> Result<Vec<Decision>> {
    let mut clauses = String::from("tenant_id = $1");
    let mut values = Vec::new();
    for (clause, value) in [
        ("state =", state.map(|state| Value::from(state.as_str()))),
        ("scope =", of.map(|of| Value::from(of.as_str()))),
        ("id <", before.map(|Before(id)| Value::from(id))),
    ] {
        if let Some(value) = value {
            values.push(value);
            clauses.push_str(&format!(" AND {clause} ${}", values.len() + 1));
        }
    }
    let statement = format!("SELECT * FROM decisions WHERE {clauses} ORDER BY id DESC LIMIT {}", rows + 1);
    db.all(Sql::built(statement).bind(scope.tenant()).bind_all(values)).await?.iter().map(decision).collect()
}

/// Takes a decision that waits for a second person.
pub(crate) async fn proposed(change: &mut Change, id: DecisionId) -> Result<Option<Decision>> {
    let statement = sql("UPDATE decisions SET id = id WHERE tenant_id = $1 AND id = $2 AND state = 'proposed' RETURNING *");
    change.one(statement.bind(change.scope().tenant()).bind(id)).await?.as_ref().map(decision).transpose()
}

/// Ends the waiting of a decision; `previous` is the one in force until now, whatever was when it was asked for.
pub(crate) async fn answer(change: &mut Change, id: DecisionId, state: DecisionState, previous: Option<DecisionId>) -> Result<()> {
    let (user, name) = (change.actor().user, change.actor().username.clone());
    let statement = sql("UPDATE decisions SET state = $3, approved_by = $4, approved_by_name = $5, approved_at = $6, previous_id = $7
         WHERE tenant_id = $1 AND id = $2");
    let statement = statement.bind(change.scope().tenant()).bind(id).bind(state.as_str()).bind(user).bind(clean(&name)).bind(change.now());
    change.run(statement.bind(previous)).await.map(drop)
}

/// Whether accepting a risk needs a second person, as the change sees it.
pub(crate) async fn four_eyes(change: &mut Change) -> Result<bool> {
    let statement = sql("SELECT four_eyes FROM finding_policies WHERE tenant_id = $1").bind(change.scope().tenant());
    change.one(statement).await?.map_or(Ok(false), |row| row.get("four_eyes"))
}

/// The tenant's rules for deciding.
pub(crate) async fn policy(db: &Db, scope: &Scope) -> Result<Policy> {
    let row = db.one(sql("SELECT four_eyes FROM finding_policies WHERE tenant_id = $1").bind(scope.tenant())).await?;
    row.map_or(Ok(Policy::default()), |row| Ok(Policy { four_eyes: row.get("four_eyes")? }))
}

/// Changes the tenant's rules for deciding.
pub(crate) async fn set_policy(change: &mut Change, policy: Policy) -> Result<()> {
    let statement = sql("INSERT INTO finding_policies (tenant_id, four_eyes, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id) DO UPDATE SET four_eyes = excluded.four_eyes, updated_at = excluded.updated_at");
    change.run(statement.bind(change.scope().tenant()).bind(policy.four_eyes).bind(change.now())).await.map(drop)
}

/// Ends decisions whose time is over; returns the findings.
pub(crate) async fn expire(change: &mut Change) -> Result<Vec<FindingId>> {
    let (tenant, now) = (change.scope().tenant(), change.now());
    let over = sql("UPDATE decisions SET state = 'expired' WHERE tenant_id = $1 AND state = 'in_force' AND valid_until <= $2");
    change.run(over.bind(tenant).bind(now)).await?;
    // Asked twice: somebody may have decided anew between finding a row and changing it.
    let ended = format!(
        "UPDATE vulnerabilities SET status = base_status, status_until = NULL, {}
         WHERE tenant_id = $1 AND status_until <= $2
           AND id IN (SELECT id FROM vulnerabilities WHERE tenant_id = $1 AND status_until IS NOT NULL AND status_until <= $2 ORDER BY id LIMIT 5000)
         RETURNING id",
        rulings::LET_GO
    );
    let rows = change.all(Sql::built(ended).bind(tenant).bind(now)).await?;
    let ids = rows.iter().map(|row| row.get("id")).collect::<Result<Vec<FindingId>>>()?;
    // What ended may have stood before something wider that goes on.
    let ruled = rulings::fall_back(change, &ids).await?;
    derive_again(change, &ruled).await?;
    Ok(ids)
}
