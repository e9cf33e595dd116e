//! Why a file is no feed.

use super::Kind;

/// Why a feed could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// Neither an EPSS nor a KEV file.
    #[error("neither an EPSS file (CSV with the columns cve, epss, percentile) nor a KEV catalogue (JSON or CSV with cveID)")]
    UnknownKind,
    /// The other feed than the one asked for.
    #[error("not {asked}: this is a file of {found}", asked = asked.as_str(), found = found.as_str())]
    OtherKind {
        /// What was asked for.
        asked: Kind,
        /// What the file is.
        found: Kind,
    },
    /// A column that the feed cannot be without.
    #[error("column {column} is missing on line {line}")]
    NoColumn {
        /// The column.
        column: &'static str,
        /// Line of the header, from one.
        line: u64,
    },
    /// A value that cannot be right.
    #[error("line {line}: {field} cannot be {value:?}")]
    Value {
        /// Line, from one.
        line: u64,
        /// The column or key.
        field: &'static str,
        /// What stands there, cut when long.
        value: String,
    },
    /// Broken CSV or JSON.
    #[error("line {line}: {what}")]
    Malformed {
        /// Line, from one.
        line: u64,
        /// What was wrong.
        what: String,
    },
    /// A header and nothing else.
    #[error("the file has no entries")]
    NoEntries,
    /// More entries than any feed has.
    #[error("more than {limit} entries")]
    TooManyEntries {
        /// The most that are read.
        limit: u64,
    },
    /// More bytes than any feed has.
    #[error("more than {limit} bytes after decompression")]
    TooLarge {
        /// The most that are read.
        limit: u64,
    },
    /// The source failed, or its compression is broken.
    #[error("cannot read the file: {0}")]
    Io(#[source] std::io::Error),
    /// The receiver asked to end.
    #[error("stopped by the receiver")]
    Stopped,
}

/// What the limited source says when it has given all it may.
#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes")]
pub(super) struct Overrun(pub(super) u64);

impl From<std::io::Error> for FeedError {
    fn from(cause: std::io::Error) -> Self {
        match cause.get_ref().and_then(|inner| inner.downcast_ref::<Overrun>()) {
            Some(Overrun(limit)) => Self::TooLarge { limit: *limit },
            None => Self::Io(cause),
        }
    }
}

impl From<csv::Error> for FeedError {
    fn from(cause: csv::Error) -> Self {
        let line = cause.position().map_or(0, csv::Position::line);
        let what = cause.to_string();
        match cause.into_kind() {
            csv::ErrorKind::Io(cause) => cause.into(),
            csv::ErrorKind::Utf8 { err, .. } => Self::Malformed { line, what: format!("field {} is not UTF-8", err.field() + 1) },
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Self::Malformed { line, what: format!("{len} columns where the header has {expected_len}") }
            }
            _ => Self::Malformed { line, what },
        }
    }
}

impl From<serde_json::Error> for FeedError {
    fn from(cause: serde_json::Error) -> Self {
        if cause.is_io() {
            return std::io::Error::from(cause).into();
        }
        let line = u64::try_from(cause.line()).unwrap_or(u64::MAX);
        let text = cause.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        Self::Malformed { line, what: what.to_owned() }
    }
}

/// A wrong value, as much of it as a person needs to find it.
pub(super) fn value(line: u64, field: &'static str, value: &str) -> FeedError {
    FeedError::Value { line, field, value: value.chars().take(60).collect() }
}
