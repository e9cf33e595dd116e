//! Rows of events in streams: they wait, arrive, or are given up.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Page, PageRequest, Result, Scope, TenantId, Time};

use crate::model::{Held, HeldId, HeldState, Status, StreamId, Tally};

const HELD: &str = "id, txn, event, subject, claims, state, tries, error, created_at, finished_at";
/// Longest reason kept.
const SHOWN: usize = 1_000;

fn held(row: &Row) -> Result<Held> {
    Ok(Held {
        id: row.get("id")?,
        transaction: row.get("txn")?,
        event: row.get("event")?,
        subject: row.json("subject")?,
        claims: row.json("claims")?,
        state: row.parse("state")?,
        tries: row.get("tries")?,
        error: row.get("error")?,
        created_at: row.get("created_at")?,
        finished_at: row.get("finished_at")?,
    })
}

/// False when the stream holds this event already: the same thing was told twice. `is_control` is brought even when the stream is paused.
pub(crate) async fn insert(change: &mut Change, stream: StreamId, event: &Held, is_control: bool) -> Result<bool> {
    let statement =
        sql("INSERT INTO held_events (id, tenant_id, stream_id, txn, event, subject, claims, is_control, state, tries, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', 0, $9) ON CONFLICT (stream_id, txn, event) DO NOTHING")
        .bind(event.id)
        .bind(change.scope().tenant())
        .bind(stream)
        .bind(&event.transaction)
        .bind(&event.event)
        .bind(&event.subject)
        .bind(&event.claims)
        .bind(is_control)
        .bind(event.created_at);
    Ok(change.run(statement).await? == 1)
}

/// What waits in a stream of this status, oldest first.
pub(crate) async fn waiting(db: &Db, scope: &Scope, stream: StreamId, status: Status, most: u32) -> Result<Vec<Held>> {
    let text = format!(
        "SELECT {HELD} FROM held_events WHERE tenant_id = $1 AND stream_id = $2 AND state = 'waiting' AND (is_control OR $3) ORDER BY id LIMIT $4"
    );
    let statement = Sql::built(text).bind(scope.tenant()).bind(stream).bind(status == Status::Enabled).bind(most);
    db.all(statement).await?.iter().map(held).collect()
}

/// Settles an event that waits; what is settled stays so, and an id of no such event is nothing.
pub(crate) async fn settle(change: &mut Change, stream: StreamId, id: HeldId, state: HeldState, error: Option<&str>) -> Result<bool> {
    let statement = sql("UPDATE held_events SET state = $4, error = $5, finished_at = $6, tries = tries + 1 \
         WHERE tenant_id = $1 AND stream_id = $2 AND id = $3 AND state = 'waiting'")
    .bind(change.scope().tenant())
    .bind(stream)
    .bind(id)
    .bind(state.as_str())
    .bind(error.map(|error| error.chars().take(SHOWN).collect::<String>()))
    .bind(change.now());
    Ok(change.run(statement).await? == 1)
}

/// Counts a try that came to nothing.
pub(crate) async fn tried(change: &mut Change, stream: StreamId, id: HeldId) -> Result<()> {
    let statement = sql("UPDATE held_events SET tries = tries + 1 WHERE tenant_id = $1 AND stream_id = $2 AND id = $3")
        .bind(change.scope().tenant())
        .bind(stream)
        .bind(id);
    change.run(statement).await.map(drop)
}

/// Gives up everything that waits; how many.
pub(crate) async fn give_up(change: &mut Change, stream: StreamId, error: &str) -> Result<u64> {
    let statement = sql("UPDATE held_events SET state = 'dead', error = $3, finished_at = $4 \
         WHERE tenant_id = $1 AND stream_id = $2 AND state = 'waiting'")
    .bind(change.scope().tenant())
    .bind(stream)
    .bind(error.chars().take(SHOWN).collect::<String>())
    .bind(change.now());
    change.run(statement).await
}

/// Lets the dead wait again; how many.
pub(crate) async fn revive(change: &mut Change, stream: StreamId) -> Result<u64> {
    let statement = sql("UPDATE held_events SET state = 'waiting', error = NULL, finished_at = NULL, tries = 0 \
         WHERE tenant_id = $1 AND stream_id = $2 AND state = 'dead'")
    .bind(change.scope().tenant())
    .bind(stream);
    change.run(statement).await
}

/// What waits is no longer wanted.
pub(crate) async fn drop_waiting(change: &mut Change, stream: StreamId) -> Result<u64> {
    let statement = sql("DELETE FROM held_events WHERE tenant_id = $1 AND stream_id = $2 AND state = 'waiting'")
        .bind(change.scope().tenant())
        .bind(stream);
    change.run(statement).await
}

/// Newest first, all or those of one state.
pub(crate) async fn list(db: &Db, scope: &Scope, stream: StreamId, state: Option<HeldState>, page: &PageRequest) -> Result<Page<Held>> {
    let rows = page.rows()?;
    let mut text = format!("SELECT {HELD} FROM held_events WHERE tenant_id = $1 AND stream_id = $2");
    let mut values: Vec<Value> = vec![scope.tenant().into(), stream.into()];
    if let Some(state) = state {
        values.push(state.as_str().into());
        text.push_str(&format!(" AND state = ${}", values.len()));
    }
    if let Some(last) = page.after::<HeldId>()? {
        values.push(last.into());
        text.push_str(&format!(" AND id < ${}", values.len()));
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(held).collect::<Result<_>>()?, rows, |held| held.id)
}

pub(crate) async fn tally(db: &Db, scope: &Scope, stream: StreamId) -> Result<Tally> {
    let statement = sql("SELECT state, COUNT(*) AS n FROM held_events WHERE tenant_id = $1 AND stream_id = $2 GROUP BY state")
        .bind(scope.tenant())
        .bind(stream);
    let mut tally = Tally::default();
    for row in db.all(statement).await? {
        let number = u64::try_from(row.get::<i64>("n")?).unwrap_or_default();
        match row.parse("state")? {
            HeldState::Waiting => tally.waiting = number,
            HeldState::Delivered => tally.delivered = number,
            HeldState::Dead => tally.dead = number,
        }
    }
    Ok(tally)
}

/// Streams of all organisations for which something waits to be pushed and nobody is about to.
pub(crate) async fn unpushed(db: &Db, job: &str, most: u32) -> Result<Vec<(TenantId, StreamId)>> {
    let statement = sql("SELECT DISTINCT s.tenant_id, s.id FROM event_streams s JOIN held_events h ON h.stream_id = s.id \
         WHERE s.method = 'push' AND h.state = 'waiting' AND (s.status = 'enabled' OR h.is_control) AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.name = $2 AND j.dedup_key = s.id AND j.state IN ('ready', 'running')) ORDER BY s.id LIMIT $1")
    .bind(most)
    .bind(job);
    db.all(statement).await?.iter().map(|row| Ok((row.get("tenant_id")?, row.get("id")?))).collect()
}

/// Whether there are delivered events older than `before`, and of whom.
pub(crate) async fn stale(db: &Db, before: Time, most: u32) -> Result<Vec<TenantId>> {
    let statement =
        sql("SELECT DISTINCT tenant_id FROM held_events WHERE state = 'delivered' AND finished_at < $1 LIMIT $2").bind(before).bind(most);
    db.all(statement).await?.iter().map(|row| row.get("tenant_id")).collect()
}

pub(crate) async fn forget(change: &mut Change, before: Time) -> Result<u64> {
    let statement = sql("DELETE FROM held_events WHERE tenant_id = $1 AND state = 'delivered' AND finished_at < $2")
        .bind(change.scope().tenant())
        .bind(before);
    change.run(statement).await
}
