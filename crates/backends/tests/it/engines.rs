//! What the suites of this crate share: the pieces every engine is opened with.

use std::time::Duration;

use backends::{Authorities, Clock, Hot, Tasks};
use base::Time;
use tempfile::TempDir;
use testkit::servers::fresh_redis;

/// 2026-11-22T00:00:00Z.
pub(crate) const START: Time = Time::from_seconds(1_795_305_600);

/// The public authorities.
pub(crate) fn authorities() -> Authorities {
    Authorities::load(None).unwrap()
}

/// One hot store and the way its time passes.
pub(crate) struct Bench {
    pub(crate) hot: Hot,
    /// The clock to advance; a server's cannot be.
    clock: Option<Clock>,
    _folder: Option<TempDir>,
}

impl Bench {
    pub(crate) async fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(START);
        let hot = open(&format!("embedded:{}", folder.path().join("hot").display()), &clock).await;
        Self { hot, clock: Some(clock), _folder: Some(folder) }
    }

    pub(crate) async fn redis(url: &str) -> Self {
        Self { hot: open(url, &Clock::system()).await, clock: None, _folder: None }
    }

    /// Every engine.
    pub(crate) async fn all() -> [Self; 2] {
        [Self::embedded().await, Self::redis(&fresh_redis()).await]
    }

    /// Lets time pass where we can; elsewhere the caller waits for what should happen.
    pub(crate) fn pass(&self, time: Duration) {
        if let Some(clock) = &self.clock {
            clock.advance(time);
        }
    }
}

pub(crate) async fn open(url: &str, clock: &Clock) -> Hot {
    Hot::connect(url, clock, &Tasks::default(), &authorities()).await.unwrap()
}
