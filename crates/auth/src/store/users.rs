//! People.

use std::net::IpAddr;

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Origin, Permission, Result, Role, Scope, TenantId, Time, Unit, UserId};
use serde_json::json;

use crate::errors;
use crate::model::{Account, User, UserState};

pub(crate) fn account(row: &Row) -> Result<Account> {
    let password_hash: Option<String> = row.get("password_hash")?;
    let locked_at: Option<i64> = row.get("locked_at")?;
    let state = match (locked_at, &password_hash) {
        (Some(_), _) => UserState::Locked,
        (None, None) => UserState::Invited,
        (None, Some(_)) => UserState::Active,
    };
    let user = User {
        id: row.get("id")?,
        tenant_id: row.get("tenant_id")?,
        username: row.get("username")?,
        email: row.get("email")?,
        roles: row.json("roles")?,
        units: row.json("units")?,
        state,
        last_sign_in_at: row.get("last_sign_in_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        version: row.get("version")?,
    };
    Ok(Account { user, password_hash, generation: row.get("generation")? })
}

fn written(error: base::Error) -> base::Error {
    if error.code() == "db.duplicate" { errors::username_taken() } else { error }
}

/// Whether anybody exists at all, in any organisation.
pub(crate) async fn exist(db: &Db) -> Result<bool> {
    Ok(db.one(sql("SELECT id FROM users LIMIT 1")).await?.is_some())
}

pub(crate) async fn one(db: &Db, scope: &Scope, id: UserId) -> Result<Option<User>> {
    of_tenant(db, scope.tenant(), id).await
}

/// As [`one`], where no person asks.
pub(crate) async fn of_tenant(db: &Db, tenant: TenantId, id: UserId) -> Result<Option<User>> {
    let row = db.one(sql("SELECT * FROM users WHERE tenant_id = $1 AND id = $2").bind(tenant).bind(id)).await?;
    row.as_ref().map(|row| account(row).map(|account| account.user)).transpose()
}

pub(crate) async fn page(db: &Db, scope: &Scope, after: Option<String>, rows: u32) -> Result<Vec<User>> {
    let statement = sql("SELECT * FROM users WHERE tenant_id = $1 AND login > $2 ORDER BY login LIMIT $3")
        .bind(scope.tenant())
        .bind(after.unwrap_or_default())
        .bind(i64::from(rows) + 1);
    db.all(statement).await?.iter().map(|row| account(row).map(|account| account.user)).collect()
}

/// Addresses from which somebody signed in with this name since `since`.
pub(crate) async fn places(db: &Db, login: &str, since: Time) -> Result<Vec<IpAddr>> {
    addresses(&db.all(signed_in_from(login, since)).await?)
}

/// The same, as the change sees it.
pub(crate) async fn places_now(change: &mut Change, login: &str, since: Time) -> Result<Vec<IpAddr>> {
    addresses(&change.all(signed_in_from(login, since)).await?)
}

fn signed_in_from(login: &str, since: Time) -> Sql {
    sql("SELECT DISTINCT a.ip FROM users u JOIN user_activity a ON a.tenant_id = u.tenant_id AND a.user_id = u.id \
         WHERE u.login = $1 AND a.created_at > $2 AND a.ip IS NOT NULL AND (a.kind = 'sign_in' OR a.kind = 'access_token')")
    .bind(login)
    .bind(since)
}

fn addresses(rows: &[Row]) -> Result<Vec<IpAddr>> {
    let found = rows.iter().map(|row| row.get::<String>("ip")).collect::<Result<Vec<_>>>()?;
    Ok(found.iter().filter_map(|ip| ip.parse().ok()).collect())
}

/// The account as the change sees it, kept from changing under it by the write.
pub(crate) async fn hold(change: &mut Change, id: UserId) -> Result<Account> {
    let statement = sql("UPDATE users SET version = version + 1, updated_at = $1 WHERE tenant_id = $2 AND id = $3 RETURNING *")
        .bind(change.now())
        .bind(change.scope().tenant())
        .bind(id);
    account(&change.one(statement).await?.ok_or_else(errors::no_user)?)
}

pub(crate) async fn insert(change: &mut Change, account: &Account, login: &str) -> Result<()> {
    let user = &account.user;
    let statement = sql("INSERT INTO users (id, tenant_id, username, login, email, password_hash, roles, units, created_at, updated_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)")
    .bind(user.id)
    .bind(change.scope().tenant())
    .bind(&user.username)
    .bind(login)
    .bind(&user.email)
    .bind(account.password_hash.clone())
    .bind(json!(user.roles))
    .bind(json!(user.units))
    .bind(user.created_at);
    change.run(statement).await.map(drop).map_err(written)
}

async fn set(change: &mut Change, id: UserId, text: &'static str, value: impl Into<Value>) -> Result<()> {
    change.run(sql(text).bind(value).bind(change.scope().tenant()).bind(id)).await.map(drop).map_err(written)
}

pub(crate) async fn set_email(change: &mut Change, id: UserId, email: &str) -> Result<()> {
    set(change, id, "UPDATE users SET email = $1 WHERE tenant_id = $2 AND id = $3", email).await
}

pub(crate) async fn set_roles(change: &mut Change, id: UserId, roles: &[Role]) -> Result<()> {
    set(change, id, "UPDATE users SET roles = $1 WHERE tenant_id = $2 AND id = $3", json!(roles)).await
}

pub(crate) async fn set_units(change: &mut Change, id: UserId, units: &[Unit]) -> Result<()> {
    set(change, id, "UPDATE users SET units = $1 WHERE tenant_id = $2 AND id = $3", json!(units)).await
}

/// Everything given out before dies with the old password.
pub(crate) async fn set_password(change: &mut Change, id: UserId, hash: &str) -> Result<()> {
    set(change, id, "UPDATE users SET password_hash = $1, generation = generation + 1 WHERE tenant_id = $2 AND id = $3", hash).await
}

/// The same password under today's cost.
pub(crate) async fn set_hash(change: &mut Change, id: UserId, hash: &str) -> Result<()> {
    set(change, id, "UPDATE users SET password_hash = $1 WHERE tenant_id = $2 AND id = $3", hash).await
}

pub(crate) async fn lock(change: &mut Change, id: UserId) -> Result<()> {
    let now = change.now();
    set(change, id, "UPDATE users SET locked_at = $1, generation = generation + 1 WHERE tenant_id = $2 AND id = $3", now).await
}

pub(crate) async fn unlock(change: &mut Change, id: UserId) -> Result<()> {
    set(change, id, "UPDATE users SET locked_at = $1 WHERE tenant_id = $2 AND id = $3", None::<i64>).await
}

pub(crate) async fn signed_in(change: &mut Change, id: UserId) -> Result<()> {
    let now = change.now();
    set(change, id, "UPDATE users SET last_sign_in_at = $1 WHERE tenant_id = $2 AND id = $3", now).await
}

pub(crate) async fn delete(change: &mut Change, id: UserId) -> Result<()> {
    change.run(sql("DELETE FROM users WHERE tenant_id = $1 AND id = $2").bind(change.scope().tenant()).bind(id)).await.map(drop)
}

/// Whether somebody is left who can sign in and administer. Locks the organisation's row first, so that two changes that
/// each take an administrator away cannot both see the other one's.
pub(crate) async fn has_admin(change: &mut Change) -> Result<bool> {
    let tenant = change.scope().tenant();
    change.run(sql("UPDATE tenants SET updated_at = $1 WHERE id = $2").bind(change.now()).bind(tenant)).await?;
    let rows = change
        .all(
            sql("SELECT roles FROM users WHERE tenant_id = $1 AND locked_at IS NULL AND password_hash IS NOT NULL AND units = '[]'")
                .bind(tenant),
        )
        .await?;
    for row in &rows {
        let roles: Vec<Role> = row.json("roles")?;
        if roles.iter().any(|role| role.permissions().contains(&Permission::WriteUsers)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts a new invitation in the place of an older one.
pub(crate) async fn invite(change: &mut Change, id: UserId, token_hash: &str, expires_at: base::Time) -> Result<()> {
    let statement = sql("INSERT INTO invitations (user_id, tenant_id, token_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) \
                         ON CONFLICT (user_id) DO UPDATE SET token_hash = excluded.token_hash, created_at = excluded.created_at, \
                         expires_at = excluded.expires_at")
    .bind(id)
    .bind(change.scope().tenant())
    .bind(token_hash)
    .bind(change.now())
    .bind(expires_at);
    change.run(statement).await.map(drop)
}

/// Takes every open link of a person away.
pub(crate) async fn withdraw_invitation(change: &mut Change, id: UserId) -> Result<()> {
    let statement = sql("DELETE FROM invitations WHERE tenant_id = $1 AND user_id = $2").bind(change.scope().tenant()).bind(id);
    change.run(statement).await.map(drop)
}

/// Takes the invitation away; `false` when somebody was faster.
pub(crate) async fn use_invitation(change: &mut Change, token_hash: &str) -> Result<bool> {
    let statement = sql("DELETE FROM invitations WHERE tenant_id = $1 AND token_hash = $2 AND expires_at > $3")
        .bind(change.scope().tenant())
        .bind(token_hash)
        .bind(change.now());
    Ok(change.run(statement).await? == 1)
}

/// Adds to what a person did with their account.
pub(crate) async fn note(change: &mut Change, id: UserId, kind: &'static str, origin: &Origin) -> Result<()> {
    let activity = change.id::<User>();
    let statement: Sql =
        sql("INSERT INTO user_activity (id, tenant_id, user_id, kind, ip, user_agent, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(activity)
            .bind(change.scope().tenant())
            .bind(id)
            .bind(kind)
            .bind(origin.ip.map(|ip| ip.to_string()))
            .bind(origin.user_agent.clone())
            .bind(change.now());
    change.run(statement).await.map(drop)
}
