//! SQL of decisions that hold for a rule, on one asset or everywhere. One about a finding itself is narrower than either.

use audit::Change;
use backends::{Db, Sql, Value, sql};
use base::{Result, Scope, Time};

use super::decisions::Decided;
use crate::model::{Decision, DecisionScope, FindingId, ImportId};

/// Ids named in one statement.
const IDS: usize = 10_000;

/// Puts a ruling in force on every finding of its rule that has no narrower decision; returns the findings.
pub(crate) async fn put(change: &mut Change, finding: &Decided, decision: &Decision) -> Result<Vec<FindingId>> {
    // Of the decisions in force, those about a finding are the narrowest, then those about an asset.
    let wider = match decision.scope {
        DecisionScope::RuleOnAsset => "'rule_on_asset', 'rule'",
        _ => "'rule'",
    };
    let (place, values) = of_rule(finding, decision.scope, 5);
    let statement = format!(
        "UPDATE vulnerabilities SET decision_id = $2, decision_kind = $3, decision_until = $4, decision_at = $5
         WHERE tenant_id = $1 AND {place}
           AND (decision_id IS NULL OR decision_id IN (SELECT id FROM decisions WHERE tenant_id = $1 AND source = $6 AND check_id = $7 AND scope IN ({wider})))
         RETURNING id"
    );
    let statement = Sql::built(statement)
        .bind(change.scope().tenant())
        .bind(decision.id)
        .bind(decision.kind.as_str())
        .bind(decision.valid_until)
        .bind(decision.decided_at)
        .bind_all(values);
    change.all(statement).await?.iter().map(|row| row.get("id")).collect()
}

/// Findings of a rule, where the scope says; with the values after those there are.
fn of_rule(finding: &Decided, scope: DecisionScope, after: usize) -> (String, Vec<Value>) {
    let mut text = format!("source = ${} AND check_id = ${}", after + 1, after + 2);
    let mut values = vec![Value::from(&finding.source), Value::from(&finding.check)];
    if scope == DecisionScope::RuleOnAsset {
        let (target, asset) = finding.place.split_once('\n').unwrap_or_default();
        text.push_str(&format!(" AND target_id = ${} AND asset = ${}", after + 3, after + 4));
        values.extend([Value::from(target), Value::from(asset)]);
    }
    (text, values)
}

/// Lets go of decisions about findings of this rule that hold no more: their time is over, or a tool saw again what they called fixed.
/// What is wider and in force takes their place. Returns the findings.
pub(crate) async fn let_go(change: &mut Change, finding: &Decided, scope: DecisionScope) -> Result<Vec<FindingId>> {
    let (place, values) = of_rule(finding, scope, 2);
    let statement = format!(
        "UPDATE vulnerabilities SET decision_id = NULL, decision_kind = NULL, decision_until = NULL, decision_at = NULL
         WHERE tenant_id = $1 AND {place} AND (decision_until <= $2 OR (decision_kind = 'fixed'
             AND decision_at < (SELECT s.last_seen FROM finding_sightings s WHERE s.id = vulnerabilities.id)))
         RETURNING id"
    );
    let rows = change.all(Sql::built(statement).bind(change.scope().tenant()).bind(change.now()).bind_all(values)).await?;
    let ids = rows.iter().map(|row| row.get("id")).collect::<Result<Vec<FindingId>>>()?;
    fall_back(change, &ids).await?;
    Ok(ids)
}

/// Withdraws the rulings of this scope about the finding's rule; returns the findings they held for, or nothing where there was none.
pub(crate) async fn withdraw(change: &mut Change, finding: &Decided, scope: DecisionScope) -> Result<Option<Vec<FindingId>>> {
    let place = if scope == DecisionScope::RuleOnAsset { "asset = $5" } else { "asset IS NULL AND CAST($5 AS TEXT) IS NOT NULL" };
    let rule = format!("tenant_id = $1 AND source = $2 AND check_id = $3 AND scope = $4 AND kind <> 'reopen' AND {place}");
    let bound = |text: String, change: &Change| {
        Sql::built(text).bind(change.scope().tenant()).bind(&finding.source).bind(&finding.check).bind(scope.as_str()).bind(&finding.place)
    };
    let statement = bound(
        format!(
            "UPDATE vulnerabilities SET decision_id = NULL, decision_kind = NULL, decision_until = NULL, decision_at = NULL
             WHERE tenant_id = $1 AND decision_id IN (SELECT id FROM decisions WHERE {rule} AND state = 'in_force') RETURNING id"
        ),
        change,
    );
    let rows = change.all(statement).await?;
    let end = |state: &str| format!("UPDATE decisions SET state = 'withdrawn' WHERE {rule} AND state = '{state}'");
    let withdrawn = change.run(bound(end("in_force"), change)).await?;
    change.run(bound(end("proposed"), change)).await?;
    let ids = rows.iter().map(|row| row.get("id")).collect::<Result<Vec<FindingId>>>()?;
    Ok((withdrawn > 0).then_some(ids))
}

/// Findings born with an import that have no decision although one about their rule is in force.
pub(crate) async fn unheard(db: &Db, scope: &Scope, import: ImportId, now: Time) -> Result<Vec<FindingId>> {
    let statement = sql("SELECT v.id FROM vulnerabilities v WHERE v.tenant_id = $1 AND v.first_import = $2 AND v.decision_id IS NULL
           AND EXISTS (SELECT 1 FROM decisions d WHERE d.tenant_id = $1 AND d.source = v.source AND d.check_id = v.check_id
               AND d.scope <> 'finding' AND d.kind <> 'reopen' AND d.state = 'in_force' AND (d.valid_until IS NULL OR d.valid_until > $3)
               AND (d.scope = 'rule' OR d.asset = v.target_id || CAST($4 AS TEXT) || v.asset))
         ORDER BY v.id");
    let rows = db.all(statement.bind(scope.tenant()).bind(import).bind(now).bind("\n")).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Puts the narrowest ruling in force on those of these findings that have no decision; returns where there was one.
pub(crate) async fn fall_back(change: &mut Change, ids: &[FindingId]) -> Result<Vec<FindingId>> {
    let mut ruled = Vec::new();
    for some in ids.chunks(IDS) {
        let statement = format!(
            "UPDATE vulnerabilities SET decision_id = r.id, decision_kind = r.kind, decision_until = r.valid_until, decision_at = r.decided_at
             FROM decisions AS r
             WHERE vulnerabilities.tenant_id = $1 AND vulnerabilities.decision_id IS NULL AND vulnerabilities.id IN ({})
               AND r.id = (SELECT d.id FROM decisions d
                   WHERE d.tenant_id = $1 AND d.source = vulnerabilities.source AND d.check_id = vulnerabilities.check_id
                     AND d.scope <> 'finding' AND d.kind <> 'reopen' AND d.state = 'in_force' AND (d.valid_until IS NULL OR d.valid_until > $2)
                     AND (d.scope = 'rule' OR d.asset = vulnerabilities.target_id || CAST($3 AS TEXT) || vulnerabilities.asset)
                   ORDER BY CASE d.scope WHEN 'rule_on_asset' THEN 0 ELSE 1 END, d.decided_at DESC, d.id DESC LIMIT 1)
             RETURNING vulnerabilities.id AS id",
            Sql::list(some.len(), 3)
        );
        let statement = Sql::built(statement).bind(change.scope().tenant()).bind(change.now()).bind("\n");
        for row in change.all(statement.bind_all(some.iter().map(|id| Value::from(*id)))).await? {
            ruled.push(row.get("id")?);
        }
    }
    Ok(ruled)
}
