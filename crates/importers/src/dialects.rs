//! How scanners spell what has a standard spelling: vectors without their version, dates in words.
//! Also which notation a file is in, for tools that write several.

use std::io::Read;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat};

use crate::errors::ParseError;
use crate::input::{self, Gauge};
use crate::vocabulary;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    Xml,
    Json,
    /// Anything else, a table perhaps.
    Text,
}

/// Looks at the beginning of a file and gives back a source that still has it.
pub(crate) fn notation<'s>(source: &'s mut dyn Read, gauge: &Gauge) -> Result<(Notation, impl Read + use<'s>), ParseError> {
    let (first, source) = input::opening(source, gauge)?;
    let notation = match first {
        Some(b'<') => Notation::Xml,
        Some(b'{' | b'[') => Notation::Json,
        _ => Notation::Text,
    };
    Ok((notation, source))
}

/// JSON in which nothing of a format was known is of another one, however far it could be read.
pub(crate) fn verdict(recognised: bool, result: Result<(), ParseError>, expected: &'static str) -> Result<(), ParseError> {
    match result {
        Ok(()) | Err(ParseError::Malformed { .. }) if !recognised => {
            Err(ParseError::NotThisFormat { expected, found: "JSON without its members".to_owned() })
        }
        result => result,
    }
}

/// A CVSS vector that may stand in brackets behind a score, carry an old prefix or lack its version:
/// `CVSS2#AV:N/…`, `(AV:N/…)`, `8.1 (AV:N/…)`.
pub(crate) fn vector(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = text.split_once('(').map_or(text, |(_, rest)| rest.split(')').next().unwrap_or(rest)).trim();
    let bare = inner.strip_prefix("CVSS2#").or_else(|| inner.strip_prefix("CVSS2/")).unwrap_or(inner);
    if bare.contains("/PR:") && !bare.starts_with("CVSS:") {
        return vocabulary::cvss(&format!("CVSS:3.0/{bare}"));
    }
    vocabulary::cvss(bare)
}

/// The number before a vector, or alone.
pub(crate) fn score(text: &str) -> Option<f64> {
    text.split('(').next()?.trim().parse().ok().filter(|score| (0.0..=10.0).contains(score))
}

/// A point in time in the first of the shapes that fits, as RFC 3339 in UTC; without a zone it is UTC.
pub(crate) fn moment(text: &str, shapes: &[&str]) -> Option<String> {
    let text = text.trim();
    let time = shapes.iter().find_map(|shape| {
        let zoned = DateTime::parse_from_str(text, shape).map(|time| time.to_utc());
        zoned.or_else(|_| NaiveDateTime::parse_from_str(text, shape).map(|time| time.and_utc())).ok()
    });
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true)).or_else(|| vocabulary::instant(text))
}

/// A day without a time in the first of the shapes that fits, as its beginning in UTC.
pub(crate) fn day(text: &str, shapes: &[&str]) -> Option<String> {
    let shapes = shapes.iter().chain(&["%Y-%m-%d"]);
    let day = shapes.filter_map(|shape| NaiveDate::parse_from_str(text.trim(), shape).ok()).next()?;
    Some(day.and_time(NaiveTime::MIN).and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Severity of a level from 1 to 5, as Qualys rates.
pub(crate) fn level(text: Option<&str>) -> crate::Severity {
    use crate::Severity::{Critical, High, Info, Low, Medium};
    match text.map(str::trim) {
        Some("2") => Low,
        Some("3") => Medium,
        Some("4") => High,
        Some("5") => Critical,
        _ => Info,
    }
}

/// Name and version in a CPE name, as URI (`cpe:/a:vendor:product:version`) or formatted string.
pub(crate) fn product(cpe: &str) -> Option<crate::Component> {
    let parts: Vec<&str> = match cpe.strip_prefix("cpe:2.3:") {
        Some(rest) => rest.split(':').collect(),
        None => cpe.strip_prefix("cpe:/")?.split(':').collect(),
    };
    let part = |index: usize| parts.get(index).copied().filter(|part| !matches!(*part, "" | "*" | "-")).map(str::to_owned);
    Some(crate::Component { name: part(2)?, version: part(3), purl: None })
}

/// Addresses in a text, one after the other, separated by white space or commas.
pub(crate) fn addresses(text: &str) -> Vec<String> {
    text.split([' ', '\n', '\r', '\t', ',']).filter(|word| word.contains("://")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_known_in_every_dress() {
        let three = "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H";
        assert_eq!(vector("8.1 (AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H)").as_deref(), Some(three));
        assert_eq!(vector(three).as_deref(), Some(three));
        for two in ["CVSS2#AV:N/AC:L/Au:N/C:N/I:N/A:N", "(AV:N/AC:L/Au:N/C:N/I:N/A:N)", "AV:N/AC:L/Au:N/C:N/I:N/A:N"] {
            assert_eq!(vector(two).as_deref(), Some("AV:N/AC:L/Au:N/C:N/I:N/A:N"), "{two}");
        }
        assert_eq!(vector("7.5"), None);
        assert_eq!(score("8.1 (AV:N)"), Some(8.1));
    }

    #[test]
    fn dates_in_words_are_understood() {
        assert_eq!(moment("11 Mar 2020 01:07PM GMT-0400", &["%d %b %Y %I:%M%p GMT%z"]).as_deref(), Some("2020-03-11T17:07:00Z"));
        assert_eq!(moment("Tue Jun 25 10:39:42 2013", &["%a %b %d %H:%M:%S %Y"]).as_deref(), Some("2013-06-25T10:39:42Z"));
        assert_eq!(moment("2020-01-30T09:45:41Z", &[]).as_deref(), Some("2020-01-30T09:45:41Z"));
        assert_eq!(moment("soon", &["%d"]), None);
    }
}
