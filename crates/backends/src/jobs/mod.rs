//! Background jobs: a table in the database, so a job exists exactly when the change that caused it does.
//! Claimed under a lease, heart-beaten, retried with backoff and jitter, dead-lettered; a fence keeps a zombie's late effects out.

mod drain;
mod handlers;
mod queue;
mod run;
mod worker;

use std::future::Future;
use std::time::Duration;

use base::{Id, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Backends;

pub use drain::{Drained, drain};
pub use handlers::Handlers;
pub(crate) use queue::queue_for_event;
pub use queue::{cancel, enqueue, state};
pub use run::Run;
pub use worker::{Concurrency, Worker};

/// Marks ids of jobs.
#[derive(Debug)]
pub enum Queued {}
/// A queued job's id.
pub type JobId = Id<Queued>;

/// When a job without input fires by itself.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// Time between two firings.
    pub every: Duration,
}

impl Schedule {
    /// Fires every `every`, on one node.
    #[must_use]
    pub const fn every(every: Duration) -> Self {
        Self { every }
    }
}

/// Tells this process's workers that jobs were committed. Each queue is looked at then, so only say so when there are some.
pub fn wake(backends: &Backends) {
    backends.wake.notify_waiters();
}

/// Background work. The struct is the payload; running it twice must have the effect of running it once.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `context.verb`, unique.
    const NAME: &'static str;
    /// The queue whose workers run it.
    const QUEUE: &'static str;
    /// Fires by itself when set; such a job has no fields.
    const SCHEDULE: Option<Schedule> = None;
    /// Names of events whose body is this job's payload.
    const ON: &'static [&'static str] = &[];
    /// Tries before it is dead.
    const ATTEMPTS: u32 = 5;
    /// Longest run of one try.
    const TIMEOUT: Duration = Duration::from_secs(3600);
    /// What it runs against.
    type Service: Clone + Send + Sync + 'static;

    /// Does the work. `Invalid`, `Forbidden`, `NotFound` and `Conflict` kill the job at once; other errors are tried again.
    fn run(self, service: &Self::Service, run: &Run) -> impl Future<Output = Result<()>> + Send;
}
