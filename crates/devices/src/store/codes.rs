//! Rows of enrolment codes; the code itself is kept as a hash.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Page, PageRequest, Result, Scope, TenantId, UserId};

use crate::model::{Code, CodeId};

const CODE: &str = "id, tenant_id, device_id, name, user_id, plan, ownership, created_at, expires_at, used_at";

fn code(row: &Row) -> Result<Code> {
    Ok(Code {
        id: row.get("id")?,
        device_id: row.get("device_id")?,
        name: row.get("name")?,
        user_id: row.get("user_id")?,
        plan: row.parse("plan")?,
        ownership: row.parse("ownership")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        used_at: row.get("used_at")?,
        code: None,
    })
}

pub(crate) async fn insert(change: &mut Change, code: &Code, hash: &str, by: Option<UserId>) -> Result<()> {
    let statement = sql("INSERT INTO device_codes (id, tenant_id, device_id, code_hash, name, user_id, plan, ownership, created_by, \
         created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
    .bind(code.id)
    .bind(change.scope().tenant())
    .bind(code.device_id)
    .bind(hash)
    .bind(&code.name)
    .bind(code.user_id)
    .bind(code.plan.as_str())
    .bind(code.ownership.as_str())
    .bind(by)
    .bind(code.created_at)
    .bind(code.expires_at);
    change.run(statement).await.map(drop)
}

/// The code a phone brings, and its organisation: there is no actor before this.
pub(crate) async fn by_hash(db: &Db, hash: &str) -> Result<Option<(TenantId, Code)>> {
    let row = db.one(Sql::built(format!("SELECT {CODE} FROM device_codes WHERE code_hash = $1")).bind(hash)).await?;
    row.map(|row| Ok((row.get("tenant_id")?, code(&row)?))).transpose()
}

/// False when somebody used it before.
pub(crate) async fn take(change: &mut Change, id: CodeId) -> Result<bool> {
    let statement = sql("UPDATE device_codes SET used_at = $3 WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL AND expires_at > $3")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(change.now());
    Ok(change.run(statement).await? == 1)
}

/// Ends what nobody used yet of the codes made for a person; waits for a phone that is using one of them.
pub(crate) async fn end_of_user(change: &mut Change, user: UserId) -> Result<u64> {
    let statement =
        sql("UPDATE device_codes SET expires_at = $3 WHERE tenant_id = $1 AND user_id = $2 AND used_at IS NULL AND expires_at > $3")
            .bind(change.scope().tenant())
            .bind(user)
            .bind(change.now());
    change.run(statement).await
}

pub(crate) async fn list(db: &Db, scope: &Scope, page: &PageRequest) -> Result<Page<Code>> {
    let rows = page.rows()?;
    let mut text = format!("SELECT {CODE} FROM device_codes WHERE tenant_id = $1");
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    if let Some(last) = page.after::<CodeId>()? {
        values.push(last.into());
        text.push_str(" AND id < $2");
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(code).collect::<Result<_>>()?, rows, |code| code.id)
}
