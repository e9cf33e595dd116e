//! A list of ports as tools spell it: `1-1024,8080`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Ranges kept of one list, more than every scan that leaves gaps between its ports has; the rest is cut.
const RANGES: usize = 2048;
/// Ranges that a line shows.
const BRIEF: usize = 16;
/// Stands for the ports of a list that nobody named.
const CUT: &str = "…";

/// Some ports of a host. A list may be cut, by whoever told it or for its length: it then names some ports, and of the others nobody
/// knows whether they are meant. Spelled as ascending ranges, `1-1024,8080`, with `…` behind them where it is cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct PortList {
    /// Ascending, and never touching.
    ranges: Vec<(u16, u16)>,
    is_cut: bool,
}

impl PortList {
    /// A list of which nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self { ranges: Vec::new(), is_cut: true }
    }

    /// Whether the port is in the list; `None` where the list was cut and does not name it.
    #[must_use]
    pub fn contains(&self, port: u16) -> Option<bool> {
        let after = self.ranges.partition_point(|(first, _)| *first <= port);
        let is_in = self.ranges.get(..after).and_then(<[_]>::last).is_some_and(|(_, last)| port <= *last);
        (is_in || !self.is_cut).then_some(is_in)
    }

    /// As much of the list as a line shows, cut where that is not all of it.
    #[must_use]
    pub fn brief(&self) -> Self {
        Self { ranges: self.ranges.iter().copied().take(BRIEF).collect(), is_cut: self.is_cut || self.ranges.len() > BRIEF }
    }

    fn of(mut parts: Vec<(u16, u16)>, is_cut: bool) -> Self {
        parts.sort_unstable();
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for (first, last) in parts {
            match ranges.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => ranges.push((first, last)),
            }
        }
        let is_cut = is_cut || ranges.len() > RANGES;
        ranges.truncate(RANGES);
        Self { ranges, is_cut }
    }
}

impl From<&str> for PortList {
    /// Reads a list. What is no port or range, such as the words a tool cuts its own list with, leaves the rest unknown.
    fn from(text: &str) -> Self {
        let texts = || text.split(',').map(str::trim).filter(|_| !text.trim().is_empty());
        let parts: Vec<(u16, u16)> = texts().filter_map(range).collect();
        let is_cut = parts.len() < texts().count();
        Self::of(parts, is_cut)
    }
}

/// `8080`, `1-1024`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

impl From<String> for PortList {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<PortList> for String {
    fn from(list: PortList) -> Self {
        list.to_string()
    }
}

impl FromIterator<u16> for PortList {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        Self::of(ports.into_iter().map(|port| (port, port)).collect(), false)
    }
}

impl fmt::Display for PortList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        match (self.is_cut, self.ranges.is_empty()) {
            (true, true) => f.write_str(CUT),
            (true, false) => write!(f, ",{CUT}"),
            (false, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_spelled_in_ascending_ranges_and_reads_back() {
        for (told, spelled) in [
            ("8080, 20-22,21,23", "20-23,8080"),
            ("65535,0-3,4", "0-4,65535"),
            ("", ""),
            ("22,80,… 100 ports", "22,80,…"),
            ("9-1", "…"),
            ("T:1-100", "…"),
            ("1-70000,5", "5,…"),
        ] {
            let list = PortList::from(told);
            assert_eq!(list.to_string(), spelled, "{told}");
            assert_eq!(PortList::from(spelled), list, "{told}");
            assert_eq!(serde_json::to_string(&list).unwrap(), format!("\"{spelled}\""));
        }
        assert_eq!([8080, 2, 1, 3].into_iter().collect::<PortList>().to_string(), "1-3,8080");
        assert_eq!((0..=u16::MAX).collect::<PortList>().to_string(), "0-65535");
    }

    #[test]
    fn a_cut_list_knows_what_it_names_and_no_more() {
        let list = PortList::from("22,80-81,…");
        assert_eq!([21, 22, 79, 81, 82].map(|port| list.contains(port)), [None, Some(true), None, Some(true), None]);
        assert_eq!(PortList::from("22,80").contains(81), Some(false));
        assert_eq!(PortList::from("").contains(81), Some(false));
        assert_eq!(PortList::unknown().contains(81), None);
        assert_eq!(PortList::unknown(), PortList::from("…"));
    }

    #[test]
    fn a_list_of_many_gaps_is_cut() {
        let every_other = (0..=u16::MAX).step_by(2).collect::<PortList>();
        assert!(every_other.to_string().len() < 16 << 10, "{}", every_other.to_string().len());
        assert_eq!(every_other.brief().to_string(), "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,…");
        assert_eq!(PortList::from("1-9,80").brief(), PortList::from("1-9,80"));
        assert_eq!((every_other.contains(0), every_other.contains(1), every_other.contains(u16::MAX - 1)), (Some(true), None, None));
    }
}
