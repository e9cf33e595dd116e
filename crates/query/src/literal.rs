//! Numbers, times, flags and ranks as they are written. A shortened time such as `2026-03` means its whole span.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta};

use crate::analysis;
use crate::schema::Kind;

const SECOND: i64 = 1_000_000;

/// The least and greatest whole number that `text` can mean in a field of this kind.
pub(crate) fn integers(kind: Kind, text: &str, now: i64) -> Option<(i64, i64)> {
    match kind {
        Kind::Time => span(text, now),
        Kind::Flag => match analysis::term(text).as_str() {
            "true" | "yes" | "1" => Some((1, 1)),
            "false" | "no" | "0" => Some((0, 0)),
            _ => None,
        },
        Kind::Rank(ranks) => {
            let wanted = analysis::term(text);
            let place = ranks.iter().position(|rank| *rank == wanted)?;
            i64::try_from(place).ok().map(|place| (place, place))
        }
        _ => text.parse().ok().map(|value| (value, value)),
    }
}

/// A finite number.
pub(crate) fn number(text: &str) -> Option<f64> {
    let plain = text.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '-' | '+' | 'e' | 'E'));
    text.parse::<f64>().ok().filter(|value| plain && value.is_finite()).map(|value| value + 0.0)
}

/// What a field of this kind wants to read.
pub(crate) fn expected(kind: Kind) -> String {
    match kind {
        Kind::Integer => "a whole number".to_owned(),
        Kind::Number => "a number".to_owned(),
        Kind::Time => "a time (2026-03, 2026-03-09, 2026-03-09T10:00:00Z, now, now-7d)".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Rank(ranks) => format!("one of {}", ranks.join(", ")),
        Kind::Text | Kind::Keyword => "a text".to_owned(),
    }
}

/// First and last microsecond of what `text` means.
fn span(text: &str, now: i64) -> Option<(i64, i64)> {
    if let Some(rest) = text.strip_prefix("now") {
        let moment = if rest.is_empty() { now } else { now.checked_add(offset(rest)?)? };
        return Some((moment, moment));
    }
    if text.contains(['T', 't']) {
        return moment(text);
    }
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| (0..=9999).contains(&day.year()));
    let (first, next) = match text.len() {
        4 => day(&format!("{text}-01-01")).and_then(|first| Some((first, first.checked_add_months(Months::new(12))?)))?,
        7 => day(&format!("{text}-01")).and_then(|first| Some((first, first.checked_add_months(Months::new(1))?)))?,
        10 => day(text).and_then(|first| Some((first, first.succ_opt()?)))?,
        _ => return None,
    };
    let micros = |day: NaiveDate| Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    Some((micros(first)?, micros(next)? - 1))
}

fn moment(text: &str) -> Option<(i64, i64)> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        let first = time.timestamp_micros();
        return Some((first, if text.contains('.') { first } else { first + SECOND - 1 }));
    }
    let bare = text.trim_end_matches(['Z', 'z']);
    if let Ok(time) = NaiveDateTime::parse_from_str(bare, "%Y-%m-%dT%H:%M:%S") {
        let first = time.and_utc().timestamp_micros();
        return Some((first, first + SECOND - 1));
    }
    let first = NaiveDateTime::parse_from_str(bare, "%Y-%m-%dT%H:%M").ok()?.and_utc().timestamp_micros();
    Some((first, first + 60 * SECOND - 1))
}

/// Microseconds of `-7d` or `+90m`.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        ("+", rest) => (1, rest),
        _ => return None,
    };
    let unit = rest.chars().next_back().filter(char::is_ascii)?;
    let count = rest.get(..rest.len() - 1)?;
    let count: i64 = count.parse().ok().filter(|_| count.chars().all(|letter| letter.is_ascii_digit()))?;
    let length = match unit {
        's' => TimeDelta::try_seconds(count),
        'm' => TimeDelta::try_minutes(count),
        'h' => TimeDelta::try_hours(count),
        'd' => TimeDelta::try_days(count),
        'w' => TimeDelta::try_weeks(count),
        _ => None,
    };
    length?.num_microseconds().map(|micros| sign * micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_time_means_its_whole_span() {
        let read = |text: &str| integers(Kind::Time, text, 1_000_000_000);
        assert_eq!(read("1970"), Some((0, 365 * 86_400 * SECOND - 1)));
        assert_eq!(read("1970-01-02"), Some((86_400 * SECOND, 2 * 86_400 * SECOND - 1)));
        assert_eq!(read("1970-01-01T00:00:01Z"), Some((SECOND, 2 * SECOND - 1)));
        assert_eq!(read("1970-01-01T00:00:01.5Z"), Some((1_500_000, 1_500_000)));
        assert_eq!(read("now-15m"), Some((100_000_000, 100_000_000)));
        for wrong in ["", "1970-13", "tomorrow", "now-", "now-5", "now-5y", "1970-1-1", "now-99999999999999d", "now-é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
