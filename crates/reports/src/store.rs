//! All SQL of this context: reads within a scope, writes within a change.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Actor, Page, PageRequest, Result, Scope, UserId};

use crate::model::{Files, NewReport, Report, ReportId, ReportState};

const REPORT: &str = "id, request, state, error, digest, findings, snapshot_key, html_key, pdf_key, requested_by, created_at, finished_at";

fn report(row: &Row) -> Result<Report> {
    let request: NewReport = row.json("request")?;
    Ok(Report {
        id: row.get("id")?,
        title: request.title.clone(),
        request,
        state: row.parse("state")?,
        error: row.get("error")?,
        digest: row.get("digest")?,
        findings: row.get("findings")?,
        requested_by: row.get::<Option<UserId>>("requested_by")?,
        created_at: row.get("created_at")?,
        finished_at: row.get("finished_at")?,
        files: Files { snapshot: row.get("snapshot_key")?, html: row.get("html_key")?, pdf: row.get("pdf_key")? },
    })
}

/// Who is bound to business units sees the reports asked for by themselves: those of others may tell of other units.
pub(crate) fn only_of(actor: &Actor) -> Option<UserId> {
    actor.user.filter(|_| !actor.units.is_empty())
}

pub(crate) async fn find(db: &Db, scope: &Scope, of: Option<UserId>, id: ReportId) -> Result<Option<Report>> {
    let mut text = format!("SELECT {REPORT} FROM reports WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL");
    let mut values: Vec<Value> = vec![scope.tenant().into(), id.into()];
    if let Some(user) = of {
        values.push(user.into());
        text.push_str(" AND requested_by = $3");
    }
    db.one(Sql::built(text).bind_all(values)).await?.as_ref().map(report).transpose()
}

pub(crate) async fn list(db: &Db, scope: &Scope, of: Option<UserId>, page: &PageRequest) -> Result<Page<Report>> {
    let rows = page.rows()?;
    let mut text = format!("SELECT {REPORT} FROM reports WHERE tenant_id = $1 AND deleted_at IS NULL");
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    if let Some(user) = of {
        values.push(user.into());
        text.push_str(&format!(" AND requested_by = ${}", values.len()));
    }
    if let Some(last) = page.after::<ReportId>()? {
        values.push(last.into());
        text.push_str(&format!(" AND id < ${}", values.len()));
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(report).collect::<Result<_>>()?, rows, |report| report.id)
}

pub(crate) async fn insert(change: &mut Change, report: &Report) -> Result<()> {
    let request = serde_json::to_value(&report.request)
        .map_err(|cause| base::Error::internal("a request cannot be written as JSON").because(cause))?;
    let statement = sql("INSERT INTO reports (id, tenant_id, request, state, requested_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(report.id)
        .bind(change.scope().tenant())
        .bind(&request)
        .bind(report.state.as_str())
        .bind(report.requested_by)
        .bind(report.created_at);
    change.run(statement).await.map(drop)
}

/// Writes down the frozen content, once: a second freeze of the same report changes nothing.
pub(crate) async fn freeze(change: &mut Change, id: ReportId, digest: &str, key: &str, findings: i64) -> Result<bool> {
    let statement = sql("UPDATE reports SET digest = $3, snapshot_key = $4, findings = $5 \
         WHERE tenant_id = $1 AND id = $2 AND snapshot_key IS NULL AND deleted_at IS NULL")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(digest)
    .bind(key)
    .bind(findings);
    Ok(change.run(statement).await? == 1)
}

/// Ends a report that is not over yet.
pub(crate) async fn finish(change: &mut Change, id: ReportId, state: ReportState, error: Option<&str>, files: &Files) -> Result<bool> {
    let statement = sql("UPDATE reports SET state = $3, error = $4, html_key = $5, pdf_key = $6, finished_at = $7 \
         WHERE tenant_id = $1 AND id = $2 AND state = 'queued' AND deleted_at IS NULL")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(state.as_str())
    .bind(error)
    .bind(files.html.clone())
    .bind(files.pdf.clone())
    .bind(change.now());
    Ok(change.run(statement).await? == 1)
}

pub(crate) async fn delete(change: &mut Change, id: ReportId) -> Result<bool> {
    let statement = sql("UPDATE reports SET deleted_at = $3 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(change.now());
    Ok(change.run(statement).await? == 1)
}
