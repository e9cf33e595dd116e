//! Rows of locks; they are ended, never deleted.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Result, Scope, TenantId, Time};

use crate::model::{Device, DeviceId, Lock, LockId};

use super::json;

const LOCK: &str = "id, device_id, posture, cause, automatic, reason, evidence, reach, created_by, created_at, expires_at, confirmed_by, \
     confirmed_at, released_at, released_by, release_reason";

fn lock(row: &Row) -> Result<Lock> {
    Ok(Lock {
        id: row.get("id")?,
        device_id: row.get("device_id")?,
        posture: row.parse("posture")?,
        cause: row.parse("cause")?,
        automatic: row.get("automatic")?,
        reason: row.get("reason")?,
        evidence: row.json("evidence")?,
        reach: row.parse("reach")?,
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        confirmed_by: row.get("confirmed_by")?,
        confirmed_at: row.get("confirmed_at")?,
        released_at: row.get("released_at")?,
        released_by: row.get("released_by")?,
        release_reason: row.get("release_reason")?,
    })
}

pub(crate) async fn insert(change: &mut Change, lock: &Lock, device: &Device) -> Result<()> {
    let statement = sql("INSERT INTO device_locks (id, tenant_id, device_id, posture, cause, automatic, reason, evidence, reach, \
         app_version, os_version, created_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)")
    .bind(lock.id)
    .bind(change.scope().tenant())
    .bind(lock.device_id)
    .bind(lock.posture.as_str())
    .bind(lock.cause.as_str())
    .bind(lock.automatic)
    .bind(&lock.reason)
    .bind(json(&lock.evidence)?)
    .bind(lock.reach.as_str())
    .bind(device.app_version.clone())
    .bind(device.os_version.clone())
    .bind(lock.created_by.clone())
    .bind(lock.created_at)
    .bind(lock.expires_at);
    change.run(statement).await.map(drop)
}

fn open_of(tenant: TenantId, device: DeviceId) -> Sql {
    Sql::built(format!("SELECT {LOCK} FROM device_locks WHERE tenant_id = $1 AND device_id = $2 AND released_at IS NULL"))
        .bind(tenant)
        .bind(device)
}

pub(crate) async fn open(db: &Db, scope: &Scope, device: DeviceId) -> Result<Option<Lock>> {
    db.one(open_of(scope.tenant(), device)).await?.as_ref().map(lock).transpose()
}

pub(crate) async fn open_for_change(change: &mut Change, device: DeviceId) -> Result<Option<Lock>> {
    let tenant = change.scope().tenant();
    change.one(open_of(tenant, device)).await?.as_ref().map(lock).transpose()
}

/// Locks of a phone, newest first.
pub(crate) async fn of_device(db: &Db, scope: &Scope, device: DeviceId, most: u32) -> Result<Vec<Lock>> {
    let statement =
        Sql::built(format!("SELECT {LOCK} FROM device_locks WHERE tenant_id = $1 AND device_id = $2 ORDER BY id DESC LIMIT $3"))
            .bind(scope.tenant())
            .bind(device)
            .bind(most);
    db.all(statement).await?.iter().map(lock).collect()
}

pub(crate) async fn release(change: &mut Change, id: LockId, by: Option<String>, reason: &str) -> Result<()> {
    let statement = sql("UPDATE device_locks SET released_at = $3, released_by = $4, release_reason = $5 \
         WHERE tenant_id = $1 AND id = $2 AND released_at IS NULL")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(change.now())
    .bind(by)
    .bind(reason);
    change.run(statement).await.map(drop)
}

/// Makes room for a graver lock, or one after a lock whose time is over.
pub(crate) async fn supersede(change: &mut Change, device: DeviceId) -> Result<()> {
    let statement = sql("UPDATE device_locks SET released_at = $3, release_reason = 'superseded' \
         WHERE tenant_id = $1 AND device_id = $2 AND released_at IS NULL")
    .bind(change.scope().tenant())
    .bind(device)
    .bind(change.now());
    change.run(statement).await.map(drop)
}

pub(crate) async fn confirm(change: &mut Change, id: LockId, by: &str) -> Result<()> {
    let statement = sql("UPDATE device_locks SET confirmed_at = $3, confirmed_by = $4, expires_at = NULL WHERE tenant_id = $1 AND id = $2")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(change.now())
        .bind(by);
    change.run(statement).await.map(drop)
}

/// What came to a lock that stands: a later end, a wider reach, more evidence.
pub(crate) async fn reinforce(change: &mut Change, lock: &Lock) -> Result<()> {
    let statement = sql("UPDATE device_locks SET expires_at = $3, evidence = $4, reach = $5 WHERE tenant_id = $1 AND id = $2")
        .bind(change.scope().tenant())
        .bind(lock.id)
        .bind(lock.expires_at)
        .bind(json(&lock.evidence)?)
        .bind(lock.reach.as_str());
    change.run(statement).await.map(drop)
}

/// Phones of all organisations whose lock's time is over.
pub(crate) async fn expired(db: &Db, now: Time, most: u32) -> Result<Vec<(TenantId, DeviceId)>> {
    let statement =
        sql("SELECT tenant_id, device_id FROM device_locks WHERE released_at IS NULL AND expires_at <= $1 LIMIT $2").bind(now).bind(most);
    db.all(statement).await?.iter().map(|row| Ok((row.get("tenant_id")?, row.get("device_id")?))).collect()
}

/// A lock nobody laid, as the blast radius counts it.
pub(crate) struct Laid {
    pub(crate) at: Time,
    pub(crate) cause: String,
    pub(crate) app_version: Option<String>,
    pub(crate) os_version: Option<String>,
}

/// Locks nobody laid since `since`, oldest first.
pub(crate) async fn laid_since(change: &mut Change, since: Time, most: u32) -> Result<Vec<Laid>> {
    let statement = sql("SELECT created_at, cause, app_version, os_version FROM device_locks \
         WHERE tenant_id = $1 AND created_at >= $2 AND automatic = $3 ORDER BY created_at LIMIT $4")
    .bind(change.scope().tenant())
    .bind(since)
    .bind(true)
    .bind(most);
    change
        .all(statement)
        .await?
        .iter()
        .map(|row| {
            Ok(Laid {
                at: row.get("created_at")?,
                cause: row.get("cause")?,
                app_version: row.get("app_version")?,
                os_version: row.get("os_version")?,
            })
        })
        .collect()
}

pub(crate) async fn count_since(change: &mut Change, since: Time) -> Result<i64> {
    let statement = sql("SELECT COUNT(*) AS n FROM device_locks WHERE tenant_id = $1 AND created_at >= $2 AND automatic = $3")
        .bind(change.scope().tenant())
        .bind(since)
        .bind(true);
    change.one(statement).await?.map_or(Ok(0), |row| row.get("n"))
}
