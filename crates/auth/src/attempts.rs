//! Attempts to sign in, counted in this process while the hot store does not count them: whoever can fill or stop that store must not
//! be rid of the limit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::Time;

const WINDOW: Duration = Duration::from_secs(60);
/// Keys held at once; with more, those that are not known yet wait.
const MOST: usize = 50_000;

/// Counts by key, each for a minute from its first attempt.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, Counted>>);

#[derive(Debug)]
struct Counted {
    attempts: u32,
    until: Time,
}

impl Attempts {
    /// Counts one more; `false` when that is more than `most` within the minute.
    pub(crate) fn take(&self, key: &str, most: u32, now: Time) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST && !counts.contains_key(key) {
            counts.retain(|_, counted| now < counted.until);
            if counts.len() >= MOST {
                return false;
            }
        }
        let fresh = || Counted { attempts: 0, until: now + WINDOW };
        let counted = counts.entry(key.to_owned()).or_insert_with(fresh);
        if now >= counted.until {
            *counted = fresh();
        }
        counted.attempts = counted.attempts.saturating_add(1);
        counted.attempts <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_few_within_a_minute_and_unknown_keys_wait_when_there_are_too_many() {
        let (attempts, now) = (Attempts::default(), Time::from_seconds(1_000));
        assert!(attempts.take("a", 2, now) && attempts.take("a", 2, now) && !attempts.take("a", 2, now));
        assert!(attempts.take("b", 2, now), "others have their own");
        assert!(attempts.take("a", 2, now + WINDOW));
        for number in 0..MOST {
            attempts.take(&number.to_string(), 2, now + WINDOW);
        }
        assert!(!attempts.take("new", 2, now + WINDOW) && attempts.take("a", 2, now + WINDOW));
        assert!(attempts.take("new", 2, now + WINDOW * 3));
    }
}
