//! What the engines' errors mean to us.

use std::path::Path;

use base::Error;
use sqlx::error::DatabaseError;

use crate::errors;

/// PostgreSQL: disk full; SQLite: full, no room for the memory that readers and the writer of a file share.
const FULL: [&str; 3] = ["53100", "13", "4874"];

/// What a file that cannot be opened means.
pub(super) fn unopened(path: &Path, cause: sqlx::Error) -> Error {
    let code = cause.as_database_error().and_then(DatabaseError::code);
    match code.is_some_and(|code| FULL.contains(&code.as_ref())) {
        true => errors::db_full(cause),
        false => errors::db_unopened(path, cause),
    }
}

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
            Some(code) if FULL.contains(&code) => errors::db_full(cause),
            _ => Error::internal("the database refused a statement").because(cause),
        },
        _ => Error::internal("the database driver failed").because(cause),
    }
}
