//! Opens the engine a URL names, takes SQLite's file for this process alone, and brings the schema up to date.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use base::Result;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::readers::Readers;
use super::{Db, Inner, Pools, failure, migrate, observe};
use crate::{Clock, errors};

/// How long a statement waits for a free connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a change waits for its turn to write to the one file.
const TURN: Duration = Duration::from_secs(20);

impl Db {
    /// Opens `url` (`sqlite:PATH` or `postgres://…`), at most `connections` wide, and migrates it.
    ///
    /// # Errors
    /// `Invalid` for another URL, `Conflict` for a file in use or a schema of another version, `Unavailable` when it does not answer.
    pub async fn connect(url: &str, connections: u32, clock: &Clock) -> Result<Self> {
        let (pools, lock) = if let Some(path) = url.strip_prefix("sqlite:") {
            sqlite(Path::new(path), connections).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            (postgres(url, connections).await?, None)
        } else {
            return Err(errors::db_url(url));
        };
        let db = Self { inner: Arc::new(Inner { pools, statements: AtomicU64::new(0), written: AtomicU64::new(0), _lock: lock }) };
        migrate::up(&db.inner.pools, clock.now()).await?;
        observe::observe(&db.inner).await;
        Ok(db)
    }
}

async fn sqlite(path: &Path, connections: u32) -> Result<(Pools, Option<File>)> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(|cause| errors::db_folder(parent, &cause))?;
    }
    let lock = take(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL makes every commit durable against power loss; WAL with NORMAL would lose acknowledged writes.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("journal_size_limit", "67108864")
        .pragma("cache_size", "-8192");
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        // A file does not hang up, and asking costs two switches of threads.
        .test_before_acquire(false)
        .acquire_timeout(TURN)
        .connect_with(options.clone())
        .await
        .map_err(|cause| failure::unopened(path, cause))?;
    let read = Readers::new(options.create_if_missing(false).pragma("query_only", "ON"), connections.clamp(1, 8));
    Ok((Pools::Sqlite { write, read: Box::new(read) }, Some(lock)))
}

/// One process per file: two would each believe to be the only writer of caches, jobs and checkpoints.
fn take(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = PathBuf::from(name);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|cause| errors::db_folder(&lock_path, &cause))?;
    file.try_lock().map_err(|_| errors::db_second_instance(&path.display().to_string()))?;
    Ok(file)
}

async fn postgres(url: &str, connections: u32) -> Result<Pools> {
    let options = PgConnectOptions::from_str(url).map_err(|cause| errors::db_server_url(url, &cause))?.application_name("tyrian");
    let pool = || {
        PgPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE).after_release(|connection, _| {
            Box::pin(async move {
                // Ends whatever a cancelled future may have left open on the connection (sqlx#4393). Without BEGIN the server warns
                // that there is nothing to end; where a transaction has failed it refuses, and the connection is closed.
                sqlx::raw_sql("BEGIN; ROLLBACK").execute(connection).await.map(|_| true)
            })
        })
    };
    let write = match pool().connect_with(options.clone()).await {
        Ok(write) => write,
        // A pool that waited in vain does not say for what.
        Err(waited) => {
            let cause = match tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options)).await {
                Ok(Err(cause)) => cause,
                Ok(Ok(_)) | Err(_) => waited,
            };
            return Err(errors::db_unreachable(options.get_host(), options.get_port(), cause));
        }
    };
    let read = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options.options([("default_transaction_read_only", "on")]));
    Ok(Pools::Postgres { write, read })
}
