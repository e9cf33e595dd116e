//! Background work of this context.

use std::time::Duration;

use backends::{Handlers, Job, Run, Schedule};
use base::{Language, Result, Time, UserId};
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

/// Sends the letter that brings an invitation.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SendInvitation {
    pub(crate) user: UserId,
    pub(crate) expires_at: Time,
    pub(crate) language: Language,
    /// The link's token, sealed: the queue's table is not a place for secrets.
    pub(crate) sealed: String,
}

impl Job for SendInvitation {
    const NAME: &'static str = "auth.send_invitation";
    const QUEUE: &'static str = "notification_queue";
    const TIMEOUT: Duration = Duration::from_secs(60);
    type Service = Auth;

    async fn run(self, auth: &Auth, run: &Run) -> Result<()> {
        auth.send_invitation(&run.actor, &self).await
    }
}

/// The jobs of this context.
#[must_use]
pub fn jobs(auth: &Auth) -> Handlers {
    Handlers::new().add::<Sweep>(auth.clone()).add::<SendInvitation>(auth.clone())
}
