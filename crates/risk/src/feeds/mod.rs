//! Files that an operator brings in offline: EPSS scores of FIRST, known exploited vulnerabilities
//! of CISA. Streamed and limited; a broken file is refused with its line and nothing of it counts.

mod epss;
mod errors;
mod kev;
mod source;

use std::io::Read;

use chrono::NaiveDate;

pub use epss::Epss;
pub use errors::FeedError;
pub use kev::Kev;

/// Which feed a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Exploit Prediction Scoring System: the CSV of first.org, plain or gzip.
    Epss,
    /// Known Exploited Vulnerabilities: JSON or CSV of cisa.gov, plain or gzip.
    Kev,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Epss, Self::Kev];

    /// The name used in commands, addresses and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epss => "epss",
            Self::Kev => "kev",
        }
    }
}

/// Bounds on what an untrusted file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes after decompression.
    pub bytes: u64,
    /// Entries handed on.
    pub entries: u64,
}

impl Default for Limits {
    /// Ten times what either feed has today.
    fn default() -> Self {
        Self { bytes: 128 << 20, entries: 3_000_000 }
    }
}

/// One entry of a feed.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A probability.
    Epss(Epss),
    /// A vulnerability that is exploited.
    Kev(Kev),
}

/// What a file says about itself, known once it was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The feed.
    pub kind: Kind,
    /// Model or catalogue version.
    pub version: Option<String>,
    /// The day its entries are of.
    pub date: Option<NaiveDate>,
    /// How many entries it has.
    pub entries: u64,
}

/// Said by the receiver of entries to end the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Reads a feed to its end, handing on one entry at a time. Without a kind the file says what it is.
///
/// # Errors
/// What is wrong with the file, naming the line.
pub fn read(
    file: impl Read,
    kind: Option<Kind>,
    limits: &Limits,
    mut take: impl FnMut(Entry) -> Result<(), Stop>,
) -> Result<Release, FeedError> {
    let source = source::Source::open(file, limits.bytes)?;
    let found = source.kind();
    let kind = match (kind, found) {
        (Some(asked), Some(found)) if asked != found => return Err(FeedError::OtherKind { asked, found }),
        (Some(asked), _) => asked,
        (None, Some(found)) => found,
        (None, None) => return Err(FeedError::UnknownKind),
    };
    let mut entries = 0;
    let mut counted = |entry| {
        entries += 1;
        if entries > limits.entries {
            return Err(FeedError::TooManyEntries { limit: limits.entries });
        }
        take(entry).map_err(|Stop| FeedError::Stopped)
    };
    let (version, date) = match kind {
        Kind::Epss => epss::read(source, |entry| counted(Entry::Epss(entry)))?,
        Kind::Kev if source.is_json() => kev::read_json(source, |entry| counted(Entry::Kev(entry)))?,
        Kind::Kev => kev::read_csv(source, |entry| counted(Entry::Kev(entry)))?,
    };
    if entries == 0 {
        return Err(FeedError::NoEntries);
    }
    Ok(Release { kind, version, date, entries })
}

/// A CVE id in upper case, when the text is one.
fn cve(text: &str) -> Option<String> {
    let id = text.trim().to_ascii_uppercase();
    let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
    let digits =
        |part: &str, least: usize, most: usize| (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (digits(year, 4, 4) && digits(number, 4, 19)).then_some(id)
}

/// A day written `2025-08-25`, with or without a time after it.
fn day(text: &str) -> Option<NaiveDate> {
    text.trim().get(..10)?.parse().ok()
}
