//! Rows of streams, and of whom they leave out.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Page, PageRequest, Result, Scope, TenantId, Time};

use crate::model::{Status, Stream, StreamId};

const STREAM: &str = "id, tenant_id, description, method, endpoint, authorization_sealed, requested, status, reason, created_by, created_at, \
     verified_at, trouble";

fn stream(row: &Row) -> Result<Stream> {
    Ok(Stream {
        id: row.get("id")?,
        tenant: row.get("tenant_id")?,
        description: row.get("description")?,
        method: row.parse("method")?,
        endpoint: row.get("endpoint")?,
        authorization: row.get("authorization_sealed")?,
        requested: row.json("requested")?,
        status: row.parse("status")?,
        reason: row.get("reason")?,
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        verified_at: row.get("verified_at")?,
        trouble: row.get("trouble")?,
    })
}

fn by_id(tenant: TenantId, id: StreamId) -> Sql {
    Sql::built(format!("SELECT {STREAM} FROM event_streams WHERE tenant_id = $1 AND id = $2")).bind(tenant).bind(id)
}

pub(crate) async fn find(db: &Db, scope: &Scope, id: StreamId) -> Result<Option<Stream>> {
    db.one(by_id(scope.tenant(), id)).await?.as_ref().map(stream).transpose()
}

/// The stream within a change, held against other changes until this one ends.
pub(crate) async fn hold(change: &mut Change, id: StreamId) -> Result<Option<Stream>> {
    let tenant = change.scope().tenant();
    let statement =
        Sql::built(format!("UPDATE event_streams SET version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING {STREAM}"));
    change.one(statement.bind(tenant).bind(id)).await?.as_ref().map(stream).transpose()
}

/// Newest first.
pub(crate) async fn list(db: &Db, scope: &Scope, page: &PageRequest) -> Result<Page<Stream>> {
    let rows = page.rows()?;
    let mut text = format!("SELECT {STREAM} FROM event_streams WHERE tenant_id = $1");
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    if let Some(last) = page.after::<StreamId>()? {
        values.push(last.into());
        text.push_str(" AND id < $2");
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(stream).collect::<Result<_>>()?, rows, |stream| stream.id)
}

/// Streams that take events.
pub(crate) async fn taking(db: &Db, scope: &Scope) -> Result<Vec<Stream>> {
    let statement = Sql::built(format!("SELECT {STREAM} FROM event_streams WHERE tenant_id = $1 AND status <> 'disabled' ORDER BY id"));
    db.all(statement.bind(scope.tenant())).await?.iter().map(stream).collect()
}

pub(crate) async fn count(change: &mut Change) -> Result<i64> {
    let tenant = change.scope().tenant();
    let row = change.one(sql("SELECT COUNT(*) AS n FROM event_streams WHERE tenant_id = $1").bind(tenant)).await?;
    row.map_or(Ok(0), |row| row.get("n"))
}

pub(crate) async fn insert(change: &mut Change, stream: &Stream) -> Result<()> {
    let statement =
        sql("INSERT INTO event_streams (id, tenant_id, description, method, endpoint, authorization_sealed, requested, status, \
         created_by, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)")
        .bind(stream.id)
        .bind(stream.tenant)
        .bind(stream.description.clone())
        .bind(stream.method.as_str())
        .bind(stream.endpoint.clone())
        .bind(stream.authorization.clone())
        .bind(serde_json::json!(stream.requested))
        .bind(stream.status.as_str())
        .bind(&stream.created_by)
        .bind(stream.created_at);
    change.run(statement).await.map(drop)
}

pub(crate) async fn update(change: &mut Change, stream: &Stream) -> Result<()> {
    let statement =
        sql("UPDATE event_streams SET description = $3, method = $4, endpoint = $5, authorization_sealed = $6, requested = $7 \
         WHERE tenant_id = $1 AND id = $2")
        .bind(stream.tenant)
        .bind(stream.id)
        .bind(stream.description.clone())
        .bind(stream.method.as_str())
        .bind(stream.endpoint.clone())
        .bind(stream.authorization.clone())
        .bind(serde_json::json!(stream.requested));
    change.run(statement).await.map(drop)
}

pub(crate) async fn set_status(change: &mut Change, id: StreamId, status: Status, reason: Option<&str>) -> Result<()> {
    let statement = sql("UPDATE event_streams SET status = $3, reason = $4 WHERE tenant_id = $1 AND id = $2")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(status.as_str())
        .bind(reason.map(str::to_owned));
    change.run(statement).await.map(drop)
}

pub(crate) async fn set_trouble(change: &mut Change, id: StreamId, trouble: Option<&str>) -> Result<()> {
    let statement = sql("UPDATE event_streams SET trouble = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(trouble.map(str::to_owned));
    change.run(statement).await.map(drop)
}

pub(crate) async fn set_verified(change: &mut Change, id: StreamId, at: Time) -> Result<()> {
    let statement =
        sql("UPDATE event_streams SET verified_at = $3 WHERE tenant_id = $1 AND id = $2").bind(change.scope().tenant()).bind(id).bind(at);
    change.run(statement).await.map(drop)
}

/// The stream with everything that hangs on it.
pub(crate) async fn delete(change: &mut Change, id: StreamId) -> Result<()> {
    let tenant = change.scope().tenant();
    for statement in [
        "DELETE FROM held_events WHERE tenant_id = $1 AND stream_id = $2",
        "DELETE FROM event_stream_exclusions WHERE tenant_id = $1 AND stream_id = $2",
        "DELETE FROM event_streams WHERE tenant_id = $1 AND id = $2",
    ] {
        change.run(sql(statement).bind(tenant).bind(id)).await?;
    }
    Ok(())
}

pub(crate) async fn excluded(change: &mut Change, id: StreamId) -> Result<i64> {
    let tenant = change.scope().tenant();
    let statement = sql("SELECT COUNT(*) AS n FROM event_stream_exclusions WHERE tenant_id = $1 AND stream_id = $2").bind(tenant).bind(id);
    change.one(statement).await?.map_or(Ok(0), |row| row.get("n"))
}

pub(crate) async fn exclude(change: &mut Change, id: StreamId, fingerprint: &str) -> Result<()> {
    let statement = sql("INSERT INTO event_stream_exclusions (tenant_id, stream_id, fingerprint, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (stream_id, fingerprint) DO NOTHING")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(fingerprint)
    .bind(change.now());
    change.run(statement).await.map(drop)
}

pub(crate) async fn include(change: &mut Change, id: StreamId, fingerprint: &str) -> Result<()> {
    let statement = sql("DELETE FROM event_stream_exclusions WHERE tenant_id = $1 AND stream_id = $2 AND fingerprint = $3")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(fingerprint);
    change.run(statement).await.map(drop)
}

/// Streams that leave out a subject of any of these names.
pub(crate) async fn leaving_out(db: &Db, scope: &Scope, names: Vec<String>) -> Result<Vec<StreamId>> {
    let text = format!(
        "SELECT DISTINCT stream_id FROM event_stream_exclusions WHERE tenant_id = $1 AND fingerprint IN ({})",
        Sql::list(names.len(), 1)
    );
    let statement = Sql::built(text).bind(scope.tenant()).bind_all(names.into_iter().map(Value::from));
    db.all(statement).await?.iter().map(|row| row.get("stream_id")).collect()
}
