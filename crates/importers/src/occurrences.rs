//! Tells equal things of one file apart by counting them: the first, the second, and so on.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What was seen, and how often what was seen again.
#[derive(Default)]
pub(crate) struct Occurrences {
    seen: HashSet<u64>,
    repeated: HashMap<u64, u64>,
}

impl Occurrences {
    /// How many of this were seen before.
    pub(crate) fn of(&mut self, what: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        let digest = hasher.finish();
        if self.seen.insert(digest) {
            return 0;
        }
        let count = self.repeated.entry(digest).or_insert(0);
        *count += 1;
        *count
    }
}
