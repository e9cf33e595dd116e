//! All SQL of the tree: its edge, leaves, tiles and checkpoints.

use backends::{Db, Sql, Tx, sql};
use base::{Result, TenantId, Time};

use crate::entry::EntryId;
use crate::errors;
use crate::note::VerifierKey;
use crate::tree::{Frontier, Hash};

/// The tree's name and right edge.
pub(crate) struct Edge {
    pub(crate) origin: String,
    pub(crate) frontier: Frontier,
}

/// An entry waiting for its place.
pub(crate) struct Pending {
    pub(crate) entry: EntryId,
    pub(crate) tenant: TenantId,
    pub(crate) commitment: Hash,
}

/// A leaf about to be written.
pub(crate) struct NewLeaf {
    pub(crate) index: u64,
    pub(crate) entry: EntryId,
    pub(crate) tenant: TenantId,
    pub(crate) leaf: Vec<u8>,
    pub(crate) hash: Hash,
}

/// A signed checkpoint as stored.
pub(crate) struct StoredCheckpoint {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) note: String,
}

/// Whether any entry waits.
pub(crate) async fn has_pending(db: &Db) -> Result<bool> {
    db.one(sql("SELECT 1 FROM audit_pending LIMIT 1")).await.map(|row| row.is_some())
}

/// Takes the tree for this transaction alone; every other sequencer waits here.
pub(crate) async fn take_edge(tx: &mut Tx, fresh_origin: &str) -> Result<Edge> {
    let take = || sql("UPDATE audit_tree SET id = id WHERE id = 1 RETURNING origin, size, frontier");
    let row = match tx.one(take()).await? {
        Some(row) => Some(row),
        None => {
            let first = sql("INSERT INTO audit_tree (id, origin, size, frontier) VALUES (1, $1, 0, $2) ON CONFLICT (id) DO NOTHING");
            tx.run(first.bind(fresh_origin).bind(Vec::new())).await?;
            tx.one(take()).await?
        }
    };
    let row = row.ok_or_else(|| errors::inconsistent("the tree's row is missing"))?;
    edge(&row)
}

/// The tree's edge as last committed; `None` before the first entry.
pub(crate) async fn edge_now(db: &Db) -> Result<Option<Edge>> {
    let row = db.one(sql("SELECT origin, size, frontier FROM audit_tree WHERE id = 1")).await?;
    row.as_ref().map(edge).transpose()
}

fn edge(row: &backends::Row) -> Result<Edge> {
    let frontier = Frontier::from_bytes(row.get("size")?, &row.get::<Vec<u8>>("frontier")?);
    Ok(Edge { origin: row.get("origin")?, frontier: frontier.ok_or_else(|| errors::inconsistent("its edge does not fit its size"))? })
}

/// Entries that wait, oldest first.
pub(crate) async fn pending(tx: &mut Tx, limit: usize) -> Result<Vec<Pending>> {
    let rows =
        tx.all(sql("SELECT entry_id, tenant_id, commitment FROM audit_pending ORDER BY entry_id LIMIT $1").bind(limit as i64)).await?;
    rows.iter()
        .map(|row| {
            let commitment = digest(&row.get::<Vec<u8>>("commitment")?)?;
            Ok(Pending { entry: row.get("entry_id")?, tenant: row.get("tenant_id")?, commitment })
        })
        .collect()
}

/// Writes the leaves and takes their entries off the waiting list.
pub(crate) async fn append(tx: &mut Tx, leaves: &[NewLeaf]) -> Result<()> {
    let statement =
        format!("INSERT INTO audit_leaves (leaf_index, entry_id, tenant_id, leaf, leaf_hash) VALUES {}", Sql::rows(leaves.len(), 5, 0));
    let mut insert = Sql::built(statement);
    for leaf in leaves {
        insert = insert.bind(number(leaf.index)).bind(leaf.entry).bind(leaf.tenant).bind(leaf.leaf.clone()).bind(leaf.hash.to_vec());
    }
    tx.run(insert).await?;
    let mut delete = Sql::built(format!("DELETE FROM audit_pending WHERE entry_id IN ({})", Sql::list(leaves.len(), 0)));
    for leaf in leaves {
        delete = delete.bind(leaf.entry);
    }
    tx.run(delete).await.map(drop)
}

/// Moves the tree's edge.
pub(crate) async fn set_edge(tx: &mut Tx, frontier: &Frontier) -> Result<()> {
    let statement = sql("UPDATE audit_tree SET size = $1, frontier = $2 WHERE id = 1");
    tx.run(statement.bind(number(frontier.size())).bind(frontier.to_bytes())).await.map(drop)
}

/// Writes a full tile.
pub(crate) async fn add_tile(tx: &mut Tx, level: u32, index: u64, hashes: &[Hash], root: &Hash) -> Result<()> {
    let statement = sql("INSERT INTO audit_tiles (tile_level, tile_index, hashes, root) VALUES ($1, $2, $3, $4)");
    tx.run(statement.bind(level).bind(number(index)).bind(hashes.concat()).bind(root.to_vec())).await.map(drop)
}

const LEAF_HASHES: &str = "SELECT leaf_hash AS hash FROM audit_leaves WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index";
const TILE_ROOTS: &str =
    "SELECT root AS hash FROM audit_tiles WHERE tile_level = $3 AND tile_index >= $1 AND tile_index < $2 ORDER BY tile_index";

fn hashes_statement(level: u32, from: u64, to: u64) -> Sql {
    match level.checked_sub(1) {
        None => sql(LEAF_HASHES).bind(number(from)).bind(number(to)),
        Some(below) => sql(TILE_ROOTS).bind(number(from)).bind(number(to)).bind(below),
    }
}

/// Hashes `from..to` of a tile level: leaf hashes at level 0, roots of the full tiles below above it.
pub(crate) async fn hashes(db: &Db, level: u32, from: u64, to: u64) -> Result<Vec<Hash>> {
    db.all(hashes_statement(level, from, to)).await?.iter().map(|row| digest(&row.get::<Vec<u8>>("hash")?)).collect()
}

/// As [`hashes`], within the sequencer's transaction.
pub(crate) async fn hashes_in(tx: &mut Tx, level: u32, from: u64, to: u64) -> Result<Vec<Hash>> {
    tx.all(hashes_statement(level, from, to)).await?.iter().map(|row| digest(&row.get::<Vec<u8>>("hash")?)).collect()
}

/// A full tile, if it exists.
pub(crate) async fn tile(db: &Db, level: u32, index: u64) -> Result<Option<Vec<Hash>>> {
    let statement = sql("SELECT hashes FROM audit_tiles WHERE tile_level = $1 AND tile_index = $2");
    let Some(row) = db.one(statement.bind(level).bind(number(index))).await? else { return Ok(None) };
    row.get::<Vec<u8>>("hashes")?.chunks(32).map(digest).collect::<Result<Vec<_>>>().map(Some)
}

/// Bytes of the leaves `from..to`.
pub(crate) async fn leaves(db: &Db, from: u64, to: u64) -> Result<Vec<Vec<u8>>> {
    let statement = sql("SELECT leaf FROM audit_leaves WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index");
    db.all(statement.bind(number(from)).bind(number(to))).await?.iter().map(|row| row.get("leaf")).collect()
}

/// Leaves `from..to` with their entries, as rows.
pub(crate) async fn leaves_with_entries(db: &Db, from: u64, to: u64) -> Result<Vec<backends::Row>> {
    let statement = sql("SELECT l.leaf_index, l.leaf, a.* FROM audit_leaves l LEFT JOIN audit_logs a ON a.id = l.entry_id
         WHERE l.leaf_index >= $1 AND l.leaf_index < $2 ORDER BY l.leaf_index");
    db.all(statement.bind(number(from)).bind(number(to))).await
}

const LATEST: &str = "SELECT tree_size, root, note FROM audit_checkpoints ORDER BY tree_size DESC LIMIT 1";

/// The checkpoint signed last.
pub(crate) async fn latest(db: &Db) -> Result<Option<StoredCheckpoint>> {
    db.one(sql(LATEST)).await?.as_ref().map(stored).transpose()
}

/// As [`latest`], within the sequencer's transaction.
pub(crate) async fn latest_in(tx: &mut Tx) -> Result<Option<StoredCheckpoint>> {
    tx.one(sql(LATEST)).await?.as_ref().map(stored).transpose()
}

/// Checkpoints of sizes over `from` up to `to`, smallest first.
pub(crate) async fn checkpoints(db: &Db, from: u64, to: u64) -> Result<Vec<StoredCheckpoint>> {
    let statement = sql("SELECT tree_size, root, note FROM audit_checkpoints WHERE tree_size > $1 AND tree_size <= $2 ORDER BY tree_size");
    db.all(statement.bind(number(from)).bind(number(to))).await?.iter().map(stored).collect()
}

/// Keeps a signed checkpoint.
pub(crate) async fn add_checkpoint(tx: &mut Tx, checkpoint: &StoredCheckpoint, now: Time) -> Result<()> {
    let statement = sql("INSERT INTO audit_checkpoints (tree_size, root, note, created_at) VALUES ($1, $2, $3, $4)");
    tx.run(statement.bind(number(checkpoint.size)).bind(checkpoint.root.to_vec()).bind(&checkpoint.note).bind(now)).await.map(drop)
}

/// Remembers a key that signed.
pub(crate) async fn add_key(tx: &mut Tx, key: &VerifierKey, now: Time) -> Result<()> {
    let statement = sql("INSERT INTO audit_keys (verifier_key, first_used_at) VALUES ($1, $2) ON CONFLICT (verifier_key) DO NOTHING");
    tx.run(statement.bind(String::from(key.clone())).bind(now)).await.map(drop)
}

/// Every key that ever signed, newest first.
pub(crate) async fn keys(db: &Db) -> Result<Vec<VerifierKey>> {
    let rows = db.all(sql("SELECT verifier_key FROM audit_keys ORDER BY first_used_at DESC")).await?;
    rows.iter()
        .map(|row| VerifierKey::try_from(row.get::<String>("verifier_key")?).map_err(|_| errors::inconsistent("a stored key is malformed")))
        .collect()
}

fn stored(row: &backends::Row) -> Result<StoredCheckpoint> {
    Ok(StoredCheckpoint { size: row.get("tree_size")?, root: digest(&row.get::<Vec<u8>>("root")?)?, note: row.get("note")? })
}

fn digest(bytes: &[u8]) -> Result<Hash> {
    bytes.try_into().map_err(|_| errors::inconsistent("a stored hash is not 32 bytes"))
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
