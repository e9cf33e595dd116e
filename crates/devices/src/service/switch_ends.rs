//! Kill switches whose time is over: the token check lets phones in again by itself, and here they are told.

use std::time::Duration;

use audit::Change;
use backends::Run;
use base::{Result, TenantId};
use serde_json::json;

use super::Devices;
use crate::model::SwitchId;
use crate::vocabulary::CommandKind;
use crate::{actions, errors, store};

/// Switches ended in one run.
const BATCH: u32 = 100;
/// Ends longer ago are told to nobody: phones have found out.
const LONG_AGO: Duration = Duration::from_secs(7 * 24 * 3_600);

impl Devices {
    /// Queues telling phones of switches that ended by themselves, each once. One that cannot be ended stops no other.
    ///
    /// # Errors
    /// The database's: the last one.
    pub(crate) async fn end_switches(&self, run: &Run) -> Result<()> {
        let now = self.now();
        let mut outcome = Ok(());
        for (tenant, id) in store::switches::over(&self.backends().db, now - LONG_AGO, now, BATCH).await? {
            if let Err(error) = self.end_switch(run, tenant, id).await {
                tracing::error!(%error, switch = %id, "a kill switch whose time is over cannot be ended");
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn end_switch(&self, run: &Run, tenant: TenantId, id: SwitchId) -> Result<()> {
        let mut change = Change::begin(self.backends(), &run.system(tenant), actions::EXPIRE_SWITCH).await?;
        if !store::switches::end(&mut change, id).await? {
            return Ok(());
        }
        let (switch, _) = store::switches::find(&mut change, id).await?.ok_or_else(errors::no_switch)?;
        self.announce(&mut change, &switch, CommandKind::Release).await?;
        change.subject("kill_switch", id);
        change.detail(json!({ "scope": switch.scope, "device": switch.device_id, "expires_at": switch.expires_at }));
        change.commit().await
    }
}
