//! All SQL of this context: reads within a scope, writes within a change.

use audit::Change;
use backends::{Db, JobId, Row, Sql, Value, sql};
use base::{Error, Page, PageRequest, Result, Scope, TenantId, Time};
use targets::within;

use crate::artifact::Artifact;
use crate::model::{ArtifactId, Filter, OpenPort, Scan, ScanId, ScanState, StageRun, StageState, Summary};
use crate::tools::Brought;

const SCAN: &str = "id, target_id, target_name, profile, options, state, progress, stage, authorization_id, requested_by, error, summary, \
     created_at, started_at, finished_at";

fn scan(row: &Row) -> Result<Scan> {
    Ok(Scan {
        id: row.get("id")?,
        target_id: row.get("target_id")?,
        target_name: row.get("target_name")?,
        profile: row.parse("profile")?,
        options: row.json("options")?,
        state: row.parse("state")?,
        progress: row.get::<f64>("progress")? as f32,
        stage: row.get("stage")?,
        stages: Vec::new(),
        authorization_id: row.get("authorization_id")?,
        requested_by: row.get("requested_by")?,
        created_at: row.get("created_at")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        error: row.get("error")?,
        summary: row.json_option("summary")?,
    })
}

fn stage(row: &Row) -> Result<StageRun> {
    Ok(StageRun {
        name: row.get("name")?,
        tool: row.get("tool")?,
        tool_version: row.get("tool_version")?,
        state: row.parse("state")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        reason: row.get("reason")?,
        argv: row.json("argv")?,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|cause| Error::internal("a column cannot be written as JSON").because(cause))
}

fn by_id(scope: &Scope, id: ScanId) -> Sql {
    let mut values = vec![scope.tenant().into(), id.into()];
    let within = within(scope, "target_id", &mut values);
    Sql::built(format!("SELECT {SCAN} FROM scans WHERE tenant_id = $1 AND id = $2{within}")).bind_all(values)
}

fn stages_of(tenant: TenantId, id: ScanId) -> Sql {
    sql("SELECT name, tool, tool_version, state, reason, argv, started_at, finished_at FROM scan_stages \
         WHERE tenant_id = $1 AND scan_id = $2 ORDER BY position")
    .bind(tenant)
    .bind(id)
}

pub(crate) async fn find(db: &Db, scope: &Scope, id: ScanId) -> Result<Option<Scan>> {
    let Some(row) = db.one(by_id(scope, id)).await? else { return Ok(None) };
    let mut found = scan(&row)?;
    found.stages = db.all(stages_of(scope.tenant(), id)).await?.iter().map(stage).collect::<Result<_>>()?;
    Ok(Some(found))
}

pub(crate) async fn list(db: &Db, scope: &Scope, filter: &Filter, page: &PageRequest) -> Result<Page<Scan>> {
    let rows = page.rows()?;
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    let within = within(scope, "target_id", &mut values);
    let mut text = format!("SELECT {SCAN} FROM scans WHERE tenant_id = $1{within}");
    if let Some(target) = filter.target_id {
        values.push(target.into());
        text.push_str(&format!(" AND target_id = ${}", values.len()));
    }
    if let Some(state) = filter.state {
        values.push(state.as_str().into());
        text.push_str(&format!(" AND state = ${}", values.len()));
    }
    if let Some(last) = page.after::<ScanId>()? {
        values.push(last.into());
        text.push_str(&format!(" AND id < ${}", values.len()));
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    let mut page = Page::cut(found.iter().map(scan).collect::<Result<_>>()?, rows, |scan| scan.id)?;
    add_stages(db, scope, &mut page.items).await?;
    Ok(page)
}

pub(crate) async fn of_ids(db: &Db, scope: &Scope, ids: &[ScanId]) -> Result<Vec<Scan>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    values.extend(ids.iter().map(|id| Value::from(*id)));
    let (listed, within) = (Sql::list(ids.len(), 1), within(scope, "target_id", &mut values));
    let text = format!("SELECT {SCAN} FROM scans WHERE tenant_id = $1 AND id IN ({listed}){within}");
    let mut found: Vec<Scan> = db.all(Sql::built(text).bind_all(values)).await?.iter().map(scan).collect::<Result<_>>()?;
    add_stages(db, scope, &mut found).await?;
    Ok(found)
}

/// The stages of a page of scans in one statement.
async fn add_stages(db: &Db, scope: &Scope, scans: &mut [Scan]) -> Result<()> {
    if scans.is_empty() {
        return Ok(());
    }
    let text = format!(
        "SELECT scan_id, name, tool, tool_version, state, reason, argv, started_at, finished_at FROM scan_stages \
         WHERE tenant_id = $1 AND scan_id IN ({}) ORDER BY scan_id, position",
        Sql::list(scans.len(), 1)
    );
    let statement = Sql::built(text).bind(scope.tenant()).bind_all(scans.iter().map(|scan| Value::from(scan.id)));
    for row in &db.all(statement).await? {
        let id: ScanId = row.get("scan_id")?;
        if let Some(scan) = scans.iter_mut().find(|scan| scan.id == id) {
            scan.stages.push(stage(row)?);
        }
    }
    Ok(())
}

/// The scan's row, locked until the change ends: whoever decides about its state decides alone.
pub(crate) async fn lock(change: &mut Change, id: ScanId) -> Result<Option<Scan>> {
    let scope = change.scope();
    let tenant = scope.tenant();
    let mut values = vec![tenant.into(), id.into()];
    let within = within(&scope, "target_id", &mut values);
    let text = format!("UPDATE scans SET version = version + 1 WHERE tenant_id = $1 AND id = $2{within} RETURNING {SCAN}");
    let Some(row) = change.one(Sql::built(text).bind_all(values)).await? else { return Ok(None) };
    let mut found = scan(&row)?;
    found.stages = change.all(stages_of(tenant, id)).await?.iter().map(stage).collect::<Result<_>>()?;
    Ok(Some(found))
}

pub(crate) async fn insert(change: &mut Change, scan: &Scan) -> Result<()> {
    let tenant = change.scope().tenant();
    change
        .run(
            sql("INSERT INTO scans (id, tenant_id, target_id, target_name, profile, options, state, progress, authorization_id, requested_by, \
                 cancel_requested, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, FALSE, $10, 1)")
            .bind(scan.id)
            .bind(tenant)
            .bind(scan.target_id)
            .bind(&scan.target_name)
            .bind(scan.profile.as_str())
            .bind(json(&scan.options)?)
            .bind(scan.state.as_str())
            .bind(scan.authorization_id)
            .bind(scan.requested_by)
            .bind(scan.created_at),
        )
        .await?;
    let text = format!(
        "INSERT INTO scan_stages (tenant_id, scan_id, state, argv, position, name, tool) {}",
        Sql::rows_sharing(scan.stages.len(), 4, 3)
    );
    let mut insert = Sql::built(text).bind(tenant).bind(scan.id).bind(StageState::Pending.as_str()).bind("[]");
    for (position, stage) in (0_i64..).zip(&scan.stages) {
        insert = insert.bind(position).bind(&stage.name).bind(&stage.tool);
    }
    change.run(insert).await.map(drop)
}

pub(crate) async fn set_job(change: &mut Change, id: ScanId, job: JobId) -> Result<()> {
    let statement = sql("UPDATE scans SET job_id = $3 WHERE tenant_id = $1 AND id = $2").bind(change.scope().tenant()).bind(id).bind(job);
    change.run(statement).await.map(drop)
}

pub(crate) async fn job(db: &Db, scope: &Scope, id: ScanId) -> Result<Option<JobId>> {
    let row = db.one(sql("SELECT job_id FROM scans WHERE tenant_id = $1 AND id = $2").bind(scope.tenant()).bind(id)).await?;
    Ok(row.map(|row| row.get::<Option<JobId>>("job_id")).transpose()?.flatten())
}

/// Writes what may change of a scan's row.
pub(crate) async fn update(change: &mut Change, scan: &Scan) -> Result<()> {
    let tenant = change.scope().tenant();
    let summary = scan.summary.as_ref().map(json).transpose()?;
    change
        .run(
            sql(
                "UPDATE scans SET state = $3, progress = $4, stage = $5, authorization_id = $6, error = $7, summary = $8, started_at = $9, \
                 finished_at = $10 WHERE tenant_id = $1 AND id = $2",
            )
            .bind(tenant)
            .bind(scan.id)
            .bind(scan.state.as_str())
            .bind(scan.progress)
            .bind(scan.stage.clone())
            .bind(scan.authorization_id)
            .bind(scan.error.clone())
            .bind(summary)
            .bind(scan.started_at)
            .bind(scan.finished_at),
        )
        .await
        .map(drop)
}

pub(crate) async fn request_cancel(change: &mut Change, id: ScanId) -> Result<()> {
    let statement = sql("UPDATE scans SET cancel_requested = TRUE WHERE tenant_id = $1 AND id = $2").bind(change.scope().tenant()).bind(id);
    change.run(statement).await.map(drop)
}

pub(crate) async fn cancel_requested(db: &Db, scope: &Scope, id: ScanId) -> Result<bool> {
    let row = db.one(sql("SELECT cancel_requested FROM scans WHERE tenant_id = $1 AND id = $2").bind(scope.tenant()).bind(id)).await?;
    row.map_or(Ok(false), |row| row.get("cancel_requested"))
}

pub(crate) async fn start_stage(change: &mut Change, id: ScanId, position: i64) -> Result<()> {
    let statement = sql("UPDATE scan_stages SET state = $4, started_at = $5 WHERE tenant_id = $1 AND scan_id = $2 AND position = $3")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(position)
        .bind(StageState::Running.as_str())
        .bind(change.now());
    change.run(statement).await.map(drop)
}

pub(crate) async fn finish_stage(change: &mut Change, id: ScanId, position: i64, brought: &Brought) -> Result<()> {
    let surface = brought.surface.as_ref().map(json).transpose()?;
    let reason: Option<String> = brought.reason.as_ref().map(|reason| reason.chars().take(2000).collect());
    let statement = sql("UPDATE scan_stages SET state = $4, reason = $5, tool_version = $6, argv = $7, surface = $8, finished_at = $9 \
         WHERE tenant_id = $1 AND scan_id = $2 AND position = $3")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(position)
    .bind(brought.state.as_str())
    .bind(reason)
    .bind(brought.tool_version.clone())
    .bind(json(&brought.argv)?)
    .bind(surface)
    .bind(change.now());
    change.run(statement).await.map(drop)
}

/// Stages that will not be reached any more.
pub(crate) async fn leave_stages(change: &mut Change, id: ScanId, reason: &str) -> Result<()> {
    let statement = sql("UPDATE scan_stages SET state = $3, reason = $4, finished_at = $5 \
         WHERE tenant_id = $1 AND scan_id = $2 AND state IN ('pending', 'running')")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(StageState::Skipped.as_str())
    .bind(reason)
    .bind(change.now());
    change.run(statement).await.map(drop)
}

/// What the stages so far left to the next ones.
pub(crate) async fn surface(db: &Db, scope: &Scope, id: ScanId) -> Result<Vec<OpenPort>> {
    let statement = sql("SELECT surface FROM scan_stages WHERE tenant_id = $1 AND scan_id = $2 AND surface IS NOT NULL ORDER BY position");
    let rows = db.all(statement.bind(scope.tenant()).bind(id)).await?;
    let mut open = Vec::new();
    for row in &rows {
        open.extend(row.json::<Vec<OpenPort>>("surface")?);
    }
    Ok(open)
}

/// An artifact about to be recorded.
pub(crate) struct NewArtifact<'a> {
    pub(crate) id: ArtifactId,
    pub(crate) scan: ScanId,
    pub(crate) position: i64,
    pub(crate) tool: &'a str,
    pub(crate) records_key: &'a str,
    pub(crate) raw_key: Option<&'a str>,
    pub(crate) records: u64,
}

pub(crate) async fn insert_artifact(change: &mut Change, new: &NewArtifact<'_>) -> Result<()> {
    let statement = sql("INSERT INTO scan_artifacts (id, tenant_id, scan_id, position, tool, records_key, raw_key, records, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(new.id)
    .bind(change.scope().tenant())
    .bind(new.scan)
    .bind(new.position)
    .bind(new.tool)
    .bind(new.records_key)
    .bind(new.raw_key)
    .bind(i64::try_from(new.records).unwrap_or(i64::MAX))
    .bind(change.now());
    change.run(statement).await.map(drop)
}

/// An artifact without its bytes, and the key they are stored under.
pub(crate) async fn artifact(db: &Db, scope: &Scope, id: ArtifactId) -> Result<Option<(Artifact, String)>> {
    let mut values = vec![scope.tenant().into(), id.into()];
    let within = within(scope, "target_id", &mut values);
    let text = format!(
        "SELECT scan_artifacts.id AS id, scan_id, target_id, tool, records_key, records, scan_artifacts.created_at AS created_at \
         FROM scan_artifacts JOIN scans ON scans.id = scan_artifacts.scan_id \
         WHERE scan_artifacts.tenant_id = $1 AND scan_artifacts.id = $2{within}"
    );
    let Some(row) = db.one(Sql::built(text).bind_all(values)).await? else { return Ok(None) };
    let artifact = Artifact {
        id: row.get("id")?,
        scan_id: row.get("scan_id")?,
        target_id: row.get("target_id")?,
        tool: row.get("tool")?,
        created_at: row.get("created_at")?,
        count: row.get("records")?,
        bytes: Vec::new(),
    };
    Ok(Some((artifact, row.get("records_key")?)))
}

/// Marks an artifact as taken in; false when it was before, or does not exist.
pub(crate) async fn set_ingested(change: &mut Change, scan: ScanId, id: ArtifactId, summary: &Summary) -> Result<bool> {
    let statement = sql("UPDATE scan_artifacts SET ingested_at = $4, summary = $5 WHERE tenant_id = $1 AND scan_id = $2 AND id = $3 AND ingested_at IS NULL")
        .bind(change.scope().tenant())
        .bind(scan)
        .bind(id)
        .bind(change.now())
        .bind(json(summary)?);
    Ok(change.run(statement).await? == 1)
}

/// How many artifacts wait to be taken in, and the sum of those that were.
pub(crate) async fn taken_in(change: &mut Change, id: ScanId) -> Result<(usize, Summary)> {
    let statement = sql("SELECT ingested_at, summary FROM scan_artifacts WHERE tenant_id = $1 AND scan_id = $2");
    let rows = change.all(statement.bind(change.scope().tenant()).bind(id)).await?;
    let mut waiting = 0;
    let mut sum = Summary::default();
    for row in &rows {
        match row.get::<Option<Time>>("ingested_at")? {
            None => waiting += 1,
            Some(_) => sum += row.json_option::<Summary>("summary")?.unwrap_or_default(),
        }
    }
    Ok((waiting, sum))
}

/// Figures about a finished scan.
pub(crate) async fn insert_metrics(change: &mut Change, id: ScanId, figures: &[(&str, f64)]) -> Result<()> {
    let tenant = change.scope().tenant();
    let text =
        format!("INSERT INTO scan_metrics (tenant_id, scan_id, recorded_at, id, name, value) {}", Sql::rows_sharing(figures.len(), 3, 3));
    let mut insert = Sql::built(text).bind(tenant).bind(id).bind(change.now());
    for (name, value) in figures {
        let figure: base::Id<Summary> = change.id();
        insert = insert.bind(figure).bind(*name).bind(*value);
    }
    change.run(insert).await.map(drop)
}

/// A scan that should be at work, across tenants: for the sweep only.
pub(crate) struct Unfinished {
    pub(crate) id: ScanId,
    pub(crate) tenant: TenantId,
    pub(crate) state: ScanState,
    pub(crate) job: Option<JobId>,
}

/// Scans created before `before` that wait or work, and those whose last stage ended before `import_before` and are still not taken in.
pub(crate) async fn unfinished(db: &Db, before: Time, import_before: Time) -> Result<Vec<Unfinished>> {
    let statement = sql("SELECT id, tenant_id, state, job_id FROM scans WHERE created_at < $1 AND (state IN ('queued', 'running') \
         OR (state = 'importing' AND NOT EXISTS (SELECT 1 FROM scan_stages WHERE scan_stages.tenant_id = scans.tenant_id \
         AND scan_stages.scan_id = scans.id AND scan_stages.finished_at >= $2))) ORDER BY created_at LIMIT 1000");
    let rows = db.all(statement.bind(before).bind(import_before)).await?;
    rows.iter()
        .map(|row| {
            Ok(Unfinished { id: row.get("id")?, tenant: row.get("tenant_id")?, state: row.parse("state")?, job: row.get("job_id")? })
        })
        .collect()
}

/// What the search index is made of, of every organisation.
pub(crate) const METRICS: &str = "SELECT m.id, m.tenant_id, m.scan_id, m.name, m.value, m.recorded_at FROM scan_metrics m";
