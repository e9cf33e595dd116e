//! All SQL of this context: what waits to be carried over, and the state of each index. None of it belongs to an organisation.

use backends::{Db, Sql, Value, sql};
use base::Result;

use crate::index::IndexName;

/// Changes that wait, oldest first: their numbers, and the ids of what changed without repetition.
pub(crate) struct Pending {
    pub(crate) numbers: Vec<i64>,
    pub(crate) documents: Vec<String>,
}

/// The next changes of an index.
pub(crate) async fn pending(db: &Db, index: IndexName, count: u32) -> Result<Pending> {
    let text = format!("SELECT id, document_id FROM search_pending WHERE index_name = $1 ORDER BY id LIMIT {count}");
    let rows = db.all(Sql::built(text).bind(index.schema().name)).await?;
    let numbers = rows.iter().map(|row| row.get("id")).collect::<Result<Vec<i64>>>()?;
    let mut documents = rows.iter().map(|row| row.get("document_id")).collect::<Result<Vec<String>>>()?;
    documents.sort_unstable();
    documents.dedup();
    Ok(Pending { numbers, documents })
}

/// Forgets changes that were carried over.
pub(crate) async fn done(db: &Db, numbers: &[i64]) -> Result<()> {
    let text = format!("DELETE FROM search_pending WHERE id IN ({})", Sql::list(numbers.len(), 0));
    let mut tx = db.begin().await?;
    tx.run(Sql::built(text).bind_all(numbers.iter().map(|number| Value::from(*number)))).await?;
    tx.commit().await
}

/// How many changes wait.
pub(crate) async fn waiting(db: &Db, index: IndexName) -> Result<i64> {
    let row = db.one(sql("SELECT COUNT(*) AS waiting FROM search_pending WHERE index_name = $1").bind(index.schema().name)).await?;
    row.map_or(Ok(0), |row| row.get("waiting"))
}

/// The next ticket of an index, and the generation that is being filled beside the live one.
pub(crate) async fn ticket(db: &Db, index: IndexName) -> Result<(i64, Option<String>)> {
    let mut tx = db.begin().await?;
    let statement = sql("INSERT INTO search_indices (name, ticket) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET ticket = search_indices.ticket + 1 RETURNING ticket, building");
    let row = tx.one(statement.bind(index.schema().name)).await?;
    let taken = match row {
        Some(row) => (row.get("ticket")?, row.get("building")?),
        None => return Err(base::Error::internal("an index gave no ticket")),
    };
    tx.commit().await?;
    Ok(taken)
}

/// Says which generation is being filled.
pub(crate) async fn set_building(db: &Db, index: IndexName, generation: &str) -> Result<()> {
    let statement = sql("INSERT INTO search_indices (name, ticket, building) VALUES ($1, 1, $2)
         ON CONFLICT (name) DO UPDATE SET building = excluded.building");
    let mut tx = db.begin().await?;
    tx.run(statement.bind(index.schema().name).bind(generation)).await?;
    tx.commit().await
}

/// Says that the generation is no longer being filled, unless another one is by now.
pub(crate) async fn end_building(db: &Db, index: IndexName, generation: &str) -> Result<()> {
    let statement = sql("UPDATE search_indices SET building = NULL WHERE name = $1 AND building = $2");
    let mut tx = db.begin().await?;
    tx.run(statement.bind(index.schema().name).bind(generation)).await?;
    tx.commit().await
}
