//! The one place that reads the time. Tests hold it still and move it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base::Time;

/// Tells the time: the system's, or one that only moves when told.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    still: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { still: None }
    }

    /// A clock that stands at `time` until advanced.
    #[must_use]
    pub fn fixed(time: Time) -> Self {
        Self { still: Some(Arc::new(AtomicI64::new(time.micros()))) }
    }

    /// The moment, to the microsecond.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the replacement the lint points at")]
    pub fn now(&self) -> Time {
        match &self.still {
            Some(micros) => Time::from_micros(micros.load(Ordering::SeqCst)),
            None => chrono::Utc::now().into(),
        }
    }

    /// Moves a fixed clock forward; the system's clock takes no orders.
    pub fn advance(&self, by: Duration) {
        if let Some(micros) = &self.still {
            micros.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}
