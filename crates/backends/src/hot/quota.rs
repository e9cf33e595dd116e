//! The arithmetic of counters and quotas, in whole microseconds so that every engine gives the same answer.

use std::time::Duration;

/// A counter and when its window ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What it stands at, this call included.
    pub value: i64,
    /// When it will be gone.
    pub resets_in: Duration,
}

/// How much of something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many at once.
    pub burst: u32,
    /// How long an exhausted quota takes to be whole again.
    pub per: Duration,
}

/// Whether one more is allowed, with the numbers for the `RateLimit` and `Retry-After` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is.
    pub allowed: bool,
    /// The quota's burst.
    pub limit: u32,
    /// How many more are allowed right now.
    pub remaining: u32,
    /// When to ask again; zero when allowed.
    pub retry_after: Duration,
    /// When the quota is whole again.
    pub reset_after: Duration,
}

impl Quota {
    /// Microseconds between two when spread evenly.
    pub(super) fn interval(self) -> i64 {
        let per = i64::try_from(self.per.as_micros()).unwrap_or(i64::MAX).min(MAXIMUM_PER);
        (per / i64::from(self.burst.max(1))).max(1)
    }

    /// Microseconds until an exhausted quota is whole again.
    pub(super) fn capacity(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.burst))
    }

    /// GCRA: `full_at` is when the quota is whole again (the "theoretical arrival time"). Returns the
    /// new one when one more is allowed, and how long to wait otherwise.
    pub(super) fn decide(self, full_at: Option<i64>, now: i64) -> Result<i64, i64> {
        let next = full_at.unwrap_or(now).max(now) + self.interval();
        let early = next - now - self.capacity();
        if early > 0 { Err(early) } else { Ok(next) }
    }

    /// The verdict from what `decide` found.
    pub(super) fn verdict(self, allowed: bool, wait: i64, full_in: i64) -> Verdict {
        let room = (self.capacity() - full_in) / self.interval();
        Verdict {
            allowed,
            limit: self.burst,
            remaining: u32::try_from(room).unwrap_or(0),
            retry_after: micros(wait),
            reset_after: micros(full_in),
        }
    }
}

/// A year: keeps every sum within what a script's floating point holds exactly.
const MAXIMUM_PER: i64 = 365 * 24 * 3600 * 1_000_000;

fn micros(value: i64) -> Duration {
    Duration::from_micros(u64::try_from(value).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_stretch_of_time_gets_more_than_burst_and_rate(burst in 1_u32..20, per in 1_u64..10_000, steps in prop::collection::vec(0_i64..2_000, 1..200)) {
            let quota = Quota { burst, per: Duration::from_micros(per) };
            let (mut now, mut full_at, mut allowed) = (0, None, Vec::new());
            for step in steps {
                now += step;
                match quota.decide(full_at, now) {
                    Ok(next) => {
                        full_at = Some(next);
                        allowed.push(now);
                    }
                    Err(wait) => prop_assert!(quota.decide(full_at, now + wait).is_ok(), "waiting as told is enough"),
                }
            }
            for (index, from) in allowed.iter().enumerate() {
                for (count, until) in allowed[index..].iter().enumerate() {
                    let most = i64::from(burst) + (until - from) / quota.interval();
                    prop_assert!(i64::try_from(count).unwrap() < most, "{} within {} µs", count + 1, until - from);
                }
            }
        }
    }
}
