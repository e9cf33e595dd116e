//! Audit entries as the search index sees them: of every organisation, for the index alone.

use backends::{Row, portion};
use base::{Result, Time};
use query::{Card, Document, Field, Portion, Schema};
use serde_json::json;

use crate::service::Audit;
use crate::store;

/// Entries of the audit log.
pub static ENTRIES: Schema = Schema {
    name: "audit_logs",
    fields: &[
        Field::keyword("action", "what was done, such as scans.start").free().sortable(),
        Field::keyword("username", "who").free().sortable(),
        Field::keyword("user", "id of the user"),
        Field::keyword("subject_kind", "kind of the thing it was about"),
        Field::keyword("subject", "id of the thing it was about").free(),
        Field::keyword("ip", "peer address").free(),
        Field::keyword("source", "the door: http, ws, grpc, job, cli"),
        Field::keyword("device", "the device, when one acted").free(),
        Field::keyword("correlation", "the same from the edge to the last job"),
        Field::text("reason", "why the decision fell as it did"),
        Field::text("detail", "what changed"),
        Field::number("threat_score", "threat score at that moment"),
        Field::time("created_at", "when").sortable(),
    ],
    sort: "-created_at",
};

impl Audit {
    /// Entries for the index.
    ///
    /// # Errors
    /// The database's.
    pub async fn entry_cards(&self, wanted: Portion<'_>) -> Result<Vec<Card>> {
        self.backends.db.all(portion(store::DOCUMENTS, "a.id", wanted)).await?.iter().map(card).collect()
    }
}

fn card(row: &Row) -> Result<Card> {
    let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
    let (action, username): (String, String) = (row.get("action_taken")?, row.get("username")?);
    let (subject_kind, subject): (String, String) = (row.get("subject_kind")?, row.get("subject_id")?);
    let created_at: Time = row.get("created_at")?;
    let shown = json!({
        "action_taken": action, "username": username, "subject_kind": subject_kind, "subject_id": subject, "created_at": created_at,
    });
    let document = Document::new(&ENTRIES, tenant, id)
        .with("action", action)
        .with("username", username)
        .with_all("user", row.get::<Option<String>>("user_id")?)
        .with("subject_kind", subject_kind)
        .with("subject", subject)
        .with_all("ip", row.get::<Option<String>>("ip")?)
        .with("source", row.get::<String>("source")?)
        .with_all("device", row.get::<Option<String>>("device_id")?)
        .with_all("correlation", row.get::<Option<String>>("correlation_id")?)
        .with_all("reason", row.get::<Option<String>>("decision_reason")?)
        .with("detail", row.get::<String>("detail")?)
        .with_all("threat_score", row.get::<Option<f64>>("threat_score")?)
        .with("created_at", created_at.micros());
    Ok(Card { document, shown, unit: None })
}
