//! EPSS: `#model_version:v2025.03.14,score_date:2025-06-18T12:55:00Z`, then `cve,epss,percentile`.
//! The first year's files have neither that line nor percentiles; exports of others add columns.

use std::io::BufRead;

use chrono::NaiveDate;

use super::errors::value;
use super::source::Source;
use super::{FeedError, cve, day};

/// The comment is short; a longer first line is no EPSS file.
const LONGEST_COMMENT: u64 = 1024;

/// How likely a vulnerability is to be exploited within thirty days.
#[derive(Debug, Clone, PartialEq)]
pub struct Epss {
    /// CVE id in upper case.
    pub cve: String,
    /// Probability, 0 to 1.
    pub probability: f64,
    /// Share of all vulnerabilities with no higher probability, 0 to 1.
    pub percentile: Option<f64>,
}

/// Reads the file to its end; gives the version of the model and the day of the scores.
pub(super) fn read(
    mut source: Source<'_>,
    mut take: impl FnMut(Epss) -> Result<(), FeedError>,
) -> Result<(Option<String>, Option<NaiveDate>), FeedError> {
    let (version, date, skipped) = comment(&mut source)?;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(source);
    let header = reader.headers()?.clone();
    let column = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let needed = |name: &'static str| column(name).ok_or(FeedError::NoColumn { column: name, line: 1 + skipped });
    let (cve_column, probability_column) = (needed("cve")?, needed("epss")?);
    let (percentile_column, date_column) = (column("percentile"), column("date"));
    let mut latest = None;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|cause| moved(cause.into(), skipped))? {
        let line = record.position().map_or(0, csv::Position::line) + skipped;
        let field = |column: usize| record.get(column).unwrap_or_default();
        let id = cve(field(cve_column)).ok_or_else(|| value(line, "cve", field(cve_column)))?;
        let probability = share(field(probability_column)).ok_or_else(|| value(line, "epss", field(probability_column)))?;
        let percentile = match percentile_column.map(field) {
            None | Some("") => None,
            Some(text) => Some(share(text).ok_or_else(|| value(line, "percentile", text))?),
        };
        if date.is_none() {
            latest = latest.max(date_column.map(field).and_then(day));
        }
        take(Epss { cve: id, probability, percentile })?;
    }
    Ok((version, date.or(latest)))
}

/// The first line, when it is the comment; and how many lines that took away from the reader after it.
fn comment(source: &mut Source<'_>) -> Result<(Option<String>, Option<NaiveDate>, u64), FeedError> {
    if !source.starts_with(b"#") {
        return Ok((None, None, 0));
    }
    let mut line = Vec::new();
    std::io::Read::take(&mut *source, LONGEST_COMMENT).read_until(b'\n', &mut line)?;
    let text = String::from_utf8_lossy(&line);
    let part = |name: &str| {
        let found = text.trim_start_matches('#').split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix(':'));
        found.map(|text| text.trim().to_owned())
    };
    Ok((part("model_version"), part("score_date").as_deref().and_then(day), 1))
}

/// A share between 0 and 1.
fn share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
}

/// Lines count from the start of the file, not of the reader.
fn moved(error: FeedError, lines: u64) -> FeedError {
    match error {
        FeedError::Malformed { line, what } => FeedError::Malformed { line: line + lines, what },
        other => other,
    }
}
