//! Rows of commands, in each phone's own order.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Result, Scope, Time};

use crate::model::{Command, DeviceId};
use crate::vocabulary::Outcome;

const COMMAND: &str = "id, sequence, kind, reach, reason, token, created_at, expires_at, acknowledged_at, outcome";

fn command(row: &Row) -> Result<Command> {
    Ok(Command {
        id: row.get("id")?,
        sequence: row.get("sequence")?,
        kind: row.parse("kind")?,
        reach: row.parse("reach")?,
        reason: row.get("reason")?,
        token: row.get("token")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        acknowledged_at: row.get("acknowledged_at")?,
        outcome: row.get::<Option<String>>("outcome")?.map(|text| text.parse()).transpose()?,
    })
}

pub(crate) async fn insert(change: &mut Change, device: DeviceId, command: &Command) -> Result<()> {
    let statement =
        sql("INSERT INTO device_commands (id, tenant_id, device_id, sequence, kind, reach, reason, token, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind(command.id)
        .bind(change.scope().tenant())
        .bind(device)
        .bind(command.sequence)
        .bind(command.kind.as_str())
        .bind(command.reach.as_str())
        .bind(&command.reason)
        .bind(&command.token)
        .bind(command.created_at)
        .bind(command.expires_at);
    change.run(statement).await.map(drop)
}

/// Commands after `after` that still count, and earlier ones that nobody answered, in order.
pub(crate) async fn since(db: &Db, scope: &Scope, device: DeviceId, after: i64, now: Time, most: u32) -> Result<Vec<Command>> {
    let statement = Sql::built(format!(
        "SELECT {COMMAND} FROM device_commands WHERE tenant_id = $1 AND device_id = $2 AND expires_at > $4 \
         AND (sequence > $3 OR acknowledged_at IS NULL) ORDER BY sequence LIMIT $5"
    ))
    .bind(scope.tenant())
    .bind(device)
    .bind(after)
    .bind(now)
    .bind(most);
    db.all(statement).await?.iter().map(command).collect()
}

/// Commands after `after` that still count and that nobody answered, in order.
pub(crate) async fn beyond(db: &Db, scope: &Scope, device: DeviceId, after: i64, now: Time, most: u32) -> Result<Vec<Command>> {
    let statement = Sql::built(format!(
        "SELECT {COMMAND} FROM device_commands WHERE tenant_id = $1 AND device_id = $2 AND expires_at > $4 \
         AND sequence > $3 AND acknowledged_at IS NULL ORDER BY sequence LIMIT $5"
    ))
    .bind(scope.tenant())
    .bind(device)
    .bind(after)
    .bind(now)
    .bind(most);
    db.all(statement).await?.iter().map(command).collect()
}

/// Commands of a phone, newest first.
pub(crate) async fn of_device(db: &Db, scope: &Scope, device: DeviceId, most: u32) -> Result<Vec<Command>> {
    let statement = Sql::built(format!(
        "SELECT {COMMAND} FROM device_commands WHERE tenant_id = $1 AND device_id = $2 ORDER BY sequence DESC LIMIT $3"
    ))
    .bind(scope.tenant())
    .bind(device)
    .bind(most);
    db.all(statement).await?.iter().map(command).collect()
}

pub(crate) async fn find(change: &mut Change, device: DeviceId, sequence: i64) -> Result<Option<Command>> {
    let statement = Sql::built(format!("SELECT {COMMAND} FROM device_commands WHERE tenant_id = $1 AND device_id = $2 AND sequence = $3"))
        .bind(change.scope().tenant())
        .bind(device)
        .bind(sequence);
    change.one(statement).await?.as_ref().map(command).transpose()
}

/// False when it was answered before: the first answer stands.
pub(crate) async fn acknowledge(change: &mut Change, device: DeviceId, sequence: i64, outcome: Outcome) -> Result<bool> {
    let statement = sql("UPDATE device_commands SET acknowledged_at = $4, outcome = $5 \
         WHERE tenant_id = $1 AND device_id = $2 AND sequence = $3 AND acknowledged_at IS NULL")
    .bind(change.scope().tenant())
    .bind(device)
    .bind(sequence)
    .bind(change.now())
    .bind(outcome.as_str());
    Ok(change.run(statement).await? == 1)
}
