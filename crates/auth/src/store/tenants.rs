//! Organisations.

use audit::Change;
use backends::{Db, Row, sql};
use base::{Result, Scope, TenantId};

use crate::model::Organisation;

fn organisation(row: &Row) -> Result<Organisation> {
    Ok(Organisation { id: row.get("id")?, name: row.get("name")?, created_at: row.get("created_at")? })
}

pub(crate) async fn home(db: &Db) -> Result<Option<TenantId>> {
    db.one(sql("SELECT id FROM tenants WHERE is_home")).await?.map(|row| row.get("id")).transpose()
}

/// `false` when another process made the home organisation in between.
pub(crate) async fn insert(change: &mut Change, organisation: &Organisation, is_home: bool) -> Result<bool> {
    let rows = change
        .run(
            sql("INSERT INTO tenants (id, name, is_home, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING")
                .bind(organisation.id)
                .bind(&organisation.name)
                .bind(is_home)
                .bind(organisation.created_at),
        )
        .await?;
    Ok(rows == 1)
}

pub(crate) async fn rename(change: &mut Change, name: &str) -> Result<()> {
    let statement =
        sql("UPDATE tenants SET name = $1, updated_at = $2 WHERE id = $3").bind(name).bind(change.now()).bind(change.scope().tenant());
    change.run(statement).await.map(drop)
}

pub(crate) async fn one(db: &Db, scope: &Scope) -> Result<Option<Organisation>> {
    db.one(sql("SELECT id, name, created_at FROM tenants WHERE id = $1").bind(scope.tenant())).await?.as_ref().map(organisation).transpose()
}
