//! SQL of notes.

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope, UserId};
use serde::{Deserialize, Serialize};

use super::clean;
use crate::model::{FindingId, FindingNote, ImportId, NoteId};

/// Rows per statement.
const ROWS: usize = 2000;

fn note(row: &Row) -> Result<FindingNote> {
    Ok(FindingNote {
        id: row.get("id")?,
        finding_id: row.get("finding_id")?,
        text: row.get("text")?,
        written_by: row.get("written_by")?,
        written_by_name: row.get("written_by_name")?,
        created_at: row.get("created_at")?,
    })
}

/// Where a page of notes ends.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before(pub(crate) NoteId);

/// Notes of a finding, newest first.
pub(crate) async fn of_finding(db: &Db, scope: &Scope, id: FindingId, before: Option<Before>, rows: u32) -> Result<Vec<FindingNote>> {
    let clause = if before.is_some() { " AND id < $3" } else { "" };
    let statement = format!(
        "SELECT id, finding_id, text, written_by, written_by_name, created_at FROM finding_notes
         WHERE tenant_id = $1 AND finding_id = $2{clause} ORDER BY id DESC LIMIT {}",
        rows + 1
    );
    let mut statement = Sql::built(statement).bind(scope.tenant()).bind(id);
    if let Some(Before(last)) = before {
        statement = statement.bind(last);
    }
    db.all(statement).await?.iter().map(note).collect()
}

/// The newest notes of each of these findings, as far as the reader may see those, newest first, in one statement.
pub(crate) async fn of_findings(db: &Db, scope: &Scope, ids: &[FindingId], each: u32) -> Result<Vec<FindingNote>> {
    let mut values = vec![Value::from(scope.tenant())];
    values.extend(ids.iter().map(|id| Value::from(*id)));
    let within = targets::within(scope, "v.target_id", &mut values);
    let statement = format!(
        "SELECT id, finding_id, text, written_by, written_by_name, created_at FROM
             (SELECT n.id, n.finding_id, n.text, n.written_by, n.written_by_name, n.created_at,
                  ROW_NUMBER() OVER (PARTITION BY n.finding_id ORDER BY n.id DESC) AS place
              FROM finding_notes n JOIN vulnerabilities v ON v.tenant_id = n.tenant_id AND v.id = n.finding_id
              WHERE n.tenant_id = $1 AND n.finding_id IN ({}){within}) ranked
         WHERE ranked.place <= {each} ORDER BY id DESC",
        Sql::list(ids.len(), 1)
    );
    db.all(Sql::built(statement).bind_all(values)).await?.iter().map(note).collect()
}

/// Keeps notes; `import` is the one they came with.
pub(crate) async fn insert(change: &mut Change, import: Option<ImportId>, notes: &[FindingNote]) -> Result<()> {
    let tenant = change.scope().tenant();
    for some in notes.chunks(ROWS) {
        let statement = format!(
            "INSERT INTO finding_notes (tenant_id, import_id, id, finding_id, text, written_by, written_by_name, created_at) {}",
            Sql::rows_sharing(some.len(), 2, 6)
        );
        let mut insert = Sql::built(statement).bind(tenant).bind(import);
        for note in some {
            insert = insert.bind(note.id).bind(note.finding_id).bind(clean(&note.text)).bind(note.written_by);
            insert = insert.bind(clean(&note.written_by_name)).bind(note.created_at);
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Who wrote a note of this finding; nothing when there is no such note.
pub(crate) async fn author(change: &mut Change, finding: FindingId, note: NoteId) -> Result<Option<Option<UserId>>> {
    let statement = sql("SELECT written_by FROM finding_notes WHERE tenant_id = $1 AND finding_id = $2 AND id = $3");
    let row = change.one(statement.bind(change.scope().tenant()).bind(finding).bind(note)).await?;
    row.map(|row| row.get("written_by")).transpose()
}

/// Takes a note away.
pub(crate) async fn delete(change: &mut Change, note: NoteId) -> Result<()> {
    let statement = sql("DELETE FROM finding_notes WHERE tenant_id = $1 AND id = $2");
    change.run(statement.bind(change.scope().tenant()).bind(note)).await.map(drop)
}
