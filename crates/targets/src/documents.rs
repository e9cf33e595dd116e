//! Targets as the search index sees them: of every organisation, for the index alone.

use backends::{Row, portion};
use base::{Result, Time, Unit};
use query::{Card, Document, Field, Portion, Schema};
use serde_json::json;

use crate::service::Targets;
use crate::store;

/// Targets.
pub static ASSETS: Schema = Schema {
    name: "assets",
    fields: &[
        Field::text("name", "name").sortable(),
        Field::keyword("address", "host, network or web address").free(),
        Field::keyword("type", "web, api, host, network, mobile, repository, cloud"),
        Field::text("description", "what it is"),
        Field::keyword("tag", "labels").free(),
        Field::keyword("owner", "who answers for it").free(),
        Field::keyword("environment", "such as production"),
        Field::keyword("unit", "business units it lies in").free(),
        Field::rank("criticality", &["low", "medium", "high", "critical"], "how much depends on it").sortable(),
        Field::time("created_at", "since when it is known").sortable(),
        Field::time("updated_at", "changed last").sortable(),
    ],
    sort: "name",
};

impl Targets {
    /// Targets for the index; deleted ones are not among them.
    ///
    /// # Errors
    /// The database's.
    pub async fn asset_cards(&self, wanted: Portion<'_>) -> Result<Vec<Card>> {
        self.backends.db.all(portion(store::DOCUMENTS, "t.id", wanted)).await?.iter().map(card).collect()
    }
}

fn card(row: &Row) -> Result<Card> {
    let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
    let (name, kind, criticality): (String, String, String) = (row.get("name")?, row.get("kind")?, row.get("criticality")?);
    let address: Option<String> = row.get("address")?;
    let unit: Option<Unit> = row.get::<Option<String>>("unit")?.and_then(|path| path.parse().ok());
    let shown = json!({ "name": name, "type": kind, "address": address, "criticality": criticality });
    let document = Document::new(&ASSETS, tenant, id)
        .with("name", name)
        .with_all("address", address)
        .with("type", kind)
        .with("description", row.get::<String>("description")?)
        .with_all("tag", row.json::<Vec<String>>("tags")?)
        .with_all("owner", row.get::<Option<String>>("owner")?)
        .with_all("environment", row.get::<Option<String>>("environment")?)
        .with_all("unit", unit.iter().flat_map(Unit::upwards).map(str::to_owned))
        .with("criticality", criticality)
        .with("created_at", row.get::<Time>("created_at")?.micros())
        .with("updated_at", row.get::<Time>("updated_at")?.micros());
    Ok(Card { document, shown, unit: unit.map(String::from) })
}
