//! SQL of taking an import back.

use audit::Change;
use backends::{Sql, sql};
use base::{Result, Time};
use targets::TargetId;

use super::columns;
use crate::model::{FindingId, ImportId};

/// An import that was taken in after another one, into the same target and service.
pub(crate) async fn later(
    change: &mut Change,
    import: ImportId,
    target: Option<TargetId>,
    service: &str,
    ended: Time,
) -> Result<Option<ImportId>> {
    let place = if target.is_some() { "target_id = $5" } else { "target_id IS NULL AND CAST($5 AS TEXT) IS NULL" };
    let statement = format!(
        "SELECT id FROM imports WHERE tenant_id = $1 AND service = $2 AND state = 'done' AND id <> $3
             AND (ended_at > $4 OR (ended_at = $4 AND id > $3) OR (ended_at IS NULL AND created_at > $4)) AND {place}
         ORDER BY id DESC LIMIT 1"
    );
    let statement = Sql::built(statement).bind(change.scope().tenant()).bind(service).bind(import).bind(ended).bind(target);
    change.one(statement).await?.map(|row| row.get("id")).transpose()
}

/// Takes the findings born with an import for this change alone: who is deciding about one is waited for, who comes later finds it gone.
pub(crate) async fn hold(change: &mut Change, import: ImportId) -> Result<()> {
    let statement = sql("UPDATE vulnerabilities SET id = id WHERE tenant_id = $1 AND first_import = $2");
    change.run(statement.bind(change.scope().tenant()).bind(import)).await.map(drop)
}

/// Findings born with an import about which people have decided or written notes since, and its reviews that were answered.
pub(crate) async fn decided(change: &mut Change, import: ImportId) -> Result<i64> {
    let statement = sql("SELECT
             (SELECT COUNT(DISTINCT d.finding_id) FROM decisions d JOIN vulnerabilities v ON v.id = d.finding_id
              WHERE d.tenant_id = $1 AND v.tenant_id = $1 AND v.first_import = $2 AND (d.batch_id IS NULL OR d.batch_id <> $2))
           + (SELECT COUNT(DISTINCT n.finding_id) FROM finding_notes n JOIN vulnerabilities v ON v.id = n.finding_id
              WHERE n.tenant_id = $1 AND v.tenant_id = $1 AND v.first_import = $2 AND n.import_id IS NULL)
           + (SELECT COUNT(*) FROM finding_reviews WHERE tenant_id = $1 AND import_id = $2 AND outcome = 'same') AS decided");
    let row = change.one(statement.bind(change.scope().tenant()).bind(import)).await?;
    row.map_or(Ok(0), |row| row.get("decided"))
}

/// Puts everything back as it was before the import; returns the findings whose status has to be derived again.
pub(crate) async fn restore(change: &mut Change, import: ImportId) -> Result<Vec<FindingId>> {
    let tenant = change.scope().tenant();
    let bound = |text: String| Sql::built(text).bind(tenant).bind(import);
    let seen = "SELECT finding_id FROM observations WHERE tenant_id = $1 AND import_id = $2";
    let born = format!("SELECT id FROM vulnerabilities WHERE tenant_id = $1 AND first_import = $2 AND id IN ({seen})");
    let kept = "SELECT id FROM finding_before WHERE tenant_id = $1 AND import_id = $2";
    let restored = change.all(bound(kept.to_owned())).await?.iter().map(|row| row.get("id")).collect::<Result<Vec<FindingId>>>()?;

    // Decisions that came with the file are a batch of its name.
    change.run(bound("DELETE FROM decisions WHERE tenant_id = $1 AND batch_id = $2".to_owned())).await?;
    change.run(bound(format!("DELETE FROM finding_keys WHERE tenant_id = $1 AND finding_id IN ({born})"))).await?;
    change.run(bound(format!("DELETE FROM finding_sightings WHERE tenant_id = $1 AND id IN ({born})"))).await?;
    change.run(bound(format!("DELETE FROM vulnerabilities WHERE tenant_id = $1 AND first_import = $2 AND id IN ({seen})"))).await?;
    change.run(bound(format!("DELETE FROM finding_keys WHERE tenant_id = $1 AND added_by = $2 AND finding_id IN ({kept})"))).await?;
    change
        .run(bound(format!(
            "UPDATE finding_keys SET retired_by = NULL WHERE tenant_id = $1 AND retired_by = $2 AND finding_id IN ({kept})"
        )))
        .await?;
    let mut set: Vec<String> = columns::restored().map(|name| format!("{name} = b.{name}")).collect();
    for name in ["cluster", "cluster_reason"] {
        set.push(format!("{name} = CASE WHEN vulnerabilities.cluster_fixed THEN vulnerabilities.{name} ELSE b.{name} END"));
    }
    let statement = format!(
        "UPDATE vulnerabilities SET {} FROM finding_before AS b
         WHERE vulnerabilities.tenant_id = $1 AND b.tenant_id = $1 AND b.import_id = $2 AND b.id = vulnerabilities.id",
        set.join(", ")
    );
    change.run(bound(statement)).await?;
    let statement = "UPDATE finding_sightings SET last_seen = b.last_seen, last_scan = b.last_scan, last_import = b.last_import, times_seen = b.times_seen
         FROM finding_before AS b
         WHERE finding_sightings.tenant_id = $1 AND b.tenant_id = $1 AND b.import_id = $2 AND b.id = finding_sightings.id";
    change.run(bound(statement.to_owned())).await?;
    // What was seen as it was has no copy; its last sighting before this one tells when and by whom.
    let statement = format!(
        "UPDATE finding_sightings SET last_import = o.import_id, last_seen = o.created_at, times_seen = finding_sightings.times_seen - 1
         FROM observations AS o
         WHERE finding_sightings.tenant_id = $1 AND finding_sightings.last_import = $2 AND finding_sightings.id IN ({seen})
           AND o.tenant_id = $1 AND o.finding_id = finding_sightings.id
           AND o.id = (SELECT MAX(p.id) FROM observations p WHERE p.tenant_id = $1 AND p.finding_id = finding_sightings.id AND p.import_id <> $2)"
    );
    change.run(bound(statement)).await?;
    for table in ["observations", "finding_history", "finding_notes", "coverage", "finding_reviews", "finding_before"] {
        change.run(bound(format!("DELETE FROM {table} WHERE tenant_id = $1 AND import_id = $2"))).await?;
    }
    let statement = sql("UPDATE imports SET state = 'undone', idempotency_key = NULL, ended_at = $3 WHERE tenant_id = $1 AND id = $2");
    change.run(statement.bind(tenant).bind(import).bind(change.now())).await?;
    Ok(restored)
}

/// Drops copies that nobody can go back to any more.
pub(crate) async fn forget(change: &mut Change, before: Time) -> Result<u64> {
    let statement = sql("DELETE FROM finding_before WHERE tenant_id = $1
             AND import_id IN (SELECT id FROM imports WHERE tenant_id = $1 AND created_at < $2)");
    change.run(statement.bind(change.scope().tenant()).bind(before)).await
}
