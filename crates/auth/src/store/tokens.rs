//! API tokens.

use audit::Change;
use backends::{Db, Row, sql};
use base::{Result, Scope, UserId};
use serde_json::json;

use crate::model::{ApiToken, TokenId};

fn token(row: &Row) -> Result<ApiToken> {
    Ok(ApiToken {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        name: row.get("name")?,
        prefix: format!("{}{}", crate::token::MARK, row.get::<String>("prefix")?),
        scopes: row.json("scopes")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
        last_used_at: None,
    })
}

pub(crate) async fn insert(change: &mut Change, token: &ApiToken, prefix: &str, token_hash: &str) -> Result<()> {
    let statement = sql("INSERT INTO api_tokens (id, tenant_id, user_id, name, prefix, token_hash, scopes, created_at, expires_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(token.id)
    .bind(change.scope().tenant())
    .bind(token.user_id)
    .bind(&token.name)
    .bind(prefix)
    .bind(token_hash)
    .bind(json!(token.scopes))
    .bind(token.created_at)
    .bind(token.expires_at);
    change.run(statement).await.map(drop)
}

/// Newest first; of one user, or of all.
pub(crate) async fn page(db: &Db, scope: &Scope, of: Option<UserId>, before: Option<TokenId>, rows: u32) -> Result<Vec<ApiToken>> {
    // No id begins with `g`, so it stands behind every one of them in any collation.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    let owner = of.map(|id| id.to_string());
    let statement =
        sql("SELECT * FROM api_tokens WHERE tenant_id = $1 AND ($2 = '' OR user_id = $2) AND id < $3 ORDER BY id DESC LIMIT $4")
            .bind(scope.tenant())
            .bind(owner.unwrap_or_default())
            .bind(before)
            .bind(i64::from(rows) + 1);
    db.all(statement).await?.iter().map(token).collect()
}

/// Revokes a live token of one user, or of anybody; gives it back.
pub(crate) async fn revoke(change: &mut Change, of: Option<UserId>, id: TokenId) -> Result<Option<ApiToken>> {
    let owner = of.map(|id| id.to_string());
    let statement = sql("UPDATE api_tokens SET revoked_at = $1 WHERE tenant_id = $2 AND ($3 = '' OR user_id = $3) AND id = $4 \
                         AND revoked_at IS NULL RETURNING *")
    .bind(change.now())
    .bind(change.scope().tenant())
    .bind(owner.unwrap_or_default())
    .bind(id);
    change.one(statement).await?.as_ref().map(token).transpose()
}
