//! What a running job knows about itself.

use base::{Actor, Result, Source, TenantId};
use tokio_util::sync::CancellationToken;

use super::{JobId, queue};
use crate::db::Tx;
use crate::{Clock, Db, errors};

/// One try of one job.
#[derive(Clone)]
pub struct Run {
    /// The job.
    pub job: JobId,
    /// Which try this is, from one.
    pub attempt: u32,
    /// Whether failing now makes it dead.
    pub is_last: bool,
    /// Who caused it; its door is `job`.
    pub actor: Actor,
    /// Cancelled when the lease is lost, the time is up, somebody cancels, or the process stops.
    pub cancel: CancellationToken,
    pub(crate) fence: i64,
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl Run {
    /// Tyrian itself, doing in an organisation what this job is about; whoever caused the job is named as its origin.
    pub fn system(&self, tenant: TenantId) -> Actor {
        Actor { origin: self.actor.origin.clone(), ..Actor::system(tenant, Source::Job) }
    }

    /// Tells how far the work is (0 to 1) and what it is at.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost: stop, somebody else runs the job now.
    pub async fn progress(&self, fraction: f32, note: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let mine = queue::report(&mut tx, self.job, self.fence, fraction, note).await?;
        tx.commit().await?;
        if mine { Ok(()) } else { Err(errors::job_lease_lost(self.job)) }
    }

    /// Ties a transaction to the lease: it commits only while this try still owns the job.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost.
    pub async fn hold(&self, tx: &mut Tx) -> Result<()> {
        if queue::holds(tx, self.job, self.fence, self.clock.now()).await? { Ok(()) } else { Err(errors::job_lease_lost(self.job)) }
    }
}
