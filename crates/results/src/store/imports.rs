//! SQL of imports and coverage.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope};
use scans::{ArtifactId, ScanId};
use serde::{Deserialize, Serialize};
use targets::TargetId;

use super::{clean, json};
use crate::model::{CoverageRow, Import, ImportId, ImportOptions, ImportState, ImportSummary};

const COLUMNS: &str = "id, format, filename, sha256, target_id, scan_id, service, state, error, created_at, ended_at, created_by, summary";

/// What an import is kept with beside what is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) raw_key: Option<String>,
    pub(crate) artifact: Option<ArtifactId>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) options: ImportOptions,
}

fn import(row: &Row) -> Result<Import> {
    let service: String = row.get("service")?;
    Ok(Import {
        id: row.get("id")?,
        format: row.get("format")?,
        filename: row.get("filename")?,
        sha256: row.get("sha256")?,
        target_id: row.get("target_id")?,
        scan_id: row.get("scan_id")?,
        service: Some(service).filter(|service| !service.is_empty()),
        state: row.parse("state")?,
        error: row.get("error")?,
        created_at: row.get("created_at")?,
        ended_at: row.get("ended_at")?,
        created_by: row.get("created_by")?,
        summary: row.json("summary")?,
        differences: Vec::new(),
        dry_run: false,
        repeated: false,
    })
}

/// Keeps an import: one that took place, or one whose file waits.
pub(crate) async fn insert(change: &mut Change, import: &Import, kept: &Kept) -> Result<()> {
    let statement =
        sql("INSERT INTO imports (id, tenant_id, format, filename, sha256, raw_key, target_id, scan_id, artifact_id, idempotency_key,
             summary, created_at, created_by, service, state, options, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)");
    let statement = statement
        .bind(import.id)
        .bind(change.scope().tenant())
        .bind(&import.format)
        .bind(import.filename.as_ref())
        .bind(import.sha256.as_ref())
        .bind(kept.raw_key.as_ref())
        .bind(import.target_id)
        .bind(import.scan_id)
        .bind(kept.artifact)
        .bind(kept.idempotency_key.as_ref())
        .bind(json(&import.summary)?)
        .bind(import.created_at)
        .bind(&import.created_by)
        .bind(&kept.options.service)
        .bind(import.state.as_str())
        .bind(json(&kept.options)?)
        .bind(import.ended_at);
    change.run(statement).await.map(drop)
}

/// An import whose file waits.
pub(crate) struct Waiting {
    pub(crate) import: Import,
    pub(crate) raw_key: String,
    pub(crate) options: ImportOptions,
}

/// The import, if its file still waits.
pub(crate) async fn waiting(db: &Db, scope: &Scope, id: ImportId) -> Result<Option<Waiting>> {
    let statement = format!(
        "SELECT {COLUMNS}, raw_key, options FROM imports WHERE tenant_id = $1 AND id = $2 AND state = 'queued' AND raw_key IS NOT NULL"
    );
    let row = db.one(Sql::built(statement).bind(scope.tenant()).bind(id)).await?;
    row.map(|row| Ok(Waiting { import: import(&row)?, raw_key: row.get("raw_key")?, options: row.json("options")? })).transpose()
}

/// Ends an import whose file waited; tells whether it still did. A failure frees the idempotency key for another try.
pub(crate) async fn end(
    change: &mut Change,
    id: ImportId,
    state: ImportState,
    summary: &ImportSummary,
    error: Option<&str>,
) -> Result<bool> {
    let statement = sql("UPDATE imports SET state = $3, summary = $4, error = $5, ended_at = $6,
             idempotency_key = CASE WHEN $3 = 'failed' THEN NULL ELSE idempotency_key END
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued'");
    let statement = statement
        .bind(change.scope().tenant())
        .bind(id)
        .bind(state.as_str())
        .bind(json(summary)?)
        .bind(error.map(clean))
        .bind(change.now());
    Ok(change.run(statement).await? > 0)
}

/// The newest import into this target and service that is not failed or undone, and how it was taken in.
pub(crate) async fn newest(db: &Db, scope: &Scope, target: Option<TargetId>, service: &str) -> Result<Option<(Import, ImportOptions)>> {
    let place = if target.is_some() { "target_id = $3" } else { "target_id IS NULL AND CAST($3 AS TEXT) IS NULL" };
    let statement = format!(
        "SELECT {COLUMNS}, options FROM imports WHERE tenant_id = $1 AND service = $2 AND {place} AND state IN ('done', 'queued')
         ORDER BY id DESC LIMIT 1"
    );
    let row = db.one(Sql::built(statement).bind(scope.tenant()).bind(service).bind(target)).await?;
    row.map(|row| Ok((import(&row)?, row.json("options")?))).transpose()
}

/// The import of an artifact, if it took place.
pub(crate) async fn of_artifact(change: &mut Change, artifact: ArtifactId) -> Result<Option<Import>> {
    let statement = format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 AND artifact_id = $2");
    change.one(Sql::built(statement).bind(change.scope().tenant()).bind(artifact)).await?.as_ref().map(import).transpose()
}

fn by_key(tenant: base::TenantId, key: &str) -> Sql {
    let statement = format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 AND idempotency_key = $2");
    Sql::built(statement).bind(tenant).bind(key)
}

/// The import made under an idempotency key, if there is one.
pub(crate) async fn of_key(db: &Db, scope: &Scope, key: &str) -> Result<Option<Import>> {
    db.one(by_key(scope.tenant(), key)).await?.as_ref().map(import).transpose()
}

/// The same within a change, where it cannot be overtaken.
pub(crate) async fn of_key_now(change: &mut Change, key: &str) -> Result<Option<Import>> {
    let statement = by_key(change.scope().tenant(), key);
    change.one(statement).await?.as_ref().map(import).transpose()
}

fn by_id(scope: &Scope, id: ImportId) -> Sql {
    let mut values = vec![scope.tenant().into(), id.into()];
    let within = targets::within(scope, "target_id", &mut values);
    Sql::built(format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 AND id = $2{within}")).bind_all(values)
}

/// One import.
pub(crate) async fn get(db: &Db, scope: &Scope, id: ImportId) -> Result<Option<Import>> {
    db.one(by_id(scope, id)).await?.as_ref().map(import).transpose()
}

/// The same as a change sees it.
pub(crate) async fn get_now(change: &mut Change, id: ImportId) -> Result<Option<Import>> {
    let scope = change.scope();
    change.one(by_id(&scope, id)).await?.as_ref().map(import).transpose()
}

/// Where a page of imports ends.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before(pub(crate) ImportId);

/// Imports, newest first.
pub(crate) async fn list(db: &Db, scope: &Scope, before: Option<Before>, rows: u32) -> Result<Vec<Import>> {
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    let mut narrowed = format!("tenant_id = $1{}", targets::within(scope, "target_id", &mut values));
    if let Some(Before(id)) = before {
        values.push(id.into());
        narrowed.push_str(&format!(" AND id < ${}", values.len()));
    }
    let statement = format!("SELECT {COLUMNS} FROM imports WHERE {narrowed} ORDER BY id DESC LIMIT {}", rows + 1);
    db.all(Sql::built(statement).bind_all(values)).await?.iter().map(import).collect()
}

const COVERAGE: &str = "source, check_set, location, extent, status, reason, scan_id, created_at";

fn coverage(row: &Row) -> Result<CoverageRow> {
    let status: String = row.get("status")?;
    Ok(CoverageRow {
        source: row.get("source")?,
        check_set: row.get("check_set")?,
        location: row.json("location")?,
        extent: row.json("extent")?,
        status: serde_json::from_value(status.into())
            .map_err(|cause| base::Error::internal("a coverage status is unknown").because(cause))?,
        reason: row.get("reason")?,
        scan_id: row.get("scan_id")?,
        at: row.get("created_at")?,
    })
}

/// What a scan tested and what it left out.
pub(crate) async fn coverage_of_scan(db: &Db, scope: &Scope, scan: ScanId, limit: u32) -> Result<Vec<CoverageRow>> {
    let mut values = vec![scope.tenant().into(), scan.into()];
    let within = targets::within(scope, "target_id", &mut values);
    let statement = format!("SELECT {COVERAGE} FROM coverage WHERE tenant_id = $1 AND scan_id = $2{within} ORDER BY id LIMIT {limit}");
    db.all(Sql::built(statement).bind_all(values)).await?.iter().map(coverage).collect()
}

/// The newest statements of one tool about one target.
pub(crate) async fn coverage_of_target(
    db: &Db,
    scope: &Scope,
    target: Option<TargetId>,
    source: &str,
    limit: u32,
) -> Result<Vec<CoverageRow>> {
    let statement =
        format!("SELECT {COVERAGE} FROM coverage WHERE tenant_id = $1 AND target_id = $2 AND source = $3 ORDER BY id DESC LIMIT {limit}");
    let target = target.map(|id| id.to_string()).unwrap_or_default();
    db.all(Sql::built(statement).bind(scope.tenant()).bind(target).bind(source)).await?.iter().map(coverage).collect()
}
