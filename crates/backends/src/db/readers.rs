//! SQLite's connections that only read. The driver's own pool asks a connection whether it is still there whenever one is given back:
//! two switches of threads, which is as much as most of our questions cost. A file does not hang up.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Error};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connect::PATIENCE;

/// A connection that nobody needed for this long is closed, and its cache of pages with it.
const IDLE: Duration = Duration::from_secs(600);
/// Steps of SQLite's machine after which a question looks whether anybody still waits for its answer: some tenths of a millisecond.
const STEPS: i32 = 10_000;

/// At most so many connections, opened when they are needed.
pub(super) struct Readers {
    options: SqliteConnectOptions,
    most: u32,
    seats: Arc<Semaphore>,
    /// Open and free, and since when; the one used last is the last.
    free: Mutex<Vec<(Open, Instant)>>,
}

struct Open {
    connection: SqliteConnection,
    /// Ends the question that runs.
    is_abandoned: Arc<AtomicBool>,
}

/// A connection that somebody has alone. One that is not given back is closed, and its seat is free when the question it was asked
/// has ended: whoever asks and goes away, again and again, does not get more connections at once than others.
pub(super) struct Reader {
    /// There until it is given back.
    lent: Option<(Open, OwnedSemaphorePermit)>,
}

impl Reader {
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.lent.as_mut().map(|(open, _)| &mut open.connection).ok_or(Error::PoolClosed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let (Some((open, seat)), Ok(runtime)) = (self.lent.take(), Handle::try_current()) else { return };
        open.is_abandoned.store(true, Ordering::Relaxed);
        // It is waited for after whoever asked has gone; what was only read has nothing to lose.
        runtime.spawn(async move {
            let _ = open.connection.close().await;
            drop(seat);
        });
    }
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions, most: u32) -> Self {
        Self { options, most, seats: Arc::new(Semaphore::new(most as usize)), free: Mutex::default() }
    }

    /// Waits for a connection that is free.
    pub(super) async fn lend(&self) -> Result<Reader, Error> {
        let seat = match tokio::time::timeout(PATIENCE, Arc::clone(&self.seats).acquire_owned()).await {
            Ok(seat) => seat.map_err(|_| Error::PoolClosed)?,
            Err(_) => return Err(Error::PoolTimedOut),
        };
        let free = self.free().pop();
        let open = match free {
            Some((open, _)) => open,
            None => self.open().await?,
        };
        Ok(Reader { lent: Some((open, seat)) })
    }

    async fn open(&self) -> Result<Open, Error> {
        let mut connection = self.options.connect().await?;
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&is_abandoned);
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !watched.load(Ordering::Relaxed));
        Ok(Open { connection, is_abandoned })
    }

    /// Takes it back for the next one who asks.
    pub(super) fn give_back(&self, mut reader: Reader) {
        let Some((open, seat)) = reader.lent.take() else { return };
        let now = Instant::now();
        let mut free = self.free();
        free.push((open, now));
        let is_idle = free.first().is_some_and(|(_, since)| now.duration_since(*since) > IDLE);
        let idle = is_idle.then(|| free.remove(0));
        drop(free);
        drop(seat);
        drop(idle);
    }

    /// Waits for those that are lent, and closes all.
    pub(super) async fn close(&self) {
        drop(self.seats.acquire_many(self.most).await);
        self.seats.close();
        let free = mem::take(&mut *self.free());
        for (open, _) in free {
            // What was only read has nothing to lose.
            let _ = open.connection.close().await;
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<(Open, Instant)>> {
        // Each is put in or taken out whole.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts to a number that takes minutes to reach.
    const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000000) SELECT COUNT(*) FROM n";

    #[tokio::test]
    async fn a_question_nobody_waits_for_is_ended_and_gives_its_seat_to_the_next() {
        let readers = Readers::new(SqliteConnectOptions::new().in_memory(true), 1);
        let mut reader = readers.lend().await.unwrap();
        let asking = async move { sqlx::query(ENDLESS).fetch_all(reader.connection().unwrap()).await.map(drop) };
        assert!(tokio::time::timeout(Duration::from_millis(100), asking).await.is_err(), "it takes minutes");
        assert_eq!(readers.seats.available_permits(), 0, "its question may still be running");
        let mut next = tokio::time::timeout(Duration::from_secs(30), readers.lend()).await.expect("the question was ended").unwrap();
        sqlx::query("SELECT 1").fetch_one(next.connection().unwrap()).await.unwrap();
        readers.give_back(next);
        readers.close().await;
        assert!(readers.lend().await.is_err());
    }
}
