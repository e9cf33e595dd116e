//! Carries changes over to the index. A change is forgotten only after the index holds it, so a process or an index that dies
//! costs a repetition; a ticket taken between noticing a change and reading the thing makes repetitions and rivals harmless.

use std::time::Duration;

use backends::{Entry, Place, jobs};
use base::{Actor, Result, Source, TenantId};
use query::{Card, Portion};
use tokio::time::Instant;

use crate::index::IndexName;
use crate::jobs::RebuildIndex;
use crate::service::Search;
use crate::store;

/// Changes carried over at once.
const BATCH: u32 = 1000;
/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// … in times of the last look, when that is longer: what every request costs the index then is bounded, and the more changes
/// wait, the less each of them costs.
const PAUSE_IN_LOOKS: u32 = 10;
/// … and never longer than this: somebody waits for what they wrote to be found.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Pause after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Carries over until shutdown.
pub(crate) async fn forever(search: Search) {
    let stop = search.backends.tasks.stop();
    let mut is_away = false;
    while !stop.is_cancelled() {
        let begun = Instant::now();
        let pause = match all(&search).await {
            Ok(_) => {
                if std::mem::take(&mut is_away) {
                    tracing::info!("the search index is back and up to date");
                }
                (begun.elapsed() * PAUSE_IN_LOOKS).clamp(PAUSE, LONGEST_PAUSE)
            }
            Err(error) => {
                if !std::mem::replace(&mut is_away, true) {
                    tracing::warn!(%error, "changes wait for the search index");
                }
                PAUSE_AFTER_FAILURE
            }
        };
        metrics::gauge!("search_index_away").set(if is_away { 1.0 } else { 0.0 });
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Carries over everything that waits.
pub(crate) async fn all(search: &Search) -> Result<u64> {
    let mut carried = 0;
    for index in IndexName::ALL {
        while let Some(count) = batch(search, *index).await? {
            carried += count;
            // What came while a batch was written waits for the next look: many small batches cost an index most.
            if count < u64::from(BATCH) {
                break;
            }
        }
    }
    Ok(carried)
}

/// One batch of an index; `None` when nothing waits, or must wait until the index is made.
async fn batch(search: &Search, index: IndexName) -> Result<Option<u64>> {
    let (db, engine, schema) = (&search.backends.db, &search.backends.search, index.schema());
    let is_live = engine.live(schema).await?.is_some();
    let pending = store::pending(db, index, BATCH).await?;
    // The first look at a new installation makes the index even when nothing waits.
    if pending.numbers.is_empty() && is_live {
        return Ok(None);
    }
    let (ticket, building) = store::ticket(db, index).await?;
    if !is_live {
        ask(search, index).await?;
        if building.is_none() || pending.numbers.is_empty() {
            return Ok(None);
        }
    }
    let cards = index.cards(search, Portion::These(&pending.documents)).await?;
    let entries = entries(cards, &pending.documents);
    if let Some(generation) = &building {
        match engine.write(schema, Place::Generation(generation), ticket, entries.clone()).await {
            // Its maker was killed; who makes the next one reads what is written here.
            Err(error) if error.code() == "search.missing" && is_live => {}
            Err(error) if error.code() == "search.missing" => return Ok(None),
            written => written?,
        }
    }
    if is_live {
        engine.write(schema, Place::Live, ticket, entries).await?;
    }
    store::done(db, &pending.numbers).await?;
    metrics::counter!("search_changes_total", "index" => schema.name).increment(pending.numbers.len() as u64);
    Ok(Some(pending.numbers.len() as u64))
}

/// What became of the things with these ids.
pub(crate) fn entries(cards: Vec<Card>, ids: &[String]) -> Vec<Entry> {
    let mut gone: std::collections::HashSet<&str> = ids.iter().map(String::as_str).collect();
    for card in &cards {
        gone.remove(card.document.id.as_str());
    }
    let gone: Vec<Entry> = gone.into_iter().map(|id| Entry::Remove(id.to_owned())).collect();
    cards.into_iter().map(|card| Entry::Put(card.document)).chain(gone).collect()
}

/// Queues the making of an index that is not there, once.
async fn ask(search: &Search, index: IndexName) -> Result<()> {
    let system = Actor::system(TenantId::from_uuid(Default::default()), Source::Job);
    let mut tx = search.backends.db.begin().await?;
    jobs::enqueue(&search.backends, &mut tx, &system, &RebuildIndex { index }, None, Some(index.schema().name)).await?;
    tx.commit().await
}
