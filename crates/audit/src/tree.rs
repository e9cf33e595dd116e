//! The Merkle tree of RFC 6962/9162, pure: hashes, an append-only frontier, proofs and their verification.
//! Nothing here reads storage; proofs ask a closure for the roots of perfect subtrees.

use std::ops::Range;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// A SHA-256 digest.
pub type Hash = [u8; SHA256_OUTPUT_LEN];

/// Hash of one log entry (RFC 6962 §2.1: prefix 0x00).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    hash(&[&[0], entry])
}

/// Hash of an inner node (RFC 6962 §2.1: prefix 0x01).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// SHA-256 over the parts in order.
pub(crate) fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut output = Hash::default();
    output.copy_from_slice(context.finish().as_ref());
    output
}

/// The right edge of a tree: the roots of its perfect subtrees, largest first. Enough to append and to know the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        let mut size = self.size;
        while size & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
            size >>= 1;
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The tree's root; of the empty tree, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold_right(&self.peaks).unwrap_or_else(|| hash(&[]))
    }

    /// The peaks one after the other, for storing beside the size.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Reads what [`Frontier::to_bytes`] wrote; `None` when the length does not fit the size.
    #[must_use]
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<SHA256_OUTPUT_LEN>();
        (rest.is_empty() && peaks.len() == size.count_ones() as usize).then(|| Self { size, peaks: peaks.to_vec() })
    }
}

/// The root over a run of subtree roots of falling size.
fn fold_right(roots: &[Hash]) -> Option<Hash> {
    let (last, rest) = roots.split_last()?;
    Some(rest.iter().rfold(*last, |right, left| node_hash(left, &right)))
}

/// The root of up to 2^k consecutive leaf hashes; `None` when there are none.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Option<Hash> {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    (!leaves.is_empty()).then(|| frontier.root())
}

/// A perfect subtree: `2^level` leaves from `index << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Height above the leaves.
    pub level: u32,
    /// Position within its level.
    pub index: u64,
}

/// Perfect subtrees that make up the aligned range, largest first.
#[must_use]
pub fn cover(range: &Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let room = (range.end - start).ilog2();
        let level = if start == 0 { room } else { room.min(start.trailing_zeros()) };
        nodes.push(Node { level, index: start >> level });
        start += 1 << level;
    }
    nodes
}

/// The root over `range`, given a way to get the roots of perfect subtrees.
///
/// # Errors
/// Whatever `root` returns.
pub fn range_root<E>(range: &Range<u64>, root: &mut impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    let roots = cover(range).into_iter().map(root).collect::<Result<Vec<_>, E>>()?;
    Ok(fold_right(&roots).unwrap_or_else(|| hash(&[])))
}

/// Largest power of two below `size` (RFC 6962's k); `size` must be at least 2.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The ranges whose roots prove that leaf `index` is in a tree of `size` leaves, deepest first.
#[must_use]
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    let mut tree = 0..size;
    if index >= size {
        return ranges;
    }
    while tree.end - tree.start > 1 {
        let middle = tree.start + split(tree.end - tree.start);
        if index < middle {
            ranges.push(middle..tree.end);
            tree = tree.start..middle;
        } else {
            ranges.push(tree.start..middle);
            tree = middle..tree.end;
        }
    }
    ranges.reverse();
    ranges
}

/// The ranges whose roots prove that a tree of `old` leaves is a prefix of one of `new` leaves (RFC 9162 §2.1.4.1).
#[must_use]
pub fn consistency_ranges(old: u64, new: u64) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    if old == 0 || old >= new {
        return ranges;
    }
    let mut tree = 0..new;
    let mut whole = true;
    while old != tree.end {
        let middle = tree.start + split(tree.end - tree.start);
        if old <= middle {
            ranges.push(middle..tree.end);
            tree = tree.start..middle;
        } else {
            ranges.push(tree.start..middle);
            tree = middle..tree.end;
            whole = false;
        }
    }
    if !whole {
        ranges.push(tree);
    }
    ranges.reverse();
    ranges
}

/// Whether `proof` shows `leaf` (a leaf hash) at `index` of the tree with this size and root (RFC 9162 §2.1.3.2).
#[must_use]
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut position, mut last, mut node) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            node = node_hash(sibling, &node);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// Whether `proof` shows that the tree (`old`, `old_root`) is a prefix of (`new`, `new_root`) (RFC 9162 §2.1.4.2).
#[must_use]
pub fn verify_consistency(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old > new {
        return old == 0 && proof.is_empty();
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let (first, rest) = if old.is_power_of_two() {
        (*old_root, proof)
    } else {
        match proof.split_first() {
            Some((first, rest)) => (*first, rest),
            None => return false,
        }
    };
    let (mut position, mut last) = (old - 1, new - 1);
    while position & 1 == 1 {
        position >>= 1;
        last >>= 1;
    }
    let (mut left, mut right) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            left = node_hash(sibling, &left);
            right = node_hash(sibling, &right);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            right = node_hash(&right, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && left == *old_root && right == *new_root
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// RFC 6962 §2.1 word for word, as the judge of everything above.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => hash(&[]),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(split(many.len() as u64) as usize);
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    fn roots(leaves: &[Hash], ranges: &[Range<u64>]) -> Vec<Hash> {
        let mut perfect = |node: Node| {
            let start = (node.index << node.level) as usize;
            Ok::<_, Infallible>(naive_root(&leaves[start..start + (1 << node.level)]))
        };
        ranges.iter().map(|range| range_root(range, &mut perfect).unwrap()).collect()
    }

    #[test]
    fn the_known_answers_of_rfc_6962_hold() {
        assert_eq!(hex::encode(Frontier::default().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex::encode(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(
            hex::encode(node_hash(&leaf_hash(b""), &leaf_hash(&[0]))),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_frontier_and_all_proofs_agree_with_the_definition(size in 1_u64..700, pick in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
            let leaves = leaves(size);
            let mut frontier = Frontier::default();
            for leaf in &leaves {
                frontier.push(*leaf);
            }
            let root = naive_root(&leaves);
            prop_assert_eq!(frontier.root(), root);
            prop_assert_eq!(Frontier::from_bytes(size, &frontier.to_bytes()), Some(frontier));

            let index = pick.index(size as usize) as u64;
            let proof = roots(&leaves, &inclusion_ranges(index, size));
            prop_assert!(verify_inclusion(index, size, &leaves[index as usize], &proof, &root));
            let wrong = other.index(size as usize) as u64;
            prop_assert_eq!(verify_inclusion(wrong, size, &leaves[index as usize], &proof, &root), wrong == index);

            let old = index + 1;
            let old_root = naive_root(&leaves[..old as usize]);
            let proof = roots(&leaves, &consistency_ranges(old, size));
            prop_assert!(verify_consistency(old, &old_root, size, &root, &proof));
            prop_assert!(!verify_consistency(old, &leaf_hash(b"forged"), size, &root, &proof));
            if !proof.is_empty() {
                prop_assert!(!verify_consistency(old, &old_root, size, &root, &proof[1..]));
            }
        }
    }
}
