//! Wrong passwords per user name, by the hash of the name: the same rows whether such a user exists or not.

use std::time::Duration;

use audit::Change;
use backends::{Db, sql};
use base::{Result, Time};

/// After this long without a wrong password the count begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);
/// After this long without one, half of them count no more; two thirds after twice as long, and so on: one an hour locks nobody. Time in
/// which the name was locked is no time without one: whoever only sits the locks out is locked for longer each time.
const FADES: Duration = Duration::from_secs(3600);

/// What is counted against a name.
pub(crate) struct Failed {
    pub(crate) locked_until: Option<Time>,
}

pub(crate) async fn of(db: &Db, login_hash: &str) -> Result<Option<Failed>> {
    let row = db.one(sql("SELECT locked_until FROM sign_in_failures WHERE login_hash = $1").bind(login_hash)).await?;
    row.map(|row| Ok(Failed { locked_until: row.get("locked_until")? })).transpose()
}

/// Counts one more and tells how many there are.
pub(crate) async fn add(change: &mut Change, login_hash: &str) -> Result<u32> {
    let now = change.now();
    let statement = sql("INSERT INTO sign_in_failures (login_hash, failures, updated_at) VALUES ($1, 1, $2) \
                         ON CONFLICT (login_hash) DO UPDATE SET updated_at = $2, \
                         failures = CASE WHEN sign_in_failures.updated_at < $3 THEN 1 \
                         WHEN sign_in_failures.locked_until > $4 THEN sign_in_failures.failures + 1 \
                         WHEN sign_in_failures.locked_until > sign_in_failures.updated_at \
                         THEN sign_in_failures.failures / (1 + ($2 - sign_in_failures.locked_until) / $5) + 1 \
                         WHEN sign_in_failures.updated_at <= $4 \
                         THEN sign_in_failures.failures / (1 + ($2 - sign_in_failures.updated_at) / $5) + 1 \
                         ELSE sign_in_failures.failures + 1 END RETURNING failures")
    .bind(login_hash)
    .bind(now)
    .bind(now - FORGOTTEN_AFTER)
    .bind(now - FADES)
    .bind(FADES.as_micros() as i64);
    change.one(statement).await?.map_or(Ok(1), |row| row.get("failures"))
}

pub(crate) async fn lock(change: &mut Change, login_hash: &str, until: Time) -> Result<()> {
    let statement = sql("UPDATE sign_in_failures SET locked_until = $1 WHERE login_hash = $2").bind(until).bind(login_hash);
    change.run(statement).await.map(drop)
}

pub(crate) async fn forget(change: &mut Change, login_hash: &str) -> Result<()> {
    change.run(sql("DELETE FROM sign_in_failures WHERE login_hash = $1").bind(login_hash)).await.map(drop)
}

/// Deletes everything of this context that has expired; tells how many rows.
pub(crate) async fn sweep(change: &mut Change) -> Result<u64> {
    let now = change.now();
    let mut gone = change.run(sql("DELETE FROM sessions WHERE expires_at < $1").bind(now)).await?;
    gone += change.run(sql("DELETE FROM revoked_tokens WHERE expires_at < $1").bind(now)).await?;
    gone += change.run(sql("DELETE FROM invitations WHERE expires_at < $1").bind(now)).await?;
    gone += change.run(sql("DELETE FROM sign_in_failures WHERE updated_at < $1").bind(now - FORGOTTEN_AFTER)).await?;
    Ok(gone)
}
