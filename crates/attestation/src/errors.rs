//! Why an input could not be read at all; what was read and is wrong is a failed check instead.

/// Bytes that are not what they are said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// A bound of this crate was passed.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit, in the unit `what` names.
        limit: usize,
    },
    /// The bytes break the rules of their format.
    #[error("{what}: {why}")]
    Malformed {
        /// The part that was being read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Unreadable {
    pub(crate) fn malformed(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), why: why.into() }
    }
}
