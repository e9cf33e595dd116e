//! What can go wrong with a file as a whole; every error says where in the bytes.
//! A bad record is not here: it is a [`Warning`](crate::Warning) and the rest goes on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in the input; bytes are counted after decoding to UTF-8 and without a byte order mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Offset of the byte, from zero.
    pub byte: u64,
    /// Line, from one, where lines mean something.
    pub line: Option<u64>,
    /// Record, from one, where the format has records.
    pub record: Option<u64>,
}

impl Position {
    /// Its numbers by name, for texts in other languages.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        let further = [("line", self.line), ("record", self.record)];
        let told = further.into_iter().filter_map(|(name, number)| Some((name, number?.to_string())));
        std::iter::once(("byte", self.byte.to_string())).chain(told).collect()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}", self.byte)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(record) = self.record {
            write!(f, ", record {record}")?;
        }
        Ok(())
    }
}

/// Why a file could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes break the rules of XML or JSON, or the structure of the format.
    #[error("malformed input at {position}: {what}")]
    Malformed {
        /// Where it was noticed.
        position: Position,
        /// What was wrong.
        what: String,
    },
    /// The input ends before its outermost structure is closed.
    #[error("truncated input: ends at {position} inside {inside}")]
    Truncated {
        /// Where the input ends.
        position: Position,
        /// The innermost thing left open.
        inside: String,
    },
    /// One of the [`Limits`](crate::Limits) was passed.
    #[error("{which} over the limit of {limit} at {position}")]
    LimitExceeded {
        /// Which limit.
        which: &'static str,
        /// Its value.
        limit: u64,
        /// Where it was passed.
        position: Position,
    },
    /// The file is of another format than the one asked for.
    #[error("not {expected}: found {found}")]
    NotThisFormat {
        /// The format asked for.
        expected: &'static str,
        /// What the file starts with.
        found: String,
    },
    /// Bytes that do not exist in the encoding of the file, or an encoding nobody knows.
    #[error("bytes are not {encoding} at {position}")]
    Encoding {
        /// The encoding, detected or declared.
        encoding: String,
        /// Where the first bad byte is.
        position: Position,
    },
    /// The source failed.
    #[error("cannot read the input at {position}")]
    Io {
        /// How far reading came.
        position: Position,
        /// What the source said.
        #[source]
        source: std::io::Error,
    },
    /// The receiver asked to end.
    #[error("stopped by the receiver")]
    Stopped,
}

/// Words of [`ParseError`], for catalogues: each needs a text in every language.
pub const PARSE_FAULTS: &[&str] = &["malformed", "truncated", "limit", "other_format", "encoding", "source", "stopped"];

impl ParseError {
    /// Its word in catalogues, one of [`PARSE_FAULTS`].
    pub fn word(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::Truncated { .. } => "truncated",
            Self::LimitExceeded { .. } => "limit",
            Self::NotThisFormat { .. } => "other_format",
            Self::Encoding { .. } => "encoding",
            Self::Io { .. } => "source",
            Self::Stopped => "stopped",
        }
    }

    /// What a text in another language is filled with, by name. `what` is in the words of who read the file.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Malformed { what, .. } => vec![("what", what.clone())],
            Self::Truncated { inside, .. } => vec![("what", inside.clone())],
            Self::LimitExceeded { which, limit, .. } => vec![("what", (*which).to_owned()), ("limit", limit.to_string())],
            Self::NotThisFormat { expected, found } => vec![("expected", (*expected).to_owned()), ("what", found.clone())],
            Self::Encoding { encoding, .. } => vec![("what", encoding.clone())],
            Self::Io { .. } | Self::Stopped => Vec::new(),
        }
    }

    /// Where in the input it happened, when that means something.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Malformed { position, .. }
            | Self::Truncated { position, .. }
            | Self::LimitExceeded { position, .. }
            | Self::Encoding { position, .. }
            | Self::Io { position, .. } => Some(*position),
            Self::NotThisFormat { .. } | Self::Stopped => None,
        }
    }
}
