//! Every error the outside world can cause, with its stable code.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::time::Duration;

use base::Error;

/// The database does not answer or refused the connection.
pub(crate) fn db_unavailable(cause: sqlx::Error) -> Error {
    Error::unavailable("db.unavailable", "the database does not answer; retry in a moment").because(cause)
}

/// The PostgreSQL server named in the configuration does not answer, or turns us away.
pub(crate) fn db_unreachable(host: &str, port: u16, cause: sqlx::Error) -> Error {
    Error::unavailable("db.unreachable", format!("PostgreSQL at {host}:{port} cannot be used: {cause}")).because(cause)
}

/// The folder of the database cannot be made or written.
pub(crate) fn db_folder(path: &std::path::Path, cause: &std::io::Error) -> Error {
    Error::unavailable("db.folder", format!("`{}` cannot be made or written: {cause}", path.display()))
}

/// The database file cannot be opened.
pub(crate) fn db_unopened(path: &std::path::Path, cause: sqlx::Error) -> Error {
    Error::unavailable("db.unopened", format!("`{}` cannot be opened as a SQLite database: {cause}", path.display())).because(cause)
}

/// The `db` URL of a PostgreSQL server is malformed.
pub(crate) fn db_server_url(url: &str, cause: &sqlx::Error) -> Error {
    Error::invalid("config.db_server", format!("db = \"{}\" is not a PostgreSQL URL: {cause}", without_password(url)))
}

/// A job's payload is not what its handler expects.
pub(crate) fn job_payload(name: &str, cause: &serde_json::Error) -> Error {
    Error::invalid("jobs.payload", format!("payload of {name} cannot be read: {cause}"))
}

/// The job is run by another worker now.
pub(crate) fn job_lease_lost(job: impl std::fmt::Display) -> Error {
    Error::conflict("jobs.lease_lost", format!("job {job} is run by somebody else now"))
}

/// No handler of that name runs in this process.
pub(crate) fn job_unknown(name: &str) -> Error {
    Error::unavailable("jobs.unknown", format!("this process does not know jobs called `{name}`"))
}

/// The job took longer than it may.
pub(crate) fn job_timeout(limit: std::time::Duration) -> Error {
    Error::timeout("jobs.timeout", format!("the job took longer than {} s", limit.as_secs()))
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
    Error::conflict(
        "db.in_use",
        format!(
            "`{path}` is in use by another tyrian process; stop it, choose another data directory, or talk to it with --server where the command takes that"
        ),
    )
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

// Hot keys, bus, blobs, keys, mail and outbound requests.

/// A key for the hot store is empty or too long.
pub(crate) fn hot_key(key: &str) -> Error {
    Error::invalid("hot.key", format!("`{}…` is not a usable hot key: 1 to 1024 bytes", key.chars().take(32).collect::<String>()))
}

/// A value for the hot store is too large.
pub(crate) fn hot_value(bytes: usize) -> Error {
    Error::invalid("hot.value", format!("{bytes} bytes are too many for a hot value"))
}

/// A counter was asked of a key that holds something else.
pub(crate) fn hot_not_a_counter(key: &str) -> Error {
    Error::conflict("hot.not_a_counter", format!("hot key `{key}` holds something that is not a number"))
}

/// The embedded hot store has reached its memory limit.
pub(crate) fn hot_full() -> Error {
    Error::unavailable("hot.full", "the hot store is full; values that expire make room, or use a redis:// server")
}

/// The folder of the embedded hot store is held by another process.
pub(crate) fn hot_in_use(path: &Path) -> Error {
    Error::conflict(
        "hot.in_use",
        format!("`{}` is in use by another tyrian process; stop it or choose another data directory", path.display()),
    )
}

/// The file of the embedded hot store cannot be read or written.
pub(crate) fn hot_file(path: &Path, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    let path = path.display();
    Error::unavailable(
        "hot.file",
        format!("the hot store `{path}` cannot be read or written; it holds nothing that is not elsewhere and may be deleted"),
    )
    .because(cause)
}

/// The Redis server does not answer.
pub(crate) fn redis_unavailable(server: &str) -> Error {
    Error::unavailable("redis.unavailable", format!("redis at {server} does not answer; retry in a moment"))
        .retry_after(Duration::from_secs(1))
}

/// The Redis server refused a command or its answer makes no sense.
pub(crate) fn redis_refused(server: &str, cause: redis::RedisError) -> Error {
    Error::internal(format!("redis at {server} refused a command: {cause}")).because(cause)
}

/// A Redis URL is malformed or names a kind of deployment we do not speak yet.
pub(crate) fn redis_url(reason: &str) -> Error {
    Error::invalid("config.redis", format!("not a usable redis URL: {reason}"))
}

/// The Redis server refused the password.
pub(crate) fn redis_password(server: &str, cause: redis::RedisError) -> Error {
    Error::invalid("redis.password", format!("redis at {server} refused the user or password of its URL")).because(cause)
}

/// A folder or file of ours is missing, or open to other users.
pub(crate) fn private_path(path: &Path, reason: &str) -> Error {
    Error::invalid("config.folder", format!("`{}` {reason}", path.display()))
}

/// A blob key is not a plain relative path.
pub(crate) fn blob_key(key: &str) -> Error {
    Error::invalid("blobs.key", format!("`{}` is not a usable blob key", key.chars().take(64).collect::<String>()))
}

/// The disk holding the blobs is full.
fn blobs_full(cause: object_store::Error) -> Error {
    Error::unavailable("blobs.full", "the disk that holds the blobs is full; free space and retry").because(cause)
}

/// A file on its way into or out of the blob store cannot be read or written.
pub(crate) fn blob_file(cause: std::io::Error) -> Error {
    Error::unavailable("blobs.file", "a file cannot be moved into or out of the blob store").because(cause)
}

/// The blob store cannot be read or written.
pub(crate) fn blob_store(cause: object_store::Error) -> Error {
    let mut source = StdError::source(&cause);
    while let Some(error) = source {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::StorageFull) {
            return blobs_full(cause);
        }
        source = error.source();
    }
    Error::unavailable("blobs.unavailable", "the blob store cannot be read or written").because(cause)
}

/// The key file cannot be opened: wrong passphrase, wrong master key, or somebody changed it.
pub(crate) fn keys_sealed(path: &Path, with: &str) -> Error {
    Error::invalid(
        "keys.sealed",
        format!("`{}` cannot be opened with {with}: it is the wrong one, or the file was altered", path.display()),
    )
}

/// The key file is protected in another way than the configuration says.
pub(crate) fn keys_protection(path: &Path, found: &str) -> Error {
    Error::invalid("keys.protection", format!("`{}` is protected by {found}, but the configuration says otherwise", path.display()))
}

/// The key file cannot be read, written or understood.
pub(crate) fn keys_file(path: &Path, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::unavailable("keys.file", format!("the key file `{}` cannot be read or written", path.display())).because(cause)
}

/// There is no such key, or it is past its deadline.
pub(crate) fn keys_unknown(kid: &str) -> Error {
    Error::not_found("keys.unknown", format!("there is no key `{kid}`, or it was retired"))
}

/// There is nothing to rotate for this purpose.
pub(crate) fn keys_none(purpose: &str) -> Error {
    Error::not_found("keys.none", format!("there is no key for `{purpose}` yet"))
}

/// The last rotation for this purpose is not over yet.
pub(crate) fn keys_waiting(purpose: &str, wait: std::time::Duration) -> Error {
    Error::conflict("keys.waiting", format!("a new key for `{purpose}` is published already and has not begun to sign")).retry_after(wait)
}

/// Sealed bytes do not open: they were altered, moved to another place, or sealed with keys we do not have.
pub(crate) fn keys_open() -> Error {
    Error::invalid("keys.open", "the sealed value cannot be opened: it was altered, moved, or sealed with other keys")
}

/// The mail settings are unusable.
pub(crate) fn mail_settings(reason: impl Into<String>) -> Error {
    Error::invalid("config.mail", reason)
}

/// A letter has an address or subject that cannot be sent.
pub(crate) fn mail_letter(reason: impl Into<String>) -> Error {
    Error::invalid("mail.letter", reason)
}

/// The mail server refused the letter for good.
pub(crate) fn mail_refused(cause: lettre::transport::smtp::Error) -> Error {
    Error::invalid("mail.refused", format!("the mail server refused the letter: {cause}")).because(cause)
}

/// The mail server does not answer or asks to come back later.
pub(crate) fn mail_unavailable(cause: lettre::transport::smtp::Error) -> Error {
    Error::unavailable("mail.unavailable", "the mail server does not take the letter now").because(cause)
}

/// The settings of outbound requests are unusable.
pub(crate) fn outbound_settings(reason: impl Into<String>) -> Error {
    Error::invalid("config.outbound", reason)
}

/// The file of extra certificate authorities is unusable.
pub(crate) fn authorities(path: &Path, reason: impl Into<String>) -> Error {
    Error::invalid("config.authorities", format!("`{}`: {}", path.display(), reason.into()))
}

/// An outbound request was not made because its URL or address is not allowed.
pub(crate) fn outbound_refused(reason: impl Into<String>) -> Error {
    Error::forbidden("outbound.refused", reason)
}

/// The other side could not be reached.
pub(crate) fn outbound_unreachable(host: &str, cause: reqwest::Error) -> Error {
    Error::unavailable("outbound.unreachable", format!("`{host}` cannot be reached")).because(cause)
}

/// The other side took too long.
pub(crate) fn outbound_timeout(host: &str, limit: Duration) -> Error {
    Error::timeout("outbound.timeout", format!("`{host}` did not answer within {} s", limit.as_secs_f32()))
}

/// The other side sent more than we are willing to read.
pub(crate) fn outbound_too_large(host: &str, limit: u64) -> Error {
    Error::invalid("outbound.too_large", format!("`{host}` sent more than {limit} bytes"))
}

// Search.

/// The search URL names a server in a way that cannot work.
pub(crate) fn search_url(reason: impl Into<String>) -> Error {
    Error::invalid("config.search", format!("backends.search: {}", reason.into()))
}

/// The search server or the folder of the index does not answer; everything else goes on.
pub(crate) fn search_unavailable(place: &str, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::unavailable("search.unavailable", format!("the search index at {place} does not answer; nothing is lost, retry in a moment"))
        .because(cause)
        .retry_after(Duration::from_secs(5))
}

/// There is no index yet, or it was made by other rules; it is being made from the database.
pub(crate) fn search_missing(index: &str) -> Error {
    Error::unavailable("search.missing", format!("the index `{index}` is not there yet; it is made from the database, retry in a moment"))
        .retry_after(Duration::from_secs(5))
}

/// Another process writes the embedded index.
pub(crate) fn search_in_use(path: &Path) -> Error {
    let path = path.display();
    Error::unavailable(
        "search.in_use",
        format!("`{path}` is written by another tyrian process; run the search role in one, or use a search server"),
    )
}

/// The search server refused a request that should have been right.
pub(crate) fn search_refused(place: &str, status: u16, reason: &str) -> Error {
    Error::internal(format!("the search server at {place} answered {status}: {reason}"))
}

/// The server that answers is another product than the URL says.
pub(crate) fn search_product(place: &str, expected: &str, found: &str) -> Error {
    Error::invalid("search.product", format!("the search server at {place} is {found}, but backends.search says {expected}"))
}
