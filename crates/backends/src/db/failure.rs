//! What the engines' errors mean to us.

use base::Error;

use crate::errors;

/// Maps a driver error to ours once.
pub(super) fn failed(cause: sqlx::Error) -> Error {
    match &cause {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            errors::db_unavailable(cause)
        }
        sqlx::Error::Database(database) if database.is_unique_violation() => errors::db_duplicate(cause),
        sqlx::Error::Database(database) if database.is_foreign_key_violation() => errors::db_reference(cause),
        sqlx::Error::Database(database) => match database.code().as_deref() {
            // PostgreSQL: serialization failure, deadlock.
            Some("40001" | "40P01") => errors::db_conflict(cause),
            // PostgreSQL: shutting down, starting up, too many connections; SQLite: busy.
            Some("57P01" | "57P02" | "57P03" | "53300" | "5") => errors::db_unavailable(cause),
            // PostgreSQL: disk full; SQLite: full.
            Some("53100" | "13") => errors::db_full(cause),
            _ => Error::internal("the database refused a statement").because(cause),
        },
        _ => Error::internal("the database driver failed").because(cause),
    }
}
