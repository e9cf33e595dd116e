//! SQL of risk: what it is computed from, where it is kept, and the policies of due dates.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope, TenantId, Time};
use importers::{Location, Severity};
use targets::TargetId;

use super::findings::severity;
use super::json;
use crate::model::{FindingId, ImportId, SlaPolicy, UnitPolicy};

/// Rows of one update: four parameters each stay below SQLite's 32,766.
const ROWS: usize = 5000;

/// What the risk of a finding is computed from, and what was computed last.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) id: FindingId,
    pub(crate) target: Option<TargetId>,
    pub(crate) severity: Severity,
    pub(crate) cvss: Option<String>,
    pub(crate) cvss_score: Option<f64>,
    pub(crate) cves: Vec<String>,
    /// Every name it goes by, in upper case.
    pub(crate) labels: String,
    pub(crate) confidence: u8,
    /// Since when it has been there without having been gone: first sight, or when it last came back.
    pub(crate) open_since: Time,
    pub(crate) location: Location,
    /// Ten-thousandths of a point; negative when never assessed.
    pub(crate) risk: i64,
    pub(crate) due_at: Option<Time>,
}

fn subject(row: &Row) -> Result<Subject> {
    let target: String = row.get("target_id")?;
    Ok(Subject {
        id: row.get("id")?,
        target: if target.is_empty() { None } else { Some(target.parse()?) },
        severity: severity(row.get("severity")?)?,
        cvss: row.get("cvss")?,
        cvss_score: row.get("cvss_score")?,
        cves: row.json("cves")?,
        confidence: row.get("confidence")?,
        labels: row.get("labels")?,
        open_since: row.get("open_since")?,
        location: row.json("location")?,
        risk: row.get("risk")?,
        due_at: row.get("due_at")?,
    })
}

/// Which findings are to be assessed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'w> {
    /// All of a tenant.
    All,
    /// Those an import saw.
    Import(ImportId),
    /// These; at most as many as one page has.
    Findings(&'w [FindingId]),
}

/// A page of what is to be assessed.
pub(crate) async fn page(db: &Db, scope: &Scope, which: Which<'_>, after: Option<FindingId>, rows: usize) -> Result<Vec<Subject>> {
    let (among, values): (String, Vec<Value>) = match which {
        Which::All => (String::new(), Vec::new()),
        Which::Import(import) => (
            "AND v.id IN (SELECT o.finding_id FROM observations o WHERE o.tenant_id = $1 AND o.import_id = $3)".to_owned(),
            vec![import.into()],
        ),
        Which::Findings([]) => return Ok(Vec::new()),
        Which::Findings(ids) => (format!("AND v.id IN ({})", Sql::list(ids.len(), 2)), ids.iter().map(|id| Value::from(*id)).collect()),
    };
    let statement = format!(
        "SELECT v.id, v.target_id, v.severity, v.cvss, v.cvss_score, v.cves, v.labels, v.confidence, v.location, v.risk, v.due_at,
             COALESCE((SELECT MIN(h.created_at) FROM finding_history h WHERE h.tenant_id = $1 AND h.finding_id = v.id AND h.kind = 'reopened'
                 AND h.created_at > (SELECT MAX(g.created_at) FROM finding_history g WHERE g.tenant_id = $1 AND g.finding_id = v.id AND g.kind = 'fixed')),
                 v.first_seen) AS open_since
         FROM vulnerabilities v WHERE v.tenant_id = $1 AND v.id > $2 {among} ORDER BY v.id LIMIT {rows}"
    );
    let statement = Sql::built(statement).bind(scope.tenant()).bind(after.map(|id| id.to_string()).unwrap_or_default()).bind_all(values);
    db.all(statement).await?.iter().map(subject).collect()
}

/// Keeps risks and due moments, many per statement.
pub(crate) async fn keep(change: &mut Change, rows: &[(FindingId, i64, Option<Time>)]) -> Result<()> {
    for some in rows.chunks(ROWS) {
        // Both engines name the columns of a VALUES list column1, column2, …
        let statement = format!(
            "UPDATE vulnerabilities SET risk = fresh.column2, due_at = fresh.column3
             FROM (VALUES {}) AS fresh WHERE vulnerabilities.tenant_id = $1 AND vulnerabilities.id = fresh.column1",
            Sql::rows(some.len(), 3, 1)
        );
        let mut update = Sql::built(statement).bind(change.scope().tenant());
        for (id, risk, due) in some {
            update = update.bind(*id).bind(*risk).bind(*due);
        }
        change.run(update).await?;
    }
    Ok(())
}

/// The tenant after this one that has findings.
pub(crate) async fn next_tenant(db: &Db, after: Option<TenantId>) -> Result<Option<TenantId>> {
    // One step along the index each; DISTINCT would read all of it.
    let statement = sql("SELECT MIN(tenant_id) AS tenant_id FROM vulnerabilities WHERE tenant_id > $1");
    let row = db.one(statement.bind(after.map(|id| id.to_string()).unwrap_or_default())).await?;
    row.map_or(Ok(None), |row| row.get("tenant_id"))
}

/// Every policy that somebody set.
pub(crate) async fn policies(db: &Db, scope: &Scope) -> Result<Vec<UnitPolicy>> {
    let statement = sql("SELECT unit, policy, updated_by, updated_at FROM sla_policies WHERE tenant_id = $1 ORDER BY unit LIMIT 1000");
    db.all(statement.bind(scope.tenant()))
        .await?
        .iter()
        .map(|row| {
            Ok(UnitPolicy {
                unit: row.get("unit")?,
                policy: row.json::<SlaPolicy>("policy")?,
                updated_by: row.get("updated_by")?,
                updated_at: row.get("updated_at")?,
            })
        })
        .collect()
}

/// Keeps a policy.
pub(crate) async fn put_policy(change: &mut Change, set: &UnitPolicy) -> Result<()> {
    let statement = sql("INSERT INTO sla_policies (tenant_id, unit, policy, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, unit) DO UPDATE SET policy = excluded.policy, updated_by = excluded.updated_by, updated_at = excluded.updated_at");
    let statement = statement
        .bind(change.scope().tenant())
        .bind(&set.unit)
        .bind(json(&set.policy)?)
        .bind(set.updated_by.as_deref().unwrap_or_default())
        .bind(set.updated_at);
    change.run(statement).await.map(drop)
}

/// Forgets a policy; tells whether there was one.
pub(crate) async fn drop_policy(change: &mut Change, unit: &str) -> Result<bool> {
    let statement = sql("DELETE FROM sla_policies WHERE tenant_id = $1 AND unit = $2");
    let statement = statement.bind(change.scope().tenant()).bind_all([Value::from(unit)]);
    Ok(change.run(statement).await? > 0)
}
