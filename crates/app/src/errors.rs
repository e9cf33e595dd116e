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
