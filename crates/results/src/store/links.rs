//! SQL of linking: names of vulnerabilities, joined clusters, and the findings they move.

use std::collections::HashMap;

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope};
use importers::Observation;

use super::clean;
use crate::link::Placement;
use crate::model::{FindingId, ImportId};

/// Joined clusters of a tenant that are followed.
const JOINS: u32 = 10_000;
/// Parameters of one statement stay below SQLite's 32,766.
const NAMES: usize = 10_000;
const PLACEMENTS: usize = 5_000;

/// A finding as linking needs it.
#[derive(Debug)]
pub(crate) struct Linked {
    pub(crate) id: FindingId,
    pub(crate) target: String,
    pub(crate) service: String,
    pub(crate) labels: String,
    /// What of it decides where it belongs.
    pub(crate) observation: Observation,
    cluster: Option<String>,
    reason: Option<String>,
    /// Whether a person put it where it is.
    pub(crate) is_fixed: bool,
}

impl Linked {
    pub(crate) fn is_in(&self, cluster: &str, reason: &str) -> bool {
        self.cluster.as_deref() == Some(cluster) && self.reason.as_deref() == Some(clean(reason).as_str())
    }
}

const COLUMNS: &str =
    "v.id, v.target_id, v.service, v.labels, v.check_id, v.title, v.cwes, v.location, v.cluster, v.cluster_reason, v.cluster_fixed";

fn linked(row: &Row) -> Result<Linked> {
    let labels: String = row.get("labels")?;
    let words = labels.split_whitespace().filter(|word| !word.starts_with("CWE-")).map(str::to_owned);
    let (cves, aliases) = words.partition(|word| word.starts_with("CVE-"));
    Ok(Linked {
        id: row.get("id")?,
        target: row.get("target_id")?,
        service: row.get("service")?,
        observation: Observation {
            check: row.get("check_id")?,
            title: row.get("title")?,
            cwes: row.json("cwes")?,
            cves,
            aliases,
            location: row.json("location")?,
            ..Observation::default()
        },
        labels,
        cluster: row.get("cluster")?,
        reason: row.get("cluster_reason")?,
        is_fixed: row.get("cluster_fixed")?,
    })
}

fn after_text(after: Option<FindingId>) -> String {
    after.map(|id| id.to_string()).unwrap_or_default()
}

/// A page of the findings an import saw.
pub(crate) async fn of_import(db: &Db, scope: &Scope, import: ImportId, after: Option<FindingId>, rows: usize) -> Result<Vec<Linked>> {
    let statement = format!(
        "SELECT {COLUMNS} FROM vulnerabilities v WHERE v.tenant_id = $1 AND v.id > $2
             AND v.id IN (SELECT o.finding_id FROM observations o WHERE o.tenant_id = $1 AND o.import_id = $3)
         ORDER BY v.id LIMIT {rows}"
    );
    let statement = Sql::built(statement).bind(scope.tenant()).bind(after_text(after)).bind(import);
    db.all(statement).await?.iter().map(linked).collect()
}

/// A page of the findings that go by one of these names.
pub(crate) async fn with_names(db: &Db, scope: &Scope, names: &[String], after: Option<FindingId>, rows: usize) -> Result<Vec<Linked>> {
    let either: Vec<String> = (0..names.len()).map(|index| format!("v.labels LIKE ${} ESCAPE '\\'", index + 3)).collect();
    if either.is_empty() {
        return Ok(Vec::new());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM vulnerabilities v WHERE v.tenant_id = $1 AND v.id > $2 AND v.cluster IS NOT NULL AND ({})
         ORDER BY v.id LIMIT {rows}",
        either.join(" OR ")
    );
    let patterns = names.iter().map(|name| {
        let escaped = name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Value::from(format!("% {escaped} %"))
    });
    let statement = Sql::built(statement).bind(scope.tenant()).bind(after_text(after)).bind_all(patterns);
    db.all(statement).await?.iter().map(linked).collect()
}

/// One finding within a change.
pub(crate) async fn one(change: &mut Change, id: FindingId) -> Result<Option<Linked>> {
    let statement = Sql::built(format!("SELECT {COLUMNS} FROM vulnerabilities v WHERE v.tenant_id = $1 AND v.id = $2"));
    let row = change.one(statement.bind(change.scope().tenant()).bind(id)).await?;
    row.as_ref().map(linked).transpose()
}

fn groups_statement(scope: &Scope, names: &[&str]) -> Sql {
    let statement = format!(
        "SELECT name, group_name FROM vulnerability_aliases WHERE tenant_id = $1
             AND group_name IN (SELECT group_name FROM vulnerability_aliases WHERE tenant_id = $1 AND name IN ({}))",
        Sql::list(names.len(), 1)
    );
    Sql::built(statement).bind(scope.tenant()).bind_all(names.iter().map(|name| Value::from(*name)))
}

fn pair(row: &Row) -> Result<(String, String)> {
    Ok((row.get("name")?, row.get("group_name")?))
}

/// The whole groups of these names, as name and group.
pub(crate) async fn groups(db: &Db, scope: &Scope, names: &[&str]) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for some in names.chunks(NAMES) {
        for row in db.all(groups_statement(scope, some)).await? {
            found.push(pair(&row)?);
        }
    }
    Ok(found)
}

/// The same within a change.
pub(crate) async fn groups_now(change: &mut Change, names: &[&str]) -> Result<Vec<(String, String)>> {
    let scope = change.scope();
    let mut found = Vec::new();
    for some in names.chunks(NAMES) {
        for row in change.all(groups_statement(&scope, some)).await? {
            found.push(pair(&row)?);
        }
    }
    Ok(found)
}

/// Keeps names and the groups they belong to now.
pub(crate) async fn add_names(change: &mut Change, names: &[(&str, &str)]) -> Result<()> {
    for some in names.chunks(NAMES) {
        let statement = format!(
            "INSERT INTO vulnerability_aliases (tenant_id, name, group_name) {}
             ON CONFLICT (tenant_id, name) DO UPDATE SET group_name = excluded.group_name",
            Sql::rows_sharing(some.len(), 1, 2)
        );
        let values = some.iter().flat_map(|(name, group)| [Value::from(*name), Value::from(*group)]);
        change.run(Sql::built(statement).bind(change.scope().tenant()).bind_all(values)).await?;
    }
    Ok(())
}

/// Puts findings where they belong; one that a person placed meanwhile stays.
pub(crate) async fn put(change: &mut Change, placements: &[Placement]) -> Result<()> {
    for some in placements.chunks(PLACEMENTS) {
        let statement = format!(
            "UPDATE vulnerabilities SET cluster = fresh.column2, cluster_reason = fresh.column3
             FROM (VALUES {}) AS fresh
             WHERE vulnerabilities.tenant_id = $1 AND vulnerabilities.id = fresh.column1 AND NOT vulnerabilities.cluster_fixed",
            Sql::rows(some.len(), 3, 1)
        );
        let values = some.iter().flat_map(|(id, cluster, reason)| [Value::from(*id), Value::from(cluster), Value::from(clean(reason))]);
        change.run(Sql::built(statement).bind(change.scope().tenant()).bind_all(values)).await?;
    }
    Ok(())
}

/// Clusters that go up in others, and what is said of those.
pub(crate) async fn joins(db: &Db, scope: &Scope) -> Result<HashMap<String, (String, String)>> {
    joined(&db.all(joins_of(scope)).await?)
}

/// The same as a change sees them.
pub(crate) async fn joins_now(change: &mut Change) -> Result<HashMap<String, (String, String)>> {
    let scope = change.scope();
    joined(&change.all(joins_of(&scope)).await?)
}

fn joins_of(scope: &Scope) -> Sql {
    let statement =
        format!("SELECT cluster, joined, reason FROM cluster_joins WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT {JOINS}");
    Sql::built(statement).bind(scope.tenant())
}

fn joined(rows: &[Row]) -> Result<HashMap<String, (String, String)>> {
    rows.iter().map(|row| Ok((row.get("cluster")?, (row.get("joined")?, row.get("reason")?)))).collect()
}

/// What the members of a cluster have in common; nothing when there are none.
pub(crate) async fn reason_of(change: &mut Change, cluster: &str) -> Result<Option<String>> {
    let statement =
        sql("SELECT MIN(cluster_reason) AS reason, COUNT(*) AS members FROM vulnerabilities WHERE tenant_id = $1 AND cluster = $2");
    let row = change.one(statement.bind(change.scope().tenant()).bind(cluster)).await?;
    match row {
        Some(row) if row.get::<i64>("members")? > 0 => Ok(Some(row.get::<Option<String>>("reason")?.unwrap_or_default())),
        _ => Ok(None),
    }
}

/// Lets one cluster go up in another, now and later; tells how many findings moved.
pub(crate) async fn join(change: &mut Change, cluster: &str, into: &str, reason: &str) -> Result<u64> {
    let (tenant, now, by) = (change.scope().tenant(), change.now(), change.actor().username.clone());
    let statement = sql("UPDATE vulnerabilities SET cluster = $3, cluster_reason = $4 WHERE tenant_id = $1 AND cluster = $2");
    let moved = change.run(statement.bind(tenant).bind(cluster).bind(into).bind(clean(reason))).await?;
    // What led here before leads on; what led the other way is answered by this.
    let statement = sql("UPDATE cluster_joins SET joined = $3, reason = $4 WHERE tenant_id = $1 AND joined = $2");
    change.run(statement.bind(tenant).bind(cluster).bind(into).bind(clean(reason))).await?;
    let statement = sql("DELETE FROM cluster_joins WHERE tenant_id = $1 AND cluster = $2");
    change.run(statement.bind(tenant).bind(into)).await?;
    let statement =
        sql("INSERT INTO cluster_joins (tenant_id, cluster, joined, reason, joined_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, cluster) DO UPDATE SET joined = excluded.joined, reason = excluded.reason");
    let statement = statement.bind(tenant).bind(cluster).bind(into).bind(clean(reason)).bind(clean(&by)).bind(now);
    change.run(statement).await?;
    Ok(moved)
}

/// Puts a finding where it belongs by itself, from now on.
pub(crate) async fn release(change: &mut Change, id: FindingId, cluster: Option<&(String, String)>) -> Result<()> {
    let statement =
        sql("UPDATE vulnerabilities SET cluster = $3, cluster_reason = $4, cluster_fixed = FALSE WHERE tenant_id = $1 AND id = $2");
    let (name, reason) = cluster.map(|(name, reason)| (name.clone(), clean(reason))).unzip();
    change.run(statement.bind(change.scope().tenant()).bind(id).bind(name).bind(reason)).await.map(drop)
}
