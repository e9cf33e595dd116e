//! Rows of phones.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Kind, Page, PageRequest, Result, Scope, TenantId, Time, UserId};
use serde_json::Value as Json;

use crate::errors;
use crate::model::{Device, DeviceId, Filter};
use crate::vocabulary::{Attested, Level, Posture};

const DEVICE: &str = "id, tenant_id, user_id, name, platform, ownership, plan, thumbprint, model, os_version, app_version, posture, \
     locked_until, generation, attestation_state, attestation_level, attested_at, attested_key, attested_counter, allow_listed, \
     enrolled_at, changed_at, version";

fn device(row: &Row) -> Result<Device> {
    Ok(Device {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        name: row.get("name")?,
        platform: row.parse("platform")?,
        ownership: row.parse("ownership")?,
        plan: row.parse("plan")?,
        thumbprint: row.get("thumbprint")?,
        model: row.get("model")?,
        os_version: row.get("os_version")?,
        app_version: row.get("app_version")?,
        posture: row.parse("posture")?,
        locked_until: row.get("locked_until")?,
        attestation_state: row.parse("attestation_state")?,
        attestation_level: row.parse("attestation_level")?,
        attested_at: row.get("attested_at")?,
        allow_listed: row.get("allow_listed")?,
        enrolled_at: row.get("enrolled_at")?,
        changed_at: row.get("changed_at")?,
        tenant: row.get("tenant_id")?,
        generation: row.get("generation")?,
        attested_key: row.get("attested_key")?,
        attested_counter: row.get("attested_counter")?,
        version: row.get("version")?,
    })
}

fn by_id(tenant: TenantId, id: DeviceId) -> Sql {
    Sql::built(format!("SELECT {DEVICE} FROM devices WHERE tenant_id = $1 AND id = $2")).bind(tenant).bind(id)
}

pub(crate) async fn find(db: &Db, scope: &Scope, id: DeviceId) -> Result<Option<Device>> {
    of_tenant(db, scope.tenant(), id).await
}

/// The phone a verified token names.
pub(crate) async fn of_tenant(db: &Db, tenant: TenantId, id: DeviceId) -> Result<Option<Device>> {
    db.one(by_id(tenant, id)).await?.as_ref().map(device).transpose()
}

/// The phone whose key signed: there is no actor before this.
pub(crate) async fn by_thumbprint(db: &Db, thumbprint: &str) -> Result<Option<Device>> {
    let statement = Sql::built(format!("SELECT {DEVICE} FROM devices WHERE thumbprint = $1")).bind(thumbprint);
    db.one(statement).await?.as_ref().map(device).transpose()
}

/// The phone as a change sees it.
pub(crate) async fn within(change: &mut Change, id: DeviceId) -> Result<Option<Device>> {
    let tenant = change.scope().tenant();
    change.one(by_id(tenant, id)).await?.as_ref().map(device).transpose()
}

/// The phone within a change, held against other changes until this one ends.
pub(crate) async fn hold(change: &mut Change, id: DeviceId) -> Result<Option<Device>> {
    let tenant = change.scope().tenant();
    let statement = Sql::built(format!("UPDATE devices SET version = version + 1 WHERE tenant_id = $1 AND id = $2 RETURNING {DEVICE}"));
    change.one(statement.bind(tenant).bind(id)).await?.as_ref().map(device).transpose()
}

pub(crate) async fn list(db: &Db, scope: &Scope, filter: &Filter, page: &PageRequest) -> Result<Page<Device>> {
    let rows = page.rows()?;
    let mut text = format!("SELECT {DEVICE} FROM devices WHERE tenant_id = $1");
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    let mut also = |condition: &str, value: Value| {
        values.push(value);
        text.push_str(&format!(" AND {condition} ${}", values.len()));
    };
    if let Some(posture) = filter.posture {
        also("posture =", posture.as_str().into());
    }
    if let Some(platform) = filter.platform {
        also("platform =", platform.as_str().into());
    }
    if let Some(user) = filter.user_id {
        also("user_id =", user.into());
    }
    if let Some(last) = page.after::<DeviceId>()? {
        also("id <", last.into());
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(device).collect::<Result<_>>()?, rows, |device| device.id)
}

/// The phones a person carries.
pub(crate) async fn of_user(db: &Db, tenant: TenantId, user: UserId) -> Result<Vec<DeviceId>> {
    let statement = sql("SELECT id FROM devices WHERE tenant_id = $1 AND user_id = $2 ORDER BY id").bind(tenant).bind(user);
    db.all(statement).await?.iter().map(|row| row.get("id")).collect()
}

pub(crate) async fn insert(change: &mut Change, device: &Device, key: &Json, report: Option<&Json>) -> Result<()> {
    let statement = sql("INSERT INTO devices (id, tenant_id, user_id, name, platform, ownership, plan, public_key, thumbprint, model, \
         os_version, app_version, posture, generation, attestation_state, attestation_level, attested_at, attestation_report, \
         attested_key, attested_counter, allow_listed, command_sequence, enrolled_at, changed_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 0, $22, $22, 1)")
    .bind(device.id)
    .bind(device.tenant)
    .bind(device.user_id)
    .bind(&device.name)
    .bind(device.platform.as_str())
    .bind(device.ownership.as_str())
    .bind(device.plan.as_str())
    .bind(key)
    .bind(&device.thumbprint)
    .bind(device.model.clone())
    .bind(device.os_version.clone())
    .bind(device.app_version.clone())
    .bind(device.posture.as_str())
    .bind(device.generation)
    .bind(device.attestation_state.as_str())
    .bind(device.attestation_level.as_str())
    .bind(device.attested_at)
    .bind(report.map(Json::to_string))
    .bind(device.attested_key.clone())
    .bind(device.attested_counter)
    .bind(device.allow_listed)
    .bind(device.enrolled_at);
    change.run(statement).await.map(drop).map_err(|error| match error.kind() {
        Kind::Conflict => errors::key_taken(),
        _ => error,
    })
}

/// What an attestation changes.
pub(crate) struct Proven<'p> {
    pub(crate) state: Attested,
    pub(crate) level: Level,
    pub(crate) at: Option<Time>,
    pub(crate) report: &'p Json,
    /// A counter that must be higher than the last one.
    pub(crate) counter: Option<i64>,
}

/// False when a counter was not higher.
pub(crate) async fn attested(change: &mut Change, id: DeviceId, proven: &Proven<'_>) -> Result<bool> {
    let statement = sql("UPDATE devices SET attestation_state = $3, attestation_level = $4, attested_at = $5, attestation_report = $6, \
         attested_counter = COALESCE($7, attested_counter), changed_at = $8, version = version + 1 \
         WHERE tenant_id = $1 AND id = $2 AND ($7 IS NULL OR attested_counter < $7)")
    .bind(change.scope().tenant())
    .bind(id)
    .bind(proven.state.as_str())
    .bind(proven.level.as_str())
    .bind(proven.at)
    .bind(proven.report)
    .bind(proven.counter)
    .bind(change.now());
    Ok(change.run(statement).await? == 1)
}

pub(crate) async fn report(db: &Db, scope: &Scope, id: DeviceId) -> Result<Option<Json>> {
    let statement = sql("SELECT attestation_report FROM devices WHERE tenant_id = $1 AND id = $2").bind(scope.tenant()).bind(id);
    match db.one(statement).await? {
        Some(row) => row.json_option("attestation_report"),
        None => Ok(None),
    }
}

pub(crate) async fn set_posture(change: &mut Change, id: DeviceId, posture: Posture, until: Option<Time>) -> Result<()> {
    let statement =
        sql("UPDATE devices SET posture = $3, locked_until = $4, changed_at = $5, version = version + 1 WHERE tenant_id = $1 AND id = $2")
            .bind(change.scope().tenant())
            .bind(id)
            .bind(posture.as_str())
            .bind(until)
            .bind(change.now());
    change.run(statement).await.map(drop)
}

/// Makes every access token given out so far worthless.
pub(crate) async fn revoke(change: &mut Change, id: DeviceId) -> Result<()> {
    let statement =
        sql("UPDATE devices SET generation = generation + 1, revoked_at = $3, changed_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2")
            .bind(change.scope().tenant())
            .bind(id)
            .bind(change.now());
    change.run(statement).await.map(drop)
}

pub(crate) async fn rename(change: &mut Change, device: &Device) -> Result<()> {
    let statement =
        sql("UPDATE devices SET name = $3, allow_listed = $4, changed_at = $5, version = version + 1 WHERE tenant_id = $1 AND id = $2")
            .bind(change.scope().tenant())
            .bind(device.id)
            .bind(&device.name)
            .bind(device.allow_listed)
            .bind(change.now());
    change.run(statement).await.map(drop)
}

pub(crate) async fn next_sequence(change: &mut Change, id: DeviceId) -> Result<i64> {
    let statement =
        sql("UPDATE devices SET command_sequence = command_sequence + 1 WHERE tenant_id = $1 AND id = $2 RETURNING command_sequence")
            .bind(change.scope().tenant())
            .bind(id);
    change.one(statement).await?.ok_or_else(errors::not_found)?.get("command_sequence")
}

pub(crate) async fn count(change: &mut Change) -> Result<i64> {
    let tenant = change.scope().tenant();
    let row = change.one(sql("SELECT COUNT(*) AS n FROM devices WHERE tenant_id = $1").bind(tenant)).await?;
    row.map_or(Ok(0), |row| row.get("n"))
}

/// Phones of all organisations, for the operators of the installation.
pub(crate) async fn count_all(change: &mut Change) -> Result<i64> {
    change.one(sql("SELECT COUNT(*) AS n FROM devices")).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Ids after `after`, in order.
pub(crate) async fn ids_after(change: &mut Change, after: Option<DeviceId>, most: u32) -> Result<Vec<Device>> {
    let statement = Sql::built(format!("SELECT {DEVICE} FROM devices WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3"))
        .bind(change.scope().tenant())
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(most);
    change.all(statement).await?.iter().map(device).collect()
}

pub(crate) async fn tenants(change: &mut Change) -> Result<Vec<TenantId>> {
    change.all(sql("SELECT DISTINCT tenant_id FROM devices")).await?.iter().map(|row| row.get("tenant_id")).collect()
}

/// What every node knows of a phone whose tokens are not simply good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) id: DeviceId,
    pub(crate) posture: Posture,
    pub(crate) locked_until: Option<Time>,
    pub(crate) generation: i64,
    pub(crate) revoked_at: Option<Time>,
    /// Grows with every change of the row.
    pub(crate) version: i64,
}

const STANDING: &str = "id, posture, locked_until, generation, revoked_at, version";

fn standing(row: &Row) -> Result<Standing> {
    Ok(Standing {
        id: row.get("id")?,
        posture: row.parse("posture")?,
        locked_until: row.get("locked_until")?,
        generation: row.get("generation")?,
        revoked_at: row.get("revoked_at")?,
        version: row.get("version")?,
    })
}

/// Phones of all organisations that are locked, or lost tokens since `revoked`.
pub(crate) async fn barred(db: &Db, revoked: Time) -> Result<Vec<Standing>> {
    let statement =
        Sql::built(format!("SELECT {STANDING} FROM devices WHERE posture = 'lock' OR posture = 'quarantine' OR revoked_at >= $1"))
            .bind(revoked);
    db.all(statement).await?.iter().map(standing).collect()
}

/// Phones of all organisations that changed since `since`.
pub(crate) async fn changed(db: &Db, since: Time) -> Result<Vec<Standing>> {
    let statement = Sql::built(format!("SELECT {STANDING} FROM devices WHERE changed_at >= $1")).bind(since);
    db.all(statement).await?.iter().map(standing).collect()
}

/// One phone now, when what is remembered is too old.
pub(crate) async fn standing_of(db: &Db, id: DeviceId) -> Result<Option<Standing>> {
    let statement = Sql::built(format!("SELECT {STANDING} FROM devices WHERE id = $1")).bind(id);
    db.one(statement).await?.as_ref().map(standing).transpose()
}

/// The same within a change, as it will be once that commits.
pub(crate) async fn standing_in(change: &mut Change, id: DeviceId) -> Result<Standing> {
    let tenant = change.scope().tenant();
    let statement = Sql::built(format!("SELECT {STANDING} FROM devices WHERE tenant_id = $1 AND id = $2")).bind(tenant).bind(id);
    standing(&change.one(statement).await?.ok_or_else(errors::not_found)?)
}
