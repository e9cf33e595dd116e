//! The hot store inside this process: sharded maps answer, a journal on disk remembers.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::Result;

use super::claims::Claims;
use super::journal::Journal;
use super::{Count, Quota, Verdict, milliseconds};
use crate::{Clock, Ids, errors};

const SHARDS: usize = 64;
const MAXIMUM_BYTES: usize = 512 * 1024 * 1024;
/// What limits may use beyond that: whoever fills the store with values must not be rid of them.
const RESERVED_FOR_LIMITS: usize = 64 * 1024 * 1024;
/// Random bytes that name a life.
const LIFE: usize = 16;
/// What a key costs beside its own bytes, roughly.
const OVERHEAD: usize = 96;

/// The embedded engine. Dropping the last handle writes what is left to disk.
pub(super) struct Embedded {
    table: Arc<Table>,
    claims: Claims,
    life: Arc<str>,
    journal: Journal,
}

/// A value and when it expires (microseconds).
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Vec<u8>,
    pub(super) expires: Option<i64>,
}

/// How soon a change must be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Haste {
    /// With the next commit.
    Soon,
    /// Within half a minute: what changes all the time is written once for many changes.
    Lazy,
}

/// The maps, and the keys whose present state the journal has not written yet.
pub(super) struct Table {
    shards: Vec<Mutex<HashMap<String, Entry>>>,
    hasher: RandomState,
    changed: Mutex<HashSet<String>>,
    changed_lazily: Mutex<HashSet<String>>,
    bytes: AtomicUsize,
    clock: Clock,
}

impl Embedded {
    /// Reads the journal in `folder` and takes it over.
    pub(super) fn open(folder: &Path, clock: &Clock) -> Result<Self> {
        let table = Arc::new(Table::new(clock.clone()));
        let journal = Journal::open(folder, &table)?;
        let life = Ids::default().secret(LIFE)?.expose().as_str().into();
        Ok(Self { table, claims: Claims::default(), life, journal })
    }

    pub(super) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let now = self.table.now();
        let shard = self.table.shard(key);
        shard.get(key).filter(|entry| entry.is_live(now)).map(|entry| entry.value.clone())
    }

    pub(super) fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.table.change(key, Haste::Soon, |entry, now| *entry = Some(Entry::new(value.to_vec(), ttl, now)))
    }

    pub(super) fn set_lazily(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<()> {
        self.table.change(key, Haste::Lazy, |entry, now| *entry = Some(Entry::new(value.to_vec(), ttl, now)))
    }

    pub(super) fn set_new(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<bool> {
        self.table.change(key, Haste::Soon, |entry, now| {
            let is_new = entry.is_none();
            if is_new {
                *entry = Some(Entry::new(value.to_vec(), ttl, now));
            }
            is_new
        })
    }

    pub(super) fn claim(&self, key: &str, ttl: Duration) -> Result<bool> {
        let now = self.table.now();
        self.claims.take(key, now, expiry(now, ttl))
    }

    pub(super) fn life(&self) -> Arc<str> {
        Arc::clone(&self.life)
    }

    pub(super) fn take(&self, key: &str) -> Option<Vec<u8>> {
        self.table.remove(key, Haste::Soon, |_| true)
    }

    pub(super) fn delete_lazily(&self, key: &str) -> bool {
        self.table.remove(key, Haste::Lazy, |_| true).is_some()
    }

    pub(super) fn delete_if(&self, key: &str, value: &[u8]) -> bool {
        self.table.remove(key, Haste::Soon, |entry| entry.value == value).is_some()
    }

    pub(super) fn count(&self, key: &str, by: i64, window: Duration) -> Result<Count> {
        let window = milliseconds(window) * 1000;
        let counted = self.table.change(key, Haste::Soon, |entry, now| {
            let before = entry.as_ref().map_or(Some(0), number);
            let value = before.and_then(|before| before.checked_add(by))?;
            let expires = entry.as_ref().and_then(|entry| entry.expires).unwrap_or(now + window);
            *entry = Some(Entry { value: value.to_string().into_bytes(), expires: Some(expires) });
            let resets_in = Duration::from_micros(u64::try_from(expires - now).unwrap_or(0));
            Some(Count { value, resets_in })
        })?;
        counted.ok_or_else(|| errors::hot_not_a_counter(key))
    }

    pub(super) fn limit(&self, key: &str, quota: Quota) -> Result<Verdict> {
        let decided = self.table.change_within(MAXIMUM_BYTES + RESERVED_FOR_LIMITS, key, Haste::Lazy, |entry, now| {
            let full_at = match entry {
                Some(entry) => Some(number(entry)?),
                None => None,
            };
            Some(match quota.decide(full_at, now) {
                Ok(next) => {
                    let ttl = Duration::from_micros(u64::try_from(next - now).unwrap_or(0));
                    *entry = Some(Entry::new(next.to_string().into_bytes(), Some(ttl), now));
                    quota.verdict(true, 0, next - now)
                }
                Err(wait) => quota.verdict(false, wait, full_at.unwrap_or(now) - now),
            })
        })?;
        decided.ok_or_else(|| errors::hot_not_a_counter(key))
    }

    pub(super) fn ping(&self) -> Result<()> {
        self.journal.check()
    }

    pub(super) async fn flush(&self) -> Result<()> {
        self.journal.flush().await
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Embedded")
    }
}

impl Entry {
    fn new(value: Vec<u8>, ttl: Option<Duration>, now: i64) -> Self {
        Self { value, expires: ttl.map(|ttl| expiry(now, ttl)) }
    }

    fn is_live(&self, now: i64) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

impl Table {
    fn new(clock: Clock) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            changed: Mutex::default(),
            changed_lazily: Mutex::default(),
            bytes: AtomicUsize::new(0),
            clock,
        }
    }

    /// Puts in what the journal remembers; expired entries stay out.
    pub(super) fn restore(&self, key: &str, entry: Entry) -> bool {
        let live = entry.is_live(self.now());
        if live {
            self.bytes.fetch_add(weight(key, Some(&entry)), Ordering::Relaxed);
            self.shard(key).insert(key.to_owned(), entry);
        }
        live
    }

    /// The keys changed since the last call; those that are not urgent only when asked for.
    pub(super) fn changes(&self, haste: Haste) -> HashSet<String> {
        let mut changes = mem::take(&mut *self.unwritten(Haste::Soon));
        if haste == Haste::Lazy {
            changes.extend(mem::take(&mut *self.unwritten(Haste::Lazy)));
        }
        changes
    }

    /// Marks keys as not written yet.
    pub(super) fn mark(&self, keys: impl IntoIterator<Item = String>, haste: Haste) {
        self.unwritten(haste).extend(keys);
    }

    fn unwritten(&self, haste: Haste) -> MutexGuard<'_, HashSet<String>> {
        locked(match haste {
            Haste::Soon => &self.changed,
            Haste::Lazy => &self.changed_lazily,
        })
    }

    /// What the key holds now.
    pub(super) fn current(&self, key: &str) -> Option<Entry> {
        let now = self.now();
        self.shard(key).get(key).filter(|entry| entry.is_live(now)).cloned()
    }

    /// Forgets what has expired in one of the shards; called in turn for all of them.
    pub(super) fn sweep(&self, turn: usize) {
        let now = self.now();
        let mut expired = Vec::new();
        if let Some(shard) = self.shards.get(turn % SHARDS) {
            locked(shard).retain(|key, entry| {
                let live = entry.is_live(now);
                if !live {
                    self.bytes.fetch_sub(weight(key, Some(entry)), Ordering::Relaxed);
                    expired.push(key.clone());
                }
                live
            });
        }
        if !expired.is_empty() {
            // On disk it is over as well: there it only takes room.
            self.mark(expired, Haste::Lazy);
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().micros()
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, HashMap<String, Entry>> {
        let hash = self.hasher.hash_one(key);
        // The remainder is below the number of shards, which is far below what a usize holds.
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        locked(self.shards.get(index).unwrap_or(&self.shards[0]))
    }

    /// Changes one key atomically: `change` gets the live entry or nothing, and the moment.
    fn change<R>(&self, key: &str, haste: Haste, change: impl FnOnce(&mut Option<Entry>, i64) -> R) -> Result<R> {
        self.change_within(MAXIMUM_BYTES, key, haste, change)
    }

    /// The same while the whole table holds no more than `most` bytes.
    fn change_within<R>(&self, most: usize, key: &str, haste: Haste, change: impl FnOnce(&mut Option<Entry>, i64) -> R) -> Result<R> {
        if self.bytes.load(Ordering::Relaxed) > most {
            return Err(errors::hot_full());
        }
        let mut shard = self.shard(key);
        // After the lock, so that of two callers the later one has the later moment.
        let now = self.now();
        let found = shard.remove(key);
        let before = weight(key, found.as_ref());
        let mut entry = found.filter(|entry| entry.is_live(now));
        let result = change(&mut entry, now);
        self.bytes.fetch_add(weight(key, entry.as_ref()), Ordering::Relaxed);
        self.bytes.fetch_sub(before, Ordering::Relaxed);
        if let Some(entry) = entry {
            shard.insert(key.to_owned(), entry);
        }
        drop(shard);
        self.note(key, haste);
        Ok(result)
    }

    fn remove(&self, key: &str, haste: Haste, condition: impl FnOnce(&Entry) -> bool) -> Option<Vec<u8>> {
        let mut shard = self.shard(key);
        let now = self.now();
        if !condition(shard.get(key).filter(|entry| entry.is_live(now))?) {
            return None;
        }
        let entry = shard.remove(key)?;
        self.bytes.fetch_sub(weight(key, Some(&entry)), Ordering::Relaxed);
        drop(shard);
        self.note(key, haste);
        Some(entry.value)
    }

    fn note(&self, key: &str, haste: Haste) {
        let mut unwritten = self.unwritten(haste);
        // What changes all the time is mostly noted already.
        if !unwritten.contains(key) {
            unwritten.insert(key.to_owned());
        }
    }
}

fn expiry(now: i64, ttl: Duration) -> i64 {
    now.saturating_add(milliseconds(ttl) * 1000)
}

fn weight(key: &str, entry: Option<&Entry>) -> usize {
    entry.map_or(0, |entry| key.len() + entry.value.len() + OVERHEAD)
}

/// Counters are kept as decimal text, as Redis keeps them.
fn number(entry: &Entry) -> Option<i64> {
    std::str::from_utf8(&entry.value).ok()?.parse().ok()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here can leave a map half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_full_of_values_still_counts_limits() {
        let folder = tempfile::tempdir().unwrap();
        let hot = Embedded::open(&folder.path().join("hot"), &Clock::fixed(base::Time::from_seconds(1_000))).unwrap();
        hot.table.bytes.store(MAXIMUM_BYTES + 1, Ordering::Relaxed);
        assert_eq!(hot.set("k", b"v", None).unwrap_err().code(), "hot.full");
        let quota = Quota { burst: 1, per: Duration::from_secs(60) };
        assert!(hot.limit("l", quota).unwrap().allowed && !hot.limit("l", quota).unwrap().allowed);
    }
}
