//! The one-time link for the first administrator.

use audit::Change;
use backends::{Db, sql};
use base::Result;

/// The sealed token, while it has not been used.
pub(crate) async fn sealed(db: &Db) -> Result<Option<Vec<u8>>> {
    db.one(sql("SELECT sealed FROM first_run WHERE used_at IS NULL")).await?.map(|row| row.get("sealed")).transpose()
}

/// Whether this is the token, while it has not been used.
pub(crate) async fn is_token(db: &Db, token_hash: &str) -> Result<bool> {
    Ok(db.one(sql("SELECT id FROM first_run WHERE used_at IS NULL AND token_hash = $1").bind(token_hash)).await?.is_some())
}

/// Keeps a token that nobody has seen yet; an unused older one is replaced.
pub(crate) async fn keep(change: &mut Change, token_hash: &str, sealed: Vec<u8>) -> Result<()> {
    let statement = sql("INSERT INTO first_run (id, token_hash, sealed, created_at) VALUES ('first', $1, $2, $3) \
                         ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, sealed = excluded.sealed, \
                         created_at = excluded.created_at, used_at = NULL")
    .bind(token_hash)
    .bind(sealed)
    .bind(change.now());
    change.run(statement).await.map(drop)
}

/// Uses the token up; `false` when it is not the one, or was used before.
pub(crate) async fn take(change: &mut Change, token_hash: &str) -> Result<bool> {
    let statement = sql("UPDATE first_run SET used_at = $1, sealed = $2 WHERE id = 'first' AND used_at IS NULL AND token_hash = $3")
        .bind(change.now())
        .bind(Vec::<u8>::new())
        .bind(token_hash);
    Ok(change.run(statement).await? == 1)
}
