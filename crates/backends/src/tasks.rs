//! Supervised background tasks: each has a name, a panic is logged, and shutdown waits for them.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Spawns tasks and drains them at shutdown.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs `future` in the background under `name`; a panic is logged, never silent.
    #[expect(clippy::disallowed_methods, reason = "this is the replacement the lint points at")]
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let guarded = AssertUnwindSafe(future).catch_unwind();
        tokio::spawn(self.tracker.track_future(async move {
            if guarded.await.is_err() {
                tracing::error!(task = name, "background task panicked");
            }
        }));
    }

    /// Cancelled when shutdown begins.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Begins shutdown and waits up to `patience`; returns whether every task ended.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}
