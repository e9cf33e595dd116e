//! Words several tools share: CVE and CWE ids, CVSS vectors, points in time, lists in text.
//! What cannot be read is left out, never guessed.

use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

use crate::model::Severity;

/// Ids taken from one text.
const IDS: usize = 100;

/// CVE ids in a text, upper case, in order of appearance.
pub(crate) fn cves(text: &str) -> Vec<String> {
    let upper = text.to_ascii_uppercase();
    let mut found = Vec::new();
    for (start, _) in upper.match_indices("CVE-") {
        if found.len() >= IDS {
            break;
        }
        let rest = &upper[start + 4..];
        let year = digits(rest);
        let Some(tail) = rest[year..].strip_prefix('-') else {
            continue;
        };
        let number = digits(tail);
        let boundary = upper[..start].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        if year == 4 && (4..=19).contains(&number) && boundary {
            let id = upper[start..start + 4 + year + 1 + number].to_owned();
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

/// CWE numbers in a text (`CWE-79`, `cwe_079`, `cwe:79`), in order of appearance.
pub(crate) fn cwes(text: &str) -> Vec<u32> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (start, _) in lower.match_indices("cwe") {
        if found.len() >= IDS {
            break;
        }
        let rest = lower[start + 3..].trim_start_matches(['-', '_', ':', ' ']);
        if let Ok(number) = rest[..digits(rest)].parse::<u32>()
            && number > 0
            && !found.contains(&number)
        {
            found.push(number);
        }
    }
    found
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The severity a scanner of packages, code or clouds names: their words are the standard ones and a few for "hardly any".
pub(crate) fn severity(word: &str) -> Option<Severity> {
    match word.trim().to_ascii_lowercase().as_str() {
        "negligible" | "unknown" | "minimal" | "unspecified" | "unassigned" | "untriaged" => Some(Severity::Info),
        word => word.parse().ok(),
    }
}

/// The severity a CVSS vector scores to.
pub(crate) fn scored(vector: &str) -> Option<Severity> {
    cvss::Cvss::from_str(vector).ok().map(|vector| Severity::from_score(vector.score()))
}

/// The vector, if it is one of CVSS 2.0, 3.0, 3.1 or 4.0.
pub(crate) fn cvss(text: &str) -> Option<String> {
    let vector = text.trim().trim_matches(['(', ')', '[', ']', '"']);
    cvss::Cvss::from_str(vector).ok().map(|_| vector.to_owned())
}

/// Whether a tool's word for how a finding stands says that it is gone. What people called harmless or acceptable is not.
pub(crate) fn is_fixed(state: Option<&str>) -> bool {
    state.is_some_and(|state| {
        ["fixed", "resolved", "resolved_with_pedigree", "closed"].iter().any(|word| state.trim().eq_ignore_ascii_case(word))
    })
}

/// RFC 3339 in UTC; a time without a zone is taken as UTC.
pub(crate) fn instant(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(utc(time.to_utc()));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .into_iter()
        .find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok())
        .map(|time| utc(time.and_utc()))
}

/// RFC 3339 in UTC of the other ways in which web scanners write a time, day before month; a time without a zone is taken as UTC.
pub(crate) fn moment(text: &str) -> Option<String> {
    const ZONED: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"];
    const BARE: [&str; 8] = [
        "%a, %d %b %Y %H:%M:%S",
        "%a, %e %b %Y %H:%M:%S",
        "%d/%m/%Y, %H:%M:%S",
        "%d/%m/%Y %H:%M:%S",
        "%d/%m/%Y %I:%M %p",
        "%Y-%m-%d %I:%M %p",
        "%a %b %e %H:%M:%S UTC %Y",
        "%a %b %e %H:%M:%S GMT %Y",
    ];
    let text = text.trim();
    let zoned = || ZONED.iter().find_map(|shape| DateTime::parse_from_str(text, shape).ok());
    let bare = || BARE.iter().find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok());
    instant(text)
        .or_else(|| DateTime::parse_from_rfc2822(text).ok().or_else(zoned).map(|time| utc(time.to_utc())))
        .or_else(|| bare().map(|time| utc(time.and_utc())))
}

/// RFC 3339 in UTC of seconds since 1970.
pub(crate) fn epoch(text: &str) -> Option<String> {
    let seconds = text.trim().parse::<i64>().ok()?;
    DateTime::from_timestamp(seconds, 0).map(utc)
}

fn utc(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The text on one line and not longer than `limit` characters, cut between words if possible.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count() + usize::from(length > 0);
        if length + width > limit {
            if length == 0 {
                line.extend(word.chars().take(limit.saturating_sub(1)));
            }
            line.push('…');
            break;
        }
        if length > 0 {
            line.push(' ');
        }
        line.push_str(word);
        length += width;
    }
    line
}

/// Sorted and without repetition.
pub(crate) fn unique<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_inside_other_words_only_where_they_stand_alone() {
        assert_eq!(cves("BDSA-2020-1 (cve-2020-11022), CVE-2020-11022 xCVE-2020-11023 CVE-20-1"), ["CVE-2020-11022"]);
        assert_eq!(cwes("external/cwe/cwe-079 CWE_89 CWE: 22 nvd-cve-other CWE-0"), [79, 89, 22]);
    }

    #[test]
    fn times_are_told_in_utc() {
        assert_eq!(instant("2021-05-20T11:11:01.667748+03:00").as_deref(), Some("2021-05-20T08:11:01.667748Z"));
        assert_eq!(instant("2016-07-16T14:19:01").as_deref(), Some("2016-07-16T14:19:01Z"));
        assert_eq!(epoch("1396104416").as_deref(), Some("2014-03-29T14:46:56Z"));
        assert_eq!(instant("yesterday"), None);
        assert_eq!(moment("Sat, 27 Mar 2021 20:08:34 +0000").as_deref(), Some("2021-03-27T20:08:34Z"));
        assert_eq!(moment("Tue, 12 May 2020 20:57:30").as_deref(), Some("2020-05-12T20:57:30Z"));
        assert_eq!(moment("25/06/2021 09:59 AM").as_deref(), Some("2021-06-25T09:59:00Z"));
        assert_eq!(moment("2023-11-15T07:40:39+0100").as_deref(), Some("2023-11-15T06:40:39Z"));
        assert_eq!(moment("Wed Jan 27 22:43:35 WIB 2021"), None);
    }

    #[test]
    fn long_titles_end_at_a_word() {
        assert_eq!(shorten("one  two\nthree", 8), "one two…");
        assert_eq!(shorten("short", 8), "short");
    }
}
