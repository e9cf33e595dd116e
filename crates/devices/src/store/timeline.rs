//! What happened to a phone, for people who look at it; the audit log has the same for people who doubt it.

use audit::Change;
use backends::{Db, Sql, Value, sql};
use base::{Page, PageRequest, Result, Scope};
use serde_json::Value as Json;

use crate::model::{DeviceId, Moment};

/// Marks ids of entries.
enum Entry {}

pub(crate) async fn add(change: &mut Change, device: DeviceId, kind: &str, detail: &Json) -> Result<()> {
    let id = change.id::<Entry>();
    let statement = sql("INSERT INTO device_timeline (id, tenant_id, device_id, kind, detail, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(change.scope().tenant())
        .bind(device)
        .bind(kind)
        .bind(detail)
        .bind(change.now());
    change.run(statement).await.map(drop)
}

/// Whether an entry of this kind has `word`, which nothing else says, in its particulars.
pub(crate) async fn tells(change: &mut Change, device: DeviceId, kind: &str, word: &str) -> Result<bool> {
    let statement =
        sql("SELECT 1 FROM device_timeline WHERE tenant_id = $1 AND device_id = $2 AND kind = $3 AND detail LIKE '%' || $4 || '%' LIMIT 1")
            .bind(change.scope().tenant())
            .bind(device)
            .bind(kind)
            .bind(word);
    Ok(change.one(statement).await?.is_some())
}

/// Newest first.
pub(crate) async fn list(db: &Db, scope: &Scope, device: DeviceId, page: &PageRequest) -> Result<Page<Moment>> {
    let rows = page.rows()?;
    let mut text = "SELECT id, kind, detail, created_at FROM device_timeline WHERE tenant_id = $1 AND device_id = $2".to_owned();
    let mut values: Vec<Value> = vec![scope.tenant().into(), device.into()];
    if let Some(last) = page.after::<String>()? {
        values.push(last.into());
        text.push_str(" AND id < $3");
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    let moments = found
        .iter()
        .map(|row| {
            Ok(Moment { id: row.get("id")?, kind: row.get("kind")?, detail: row.json("detail")?, created_at: row.get("created_at")? })
        })
        .collect::<Result<_>>()?;
    Page::cut(moments, rows, |moment: &Moment| moment.id.clone())
}
