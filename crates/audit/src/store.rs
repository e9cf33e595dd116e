//! All SQL of the log's entries. Reads are bound to a scope, or to none for the whole log (system only).

use backends::{Db, Row, Sql, Tx, Value};
use base::{Result, TenantId, Time, UserId};
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, EntryId, Record};
use crate::filter::Filter;
use crate::prepare::{Prepared, score_text};

/// Columns of an entry, in the order `insert` binds them.
const COLUMNS: &[&str] = &[
    "id",
    "tenant_id",
    "user_id",
    "username",
    "device_id",
    "jti",
    "ip",
    "user_agent",
    "source",
    "threat_score",
    "decision_reason",
    "attestation_state",
    "action_taken",
    "subject_kind",
    "subject_id",
    "detail",
    "correlation_id",
    "created_at",
    "salt",
    "commitment",
];

/// Appends entries in one statement; a trigger queues them for the tree in the same transaction.
pub(crate) async fn insert(tx: &mut Tx, entries: &[Prepared]) -> Result<()> {
    let statement = format!("INSERT INTO audit_logs ({}) VALUES {}", COLUMNS.join(", "), Sql::rows(entries.len(), COLUMNS.len(), 0));
    let values = entries.iter().flat_map(|entry| {
        let record = &entry.record;
        let columns: [Value; 20] = [
            record.id.into(),
            record.tenant_id.into(),
            record.user_id.into(),
            (&record.username).into(),
            record.device_id.clone().into(),
            record.jti.clone().into(),
            record.ip.clone().into(),
            record.user_agent.clone().into(),
            (&record.source).into(),
            entry.threat_score.into(),
            record.decision_reason.clone().into(),
            record.attestation_state.clone().into(),
            (&record.action_taken).into(),
            (&record.subject_kind).into(),
            (&record.subject_id).into(),
            (&record.detail).into(),
            record.correlation_id.clone().into(),
            record.created_at.into(),
            entry.salt.clone().into(),
            entry.commitment.to_vec().into(),
        ];
        columns
    });
    tx.run(Sql::built(statement).bind_all(values)).await.map(drop)
}

/// Where a page of entries ends.
#[derive(Serialize, Deserialize)]
pub(crate) struct Position(pub(crate) Time, pub(crate) EntryId);

/// Newest entries of a tenant first.
pub(crate) async fn list(db: &Db, tenant: TenantId, filter: &Filter, after: Option<Position>, rows: u32) -> Result<Vec<Entry>> {
    let mut clauses = vec!["a.tenant_id = $1".to_owned()];
    let mut values: Vec<Value> = vec![tenant.into()];
    let mut add = |clause: &str, value: Value| {
        values.push(value);
        clauses.push(clause.replace('?', &format!("${}", values.len())));
    };
    if let Some(user) = filter.user {
        add("a.user_id = ?", user.into());
    }
    if let Some(action) = &filter.action {
        add("a.action_taken = ?", action.into());
    }
    if let Some(kind) = &filter.subject_kind {
        add("a.subject_kind = ?", kind.into());
    }
    if let Some(id) = &filter.subject_id {
        add("a.subject_id = ?", id.into());
    }
    if let Some(from) = filter.from {
        add("a.created_at >= ?", from.into());
    }
    if let Some(to) = filter.to {
        add("a.created_at < ?", to.into());
    }
    if let Some(Position(time, id)) = after {
        add("a.created_at <= ?", time.into());
        add("(a.created_at < ?", time.into());
        add("a.id < ?)", id.into());
        let tail = clauses.split_off(clauses.len() - 2);
        clauses.push(tail.join(" OR "));
    }
    let statement = format!(
        "SELECT a.*, l.leaf_index FROM audit_logs a LEFT JOIN audit_leaves l ON l.entry_id = a.id
         WHERE {} ORDER BY a.created_at DESC, a.id DESC LIMIT {}",
        clauses.join(" AND "),
        rows + 1
    );
    db.all(Sql::built(statement).bind_all(values)).await?.iter().map(shown).collect()
}

/// One entry with its salt.
pub(crate) async fn get(db: &Db, tenant: TenantId, id: EntryId) -> Result<Option<(Entry, Vec<u8>)>> {
    let statement = backends::sql(
        "SELECT a.*, l.leaf_index FROM audit_logs a LEFT JOIN audit_leaves l ON l.entry_id = a.id WHERE a.tenant_id = $1 AND a.id = $2",
    );
    let row = db.one(statement.bind(tenant).bind(id)).await?;
    row.map(|row| Ok((shown(&row)?, row.get("salt")?))).transpose()
}

/// Entries without a leaf, oldest first.
pub(crate) async fn unsequenced(db: &Db, tenant: Option<TenantId>, limit: u32) -> Result<Vec<Record>> {
    let statement = backends::sql(
        "SELECT a.* FROM audit_logs a LEFT JOIN audit_leaves l ON l.entry_id = a.id
         WHERE l.entry_id IS NULL AND ($1 IS NULL OR a.tenant_id = $1) ORDER BY a.created_at, a.id LIMIT $2",
    );
    db.all(statement.bind(tenant).bind(limit)).await?.iter().map(record).collect()
}

/// The canonical record behind a row, as it is now.
pub(crate) fn record(row: &Row) -> Result<Record> {
    Ok(Record {
        action_taken: row.get("action_taken")?,
        attestation_state: row.get("attestation_state")?,
        correlation_id: row.get("correlation_id")?,
        created_at: row.get("created_at")?,
        decision_reason: row.get("decision_reason")?,
        detail: row.get("detail")?,
        device_id: row.get("device_id")?,
        id: row.get("id")?,
        ip: row.get("ip")?,
        jti: row.get("jti")?,
        source: row.get("source")?,
        subject_id: row.get("subject_id")?,
        subject_kind: row.get("subject_kind")?,
        tenant_id: row.get("tenant_id")?,
        threat_score: row.get::<Option<f64>>("threat_score")?.map(score_text),
        user_agent: row.get("user_agent")?,
        user_id: row.get::<Option<UserId>>("user_id")?,
        username: row.get("username")?,
    })
}

fn shown(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: row.get("id")?,
        created_at: row.get("created_at")?,
        action_taken: row.get("action_taken")?,
        subject_kind: row.get("subject_kind")?,
        subject_id: row.get("subject_id")?,
        user_id: row.get("user_id")?,
        username: row.get("username")?,
        device_id: row.get("device_id")?,
        jti: row.get("jti")?,
        ip: row.get("ip")?,
        user_agent: row.get("user_agent")?,
        source: row.get("source")?,
        threat_score: row.get("threat_score")?,
        decision_reason: row.get("decision_reason")?,
        attestation_state: row.get("attestation_state")?,
        detail: row.json("detail")?,
        correlation_id: row.get("correlation_id")?,
        leaf_index: row.get("leaf_index")?,
    })
}

/// What the search index is made of, of every organisation.
pub(crate) const DOCUMENTS: &str = "SELECT a.id, a.tenant_id, a.user_id, a.username, a.device_id, a.ip, a.source, a.threat_score, a.decision_reason, \
     a.action_taken, a.subject_kind, a.subject_id, a.detail, a.correlation_id, a.created_at FROM audit_logs a";
