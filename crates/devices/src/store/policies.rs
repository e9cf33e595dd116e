//! What organisations allow; absent rows are the configuration's defaults.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Error, Result, Scope, TenantId, Time};
use serde_json::Value as Json;

use crate::model::Policy;
use crate::order::PolicyPatch;

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

/// Changes what the patch names and nothing beside it; `usual` holds where there is no row yet.
pub(crate) async fn patch(change: &mut Change, patch: &PolicyPatch, usual: &Policy) -> Result<Policy> {
    let mut text = "INSERT INTO device_policies (tenant_id, shadow, software_keys, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (tenant_id) DO UPDATE SET changed_at = $4"
        .to_owned();
    for (is_named, column) in [(patch.shadow.is_some(), ", shadow = $2"), (patch.software_keys.is_some(), ", software_keys = $3")] {
        if is_named {
            text.push_str(column);
        }
    }
    text.push_str(" RETURNING shadow, software_keys, halt");
    let statement = Sql::built(text)
        .bind(change.scope().tenant())
        .bind(patch.shadow.unwrap_or(usual.shadow))
        .bind(patch.software_keys.unwrap_or(usual.software_keys))
        .bind(change.now());
    let row = change.one(statement).await?.ok_or_else(|| Error::internal("a policy that was written is not there"))?;
    policy(&row)
}

/// Locking by itself stops; `usual` holds where there is no row yet.
pub(crate) async fn halt(change: &mut Change, halt: &Json, usual: &Policy) -> Result<()> {
    let statement = sql("INSERT INTO device_policies (tenant_id, shadow, software_keys, halt, changed_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (tenant_id) DO UPDATE SET halt = $4, changed_at = $5")
    .bind(change.scope().tenant())
    .bind(usual.shadow)
    .bind(usual.software_keys)
    .bind(halt.to_string())
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
