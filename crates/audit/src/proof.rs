//! Proofs and tiles from the stored tree.

use std::collections::BTreeMap;
use std::ops::Range;

use backends::Db;
use base::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::errors;
use crate::tree::{Hash, Node, cover, inclusion_ranges, range_root, root_of};
use crate::tree_store as store;

const TILE_BITS: u32 = 8;
const TILE: u64 = 1 << TILE_BITS;

/// What proves that an entry is in the log as signed (RFC 9162 §2.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proof {
    /// Position of the leaf.
    pub leaf_index: u64,
    /// Size of the tree the proof is for.
    pub tree_size: u64,
    /// The leaf, base64: version, tenant tag, commitment.
    #[schema(max_length = 96)]
    pub leaf: String,
    /// Salt of the commitment, base64.
    #[schema(max_length = 64)]
    pub salt: String,
    /// Sibling hashes from the leaf to the root, base64.
    #[schema(max_items = 64)]
    pub hashes: Vec<String>,
    /// The signed checkpoint that holds the root.
    #[schema(max_length = 4096)]
    pub checkpoint: String,
}

/// The inclusion proof of a leaf under the newest checkpoint; `None` when no checkpoint covers it yet.
pub(crate) async fn inclusion(db: &Db, index: u64, salt: &[u8]) -> Result<Option<Proof>> {
    let Some(checkpoint) = store::latest(db).await?.filter(|checkpoint| checkpoint.size > index) else { return Ok(None) };
    let Some(leaf) = store::leaves(db, index, index + 1).await?.pop() else { return Ok(None) };
    let hashes = roots(db, checkpoint.size, &inclusion_ranges(index, checkpoint.size)).await?;
    Ok(Some(Proof {
        leaf_index: index,
        tree_size: checkpoint.size,
        leaf: STANDARD.encode(leaf),
        salt: STANDARD.encode(salt),
        hashes: hashes.iter().map(|hash| STANDARD.encode(hash)).collect(),
        checkpoint: checkpoint.note,
    }))
}

/// Roots of the ranges in a tree of `size` leaves, each tile read once.
async fn roots(db: &Db, size: u64, ranges: &[Range<u64>]) -> Result<Vec<Hash>> {
    let mut tiles: BTreeMap<(u32, u64), Vec<Hash>> = BTreeMap::new();
    for node in ranges.iter().flat_map(cover) {
        let place = place(node);
        if let std::collections::btree_map::Entry::Vacant(vacant) = tiles.entry((place.level, place.tile)) {
            vacant.insert(read(db, place.level, place.tile, size).await?);
        }
    }
    let mut node_root = |node: Node| {
        let place = place(node);
        let hashes = tiles.get(&(place.level, place.tile)).and_then(|tile| tile.get(place.slots));
        hashes.and_then(root_of).ok_or_else(|| errors::inconsistent("a tile is incomplete"))
    };
    ranges.iter().map(|range| range_root(range, &mut node_root)).collect()
}

struct Place {
    level: u32,
    tile: u64,
    slots: Range<usize>,
}

/// Where a perfect subtree's root can be computed from: the slots of one tile.
fn place(node: Node) -> Place {
    let (level, height) = (node.level / TILE_BITS, node.level % TILE_BITS);
    let first = node.index << height;
    let slot = (first % TILE) as usize;
    Place { level, tile: first / TILE, slots: slot..slot + (1 << height) }
}

/// The tile as far as a tree of `size` leaves fills it.
async fn read(db: &Db, level: u32, index: u64, size: u64) -> Result<Vec<Hash>> {
    let width = width(level, index, size);
    if width == TILE
        && let Some(tile) = store::tile(db, level, index).await?
    {
        return Ok(tile);
    }
    store::hashes(db, level, index * TILE, index * TILE + width).await
}

/// Hashes in a tile of a tree of `size` leaves.
fn width(level: u32, index: u64, size: u64) -> u64 {
    let hashes = size.checked_shr(level * TILE_BITS).unwrap_or(0);
    hashes.saturating_sub(index.saturating_mul(TILE)).min(TILE)
}

/// The bytes behind a tile path of C2SP tlog-tiles: `0/x001/234`, `entries/000.p/17`.
pub(crate) async fn tile(db: &Db, path: &str) -> Result<Vec<u8>> {
    let missing = || errors::no_tile(path);
    let (level, rest) = path.split_once('/').ok_or_else(missing)?;
    let (index, partial) = number(rest).ok_or_else(missing)?;
    let size = store::latest(db).await?.map_or(0, |checkpoint| checkpoint.size);
    let tile_level: u32 = if level == "entries" {
        0
    } else {
        level.parse().ok().filter(|number: &u32| *number < 8 && number.to_string() == level).ok_or_else(missing)?
    };
    let available = width(tile_level, index, size);
    let wanted = partial.unwrap_or(TILE);
    if wanted > available {
        return Err(missing());
    }
    if level == "entries" {
        let leaves = store::leaves(db, index * TILE, index * TILE + wanted).await?;
        return Ok(leaves.into_iter().flat_map(|leaf| [&(leaf.len() as u16).to_be_bytes(), leaf.as_slice()].concat()).collect());
    }
    let mut hashes = read(db, tile_level, index, size).await?;
    hashes.truncate(wanted as usize);
    Ok(hashes.concat())
}

/// Reads `x001/x234/067[.p/W]`.
fn number(path: &str) -> Option<(u64, Option<u64>)> {
    let (index, partial) = match path.split_once(".p/") {
        Some((index, width)) => {
            (index, Some(width.parse::<u64>().ok().filter(|number| (1..TILE).contains(number) && number.to_string() == width)?))
        }
        None => (path, None),
    };
    let parts: Vec<&str> = index.split('/').collect();
    let (last, heads) = parts.split_last()?;
    let three =
        |text: &str| (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u64>().ok()).flatten();
    let mut value = 0_u64;
    for head in heads {
        value = value.checked_mul(1000)?.checked_add(three(head.strip_prefix('x')?)?)?;
    }
    value = value.checked_mul(1000)?.checked_add(three(last)?)?;
    (value < 1 << 48 && heads.first().is_none_or(|head| *head != "x000")).then_some((value, partial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_paths_follow_the_standard() {
        assert_eq!(number("x001/x234/067"), Some((1_234_067, None)));
        assert_eq!(number("000.p/112"), Some((0, Some(112))));
        for wrong in ["67", "x001", "x001/67", "000.p/0", "000.p/256", "000.p/007", "x000/001", "../x", "+01"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
        assert_eq!((width(0, 273, 70_000), width(1, 1, 70_000), width(2, 0, 70_000), width(3, 0, 70_000)), (112, 17, 1, 0));
    }
}
