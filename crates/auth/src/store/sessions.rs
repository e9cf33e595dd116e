//! Console sessions and signed-out access tokens.

use audit::Change;
use backends::{Db, Row, sql};
use base::{Origin, Result, Scope, Time, UserId};

use crate::model::{Account, SessionEntry, SessionId};

pub(crate) async fn insert(
    change: &mut Change,
    id: SessionId,
    account: &Account,
    token_hash: &str,
    origin: &Origin,
    expires_at: Time,
) -> Result<()> {
    let statement = sql("INSERT INTO sessions (id, tenant_id, user_id, token_hash, generation, ip, user_agent, created_at, expires_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(id)
    .bind(change.scope().tenant())
    .bind(account.user.id)
    .bind(token_hash)
    .bind(account.generation)
    .bind(origin.ip.map(|ip| ip.to_string()))
    .bind(origin.user_agent.clone())
    .bind(change.now())
    .bind(expires_at);
    change.run(statement).await.map(drop)
}

pub(crate) async fn of(db: &Db, scope: &Scope, user: UserId, now: Time, current: Option<&str>) -> Result<Vec<SessionEntry>> {
    let statement = sql("SELECT id, ip, user_agent, created_at, expires_at FROM sessions \
                         WHERE tenant_id = $1 AND user_id = $2 AND expires_at > $3 ORDER BY created_at DESC LIMIT 100")
    .bind(scope.tenant())
    .bind(user)
    .bind(now);
    let entry = |row: &Row| -> Result<SessionEntry> {
        let id: SessionId = row.get("id")?;
        Ok(SessionEntry {
            id,
            ip: row.get("ip")?,
            user_agent: row.get("user_agent")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            current: current == Some(id.to_string().as_str()),
        })
    };
    db.all(statement).await?.iter().map(entry).collect()
}

/// Ends one session; `false` when the user has no such.
pub(crate) async fn delete(change: &mut Change, user: UserId, id: &str) -> Result<bool> {
    let statement =
        sql("DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id = $3").bind(change.scope().tenant()).bind(user).bind(id);
    Ok(change.run(statement).await? == 1)
}

/// Ends all sessions of a user but the one kept, which moves on to the account's new generation.
pub(crate) async fn delete_others(change: &mut Change, user: UserId, kept: Option<&str>) -> Result<()> {
    let tenant = change.scope().tenant();
    let kept = kept.unwrap_or_default();
    let others = sql("DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id <> $3").bind(tenant).bind(user).bind(kept);
    change.run(others).await?;
    let moved = sql("UPDATE sessions SET generation = (SELECT generation FROM users WHERE users.id = sessions.user_id) \
                     WHERE tenant_id = $1 AND user_id = $2 AND id = $3")
    .bind(tenant)
    .bind(user)
    .bind(kept);
    change.run(moved).await.map(drop)
}

/// Refuses an access token for the rest of its life.
pub(crate) async fn revoke(change: &mut Change, user: UserId, jti: &str, until: Time) -> Result<()> {
    let statement = sql("INSERT INTO revoked_tokens (jti, tenant_id, user_id, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind(jti)
        .bind(change.scope().tenant())
        .bind(user)
        .bind(until);
    change.run(statement).await.map(drop)
}
