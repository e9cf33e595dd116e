//! Makes an index anew beside the one that answers, and puts it in its place at once. Changes made meanwhile go to both.

use backends::{Entry, Place, Run};
use base::Result;
use query::Portion;

use crate::index::IndexName;
use crate::service::Search;
use crate::store;

/// Things read and written at once.
const PORTION: u32 = 1000;

/// Marks ids of generations.
enum Generation {}

/// Reads everything of the index from the database; returns how many things that were.
pub(crate) async fn run(search: &Search, index: IndexName, run: Option<&Run>) -> Result<u64> {
    let (db, engine, schema) = (&search.backends.db, &search.backends.search, index.schema());
    let id = search.backends.ids.next::<Generation>();
    let generation = format!("g{}", id.uuid().simple());
    engine.create(schema, &generation).await?;
    // From here on every change is carried over to the new generation too; what changed before is in the tables that are read now.
    store::set_building(db, index, &generation).await?;
    let mut last = String::new();
    let mut count = 0_u64;
    loop {
        let (ticket, _) = store::ticket(db, index).await?;
        let cards = index.cards(search, Portion::After(&last, PORTION)).await?;
        let Some(end) = cards.last() else { break };
        last.clone_from(&end.document.id);
        count += cards.len() as u64;
        let entries = cards.into_iter().map(|card| Entry::Put(card.document)).collect();
        engine.write(schema, Place::Generation(&generation), ticket, entries).await?;
        if let Some(run) = run {
            // How much there is to do is not known; a worker that lost its lease stops here.
            run.progress(0.5, &format!("{count} things read")).await?;
        }
    }
    engine.publish(schema, &generation).await?;
    store::end_building(db, index, &generation).await?;
    tracing::info!(index = schema.name, count, "the index was made anew");
    Ok(count)
}
