//! SQL of decisions that hold for a rule, on one asset or everywhere. One about a finding itself is narrower than either.

use audit::Change;
use backends::{Db, Sql, Value};
use base::{Result, Scope, Time};

use super::decisions::Decided;
use crate::model::{Decision, DecisionId, DecisionScope, FindingId, ImportId};

/// Ids named in one statement.
const IDS: usize = 10_000;

/// Sets a finding free of its decision.
pub(crate) const LET_GO: &str = "decision_id = NULL, decision_kind = NULL, decision_until = NULL, decision_at = NULL";

/// Whether the decision of this name is a ruling that holds; `now` is the place of the moment among the values.
pub(crate) fn holds(name: &str, now: usize) -> String {
    format!(
        "{name}scope <> 'finding' AND {name}kind <> 'reopen' AND {name}state = 'in_force' AND ({name}valid_until IS NULL OR {name}valid_until > ${now})"
    )
}

/// Whether the decision `d` is a ruling that holds for the finding of this name; `line` is the place of a line break among the values.
fn holds_for(finding: &str, now: usize, line: usize) -> String {
    format!(
        "d.tenant_id = $1 AND d.source = {finding}.source AND d.check_id = {finding}.check_id AND {}
             AND (d.scope = 'rule' OR d.asset = {finding}.target_id || CAST(${line} AS TEXT) || {finding}.asset)",
        holds("d.", now)
    )
}

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
        "UPDATE vulnerabilities SET {LET_GO}
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
    let end = |state: &str| format!("UPDATE decisions SET state = 'withdrawn' WHERE {rule} AND state = '{state}' RETURNING id");
    // The ruling first: who puts it in force on a finding meanwhile holds it, and is waited for.
    let withdrawn = change.all(bound(end("in_force"), change)).await?;
    change.run(bound(end("proposed"), change)).await?;
    if withdrawn.is_empty() {
        return Ok(None);
    }
    let among = Sql::list(withdrawn.len(), 1);
    let statement = format!("UPDATE vulnerabilities SET {LET_GO} WHERE tenant_id = $1 AND decision_id IN ({among}) RETURNING id");
    let mut statement = Sql::built(statement).bind(change.scope().tenant());
    for row in &withdrawn {
        statement = statement.bind(row.get::<DecisionId>("id")?);
    }
    let rows = change.all(statement).await?;
    rows.iter().map(|row| row.get("id")).collect::<Result<_>>().map(Some)
}

/// Findings an import brought that do not stand as the rulings in force have it: some were made or withdrawn while it ran, and what it
/// saw again may have spent a decision of its own.
pub(crate) async fn misruled(db: &Db, scope: &Scope, import: ImportId, now: Time) -> Result<Vec<FindingId>> {
    let ruled = holds_for("v", 3, 4);
    let statement = format!(
        "SELECT v.id AS id FROM vulnerabilities v LEFT JOIN decisions h ON h.id = v.decision_id
         WHERE v.tenant_id = $1 AND v.first_import = $2
           AND (v.decision_id IS NULL AND EXISTS (SELECT 1 FROM decisions d WHERE {ruled})
             OR h.scope <> 'finding' AND h.state <> 'in_force'
             OR h.scope = 'rule' AND EXISTS (SELECT 1 FROM decisions d WHERE d.scope = 'rule_on_asset' AND {ruled}))
         UNION
         SELECT v.id AS id FROM vulnerabilities v JOIN finding_sightings s ON s.id = v.id
         WHERE v.tenant_id = $1 AND v.id IN (SELECT o.finding_id FROM observations o WHERE o.tenant_id = $1 AND o.import_id = $2)
           AND v.decision_kind = 'fixed' AND v.decision_at < s.last_seen AND EXISTS (SELECT 1 FROM decisions d WHERE {ruled})
         ORDER BY id"
    );
    let rows = db.all(Sql::built(statement).bind(scope.tenant()).bind(import).bind(now).bind("\n")).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Sets these findings free of rulings and of decisions that a sighting spent, for [`fall_back`] to find what holds.
/// Their rulings are held from here on.
pub(crate) async fn set_free(change: &mut Change, ids: &[FindingId]) -> Result<()> {
    for some in ids.chunks(IDS) {
        let among = Sql::list(some.len(), 1);
        let bound =
            |text: String, change: &Change| Sql::built(text).bind(change.scope().tenant()).bind_all(some.iter().map(|id| Value::from(*id)));
        let hold = format!(
            "UPDATE decisions SET id = id WHERE tenant_id = $1 AND scope <> 'finding' AND state = 'in_force'
               AND EXISTS (SELECT 1 FROM vulnerabilities v WHERE v.id IN ({among}) AND v.source = decisions.source AND v.check_id = decisions.check_id)"
        );
        change.run(bound(hold, change)).await?;
        let statement = format!(
            "UPDATE vulnerabilities SET {LET_GO} WHERE tenant_id = $1 AND id IN ({among})
               AND (decision_id IN (SELECT id FROM decisions WHERE tenant_id = $1 AND scope <> 'finding')
                 OR (decision_kind = 'fixed' AND decision_at < (SELECT s.last_seen FROM finding_sightings s WHERE s.id = vulnerabilities.id)))"
        );
        change.run(bound(statement, change)).await?;
    }
    Ok(())
}

/// Puts the narrowest ruling in force on those of these findings that have no decision; returns where there was one.
pub(crate) async fn fall_back(change: &mut Change, ids: &[FindingId]) -> Result<Vec<FindingId>> {
    let mut ruled = Vec::new();
    for some in ids.chunks(IDS) {
        let statement = format!(
            "UPDATE vulnerabilities SET decision_id = r.id, decision_kind = r.kind, decision_until = r.valid_until, decision_at = r.decided_at
             FROM decisions AS r
             WHERE vulnerabilities.tenant_id = $1 AND vulnerabilities.decision_id IS NULL AND vulnerabilities.id IN ({})
               AND r.id = (SELECT d.id FROM decisions d WHERE {}
                   ORDER BY CASE d.scope WHEN 'rule_on_asset' THEN 0 ELSE 1 END, d.decided_at DESC, d.id DESC LIMIT 1)
             RETURNING vulnerabilities.id AS id",
            Sql::list(some.len(), 3),
            holds_for("vulnerabilities", 2, 3)
        );
        let statement = Sql::built(statement).bind(change.scope().tenant()).bind(change.now()).bind("\n");
        for row in change.all(statement.bind_all(some.iter().map(|id| Value::from(*id)))).await? {
            ruled.push(row.get("id")?);
        }
    }
    Ok(ruled)
}
