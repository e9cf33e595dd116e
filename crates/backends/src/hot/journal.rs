//! What the embedded hot store keeps on disk: one thread writes all changed keys in one durable
//! commit, at most a tenth of a second after the change, or half a minute where that will do. One process owns the file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use base::Result;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::watch;

use super::embedded::{Entry, Haste, Table};
use crate::{errors, folder};

/// Key → expiry in microseconds (or [`NEVER`]) and value.
const ENTRIES: TableDefinition<'_, &str, (i64, &[u8])> = TableDefinition::new("entries");
const NEVER: i64 = i64::MAX;
const INTERVAL: Duration = Duration::from_millis(100);
/// Commits between two that also write what is not urgent.
const LAZY_EVERY: usize = 300;
const CACHE: usize = 8 * 1024 * 1024;

/// The writing thread's other end.
pub(super) struct Journal {
    path: PathBuf,
    orders: Arc<Orders>,
    outcomes: watch::Receiver<Outcome>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Orders {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// How many flushes were asked for.
    asked: u64,
    stop: bool,
}

#[derive(Clone, Default)]
struct Outcome {
    /// Up to which flush everything is on disk.
    done: u64,
    /// Why the last commit failed.
    failure: Option<String>,
}

impl Journal {
    /// Opens the journal in `folder`, fills `table` from it and starts the thread.
    pub(super) fn open(folder: &Path, table: &Arc<Table>) -> Result<Self> {
        folder::private(folder)?;
        let path = folder.join("hot.redb");
        let database = redb::Builder::new().set_cache_size(CACHE).create(&path).map_err(|cause| match cause {
            DatabaseError::DatabaseAlreadyOpen => errors::hot_in_use(folder),
            other => errors::hot_file(&path, other),
        })?;
        restore(&database, table).map_err(|cause| errors::hot_file(&path, cause))?;

        let orders = Arc::new(Orders::default());
        let (report, outcomes) = watch::channel(Outcome::default());
        let writer = Writer { database, table: Arc::clone(table), orders: Arc::clone(&orders), report, path: path.clone() };
        let thread = std::thread::Builder::new().name("hot-journal".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|cause| errors::hot_file(&path, cause))?;
        Ok(Self { path, orders, outcomes, thread: Some(thread) })
    }

    /// Whether the last commit worked.
    pub(super) fn check(&self) -> Result<()> {
        match &self.outcomes.borrow().failure {
            None => Ok(()),
            Some(failure) => Err(errors::hot_file(&self.path, failure.clone())),
        }
    }

    /// Waits until everything changed so far is on disk.
    pub(super) async fn flush(&self) -> Result<()> {
        let ticket = {
            let mut state = self.orders.state();
            state.asked += 1;
            state.asked
        };
        self.orders.wake.notify_one();
        let mut outcomes = self.outcomes.clone();
        let outcome = outcomes.wait_for(|outcome| outcome.done >= ticket || outcome.failure.is_some()).await;
        match outcome {
            Ok(outcome) if outcome.done >= ticket => Ok(()),
            Ok(outcome) => Err(errors::hot_file(&self.path, outcome.failure.clone().unwrap_or_default())),
            Err(closed) => Err(errors::hot_file(&self.path, closed)),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.orders.state().stop = true;
        self.orders.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(path = %self.path.display(), "the writer of the hot store panicked");
        }
    }
}

impl Orders {
    fn state(&self) -> MutexGuard<'_, State> {
        // Two plain numbers are never half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until the next commit is due; returns the flush it answers and whether it is the last.
    fn wait(&self, done: u64) -> (u64, bool) {
        let state = self.state();
        let waited = self.wake.wait_timeout_while(state, INTERVAL, |state| !state.stop && state.asked == done);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (state.asked, state.stop)
    }
}

/// The thread's state.
struct Writer {
    database: Database,
    table: Arc<Table>,
    orders: Arc<Orders>,
    report: watch::Sender<Outcome>,
    path: PathBuf,
}

impl Writer {
    fn run(self) {
        let mut done = 0;
        let mut turn = 0_usize;
        loop {
            let (asked, is_last) = self.orders.wait(done);
            let is_for_all = asked != done || is_last || turn.is_multiple_of(LAZY_EVERY);
            let failure = self.write(if is_for_all { Haste::Lazy } else { Haste::Soon });
            // A failed flush is answered by its failure; asking again is the caller's business.
            done = asked;
            self.tell(asked, failure);
            if is_last {
                return;
            }
            self.table.sweep(turn);
            turn = turn.wrapping_add(1);
        }
    }

    /// Writes every changed key in one commit; on failure they stay changed.
    fn write(&self, haste: Haste) -> Option<String> {
        let changes = self.table.changes(haste);
        if changes.is_empty() {
            return None;
        }
        let mut changes: Vec<String> = changes.into_iter().collect();
        // In the order of the file, so that each page of it is looked for and written once.
        changes.sort_unstable();
        let failure = self.commit(&changes).err()?;
        self.table.mark(changes, Haste::Soon);
        Some(failure.to_string())
    }

    fn commit(&self, changes: &[String]) -> std::result::Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut entries = transaction.open_table(ENTRIES)?;
            for key in changes {
                match self.table.current(key) {
                    Some(entry) => entries.insert(key.as_str(), (entry.expires.unwrap_or(NEVER), entry.value.as_slice()))?,
                    None => entries.remove(key.as_str())?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn tell(&self, asked: u64, failure: Option<String>) {
        self.report.send_if_modified(|outcome| {
            let is_news = outcome.failure != failure;
            if let Some(failure) = failure.as_ref().filter(|_| is_news) {
                tracing::error!(path = %self.path.display(), failure, "the hot store cannot be written; retrying");
            }
            let done = if failure.is_none() { asked } else { outcome.done };
            let changed = is_news || done != outcome.done;
            *outcome = Outcome { done, failure };
            changed
        });
    }
}

fn restore(database: &Database, table: &Table) -> std::result::Result<(), redb::Error> {
    // Creates the table in a new file, which a read could not.
    let transaction = database.begin_write()?;
    transaction.open_table(ENTRIES)?;
    transaction.commit()?;
    let mut expired = Vec::new();
    for row in database.begin_read()?.open_table(ENTRIES)?.iter()? {
        let (key, row) = row?;
        let (expires, value) = row.value();
        let entry = Entry { value: value.to_vec(), expires: (expires != NEVER).then_some(expires) };
        if !table.restore(key.value(), entry) {
            expired.push(key.value().to_owned());
        }
    }
    table.mark(expired, Haste::Lazy);
    Ok(())
}
