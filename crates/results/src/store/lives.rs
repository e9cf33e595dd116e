//! SQL of what an export tells of findings beside themselves: their names, and what was last said of them.

use std::collections::HashMap;

use backends::{Db, Sql, Value};
use base::{Result, Scope, Time};
use importers::{CarriedNote, IdentityKey, Observation};

use crate::model::FindingId;

/// What is known of a finding beside what lists show.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// Names it is known by, strongest first.
    pub(crate) names: Vec<IdentityKey>,
    /// The last thing a tool said of it, and when.
    pub(crate) said: Option<(Observation, Option<String>)>,
    /// What people wrote down about it, oldest first.
    pub(crate) notes: Vec<CarriedNote>,
}

/// Those of a page of findings: three statements, however many they are.
pub(crate) async fn of(db: &Db, scope: &Scope, ids: &[FindingId]) -> Result<HashMap<FindingId, Life>> {
    let mut lives: HashMap<FindingId, Life> = HashMap::new();
    if ids.is_empty() {
        return Ok(lives);
    }
    let among = Sql::list(ids.len(), 1);
    let bound = |text: String| Sql::built(text).bind(scope.tenant()).bind_all(ids.iter().map(|id| Value::from(*id)));
    let names = format!(
        "SELECT finding_id, scheme, version, digest FROM finding_keys
         WHERE tenant_id = $1 AND retired_by IS NULL AND finding_id IN ({among}) ORDER BY finding_id, position, digest"
    );
    for row in db.all(bound(names)).await? {
        let name = IdentityKey { scheme: row.get("scheme")?, version: row.get("version")?, digest: row.get("digest")? };
        lives.entry(row.get("finding_id")?).or_default().names.push(name);
    }
    let said = format!(
        "SELECT o.finding_id, o.body, o.observed_at FROM observations o WHERE o.tenant_id = $1 AND o.finding_id IN ({among})
         AND o.id = (SELECT MAX(p.id) FROM observations p WHERE p.tenant_id = $1 AND p.finding_id = o.finding_id AND p.body <> '')"
    );
    for row in db.all(bound(said)).await? {
        lives.entry(row.get("finding_id")?).or_default().said = Some((row.json("body")?, row.get("observed_at")?));
    }
    let notes = format!(
        "SELECT finding_id, text, written_by_name, created_at FROM finding_notes WHERE tenant_id = $1 AND finding_id IN ({among}) ORDER BY finding_id, id"
    );
    for row in db.all(bound(notes)).await? {
        let created_at = Some(row.get::<Time>("created_at")?.to_string());
        let note = CarriedNote { text: row.get("text")?, written_by_name: row.get("written_by_name")?, created_at };
        lives.entry(row.get("finding_id")?).or_default().notes.push(note);
    }
    Ok(lives)
}
