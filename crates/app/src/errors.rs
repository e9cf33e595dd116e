//! Every error the program itself can cause, with its stable code.

use std::path::Path;

use base::Error;

/// A key of the configuration is unknown or holds a wrong value.
pub(crate) fn config_key(key: &str, cause: &str, origin: &str) -> Error {
    Error::invalid("config.key", format!("`{key}` from {origin}: {cause}; `tyrian config reference` lists every key"))
}

/// The configuration file cannot be read.
pub(crate) fn config_file(path: &Path, cause: &str) -> Error {
    Error::invalid("config.file", format!("`{}` cannot be read as configuration: {}", path.display(), cause.trim()))
}

/// Several processes cannot share these engines.
pub(crate) fn config_combination(what: &str) -> Error {
    Error::invalid("config.combination", what.to_owned())
}

/// A file named on the command line cannot be read or written.
pub(crate) fn file(path: &Path, cause: &std::io::Error) -> Error {
    Error::invalid("cli.file", format!("`{}`: {cause}", path.display()))
}

/// A command needs something it was not given.
pub(crate) fn usage(what: impl Into<String>) -> Error {
    Error::invalid("cli.usage", what)
}

/// A value given to `tyrian attest` is not what the option takes.
pub(crate) fn attest_option(option: &str, why: &str) -> Error {
    Error::invalid("attest.option", format!("{option}: {why}"))
}

/// The generated files in `docs/` are not what the code says.
pub(crate) fn docs_stale(files: &[String]) -> Error {
    Error::conflict("docs.stale", format!("not what the code says: {}; run `tyrian docs` and commit", files.join(", ")))
}

/// The file is in no format that can be read.
pub(crate) fn import_unknown_format(path: &Path, known: usize) -> Error {
    Error::invalid(
        "import.unknown_format",
        format!(
            "`{}` looks like none of the {known} formats that can be read (`tyrian import --help` lists them); if it is in one, say which with --format",
            path.display()
        ),
    )
}

/// The file is broken; the detail names the position.
pub(crate) fn import_unreadable(path: &Path, failure: &importers::ParseError) -> Error {
    Error::invalid("import.unreadable", format!("`{}`: {failure}", path.display()))
}

/// A mapping is not one; the field and its place are named.
pub(crate) fn mapping(path: &Path, failure: &importers::MappingError) -> Error {
    Error::invalid("mapping.unreadable", format!("`{}`: {failure}", path.display()))
}

/// Recordings of sensors cannot be evaluated.
pub(crate) fn recordings(path: &Path, why: &str) -> Error {
    Error::invalid("threat.recordings", format!("`{}`: {why}", path.display()))
}

/// A file was accepted, and could not be taken in.
pub(crate) fn import_failed(why: &str) -> Error {
    Error::invalid("import.failed", why.to_owned())
}

/// The file is no feed, or broken on the line that is named.
pub(crate) fn feed_unreadable(path: &Path, failure: &risk::feeds::FeedError) -> Error {
    Error::invalid("feeds.unreadable", format!("`{}`: {failure}", path.display()))
}

/// The person at the keyboard stopped the command.
pub(crate) fn interrupted() -> Error {
    Error::timeout("cli.interrupted", "interrupted; what was found so far is kept, `tyrian findings list` shows it")
}

/// The scan ended before it was done.
pub(crate) fn scan_failed(why: &str) -> Error {
    Error::unavailable("cli.scan_failed", format!("the scan ended early: {why}; findings so far are above"))
}

/// The report could not be rendered.
pub(crate) fn report_failed(why: &str) -> Error {
    Error::unavailable("cli.report_failed", format!("the report could not be made: {why}"))
}

/// No authorisation covers the target, and none was declared.
pub(crate) fn not_authorized(what: impl Into<String>) -> Error {
    Error::forbidden("cli.not_authorized", what)
}

/// There is no user of that name.
pub(crate) fn no_user(username: &str) -> Error {
    Error::not_found("cli.user", format!("there is no user `{username}`; `tyrian user list` shows all"))
}
