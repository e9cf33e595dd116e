//! Background work of this context.

use std::time::Duration;

use backends::{Handlers, Job, Run, Schedule};
use base::Result;
use serde::{Deserialize, Serialize};

use crate::Auth;

/// Deletes what has expired.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {}

impl Job for Sweep {
    const NAME: &'static str = "auth.sweep";
    const QUEUE: &'static str = "maintenance_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(3600)));
    type Service = Auth;

    async fn run(self, auth: &Auth, run: &Run) -> Result<()> {
        auth.sweep(&run.actor).await.map(drop)
    }
}

/// The jobs of this context.
#[must_use]
pub fn jobs(auth: &Auth) -> Handlers {
    Handlers::new().add::<Sweep>(auth.clone())
}
