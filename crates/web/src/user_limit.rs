//! The limit on what one user asks, for exchanges over which more than one question is asked.

use backends::Quota;

/// Where and how the edge counts the requests of the caller; it puts this into the request.
#[derive(Debug, Clone)]
pub struct UserLimit {
    /// Key of the counter in the hot store.
    pub key: String,
    /// How many.
    pub quota: Quota,
}
