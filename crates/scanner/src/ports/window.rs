//! How many connection attempts may be in flight: grows with answers, halves on loss, bounded by descriptors.

use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};
use tokio::time::Instant;

/// Descriptors left alone for everything else the process does.
const SPARE_DESCRIPTORS: usize = 64;
const FIRST_WINDOW: usize = 512;
const LEAST_WINDOW: usize = 8;

pub(super) struct Window {
    size: f64,
    ceiling: usize,
    threshold: f64,
    halved_at: Option<Instant>,
    pause_between_halvings: Duration,
}

impl Window {
    pub(super) fn new(concurrency: usize, connect_timeout: Duration) -> Self {
        let ceiling = concurrency.min(free_descriptors()).max(1);
        Self {
            size: FIRST_WINDOW.min(ceiling) as f64,
            ceiling,
            threshold: ceiling as f64,
            halved_at: None,
            pause_between_halvings: connect_timeout,
        }
    }

    pub(super) fn size(&self) -> usize {
        (self.size as usize).clamp(1, self.ceiling)
    }

    /// A host answered: more may be in flight.
    pub(super) fn answered(&mut self) {
        let step = match self.size < self.threshold {
            true => 1.0,
            false => 1.0 / self.size,
        };
        self.size = (self.size + step).min(self.ceiling as f64);
    }

    /// An answer came only after a retry: the path drops packets.
    pub(super) fn lost(&mut self, now: Instant) {
        let recently = self.halved_at.is_some_and(|at| now.duration_since(at) < self.pause_between_halvings);
        if !recently {
            self.size = (self.size / 2.0).max(LEAST_WINDOW.min(self.ceiling) as f64);
            self.threshold = self.size;
            self.halved_at = Some(now);
        }
    }

    /// The process or the system ran out of descriptors, ports or buffers.
    pub(super) fn exhausted(&mut self, in_flight: usize) {
        self.ceiling = (in_flight * 3 / 4).max(1);
        self.size = self.size.min(self.ceiling as f64);
        self.threshold = self.size;
    }
}

/// Descriptors this process may still open.
fn free_descriptors() -> usize {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| usize::try_from(soft).unwrap_or(usize::MAX));
    let used = std::fs::read_dir("/proc/self/fd").map_or(64, Iterator::count);
    limit.saturating_sub(used + SPARE_DESCRIPTORS).max(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_halves_once_per_timeout_and_never_below_its_least() {
        let mut window = Window::new(256, Duration::from_secs(1));
        let start = Instant::now();
        window.lost(start);
        window.lost(start + Duration::from_millis(10));
        assert_eq!(window.size(), 128);
        for second in 1..20 {
            window.lost(start + Duration::from_secs(second));
        }
        assert_eq!(window.size(), LEAST_WINDOW);
        for _ in 0..LEAST_WINDOW {
            window.answered();
        }
        assert!(window.size() <= LEAST_WINDOW + 1);
    }

    #[test]
    fn exhaustion_lowers_the_ceiling_for_good() {
        let mut window = Window::new(100, Duration::from_secs(1));
        window.exhausted(40);
        for _ in 0..10_000 {
            window.answered();
        }
        assert_eq!(window.size(), 30);
    }
}
