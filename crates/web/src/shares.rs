//! How much of something each may hold at once: connections of an address, sockets of a user.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// What each holds, counted in this process.
#[derive(Debug, Clone)]
pub struct Shares<K> {
    each: usize,
    held: Held<K>,
}

type Held<K> = Arc<Mutex<HashMap<K, usize>>>;

/// One of a share in use, given back when dropped.
#[derive(Debug)]
pub struct Share<K: Eq + Hash> {
    key: K,
    held: Held<K>,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// So many for `each`.
    #[must_use]
    pub fn new(each: usize) -> Self {
        Self { each, held: Arc::default() }
    }

    /// One more for `key`, unless its share is used up.
    #[must_use]
    pub fn take(&self, key: K) -> Option<Share<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&key).copied().unwrap_or_default();
        if count >= self.each {
            return None;
        }
        held.insert(key.clone(), count + 1);
        Some(Share { key, held: self.held.clone() })
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holds_a_share_and_who_left_is_forgotten() {
        let shares = Shares::new(2);
        let (first, second) = (shares.take("a"), shares.take("a"));
        assert!(first.is_some() && second.is_some() && shares.take("a").is_none());
        assert!(shares.take("b").is_some(), "others have their own");
        drop(first);
        assert!(shares.take("a").is_some(), "given back");
        drop(second);
        assert!(shares.held.lock().unwrap().is_empty());
    }
}
