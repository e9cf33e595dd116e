//! What may be had once, and is not written down: each claim costs a few dozen bytes of memory and nothing on disk. Keys are held as
//! hashes under secrets of this process: two that meet would refuse one claim in 2¹²⁸, and grant none twice.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use base::Result;

use crate::errors;

const SHARDS: usize = 16;
/// Claims held in one shard; eight million in all take half a gigabyte.
const MOST: usize = 512 * 1024;
/// Claims in one shard that are not worth looking for those that are over.
const FEW: usize = 256;

/// The claims of one process.
#[derive(Default)]
pub(super) struct Claims {
    shards: [Mutex<Shard>; SHARDS],
    high: RandomState,
    low: RandomState,
}

/// When each claim is over, in microseconds.
#[derive(Default)]
struct Shard {
    until: HashMap<u128, i64>,
    /// How many there may be before those that are over are forgotten.
    room: usize,
}

impl Claims {
    /// Takes `key` until `until`, unless somebody has it `now`.
    pub(super) fn take(&self, key: &str, now: i64, until: i64) -> Result<bool> {
        let (high, low) = (self.high.hash_one(key), self.low.hash_one(key));
        let index = usize::try_from(low % SHARDS as u64).unwrap_or(0);
        let shard = self.shards.get(index).unwrap_or(&self.shards[0]);
        // A map is never half changed.
        shard.lock().unwrap_or_else(PoisonError::into_inner).take((u128::from(high) << 64) | u128::from(low), now, until)
    }
}

impl Shard {
    fn take(&mut self, key: u128, now: i64, until: i64) -> Result<bool> {
        if self.until.len() >= self.room.clamp(FEW, MOST) {
            self.until.retain(|_, until| now < *until);
            self.until.shrink_to(self.until.len() * 2);
            // Twice as many: looking through all of them costs each claim the same, however many there are.
            self.room = self.until.len() * 2;
        }
        if self.until.len() >= MOST {
            return Err(errors::hot_full());
        }
        let held = self.until.entry(key).or_insert(i64::MIN);
        let is_free = *held <= now;
        if is_free {
            *held = until;
        }
        Ok(is_free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_forgotten_before_there_is_no_room() {
        let mut shard = Shard::default();
        for key in 0..MOST as u128 {
            assert!(shard.take(key, 0, 10).unwrap());
        }
        assert!(!shard.take(7, 0, 10).is_ok_and(|is_free| is_free));
        shard.room = 0;
        assert!(shard.take(7, 10, 20).unwrap());
        assert_eq!(shard.until.len(), 1);
        assert!(shard.until.capacity() < MOST);
    }
}
