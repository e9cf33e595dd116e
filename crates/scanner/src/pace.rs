//! The rate limit of a run: a schedule of slots, one per connection.
//! Invariant: late wake-ups are made good from the schedule, at most `CATCH_UP` of it, so the limit is met and not passed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Timers wake up to a few milliseconds late; without catching up that lateness would lower the rate.
const CATCH_UP: Duration = Duration::from_millis(50);

pub(crate) struct Pace {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(rate_per_second: u32) -> Self {
        let interval = Duration::from_nanos(1_000_000_000 / u64::from(rate_per_second.max(1)));
        Self { interval, next: Mutex::new(None) }
    }

    /// Takes the next slot and says when it is.
    pub(crate) fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(now);
        let slot = match *next {
            Some(planned) => planned.max(earliest),
            None => now + self.interval,
        };
        *next = Some(slot + self.interval);
        slot
    }

    pub(crate) async fn wait(&self) {
        sleep_until(self.reserve(Instant::now())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_slots_take_a_second() {
        let pace = Pace::new(1000);
        let start = Instant::now();
        let mut now = start;
        for _ in 0..1000 {
            now = pace.reserve(now).max(now);
        }
        assert_eq!(now - start, Duration::from_secs(1));
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let pace = Pace::new(1000);
        let start = Instant::now();
        let _ = pace.reserve(start);
        let later = start + Duration::from_secs(10);
        let at_once = (0..1000).filter(|_| pace.reserve(later) <= later).count();
        assert!(at_once <= 51, "{at_once} slots were free at once");
    }
}
