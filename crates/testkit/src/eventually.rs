//! Waiting for something another task or process does, with a deadline and a name in the failure.

use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

/// Polls `condition` until it holds.
///
/// # Panics
/// When `what` has not happened after twenty seconds.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < DEADLINE, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The same for code that is not async.
pub(crate) fn happens_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
