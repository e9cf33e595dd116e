//! SQL of imports and coverage.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Result, Scope};
use scans::{ArtifactId, ScanId};
use serde::{Deserialize, Serialize};
use targets::TargetId;

use super::json;
use crate::model::{CoverageRow, Import, ImportId};

const COLUMNS: &str = "id, format, filename, sha256, target_id, scan_id, created_at, created_by, summary";

/// What an import is kept with beside what is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) raw_key: Option<String>,
    pub(crate) artifact: Option<ArtifactId>,
    pub(crate) idempotency_key: Option<String>,
}

fn import(row: &Row) -> Result<Import> {
    Ok(Import {
        id: row.get("id")?,
        format: row.get("format")?,
        filename: row.get("filename")?,
        sha256: row.get("sha256")?,
        target_id: row.get("target_id")?,
        scan_id: row.get("scan_id")?,
        created_at: row.get("created_at")?,
        created_by: row.get("created_by")?,
        summary: row.json("summary")?,
        dry_run: false,
        repeated: false,
    })
}

/// Keeps an import; last, because its summary is known last.
pub(crate) async fn insert(change: &mut Change, import: &Import, kept: &Kept) -> Result<()> {
    let statement = sql("INSERT INTO imports (id, tenant_id, format, filename, sha256, raw_key, target_id, scan_id, artifact_id, idempotency_key, summary, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
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
        .bind(&import.created_by);
    change.run(statement).await.map(drop)
}

/// The import of an artifact, if it took place.
pub(crate) async fn of_artifact(change: &mut Change, artifact: ArtifactId) -> Result<Option<Import>> {
    let statement = format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 AND artifact_id = $2");
    change.one(Sql::built(statement).bind(change.scope().tenant()).bind(artifact)).await?.as_ref().map(import).transpose()
}

/// The import made under an idempotency key, if there is one.
pub(crate) async fn of_key(change: &mut Change, key: &str) -> Result<Option<Import>> {
    let statement = format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 AND idempotency_key = $2");
    change.one(Sql::built(statement).bind(change.scope().tenant()).bind(key)).await?.as_ref().map(import).transpose()
}

/// One import.
pub(crate) async fn get(db: &Db, scope: &Scope, id: ImportId) -> Result<Option<Import>> {
    let statement = format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 AND id = $2");
    db.one(Sql::built(statement).bind(scope.tenant()).bind(id)).await?.as_ref().map(import).transpose()
}

/// Where a page of imports ends.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before(pub(crate) ImportId);

/// Imports, newest first.
pub(crate) async fn list(db: &Db, scope: &Scope, before: Option<Before>, rows: u32) -> Result<Vec<Import>> {
    let limit = rows + 1;
    let statement = match before {
        None => {
            Sql::built(format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 ORDER BY id DESC LIMIT {limit}")).bind(scope.tenant())
        }
        Some(Before(id)) => {
            let statement = format!("SELECT {COLUMNS} FROM imports WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT {limit}");
            Sql::built(statement).bind(scope.tenant()).bind(id)
        }
    };
    db.all(statement).await?.iter().map(import).collect()
}

const COVERAGE: &str = "source, check_set, location, status, reason, scan_id, created_at";

fn coverage(row: &Row) -> Result<CoverageRow> {
    let status: String = row.get("status")?;
    Ok(CoverageRow {
        source: row.get("source")?,
        check_set: row.get("check_set")?,
        location: row.json("location")?,
        status: serde_json::from_value(status.into())
            .map_err(|cause| base::Error::internal("a coverage status is unknown").because(cause))?,
        reason: row.get("reason")?,
        scan_id: row.get("scan_id")?,
        at: row.get("created_at")?,
    })
}

/// What a scan tested and what it left out.
pub(crate) async fn coverage_of_scan(db: &Db, scope: &Scope, scan: ScanId, limit: u32) -> Result<Vec<CoverageRow>> {
    let statement = format!("SELECT {COVERAGE} FROM coverage WHERE tenant_id = $1 AND scan_id = $2 ORDER BY id LIMIT {limit}");
    db.all(Sql::built(statement).bind(scope.tenant()).bind(scan)).await?.iter().map(coverage).collect()
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
