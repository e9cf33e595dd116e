//! All SQL of this context: reads within a scope, writes within a change.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Page, PageRequest, Result, Scope, Unit};

use crate::authorization::{Authorization, AuthorizationId};
use crate::errors;
use crate::model::{Author, Filter, Target, TargetId};
use crate::rule::Rule;
use crate::units::{among, own, within};
use crate::vocabulary::TargetKind;

const TARGET: &str = "id, name, kind, address, description, tags, owner, environment, unit, criticality, created_at, updated_at, version";
const AUTHORIZATION: &str = "id, target_id, rules, exclusions, valid_from, valid_until, intrusiveness, granted_by, evidence, \
     evidence_file, created_by, created_at, revoked_at, revoked_reason";
/// More than this many authorisations of one target or tenant are not looked through; the newest come first.
const CANDIDATES: u32 = 1000;
/// Most business units told.
const MOST_UNITS: u32 = 5000;

/// How many targets each unit has itself.
pub(crate) async fn units(db: &Db, scope: &Scope) -> Result<Vec<(Unit, u64)>> {
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    let own = own(scope, &mut values);
    let text = format!(
        "SELECT unit, COUNT(*) AS targets FROM targets WHERE tenant_id = $1 AND deleted_at IS NULL AND unit IS NOT NULL{own} \
         GROUP BY unit ORDER BY unit LIMIT {MOST_UNITS}"
    );
    let rows = db.all(Sql::built(text).bind_all(values)).await?;
    let read = |row: &Row| Ok((row.get::<String>("unit")?.parse().ok(), row.get::<u64>("targets")?));
    let counted: Vec<(Option<Unit>, u64)> = rows.iter().map(read).collect::<Result<_>>()?;
    Ok(counted.into_iter().filter_map(|(unit, targets)| Some((unit?, targets))).collect())
}

fn target(row: &Row) -> Result<Target> {
    Ok(Target {
        id: row.get("id")?,
        name: row.get("name")?,
        kind: row.parse("kind")?,
        address: row.get("address")?,
        description: row.get("description")?,
        tags: row.json("tags")?,
        owner: row.get("owner")?,
        environment: row.get("environment")?,
        // A label that was no path once stood for one.
        unit: row.get::<Option<String>>("unit")?.and_then(|path| path.parse().ok()),
        criticality: row.parse("criticality")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        version: row.get("version")?,
    })
}

fn authorization(row: &Row) -> Result<Authorization> {
    Ok(Authorization {
        id: row.get("id")?,
        target: row.get("target_id")?,
        rules: row.json("rules")?,
        exclusions: row.json("exclusions")?,
        valid_from: row.get("valid_from")?,
        valid_until: row.get("valid_until")?,
        intrusiveness: row.parse("intrusiveness")?,
        granted_by: row.get("granted_by")?,
        evidence: row.get("evidence")?,
        evidence_file: row.get("evidence_file")?,
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        revoked_at: row.get("revoked_at")?,
        revoked_reason: row.get("revoked_reason")?,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|cause| base::Error::internal("a column cannot be written as JSON").because(cause))
}

fn search_text(target: &Target) -> String {
    format!("{}\n{}", target.name, target.address.as_deref().unwrap_or_default()).to_lowercase()
}

/// A `LIKE` pattern for text that contains `part`, to be used with `ESCAPE '\'`.
fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for letter in part.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

fn by_id(scope: &Scope, id: TargetId) -> Sql {
    let mut values = vec![scope.tenant().into(), id.into()];
    let own = own(scope, &mut values);
    Sql::built(format!("SELECT {TARGET} FROM targets WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL{own}")).bind_all(values)
}

pub(crate) async fn find(db: &Db, scope: &Scope, id: TargetId) -> Result<Option<Target>> {
    db.one(by_id(scope, id)).await?.as_ref().map(target).transpose()
}

pub(crate) async fn of_ids(db: &Db, scope: &Scope, ids: &[TargetId]) -> Result<Vec<Target>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    values.extend(ids.iter().map(|id| Value::from(*id)));
    let (listed, own) = (Sql::list(ids.len(), 1), own(scope, &mut values));
    let text = format!("SELECT {TARGET} FROM targets WHERE tenant_id = $1 AND deleted_at IS NULL AND id IN ({listed}){own}");
    db.all(Sql::built(text).bind_all(values)).await?.iter().map(target).collect()
}

pub(crate) async fn find_for_change(change: &mut Change, id: TargetId) -> Result<Option<Target>> {
    let scope = change.scope();
    change.one(by_id(&scope, id)).await?.as_ref().map(target).transpose()
}

pub(crate) async fn find_by_name(change: &mut Change, name: &str, kind: TargetKind) -> Result<Option<Target>> {
    let scope = change.scope();
    let mut values = vec![scope.tenant().into(), name.into(), kind.as_str().into()];
    let own = own(&scope, &mut values);
    let text = format!(
        "SELECT {TARGET} FROM targets WHERE tenant_id = $1 AND name = $2 AND kind = $3 AND deleted_at IS NULL{own} ORDER BY id LIMIT 1"
    );
    change.one(Sql::built(text).bind_all(values)).await?.as_ref().map(target).transpose()
}

pub(crate) async fn list(db: &Db, scope: &Scope, filter: &Filter, page: &PageRequest) -> Result<Page<Target>> {
    let rows = page.rows()?;
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    let own = own(scope, &mut values);
    let mut text = format!("SELECT {TARGET} FROM targets WHERE tenant_id = $1 AND deleted_at IS NULL{own}");
    if let Some(unit) = &filter.unit {
        let among = among("targets.unit", std::slice::from_ref(unit), &mut values);
        text.push_str(&format!(" AND {among}"));
    }
    let mut also = |condition: &str, value: Value| {
        values.push(value);
        text.push_str(" AND ");
        text.push_str(&condition.replace('?', &format!("${}", values.len())));
    };
    if let Some(part) = filter.q.as_deref().map(str::trim).filter(|part| !part.is_empty()) {
        also("search LIKE ? ESCAPE '\\'", containing(part).into());
    }
    if let Some(kind) = filter.kind {
        also("kind = ?", kind.as_str().into());
    }
    if let Some(criticality) = filter.criticality {
        also("criticality = ?", criticality.as_str().into());
    }
    if let Some(tag) = &filter.tag {
        also(
            "EXISTS (SELECT 1 FROM target_tags WHERE target_tags.tenant_id = targets.tenant_id AND target_tags.target_id = targets.id AND tag = ?)",
            tag.to_lowercase().into(),
        );
    }
    if let Some(last) = page.after::<TargetId>()? {
        also("id < ?", last.into());
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(target).collect::<Result<_>>()?, rows, |target| target.id)
}

pub(crate) async fn insert(change: &mut Change, target: &Target, by: Author) -> Result<()> {
    let tenant = change.scope().tenant();
    change
        .run(
            sql("INSERT INTO targets (id, tenant_id, name, kind, address, description, tags, owner, environment, criticality, search, \
                 created_by, created_at, updated_at, version, unit) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)")
            .bind(target.id)
            .bind(tenant)
            .bind(&target.name)
            .bind(target.kind.as_str())
            .bind(target.address.clone())
            .bind(&target.description)
            .bind(json(&target.tags)?)
            .bind(target.owner.clone())
            .bind(target.environment.clone())
            .bind(target.criticality.as_str())
            .bind(search_text(target))
            .bind(by)
            .bind(target.created_at)
            .bind(target.updated_at)
            .bind(target.version)
            .bind(target.unit.as_ref().map(ToString::to_string)),
        )
        .await?;
    insert_tags(change, target).await
}

/// Writes the next version of a target.
///
/// # Errors
/// `Conflict` when the version before it is no longer the current one: on PostgreSQL two changes can read the same.
pub(crate) async fn update(change: &mut Change, target: &Target) -> Result<()> {
    let tenant = change.scope().tenant();
    let before = target.version.saturating_sub(1);
    let written = change
        .run(
            sql("UPDATE targets SET name = $3, kind = $4, address = $5, description = $6, tags = $7, owner = $8, environment = $9, \
                 criticality = $10, search = $11, updated_at = $12, version = $13, unit = $14 \
                 WHERE tenant_id = $1 AND id = $2 AND version = $15")
            .bind(tenant)
            .bind(target.id)
            .bind(&target.name)
            .bind(target.kind.as_str())
            .bind(target.address.clone())
            .bind(&target.description)
            .bind(json(&target.tags)?)
            .bind(target.owner.clone())
            .bind(target.environment.clone())
            .bind(target.criticality.as_str())
            .bind(search_text(target))
            .bind(target.updated_at)
            .bind(target.version)
            .bind(target.unit.as_ref().map(ToString::to_string))
            .bind(before),
        )
        .await?;
    if written == 0 {
        return Err(errors::overtaken(before));
    }
    change.run(sql("DELETE FROM target_tags WHERE tenant_id = $1 AND target_id = $2").bind(tenant).bind(target.id)).await?;
    insert_tags(change, target).await
}

async fn insert_tags(change: &mut Change, target: &Target) -> Result<()> {
    if target.tags.is_empty() {
        return Ok(());
    }
    let text = format!("INSERT INTO target_tags (tenant_id, target_id, tag) {}", Sql::rows_sharing(target.tags.len(), 2, 1));
    let statement = Sql::built(text).bind(change.scope().tenant()).bind(target.id).bind_all(target.tags.iter().map(Value::from));
    change.run(statement).await.map(drop)
}

pub(crate) async fn delete(change: &mut Change, id: TargetId) -> Result<bool> {
    let scope = change.scope();
    let mut values = vec![scope.tenant().into(), id.into(), change.now().into()];
    let own = own(&scope, &mut values);
    let text =
        format!("UPDATE targets SET deleted_at = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL{own}");
    Ok(change.run(Sql::built(text).bind_all(values)).await? == 1)
}

pub(crate) async fn insert_authorization(change: &mut Change, granted: &Authorization) -> Result<()> {
    let tenant = change.scope().tenant();
    change
        .run(
            sql("INSERT INTO target_authorizations (id, tenant_id, target_id, rules, exclusions, valid_from, valid_until, intrusiveness, \
                 granted_by, evidence, evidence_file, created_by, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(granted.id)
            .bind(tenant)
            .bind(granted.target)
            .bind(json(&granted.rules)?)
            .bind(json(&granted.exclusions)?)
            .bind(granted.valid_from)
            .bind(granted.valid_until)
            .bind(granted.intrusiveness.as_str())
            .bind(&granted.granted_by)
            .bind(&granted.evidence)
            .bind(granted.evidence_file.clone())
            .bind(granted.created_by)
            .bind(granted.created_at),
        )
        .await
        .map(drop)
}

fn authorization_by_id(scope: &Scope, id: AuthorizationId) -> Sql {
    let mut values = vec![scope.tenant().into(), id.into()];
    let within = within(scope, "target_id", &mut values);
    Sql::built(format!("SELECT {AUTHORIZATION} FROM target_authorizations WHERE tenant_id = $1 AND id = $2{within}")).bind_all(values)
}

pub(crate) async fn find_authorization(db: &Db, scope: &Scope, id: AuthorizationId) -> Result<Option<Authorization>> {
    db.one(authorization_by_id(scope, id)).await?.as_ref().map(authorization).transpose()
}

pub(crate) async fn find_authorization_for_change(change: &mut Change, id: AuthorizationId) -> Result<Option<Authorization>> {
    let scope = change.scope();
    change.one(authorization_by_id(&scope, id)).await?.as_ref().map(authorization).transpose()
}

pub(crate) async fn list_authorizations(
    db: &Db,
    scope: &Scope,
    target: Option<TargetId>,
    page: &PageRequest,
) -> Result<Page<Authorization>> {
    let rows = page.rows()?;
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    let within = within(scope, "target_id", &mut values);
    let mut text = format!("SELECT {AUTHORIZATION} FROM target_authorizations WHERE tenant_id = $1{within}");
    if let Some(target) = target {
        values.push(target.into());
        text.push_str(&format!(" AND target_id = ${}", values.len()));
    }
    if let Some(last) = page.after::<AuthorizationId>()? {
        values.push(last.into());
        text.push_str(&format!(" AND id < ${}", values.len()));
    }
    values.push((rows + 1).into());
    text.push_str(&format!(" ORDER BY id DESC LIMIT ${}", values.len()));
    let found = db.all(Sql::built(text).bind_all(values)).await?;
    Page::cut(found.iter().map(authorization).collect::<Result<_>>()?, rows, |granted| granted.id)
}

/// The authorisations a test of the target could stand on, those that last longest first.
pub(crate) async fn candidates(db: &Db, scope: &Scope, target: TargetId) -> Result<Vec<Authorization>> {
    let statement = Sql::built(format!(
        "SELECT {AUTHORIZATION} FROM target_authorizations WHERE tenant_id = $1 AND (target_id = $2 OR target_id IS NULL) \
         ORDER BY valid_until DESC LIMIT $3"
    ));
    db.all(statement.bind(scope.tenant()).bind(target).bind(CANDIDATES)).await?.iter().map(authorization).collect()
}

/// Adds the key of the stored proof; false when there was one before.
pub(crate) async fn prove(change: &mut Change, id: AuthorizationId, key: &str) -> Result<bool> {
    let statement = sql("UPDATE target_authorizations SET evidence_file = $3 WHERE tenant_id = $1 AND id = $2 AND evidence_file IS NULL")
        .bind(change.scope().tenant())
        .bind(id)
        .bind(key);
    Ok(change.run(statement).await? == 1)
}

pub(crate) async fn revoke(change: &mut Change, id: AuthorizationId, reason: &str) -> Result<bool> {
    let statement = sql(
        "UPDATE target_authorizations SET revoked_at = $3, revoked_reason = $4 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
    )
    .bind(change.scope().tenant())
    .bind(id)
    .bind(change.now())
    .bind(reason);
    Ok(change.run(statement).await? == 1)
}

/// The rules of an authorisation as the audit log shows them.
pub(crate) fn shown(rules: &[Rule]) -> serde_json::Value {
    serde_json::to_value(rules).unwrap_or_default()
}

/// What the search index is made of, of every organisation.
pub(crate) const DOCUMENTS: &str = "SELECT t.id, t.tenant_id, t.name, t.kind, t.address, t.description, t.tags, t.owner, t.environment, t.unit, t.criticality, \
     t.created_at, t.updated_at FROM (SELECT * FROM targets WHERE deleted_at IS NULL) t";
