//! Every error the outside world can cause, with its stable code.

use base::Error;

/// The database does not answer or refused the connection.
pub(crate) fn db_unavailable(cause: sqlx::Error) -> Error {
    Error::unavailable("db.unavailable", "the database does not answer; retry in a moment").because(cause)
}

/// A row with the same unique value exists.
pub(crate) fn db_duplicate(cause: sqlx::Error) -> Error {
    Error::conflict("db.duplicate", "such a row exists already").because(cause)
}

/// A row refers to something that does not exist, or something that exists still refers to it.
pub(crate) fn db_reference(cause: sqlx::Error) -> Error {
    Error::conflict("db.reference", "the row is referred to, or refers to something that does not exist").because(cause)
}

/// Another transaction changed the same rows at the same time.
pub(crate) fn db_conflict(cause: sqlx::Error) -> Error {
    Error::unavailable("db.conflict", "another change got in between; retry").because(cause)
}

/// The disk holding the database is full.
pub(crate) fn db_full(cause: sqlx::Error) -> Error {
    Error::unavailable("db.full", "the disk that holds the database is full; free space and retry").because(cause)
}

/// The `db` URL names no engine we have.
pub(crate) fn db_url(url: &str) -> Error {
    Error::invalid("config.db", format!("db = \"{}\" is not `sqlite:PATH` or `postgres://…`", without_password(url)))
}

/// The SQLite file is held by another process.
pub(crate) fn db_second_instance(path: &str) -> Error {
    Error::conflict("db.in_use", format!("`{path}` is in use by another tyrian process; stop it, talk to it with --server, or choose another data directory"))
}

/// The database is newer than this binary.
pub(crate) fn db_newer(version: i64, known: i64) -> Error {
    Error::conflict("db.newer", format!("the database is at migration {version} but this binary knows only {known}; run a newer tyrian"))
}

/// A migration that was applied has changed since.
pub(crate) fn db_migration_changed(name: &str) -> Error {
    Error::conflict("db.migration_changed", format!("migration `{name}` differs from the one this database was made with"))
}

/// A backend URL names no engine we have.
pub(crate) fn unknown_engine(key: &'static str, url: &str, known: &str) -> Error {
    Error::invalid("config.backend", format!("{key} = \"{}\" is not one of {known}", without_password(url))).at(key)
}

/// A URL without its password, fit to be shown.
pub(crate) fn without_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // A URL that had a password can have it replaced.
            let _ = url.set_password(Some("…"));
            url.to_string()
        }
        _ => text.to_owned(),
    }
}
