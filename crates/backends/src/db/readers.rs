//! SQLite's connections that only read. The driver's own pool asks a connection whether it is still there whenever one is given back:
//! two switches of threads, which is as much as most of our questions cost. A file does not hang up.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Error};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::connect::PATIENCE;

/// A connection that nobody needed for this long is closed, and its cache of pages with it.
const IDLE: Duration = Duration::from_secs(600);

/// At most so many connections, opened when they are needed.
pub(super) struct Readers {
    options: SqliteConnectOptions,
    most: u32,
    seats: Semaphore,
    /// Open and free, and since when; the one used last is the last.
    free: Mutex<Vec<(SqliteConnection, Instant)>>,
}

/// A connection that somebody has alone. One that is not given back is closed.
pub(super) struct Reader<'r> {
    pub(super) connection: SqliteConnection,
    _seat: SemaphorePermit<'r>,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions, most: u32) -> Self {
        Self { options, most, seats: Semaphore::new(most as usize), free: Mutex::default() }
    }

    /// Waits for a connection that is free.
    pub(super) async fn lend(&self) -> Result<Reader<'_>, Error> {
        let seat = match tokio::time::timeout(PATIENCE, self.seats.acquire()).await {
            Ok(seat) => seat.map_err(|_| Error::PoolClosed)?,
            Err(_) => return Err(Error::PoolTimedOut),
        };
        let free = self.free().pop();
        let connection = match free {
            Some((connection, _)) => connection,
            None => self.options.connect().await?,
        };
        Ok(Reader { connection, _seat: seat })
    }

    /// Takes it back for the next one who asks.
    pub(super) fn give_back(&self, reader: Reader<'_>) {
        let now = Instant::now();
        let mut free = self.free();
        free.push((reader.connection, now));
        let is_idle = free.first().is_some_and(|(_, since)| now.duration_since(*since) > IDLE);
        let idle = is_idle.then(|| free.remove(0));
        drop(free);
        drop(idle);
    }

    /// Waits for those that are lent, and closes all.
    pub(super) async fn close(&self) {
        drop(self.seats.acquire_many(self.most).await);
        self.seats.close();
        let free = mem::take(&mut *self.free());
        for (connection, _) in free {
            // What was only read has nothing to lose.
            let _ = connection.close().await;
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<(SqliteConnection, Instant)>> {
        // Each is put in or taken out whole.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
