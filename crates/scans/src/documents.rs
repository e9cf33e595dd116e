//! Figures about scans as the search index sees them: of every organisation, for the index alone.

use backends::{Row, portion};
use base::{Result, Time};
use query::{Card, Document, Field, Portion, Schema};
use serde_json::json;

use crate::service::Scans;
use crate::store;

/// Figures the platform measured.
pub static METRICS: Schema = Schema {
    name: "system_metrics",
    fields: &[
        Field::keyword("name", "name of the figure").free().sortable(),
        Field::number("value", "its value").sortable(),
        Field::keyword("scan", "id of the scan it is about"),
        Field::time("recorded_at", "when").sortable(),
    ],
    sort: "-recorded_at",
};

impl Scans {
    /// Figures for the index.
    ///
    /// # Errors
    /// The database's.
    pub async fn metric_cards(&self, wanted: Portion<'_>) -> Result<Vec<Card>> {
        self.backends.db.all(portion(store::METRICS, "m.id", wanted)).await?.iter().map(card).collect()
    }
}

fn card(row: &Row) -> Result<Card> {
    let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
    let (name, scan): (String, String) = (row.get("name")?, row.get("scan_id")?);
    let value: f64 = row.get("value")?;
    let recorded_at: Time = row.get("recorded_at")?;
    let shown = json!({ "name": name, "value": value, "scan_id": scan, "recorded_at": recorded_at });
    let document = Document::new(&METRICS, tenant, id)
        .with("name", name)
        .with("value", value)
        .with("scan", scan)
        .with("recorded_at", recorded_at.micros());
    Ok(Card { document, shown, unit: None })
}
