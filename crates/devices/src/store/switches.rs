//! Rows of kill switches.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Page, PageRequest, Result, Scope, TenantId, Time, UserId};

use crate::model::{Switch, SwitchId};

const SWITCH: &str =
    "id, scope, device_id, reason, affects, proposer, created_at, expires_at, confirmed_by, confirmed_at, released_by, released_at";

fn switch(row: &Row) -> Result<Switch> {
    Ok(Switch {
        id: row.get("id")?,
        scope: row.parse("scope")?,
        device_id: row.get("device_id")?,
        reason: row.get("reason")?,
        affects: row.get("affects")?,
        proposer: row.get("proposer")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        confirmed_by: row.get("confirmed_by")?,
        confirmed_at: row.get("confirmed_at")?,
        released_by: row.get("released_by")?,
        released_at: row.get("released_at")?,
    })
}

pub(crate) async fn insert(change: &mut Change, switch: &Switch, by: Option<UserId>) -> Result<()> {
    let statement =
        sql("INSERT INTO device_switches (id, tenant_id, scope, device_id, reason, affects, proposed_by, proposer, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(switch.id)
        .bind(change.scope().tenant())
        .bind(switch.scope.as_str())
        .bind(switch.device_id)
        .bind(&switch.reason)
        .bind(switch.affects)
        .bind(by)
        .bind(&switch.proposer)
        .bind(switch.created_at)
        .bind(switch.expires_at);
    change.run(statement).await.map(drop)
}

/// The switch, and who proposed it.
pub(crate) async fn find(change: &mut Change, id: SwitchId) -> Result<Option<(Switch, Option<UserId>)>> {
    let statement = Sql::built(format!("SELECT {SWITCH}, proposed_by FROM device_switches WHERE tenant_id = $1 AND id = $2"))
        .bind(change.scope().tenant())
        .bind(id);
    change.one(statement).await?.map(|row| Ok((switch(&row)?, row.get("proposed_by")?))).transpose()
}

/// The switch of whatever organisation, held until the change ends: who takes it back waits for what is being told of it.
pub(crate) async fn hold(change: &mut Change, id: SwitchId) -> Result<Option<Switch>> {
    let statement = Sql::built(format!("UPDATE device_switches SET affects = affects WHERE id = $1 RETURNING {SWITCH}")).bind(id);
    change.one(statement).await?.as_ref().map(switch).transpose()
}

/// Switches of all organisations that were over by themselves after `since`, and whose end nobody was told of; those that
/// ended first come first.
pub(crate) async fn over(db: &Db, since: Time, now: Time, most: u32) -> Result<Vec<(TenantId, SwitchId)>> {
    let statement = sql("SELECT tenant_id, id FROM device_switches WHERE confirmed_at IS NOT NULL AND released_at IS NULL \
         AND expires_at > $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3")
    .bind(since)
    .bind(now)
    .bind(most);
    db.all(statement).await?.iter().map(|row| Ok((row.get("tenant_id")?, row.get("id")?))).collect()
}

/// Its time is over: released by nobody. False when that was written before, or somebody took it back.
pub(crate) async fn end(change: &mut Change, id: SwitchId) -> Result<bool> {
    let statement = sql("UPDATE device_switches SET released_at = $3 WHERE tenant_id = $1 AND id = $2 AND released_at IS NULL \
         AND expires_at <= $3")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(change.now());
    Ok(change.run(statement).await? == 1)
}

pub(crate) async fn confirm(change: &mut Change, id: SwitchId, by: &str, affects: i64) -> Result<bool> {
    let statement = sql("UPDATE device_switches SET confirmed_at = $3, confirmed_by = $4, affects = $5 WHERE tenant_id = $1 AND id = $2 \
         AND confirmed_at IS NULL AND released_at IS NULL AND expires_at > $3")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(change.now())
    .bind(by)
    .bind(affects);
    Ok(change.run(statement).await? == 1)
}

pub(crate) async fn release(change: &mut Change, id: SwitchId, by: &str) -> Result<bool> {
    let statement =
        sql("UPDATE device_switches SET released_at = $3, released_by = $4 WHERE tenant_id = $1 AND id = $2 AND released_at IS NULL")
            .bind(change.scope().tenant())
            .bind(id)
            .bind(change.now())
            .bind(by);
    Ok(change.run(statement).await? == 1)
}

pub(crate) async fn list(db: &Db, scope: &Scope, page: &PageRequest) -> Result<Page<Switch>> {
    let rows = page.rows()?;
    let mut text = format!("SELECT {SWITCH} FROM device_switches WHERE tenant_id = $1");
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    if let Some(last) = page.after::<SwitchId>()? {
        values.push(last.into());
        text.push_str(" AND id < $2");
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(switch).collect::<Result<_>>()?, rows, |switch| switch.id)
}

fn that_stop(now: Time) -> Sql {
    let text = format!(
        "SELECT {SWITCH}, tenant_id FROM device_switches WHERE released_at IS NULL AND confirmed_at IS NOT NULL AND expires_at > $1"
    );
    Sql::built(text).bind(now)
}

fn with_owners(rows: &[Row]) -> Result<Vec<(TenantId, Switch)>> {
    rows.iter().map(|row| Ok((row.get("tenant_id")?, switch(row)?))).collect()
}

/// The switches that stop somebody at `now`, of all organisations.
pub(crate) async fn on(db: &Db, now: Time) -> Result<Vec<(TenantId, Switch)>> {
    with_owners(&db.all(that_stop(now)).await?)
}

/// The same as a change sees them, by the connection it has: one that waits for a second while it holds rows makes everybody wait.
pub(crate) async fn on_in(change: &mut Change) -> Result<Vec<(TenantId, Switch)>> {
    let now = change.now();
    with_owners(&change.all(that_stop(now)).await?)
}
