//! The jobs a process can run, by name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::Result;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::{Job, Run, Schedule};
use crate::errors;

type RunJob = Arc<dyn Fn(Json, Run) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// What is known of one kind of job.
#[derive(Clone)]
pub(crate) struct Handler {
    pub(crate) queue: &'static str,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) on: &'static [&'static str],
    pub(crate) attempts: u32,
    pub(crate) timeout: Duration,
    pub(crate) run: RunJob,
}

/// The kinds of jobs known, each bound to its service.
#[derive(Clone, Default)]
pub struct Handlers {
    pub(crate) by_name: BTreeMap<&'static str, Handler>,
}

impl Handlers {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the job `J`, run against `service`.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a list takes one more entry; nothing is summed")]
    pub fn add<J: Job>(mut self, service: J::Service) -> Self {
        let run: RunJob = Arc::new(move |payload, run| {
            let service = service.clone();
            async move {
                let job: J = serde_json::from_value(payload).map_err(|cause| errors::job_payload(J::NAME, &cause))?;
                job.run(&service, &run).await
            }
            .boxed()
        });
        let handler = Handler { queue: J::QUEUE, schedule: J::SCHEDULE, on: J::ON, attempts: J::ATTEMPTS, timeout: J::TIMEOUT, run };
        self.by_name.insert(J::NAME, handler);
        self
    }

    /// Both lists together.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.by_name.extend(other.by_name);
        self
    }

    /// Names with queue and schedule, for the generated reference.
    pub fn list(&self) -> impl Iterator<Item = (&'static str, &'static str, Option<Schedule>)> {
        self.by_name.iter().map(|(name, handler)| (*name, handler.queue, handler.schedule))
    }

    /// The queues these jobs stand in.
    #[must_use]
    pub fn queues(&self) -> Vec<&'static str> {
        let mut queues: Vec<_> = self.by_name.values().map(|handler| handler.queue).collect();
        queues.sort_unstable();
        queues.dedup();
        queues
    }
}
