//! SQL of the review queue.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Result, Scope};
use serde::{Deserialize, Serialize};

use super::{columns, rulings};
use crate::model::{FindingId, Review, ReviewId, Voice};

const COLUMNS: &str = "r.id, r.finding_id, v.title, v.source, v.check_id, v.location, r.import_id, r.candidates, r.reason, r.created_at";

fn review(row: &Row) -> Result<Review> {
    let (source, check): (String, String) = (row.get("source")?, row.get("check_id")?);
    Ok(Review {
        id: row.get("id")?,
        finding_id: row.get("finding_id")?,
        title: row.get("title")?,
        import_id: row.get("import_id")?,
        candidates: row.json("candidates")?,
        reason: row.get("reason")?,
        created_at: row.get("created_at")?,
        voice: Voice::of(&source, &check, &row.json("location")?),
    })
}

/// Where a page of reviews ends.
#[derive(Serialize, Deserialize)]
pub(crate) struct After(pub(crate) ReviewId);

/// Open reviews, oldest first.
pub(crate) async fn list(db: &Db, scope: &Scope, after: Option<After>, rows: u32) -> Result<Vec<Review>> {
    let statement = format!(
        "SELECT {COLUMNS} FROM finding_reviews r JOIN vulnerabilities v ON v.id = r.finding_id
         WHERE r.tenant_id = $1 AND r.outcome IS NULL AND r.id > $2 ORDER BY r.id LIMIT {}",
        rows + 1
    );
    let after = after.map(|After(id)| id.to_string()).unwrap_or_default();
    db.all(Sql::built(statement).bind(scope.tenant()).bind(after)).await?.iter().map(review).collect()
}

/// Takes an open review for this change alone.
pub(crate) async fn take(change: &mut Change, id: ReviewId, outcome: &str, same_as: Option<FindingId>) -> Result<Option<Review>> {
    let user = change.actor().user;
    let statement = sql("UPDATE finding_reviews SET outcome = $3, same_as = $4, resolved_by = $5, resolved_at = $6
         WHERE tenant_id = $1 AND id = $2 AND outcome IS NULL");
    let statement = statement.bind(change.scope().tenant()).bind(id).bind(outcome).bind(same_as).bind(user).bind(change.now());
    if change.run(statement).await? == 0 {
        return Ok(None);
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM finding_reviews r JOIN vulnerabilities v ON v.id = r.finding_id WHERE r.tenant_id = $1 AND r.id = $2"
    );
    change.one(Sql::built(statement).bind(change.scope().tenant()).bind(id)).await?.as_ref().map(review).transpose()
}

/// Says that a finding is what it looks like: new.
pub(crate) async fn settle(change: &mut Change, finding: FindingId) -> Result<()> {
    let statement = sql("UPDATE vulnerabilities SET ambiguous = FALSE WHERE tenant_id = $1 AND id = $2");
    change.run(statement.bind(change.scope().tenant()).bind(finding)).await.map(drop)
}

/// Makes the newer finding part of the older one; returns whether both are of one tool at one target.
pub(crate) async fn merge(change: &mut Change, older: FindingId, newer: FindingId, import: &str) -> Result<bool> {
    let tenant = change.scope().tenant();
    let both = |text: &'static str| sql(text).bind(tenant).bind(older).bind(newer);
    let set: Vec<String> = columns::said().map(|name| format!("{name} = n.{name}")).collect();
    let statement = format!(
        "UPDATE vulnerabilities SET {} FROM vulnerabilities AS n
         WHERE vulnerabilities.tenant_id = $1 AND n.tenant_id = $1 AND vulnerabilities.id = $2 AND n.id = $3 AND n.id <> vulnerabilities.id
           AND n.source = vulnerabilities.source AND n.target_id = vulnerabilities.target_id AND n.service = vulnerabilities.service",
        set.join(", ")
    );
    if change.run(Sql::built(statement).bind(tenant).bind(older).bind(newer)).await? == 0 {
        return Ok(false);
    }
    let seen = "UPDATE finding_sightings SET last_seen = n.last_seen, last_scan = n.last_scan, last_import = n.last_import,
             times_seen = finding_sightings.times_seen + n.times_seen
         FROM finding_sightings AS n
         WHERE finding_sightings.tenant_id = $1 AND n.tenant_id = $1 AND finding_sightings.id = $2 AND n.id = $3";
    change.run(both(seen)).await?;
    let shared = "DELETE FROM finding_keys WHERE tenant_id = $1 AND finding_id = $2
         AND digest IN (SELECT digest FROM finding_keys WHERE tenant_id = $1 AND finding_id = $3)";
    change.run(both(shared)).await?;
    let retire = sql("UPDATE finding_keys SET retired_by = $3 WHERE tenant_id = $1 AND finding_id = $2 AND retired_by IS NULL");
    change.run(retire.bind(tenant).bind(older).bind(import)).await?;
    change.run(both("UPDATE finding_keys SET finding_id = $2 WHERE tenant_id = $1 AND finding_id = $3")).await?;
    change.run(both("UPDATE observations SET finding_id = $2 WHERE tenant_id = $1 AND finding_id = $3")).await?;
    change.run(both("UPDATE finding_history SET finding_id = $2 WHERE tenant_id = $1 AND finding_id = $3")).await?;
    change.run(both("UPDATE finding_notes SET finding_id = $2 WHERE tenant_id = $1 AND finding_id = $3")).await?;
    change.run(both("UPDATE decisions SET finding_id = $2 WHERE tenant_id = $1 AND finding_id = $3")).await?;
    decide(change, older, newer).await?;
    for table in ["finding_before", "finding_sightings", "vulnerabilities"] {
        let statement = format!("DELETE FROM {table} WHERE tenant_id = $1 AND id = $2");
        change.run(Sql::built(statement).bind(tenant).bind(newer)).await?;
    }
    Ok(true)
}

/// What holds for two findings that become one: the last thing that people said about either, else what holds for their rule.
async fn decide(change: &mut Change, older: FindingId, newer: FindingId) -> Result<()> {
    let tenant = change.scope().tenant();
    let both = |text: &'static str| sql(text).bind(tenant).bind(older).bind(newer);
    let follow = "UPDATE decisions SET previous_id = (SELECT o.decision_id FROM vulnerabilities o WHERE o.id = $2)
         WHERE tenant_id = $1 AND previous_id IS NULL AND id = (SELECT n.decision_id FROM vulnerabilities n WHERE n.id = $3)";
    change.run(both(follow)).await?;
    let last = "UPDATE vulnerabilities SET decision_id = n.decision_id, decision_kind = n.decision_kind, decision_until = n.decision_until,
             decision_at = n.decision_at
         FROM vulnerabilities AS n
         WHERE vulnerabilities.tenant_id = $1 AND n.tenant_id = $1 AND vulnerabilities.id = $2 AND n.id = $3
           AND n.decision_id IN (SELECT d.id FROM decisions d WHERE d.tenant_id = $1 AND d.scope = 'finding')
           AND (vulnerabilities.decision_id IS NULL OR vulnerabilities.decision_at < n.decision_at
               OR vulnerabilities.decision_id IN (SELECT d.id FROM decisions d WHERE d.tenant_id = $1 AND d.scope <> 'finding'))";
    change.run(both(last)).await?;
    let ruled = format!(
        "UPDATE vulnerabilities SET {}
         WHERE tenant_id = $1 AND id = $2 AND decision_id IN (SELECT d.id FROM decisions d WHERE d.tenant_id = $1 AND d.scope <> 'finding')",
        rulings::LET_GO
    );
    change.run(Sql::built(ruled).bind(tenant).bind(older)).await?;
    rulings::fall_back(change, &[older]).await.map(drop)
}
