//! A set of ports without repeats, in the order in which they are tried.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::frequency::BY_FREQUENCY;

/// Ports to try; never contains zero or a repeat.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortSet {
    ports: Vec<u16>,
}

/// What is wrong with a port list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortSetError {
    /// A part is not a port.
    #[error("{part:?} is not a port between 1 and 65535")]
    NotAPort {
        /// The part.
        part: String,
    },
    /// A range runs backwards.
    #[error("range {part} runs backwards")]
    Backwards {
        /// The part.
        part: String,
    },
    /// The list names nothing.
    #[error("the port list is empty")]
    Empty,
}

impl PortSet {
    /// Reads a list such as `1-1024,8080`.
    pub fn parse(text: &str) -> Result<Self, PortSetError> {
        let mut ports = BTreeSet::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (port(first)?, port(last)?);
            if first > last {
                return Err(PortSetError::Backwards { part: part.to_owned() });
            }
            ports.extend(first..=last);
        }
        if ports.is_empty() {
            return Err(PortSetError::Empty);
        }
        Ok(Self { ports: ports.into_iter().collect() })
    }

    /// The `count` ports most often met open.
    pub fn top(count: usize) -> Self {
        let mut seen = BTreeSet::new();
        Self { ports: BY_FREQUENCY.iter().copied().chain(1..=u16::MAX).filter(|port| seen.insert(*port)).take(count).collect() }
    }

    /// All 65,535 ports, the commonest first.
    pub fn all() -> Self {
        Self::top(usize::from(u16::MAX))
    }

    /// How many ports there are.
    pub fn len(&self) -> usize {
        self.ports.len()
    }

    /// True when there is nothing to try.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }

    /// True when the port is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }

    /// The ports in the order in which they are tried.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u16> + '_ {
        self.ports.iter().copied()
    }

    /// Adds a port, to be tried first.
    pub(crate) fn put_first(&mut self, port: u16) {
        self.ports.retain(|known| *known != port);
        self.ports.insert(0, port);
    }
}

impl FromStr for PortSet {
    type Err = PortSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

fn port(text: &str) -> Result<u16, PortSetError> {
    match text.trim().parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(PortSetError::NotAPort { part: text.trim().to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ports_and_ranges_is_read_without_repeats() {
        let set = PortSet::parse("8080, 20-22,21").unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), [20, 21, 22, 8080]);
    }

    #[test]
    fn a_wrong_list_names_its_part() {
        assert_eq!(PortSet::parse(" , "), Err(PortSetError::Empty));
        assert_eq!(PortSet::parse("1-70000").unwrap_err().to_string(), "\"70000\" is not a port between 1 and 65535");
        assert!(matches!(PortSet::parse("0"), Err(PortSetError::NotAPort { .. })));
        assert!(matches!(PortSet::parse("9-1"), Err(PortSetError::Backwards { .. })));
    }

    #[test]
    fn all_ports_are_all_ports_once() {
        let all: BTreeSet<u16> = PortSet::all().iter().collect();
        assert_eq!((all.len(), PortSet::all().len()), (65_535, 65_535));
        assert_eq!(PortSet::top(1000).len(), 1000);
        assert!(PortSet::top(20).contains(443));
    }
}
