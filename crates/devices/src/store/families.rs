//! Chains of refresh tokens. One statement rotates: of all who bring the head, one gets the row.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Result, TenantId, Time};

use crate::model::{DeviceId, Family, FamilyId};
use crate::vocabulary::Plan;

const FAMILY: &str = "device_id, thumbprint, generation, rotated_at, expires_at, ends_at, revoked_at";

fn family(row: &Row) -> Result<Family> {
    Ok(Family {
        device: row.get("device_id")?,
        thumbprint: row.get("thumbprint")?,
        generation: row.get("generation")?,
        rotated_at: row.get("rotated_at")?,
        expires_at: row.get("expires_at")?,
        ends_at: row.get("ends_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

pub(crate) async fn insert(change: &mut Change, id: FamilyId, family: &Family) -> Result<()> {
    let statement = sql("INSERT INTO device_families (id, tenant_id, device_id, thumbprint, generation, rotated_at, expires_at, ends_at, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6)")
    .bind(id)
    .bind(change.scope().tenant())
    .bind(family.device)
    .bind(&family.thumbprint)
    .bind(family.generation)
    .bind(family.rotated_at)
    .bind(family.expires_at)
    .bind(family.ends_at);
    change.run(statement).await.map(drop)
}

/// Moves the head on when `generation` is the head, alive and of this key, to be good until `expires_at` or the end of the chain; the
/// row after, else nothing.
pub(crate) async fn rotate(
    change: &mut Change,
    id: FamilyId,
    generation: i64,
    thumbprint: &str,
    expires_at: Time,
) -> Result<Option<Family>> {
    let statement = Sql::built(format!(
        "UPDATE device_families SET generation = generation + 1, rotated_at = $5, \
         expires_at = CASE WHEN ends_at < $6 THEN ends_at ELSE $6 END WHERE tenant_id = $1 AND id = $2 AND generation = $3 \
         AND thumbprint = $4 AND revoked_at IS NULL AND expires_at > $5 AND ends_at > $5 RETURNING {FAMILY}"
    ))
    .bind(change.scope().tenant())
    .bind(id)
    .bind(generation)
    .bind(thumbprint)
    .bind(change.now())
    .bind(expires_at);
    change.one(statement).await?.as_ref().map(family).transpose()
}

pub(crate) async fn find(change: &mut Change, id: FamilyId) -> Result<Option<Family>> {
    let statement =
        Sql::built(format!("SELECT {FAMILY} FROM device_families WHERE tenant_id = $1 AND id = $2")).bind(change.scope().tenant()).bind(id);
    change.one(statement).await?.as_ref().map(family).transpose()
}

/// Ends every chain of a phone; how many there were.
pub(crate) async fn revoke_all(change: &mut Change, device: DeviceId, reason: &str) -> Result<u64> {
    let statement = sql("UPDATE device_families SET revoked_at = $3, revoked_reason = $4 \
         WHERE tenant_id = $1 AND device_id = $2 AND revoked_at IS NULL")
    .bind(change.scope().tenant())
    .bind(device)
    .bind(change.now())
    .bind(reason);
    change.run(statement).await
}

/// The phone a chain belongs to and the plan it is judged by, for whoever brings a token that is ours.
pub(crate) async fn device_of(db: &Db, tenant: TenantId, id: FamilyId) -> Result<Option<(DeviceId, Plan)>> {
    let statement = sql("SELECT d.id, d.plan FROM device_families f JOIN devices d ON d.tenant_id = f.tenant_id AND d.id = f.device_id \
         WHERE f.tenant_id = $1 AND f.id = $2")
    .bind(tenant)
    .bind(id);
    db.one(statement).await?.map(|row| Ok((row.get("id")?, row.parse("plan")?))).transpose()
}
