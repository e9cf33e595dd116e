//! Background work of the log: it verifies itself once a day.

use std::time::Duration;

use backends::{Handlers, Job, Run, Schedule};
use base::Result;
use serde::{Deserialize, Serialize};

use crate::service::Audit;
use crate::verify::Trust;

/// Verifies the whole log and says loudly what is wrong.
#[derive(Debug, Serialize, Deserialize)]
pub struct VerifyLog {}

impl Job for VerifyLog {
    const NAME: &'static str = "audit.verify";
    const QUEUE: &'static str = "audit_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(24 * 3600)));
    const ATTEMPTS: u32 = 2;
    type Service = Audit;

    async fn run(self, audit: &Audit, run: &Run) -> Result<()> {
        let report = audit.verify(&run.actor, Trust::default()).await?;
        metrics::gauge!("audit_problems").set(report.problem_count as f64);
        if report.is_intact() {
            tracing::info!(entries = report.entries, size = report.size, "the audit log verifies");
        }
        for problem in &report.problems {
            tracing::error!(kind = ?problem.kind, entry = problem.entry, "audit log: {}", problem.message);
        }
        Ok(())
    }
}

/// The log's jobs.
#[must_use]
pub fn jobs(audit: &Audit) -> Handlers {
    Handlers::new().add::<VerifyLog>(audit.clone())
}
