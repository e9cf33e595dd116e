//! Background work of this context.

use std::time::Duration;

use backends::{Handlers, Job, Run};
use base::{Kind, Result};
use serde::{Deserialize, Serialize};

use crate::model::ReportId;
use crate::service::Reports;

/// All jobs of this context.
#[must_use]
pub fn jobs(reports: &Reports) -> Handlers {
    Handlers::new().add::<RenderReport>(reports.clone())
}

/// Freezes and renders one report.
#[derive(Debug, Serialize, Deserialize)]
pub struct RenderReport {
    /// The report.
    pub report_id: ReportId,
}

impl Job for RenderReport {
    const NAME: &'static str = "reports.render";
    const QUEUE: &'static str = "report_queue";
    const ATTEMPTS: u32 = 3;
    const TIMEOUT: Duration = Duration::from_secs(900);
    type Service = Reports;

    async fn run(self, reports: &Reports, run: &Run) -> Result<()> {
        let made = reports.make(self.report_id, run).await;
        if let Err(error) = &made {
            // These kinds are not tried again, see `Job::run`.
            let is_final = matches!(error.kind(), Kind::Invalid | Kind::Forbidden | Kind::NotFound);
            if run.is_last || is_final {
                let why = if error.kind() == Kind::Internal { "an error of ours; the log says more" } else { error.detail() };
                reports.give_up(self.report_id, run, why).await?;
            }
        }
        made
    }
}
