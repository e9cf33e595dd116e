//! SQL of saved mappings.

use audit::Change;
use backends::{Db, Row, Sql, sql};
use base::{Result, Scope};

use super::clean;
use crate::model::SavedMapping;

const COLUMNS: &str = "name, document, saved_by, created_at, updated_at";

/// A saved mapping with its text.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) mapping: SavedMapping,
    pub(crate) text: String,
}

fn kept(row: &Row) -> Result<Kept> {
    let mapping = SavedMapping {
        name: row.get("name")?,
        mapping: row.json("document")?,
        saved_by: row.get("saved_by")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    };
    Ok(Kept { mapping, text: row.get("document")? })
}

/// Every mapping, by name.
pub(crate) async fn all(db: &Db, scope: &Scope) -> Result<Vec<Kept>> {
    let statement = format!("SELECT {COLUMNS} FROM import_mappings WHERE tenant_id = $1 ORDER BY name LIMIT 200");
    db.all(Sql::built(statement).bind(scope.tenant())).await?.iter().map(kept).collect()
}

/// One mapping.
pub(crate) async fn get(db: &Db, scope: &Scope, name: &str) -> Result<Option<Kept>> {
    let statement = format!("SELECT {COLUMNS} FROM import_mappings WHERE tenant_id = $1 AND name = $2");
    db.one(Sql::built(statement).bind(scope.tenant()).bind(clean(name))).await?.as_ref().map(kept).transpose()
}

/// How many mappings have other names, and whether one has this.
pub(crate) struct Count {
    pub(crate) others: usize,
    pub(crate) is_known: bool,
}

/// Counts mappings.
pub(crate) async fn count(change: &mut Change, name: &str) -> Result<Count> {
    let statement = sql("SELECT name FROM import_mappings WHERE tenant_id = $1 ORDER BY name");
    let rows = change.all(statement.bind(change.scope().tenant())).await?;
    let names = rows.iter().map(|row| row.get("name")).collect::<Result<Vec<String>>>()?;
    let is_known = names.iter().any(|known| known == name);
    Ok(Count { others: names.len() - usize::from(is_known), is_known })
}

/// Saves a mapping, in place of an older one of its name.
pub(crate) async fn put(change: &mut Change, name: &str, text: &str) -> Result<()> {
    let statement = sql("INSERT INTO import_mappings (tenant_id, name, document, saved_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (tenant_id, name) DO UPDATE SET document = excluded.document, saved_by = excluded.saved_by, updated_at = excluded.updated_at");
    let by = clean(&change.actor().username);
    let statement = statement.bind(change.scope().tenant()).bind(name).bind(clean(text)).bind(by).bind(change.now());
    change.run(statement).await.map(drop)
}

/// Drops a mapping; tells whether there was one.
pub(crate) async fn delete(change: &mut Change, name: &str) -> Result<bool> {
    let statement = sql("DELETE FROM import_mappings WHERE tenant_id = $1 AND name = $2");
    Ok(change.run(statement.bind(change.scope().tenant()).bind(clean(name))).await? > 0)
}
