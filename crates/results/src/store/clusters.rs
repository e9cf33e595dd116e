//! SQL of clusters: findings that share a name. No row is ever changed or deleted for being in one.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope, Time};

use super::clean;
use super::findings::{severity, some};
use super::query::Where;
use crate::model::{Cluster, Filter, Finding, FindingId};

const COUNTS: &str =
    "cluster, MIN(cluster_reason) AS reason, COUNT(*) AS members, COUNT(DISTINCT source) AS sources, MAX(severity) AS severity,
             SUM(CASE WHEN status IN ('open', 'not_retested') THEN 1 ELSE 0 END) AS standing";

fn cluster(row: &Row) -> Result<Cluster> {
    Ok(Cluster {
        id: row.get("cluster")?,
        reason: row.get::<Option<String>>("reason")?.unwrap_or_default(),
        members: row.get("members")?,
        sources: row.get("sources")?,
        standing: row.get("standing")?,
        severity: severity(row.get("severity")?)?,
    })
}

/// Clusters with several members, by name.
pub(crate) async fn list(db: &Db, scope: &Scope, after: Option<String>, rows: u32) -> Result<Vec<Cluster>> {
    let statement = format!(
        "SELECT {COUNTS} FROM vulnerabilities WHERE tenant_id = $1 AND cluster IN
             (SELECT cluster FROM vulnerabilities WHERE tenant_id = $1 AND cluster IS NOT NULL AND cluster > $2
              GROUP BY cluster HAVING COUNT(*) > 1 ORDER BY cluster LIMIT {})
         GROUP BY cluster ORDER BY cluster",
        rows + 1
    );
    // Most clusters have one member: those are passed over in the index, and only rows of a page are read.
    let found = db.all(Sql::built(statement).bind(scope.tenant()).bind(after.unwrap_or_default())).await?;
    found.iter().map(cluster).collect()
}

/// The clusters of these names, in one statement; of one member too.
pub(crate) async fn of_names(db: &Db, scope: &Scope, names: &[String]) -> Result<Vec<Cluster>> {
    let statement = format!(
        "SELECT {COUNTS} FROM vulnerabilities WHERE tenant_id = $1 AND cluster IN ({}) GROUP BY cluster",
        Sql::list(names.len(), 1)
    );
    let statement = Sql::built(statement).bind(scope.tenant()).bind_all(names.iter().map(|name| Value::from(clean(name))));
    db.all(statement).await?.iter().map(cluster).collect()
}

/// The first members of each of these clusters, in one statement.
pub(crate) async fn members_of(db: &Db, scope: &Scope, now: Time, names: &[String], each: u32) -> Result<Vec<Finding>> {
    let mut conditions = Where::new(scope, now, &Filter::default())?;
    let among: Vec<String> = names.iter().map(|name| conditions.bind(Value::from(clean(name)))).collect();
    conditions.clauses.push(format!(
        "v.id IN (SELECT ranked.id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY cluster ORDER BY id) AS place
             FROM vulnerabilities WHERE tenant_id = $1 AND cluster IN ({})) ranked WHERE ranked.place <= {each})",
        among.join(", ")
    ));
    let most = u32::try_from(names.len()).unwrap_or(u32::MAX).saturating_mul(each);
    some(db, now, conditions, most).await
}

/// Members of a cluster.
pub(crate) async fn members(db: &Db, scope: &Scope, now: Time, cluster: &str, limit: u32) -> Result<Vec<Finding>> {
    let filter = Filter { cluster: Some(cluster.to_owned()), ..Filter::default() };
    some(db, now, Where::new(scope, now, &filter)?, limit).await
}

/// The cluster a finding is in.
pub(crate) async fn of_finding(change: &mut Change, id: FindingId) -> Result<Option<Option<(String, String)>>> {
    let statement = sql("SELECT cluster, cluster_reason FROM vulnerabilities WHERE tenant_id = $1 AND id = $2");
    let row = change.one(statement.bind(change.scope().tenant()).bind(id)).await?;
    row.map(|row| {
        let name: Option<String> = row.get("cluster")?;
        let reason: Option<String> = row.get("cluster_reason")?;
        Ok(name.map(|name| (name, reason.unwrap_or_default())))
    })
    .transpose()
}

/// Puts a finding into a cluster, for good.
pub(crate) async fn put(change: &mut Change, id: FindingId, cluster: &str, reason: &str) -> Result<bool> {
    let statement =
        sql("UPDATE vulnerabilities SET cluster = $3, cluster_reason = $4, cluster_fixed = TRUE WHERE tenant_id = $1 AND id = $2");
    let statement = statement.bind(change.scope().tenant()).bind(id).bind(cluster).bind(clean(reason));
    Ok(change.run(statement).await? > 0)
}
