//! Finding who a secret belongs to, before anybody is known. One statement each: these run with every request.

use backends::{Db, Row, sql};
use base::{Permission, Result, Time, UserId};

use super::users::account;
use crate::model::{Account, SessionId, TokenId};

pub(crate) async fn by_login(db: &Db, login: &str) -> Result<Option<Account>> {
    db.one(sql("SELECT * FROM users WHERE login = $1").bind(login)).await?.as_ref().map(account).transpose()
}

/// An account with the live session that names it.
pub(crate) struct BySession {
    pub(crate) account: Account,
    pub(crate) session: SessionId,
    pub(crate) expires_at: Time,
}

/// Only live sessions of the account's present generation are found.
pub(crate) async fn by_session(db: &Db, token_hash: &str, now: Time) -> Result<Option<BySession>> {
    let statement = sql("SELECT users.*, sessions.id AS session_id, sessions.expires_at AS session_expires_at FROM sessions \
                         JOIN users ON users.id = sessions.user_id AND users.tenant_id = sessions.tenant_id \
                         WHERE sessions.token_hash = $1 AND sessions.expires_at > $2 AND sessions.generation = users.generation \
                         AND users.locked_at IS NULL")
    .bind(token_hash)
    .bind(now);
    let found = |row: &Row| -> Result<BySession> {
        Ok(BySession { account: account(row)?, session: row.get("session_id")?, expires_at: row.get("session_expires_at")? })
    };
    db.one(statement).await?.as_ref().map(found).transpose()
}

/// The account an access token speaks for, unless the token was signed out or the account's generation moved on.
pub(crate) async fn by_access_token(db: &Db, user: UserId, generation: i64, jti: &str) -> Result<Option<Account>> {
    let statement = sql("SELECT * FROM users WHERE id = $1 AND generation = $2 AND locked_at IS NULL \
                         AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE jti = $3)")
    .bind(user)
    .bind(generation)
    .bind(jti);
    db.one(statement).await?.as_ref().map(account).transpose()
}

/// An account with the API token that names it.
pub(crate) struct ByToken {
    pub(crate) account: Account,
    pub(crate) id: TokenId,
    pub(crate) token_hash: String,
    pub(crate) scopes: Vec<Permission>,
    pub(crate) expires_at: Time,
}

pub(crate) async fn by_prefix(db: &Db, prefix: &str, now: Time) -> Result<Option<ByToken>> {
    let statement = sql("SELECT users.*, api_tokens.id AS token_id, api_tokens.token_hash, api_tokens.scopes, \
                         api_tokens.expires_at AS token_expires_at FROM api_tokens \
                         JOIN users ON users.id = api_tokens.user_id AND users.tenant_id = api_tokens.tenant_id \
                         WHERE api_tokens.prefix = $1 AND api_tokens.expires_at > $2 AND api_tokens.revoked_at IS NULL \
                         AND users.locked_at IS NULL")
    .bind(prefix)
    .bind(now);
    let found = |row: &Row| -> Result<ByToken> {
        Ok(ByToken {
            account: account(row)?,
            id: row.get("token_id")?,
            token_hash: row.get("token_hash")?,
            scopes: row.json("scopes")?,
            expires_at: row.get("token_expires_at")?,
        })
    };
    db.one(statement).await?.as_ref().map(found).transpose()
}

/// The account an invitation is for.
pub(crate) async fn by_invitation(db: &Db, token_hash: &str, now: Time) -> Result<Option<Account>> {
    let statement = sql("SELECT users.* FROM invitations JOIN users ON users.id = invitations.user_id \
                         WHERE invitations.token_hash = $1 AND invitations.expires_at > $2 AND users.locked_at IS NULL")
    .bind(token_hash)
    .bind(now);
    db.one(statement).await?.as_ref().map(account).transpose()
}
