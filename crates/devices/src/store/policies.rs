//! What organisations allow; absent rows are the configuration's defaults.

use audit::Change;
use backends::{Db, Row, sql};
use base::{Result, Scope, TenantId, Time};
use serde_json::Value as Json;

use crate::model::Policy;

fn policy(row: &Row) -> Result<Policy> {
    Ok(Policy { shadow: row.get("shadow")?, software_keys: row.get("software_keys")?, halt: row.json_option("halt")? })
}

pub(crate) async fn find(db: &Db, scope: &Scope) -> Result<Option<Policy>> {
    of_tenant(db, scope.tenant()).await
}

/// The policy a phone of this organisation stands under.
pub(crate) async fn of_tenant(db: &Db, tenant: TenantId) -> Result<Option<Policy>> {
    let row = db.one(sql("SELECT shadow, software_keys, halt FROM device_policies WHERE tenant_id = $1").bind(tenant)).await?;
    row.as_ref().map(policy).transpose()
}

pub(crate) async fn find_for_change(change: &mut Change) -> Result<Option<Policy>> {
    let tenant = change.scope().tenant();
    let row = change.one(sql("SELECT shadow, software_keys, halt FROM device_policies WHERE tenant_id = $1").bind(tenant)).await?;
    row.as_ref().map(policy).transpose()
}

pub(crate) async fn save(change: &mut Change, policy: &Policy) -> Result<()> {
    let statement = sql("INSERT INTO device_policies (tenant_id, shadow, software_keys, halt, changed_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (tenant_id) DO UPDATE SET shadow = $2, software_keys = $3, halt = $4, changed_at = $5")
    .bind(change.scope().tenant())
    .bind(policy.shadow)
    .bind(policy.software_keys)
    .bind(policy.halt.as_ref().map(Json::to_string))
    .bind(change.now());
    change.run(statement).await.map(drop)
}

/// When a person let locking go on after it had stopped by itself.
pub(crate) async fn resumed_at(change: &mut Change) -> Result<Option<Time>> {
    let tenant = change.scope().tenant();
    let row = change.one(sql("SELECT resumed_at FROM device_policies WHERE tenant_id = $1").bind(tenant)).await?;
    row.map_or(Ok(None), |row| row.get("resumed_at"))
}

pub(crate) async fn resume(change: &mut Change) -> Result<()> {
    let statement = sql("UPDATE device_policies SET halt = NULL, resumed_at = $2, changed_at = $2 WHERE tenant_id = $1")
        .bind(change.scope().tenant())
        .bind(change.now());
    change.run(statement).await.map(drop)
}
