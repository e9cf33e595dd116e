//! Gives waiting entries their place in the tree and signs a checkpoint, in one transaction and one process at a time.
//! Nothing is signed that does not extend the checkpoint signed before.

use std::time::Duration;

use backends::Backends;
use base::{Result, Time};

use crate::entry::leaf;
use crate::errors;
use crate::note::Checkpoint;
use crate::signing;
use crate::tree::{Frontier, Hash, leaf_hash, root_of};
use crate::tree_store::{self as store, NewLeaf, StoredCheckpoint};

/// Entries per checkpoint when many wait.
const BATCH: usize = 1024;
/// Pause between two looks at the waiting list.
const PAUSE: Duration = Duration::from_secs(1);
/// Pause after a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
const TILE: u64 = 256;

/// Sequences until shutdown, then once more for what the last requests wrote.
pub(crate) async fn forever(backends: Backends) {
    let stop = backends.tasks.stop();
    while !stop.is_cancelled() {
        let pause = match all(&backends).await {
            Ok(_) => PAUSE,
            Err(cause) => {
                metrics::counter!("audit_sequence_failures_total").increment(1);
                tracing::error!(%cause, "audit entries could not be put into the tree");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    if let Err(cause) = all(&backends).await {
        tracing::warn!(%cause, "the last audit entries wait for the next start to get their place in the tree");
    }
}

/// Sequences everything that waits; returns how many entries got their place.
pub(crate) async fn all(backends: &Backends) -> Result<u64> {
    let mut sequenced = 0;
    while store::has_pending(&backends.db).await? {
        match batch(backends).await? {
            0 => break,
            count => sequenced += count,
        }
    }
    Ok(sequenced)
}

async fn batch(backends: &Backends) -> Result<u64> {
    let signer = signing::Log::open(backends).await?;
    let fresh_origin = format!("tyrian.local/audit/{}", backends.ids.next::<Checkpoint>());
    let mut tx = backends.db.begin().await?;
    let edge = store::take_edge(&mut tx, &fresh_origin).await?;
    let mut frontier = edge.frontier;
    extends(&frontier, store::latest_in(&mut tx).await?.as_ref())?;
    let pending = store::pending(&mut tx, BATCH).await?;
    if pending.is_empty() {
        return Ok(0);
    }
    let before = frontier.size();
    let leaves: Vec<NewLeaf> = (before..)
        .zip(pending)
        .map(|(index, entry)| {
            let bytes = leaf(entry.tenant, index, &entry.commitment);
            NewLeaf { index, entry: entry.entry, tenant: entry.tenant, leaf: bytes.to_vec(), hash: leaf_hash(&bytes) }
        })
        .collect();
    for leaf in &leaves {
        frontier.push(leaf.hash);
    }
    store::append(&mut tx, &leaves).await?;
    tiles(&mut tx, before, frontier.size()).await?;
    store::set_edge(&mut tx, &frontier).await?;
    let now = backends.clock.now();
    let checkpoint = Checkpoint { origin: edge.origin, size: frontier.size(), root: frontier.root() };
    let key = signer.verifier(backends, &checkpoint.origin).await?;
    let note = signer.sign(backends, &key, &checkpoint, seconds(now)).await?;
    store::add_key(&mut tx, &key, now).await?;
    let signed = StoredCheckpoint { size: checkpoint.size, root: checkpoint.root, note };
    store::add_checkpoint(&mut tx, &signed, now).await?;
    tx.commit().await?;
    metrics::gauge!("audit_tree_size").set(frontier.size() as f64);
    Ok(frontier.size() - before)
}

/// Refuses to go on from a tree that is not the one signed last.
fn extends(frontier: &Frontier, latest: Option<&StoredCheckpoint>) -> Result<()> {
    match latest {
        None if frontier.size() == 0 => Ok(()),
        None => Err(errors::inconsistent("its checkpoints are gone")),
        Some(signed) if signed.size == frontier.size() && signed.root == frontier.root() => Ok(()),
        Some(signed) => Err(errors::inconsistent(&format!("size {} signed, size {} stored", signed.size, frontier.size()))),
    }
}

/// Writes every tile that became full between two sizes, lowest level first.
async fn tiles(tx: &mut backends::Tx, before: u64, after: u64) -> Result<()> {
    let (mut level, mut before, mut after) = (0, before, after);
    while after / TILE > 0 {
        for index in before / TILE..after / TILE {
            let hashes: Vec<Hash> = store::hashes_in(tx, level, index * TILE, (index + 1) * TILE).await?;
            let root =
                root_of(&hashes).filter(|_| hashes.len() as u64 == TILE).ok_or_else(|| errors::inconsistent("a leaf or tile is gone"))?;
            store::add_tile(tx, level, index, &hashes, &root).await?;
        }
        level += 1;
        before /= TILE;
        after /= TILE;
    }
    Ok(())
}

fn seconds(now: Time) -> u64 {
    u64::try_from(now.seconds()).unwrap_or(0)
}
