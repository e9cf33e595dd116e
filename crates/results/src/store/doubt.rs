//! SQL of learning from decisions.

use audit::Change;
use backends::{Db, Sql, sql};
use base::{Result, Scope, TenantId, Time};
use importers::{Location, Severity};
use risk::false_positive::Model;

use super::clean;
use super::findings::severity;
use crate::doubt::{model, text};
use crate::model::{DecisionKind, FindingId};

/// A decision of a person, and the finding it is about.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) finding: FindingId,
    pub(crate) kind: DecisionKind,
    pub(crate) batch: Option<String>,
    pub(crate) source: String,
    pub(crate) check: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: u8,
    pub(crate) cwes: Vec<u32>,
    pub(crate) location: Location,
}

/// What was learned last.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) model: Option<Model>,
    pub(crate) why_not: Option<String>,
    pub(crate) decisions: u64,
    pub(crate) false_positives: u64,
    pub(crate) updated_at: Time,
}

/// Organisations with decisions that were not learned from yet, and their newest decision.
pub(crate) async fn tenants_with_news(db: &Db) -> Result<Vec<(TenantId, String)>> {
    let statement = sql("SELECT d.tenant_id, d.latest FROM (SELECT tenant_id, MAX(id) AS latest FROM decisions GROUP BY tenant_id) d
         LEFT JOIN false_positive_models m ON m.tenant_id = d.tenant_id WHERE m.latest IS NULL OR m.latest <> d.latest");
    db.all(statement).await?.iter().map(|row| Ok((row.get("tenant_id")?, row.get("latest")?))).collect()
}

/// The newest decisions that people made and that stand, newest first.
pub(crate) async fn judged(db: &Db, scope: &Scope, limit: usize) -> Result<Vec<Judged>> {
    let statement = format!(
        "SELECT d.finding_id, d.kind, d.batch_id, v.source, v.check_id, v.severity, v.confidence, v.cwes, v.location
         FROM decisions d JOIN vulnerabilities v ON v.id = d.finding_id
         WHERE d.tenant_id = $1 AND v.tenant_id = $1 AND d.state IN ('in_force', 'expired') AND d.decided_by IS NOT NULL
         ORDER BY d.id DESC LIMIT {limit}"
    );
    db.all(Sql::built(statement).bind(scope.tenant()))
        .await?
        .iter()
        .map(|row| {
            Ok(Judged {
                finding: row.get("finding_id")?,
                kind: row.parse("kind")?,
                batch: row.get("batch_id")?,
                source: row.get("source")?,
                check: row.get("check_id")?,
                severity: severity(row.get("severity")?)?,
                confidence: row.get("confidence")?,
                cwes: row.json("cwes")?,
                location: row.json("location")?,
            })
        })
        .collect()
}

/// What was learned last in an organisation.
pub(crate) async fn kept(db: &Db, scope: &Scope) -> Result<Option<Kept>> {
    let statement = sql("SELECT model, why_not, decisions, false_positives, updated_at FROM false_positive_models WHERE tenant_id = $1");
    let Some(row) = db.one(statement.bind(scope.tenant())).await? else { return Ok(None) };
    Ok(Some(Kept {
        model: row.get::<Option<String>>("model")?.as_deref().and_then(model),
        why_not: row.get("why_not")?,
        decisions: row.get("decisions")?,
        false_positives: row.get("false_positives")?,
        updated_at: row.get("updated_at")?,
    }))
}

/// Keeps what was learned.
pub(crate) async fn keep(change: &mut Change, kept: &Kept, latest: &str) -> Result<()> {
    let statement = sql("INSERT INTO false_positive_models (tenant_id, model, why_not, decisions, false_positives, latest, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id) DO UPDATE SET model = excluded.model, why_not = excluded.why_not, decisions = excluded.decisions,
             false_positives = excluded.false_positives, latest = excluded.latest, updated_at = excluded.updated_at");
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let model = kept.model.as_ref().map(text).transpose()?.map(|text| clean(&text));
    let statement = statement
        .bind(change.scope().tenant())
        .bind(model)
        .bind(kept.why_not.clone())
        .bind(count(kept.decisions))
        .bind(count(kept.false_positives))
        .bind(latest)
        .bind(kept.updated_at);
    change.run(statement).await.map(drop)
}
