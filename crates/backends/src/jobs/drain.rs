//! Runs everything that is due, one after the other, and returns: for tests and for commands that work without a server.

use std::time::Duration;

use base::{Error, Result};

use super::handlers::Handlers;
use super::{queue, worker};
use crate::Backends;

/// What [`drain`] did.
#[derive(Debug, Default)]
pub struct Drained {
    /// Tries made.
    pub ran: usize,
    /// Errors, in order; a failed try is due again only when the clock moves.
    pub errors: Vec<Error>,
}

/// Runs due jobs until none is left; jobs enqueued meanwhile are run too.
///
/// # Errors
/// The database's; a job's own error is listed in the answer.
pub async fn drain(backends: &Backends, handlers: &Handlers) -> Result<Drained> {
    let mut drained = Drained::default();
    queue::reclaim(&backends.db, backends.clock.now(), false).await?;
    worker::fire_schedules(backends, handlers).await?;
    loop {
        let before = drained.ran;
        for name in handlers.queues() {
            while let Some(claimed) = queue::claim(&backends.db, name, "drain", backends.clock.now(), Duration::from_secs(30)).await? {
                drained.ran += 1;
                drained.errors.extend(worker::attempt(backends, handlers, claimed).await);
            }
        }
        if drained.ran == before {
            return Ok(drained);
        }
    }
}
