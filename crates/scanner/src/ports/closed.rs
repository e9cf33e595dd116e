//! The ports of one host that refused a connection, as bits: most ports of most hosts do.

const WORD: usize = u64::BITS as usize;

/// A set of ports; empty until the first one is added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closed(Vec<u64>);

impl Closed {
    pub(crate) fn add(&mut self, port: u16) {
        let port = usize::from(port);
        if self.0.is_empty() {
            self.0 = vec![0; (usize::from(u16::MAX) + 1) / WORD];
        }
        if let Some(word) = self.0.get_mut(port / WORD) {
            *word |= 1 << (port % WORD);
        }
    }

    /// The ports in ascending order.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let is_in = |port: &u16| self.0.get(usize::from(*port) / WORD).is_some_and(|word| word >> (usize::from(*port) % WORD) & 1 == 1);
        (0..=u16::MAX).filter(is_in).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_comes_back_in_order() {
        let mut closed = Closed::default();
        assert!(closed.ports().is_empty());
        for port in [65_535, 1, 64, 63, 1] {
            closed.add(port);
        }
        assert_eq!(closed.ports(), [1, 63, 64, 65_535]);
    }
}
