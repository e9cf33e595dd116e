//! Why a search cannot be answered or an index not written.

use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use base::Error;

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
