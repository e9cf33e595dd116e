//! Background work of this context.

use std::time::Duration;

use backends::{Handlers, Job, Run, Schedule, jobs};
use base::{Actor, Result, Source};
use serde::{Deserialize, Serialize};

use crate::model::{ScanId, ScanState};
use crate::service::Scans;
use crate::{run, store};

/// How long a scan may look lost before the sweep believes it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long taking in what a scan brought may last.
const IMPORT_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// The jobs of this context.
#[must_use]
pub fn list(scans: &Scans) -> Handlers {
    Handlers::new().add::<RunScan>(scans.clone()).add::<SweepScans>(scans.clone())
}

/// Runs a scan from wherever it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunScan {
    /// The scan.
    pub scan_id: ScanId,
}

impl Job for RunScan {
    const NAME: &'static str = "scans.run";
    const QUEUE: &'static str = "scan_queue";
    const TIMEOUT: Duration = Duration::from_secs(24 * 3600);
    type Service = Scans;

    async fn run(self, scans: &Scans, run: &Run) -> Result<()> {
        Box::pin(run::run(scans, self.scan_id, run)).await
    }
}

/// Ends scans whose job is gone without having written how it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SweepScans {}

impl Job for SweepScans {
    const NAME: &'static str = "scans.sweep";
    const QUEUE: &'static str = "default";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(60)));
    type Service = Scans;

    async fn run(self, scans: &Scans, _: &Run) -> Result<()> {
        let now = scans.backends.clock.now();
        for scan in store::unfinished(&scans.backends.db, now - PATIENCE, now - IMPORT_PATIENCE).await? {
            let actor = Actor::system(scan.tenant, Source::Job);
            if scan.state == ScanState::Importing {
                run::abandon(scans, &actor, scan.id, "what the scan brought was not taken in within a day").await?;
                continue;
            }
            let state = match scan.job {
                Some(job) => jobs::state(&scans.backends.db, scan.tenant, job).await?,
                None => None,
            };
            let why = match state.as_ref().map(|(state, error)| (state.as_str(), error.as_deref())) {
                Some(("ready" | "running", _)) => continue,
                Some(("dead", Some(error))) => format!("the scan was given up: {error}"),
                _ if scan.state == ScanState::Queued => "the scan was never taken up by a worker".to_owned(),
                _ => "the worker of the scan is gone".to_owned(),
            };
            run::abandon(scans, &actor, scan.id, &why).await?;
        }
        Ok(())
    }
}
