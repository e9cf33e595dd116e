//! How often a line may bring something: evenly in the long run, a minute's worth at once.

use std::time::Duration;

use base::Time;

use super::End;
use crate::errors;

const MINUTE: i64 = 60_000_000;

/// The moment up to which the line has used what it may.
#[derive(Debug, Default)]
pub(super) struct Pace {
    used_until: i64,
}

impl Pace {
    /// Counts one message.
    pub(super) fn take(&mut self, now: Time, per_minute: u32) -> Result<(), End> {
        let step = MINUTE / i64::from(per_minute.max(1));
        let next = self.used_until.max(now.micros()) + step;
        let over = next - now.micros() - MINUTE;
        if over > 0 {
            return Err(End::Error(errors::too_often(Duration::from_micros(over.unsigned_abs()))));
        }
        self.used_until = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_comes_at_once_and_then_evenly() {
        let mut pace = Pace::default();
        let now = Time::from_seconds(1_000);
        for _ in 0..60 {
            assert!(pace.take(now, 60).is_ok());
        }
        let Err(end) = pace.take(now, 60) else { panic!("the sixty-first") };
        assert_eq!((end.code(), end.wait()), ("devices.too_often", Some(Duration::from_secs(1))));
        assert!(pace.take(now + Duration::from_secs(1), 60).is_ok());
        assert!(pace.take(now + Duration::from_secs(1), 60).is_err());
    }
}
