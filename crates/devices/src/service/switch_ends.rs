//! Kill switches whose time is over: the token check lets phones in again by itself, and here they are told.

use std::time::Duration;

use audit::Change;
use backends::Run;
use base::{Actor, Result, Source};
use serde_json::json;

use super::Devices;
use crate::vocabulary::CommandKind;
use crate::{actions, errors, store};

/// Switches ended in one run.
const BATCH: u32 = 100;
/// Ends longer ago are told to nobody: phones have found out.
const LONG_AGO: Duration = Duration::from_secs(7 * 24 * 3_600);

impl Devices {
    /// Queues telling phones of switches that ended by themselves, each once.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn end_switches(&self, run: &Run) -> Result<()> {
        let now = self.now();
        for (tenant, id) in store::switches::over(&self.backends().db, now - LONG_AGO, now, BATCH).await? {
            let mut actor = Actor::system(tenant, Source::Job);
            actor.origin = run.actor.origin.clone();
            let mut change = Change::begin(self.backends(), &actor, actions::EXPIRE_SWITCH).await?;
            if !store::switches::end(&mut change, id).await? {
                continue;
            }
            let (switch, _) = store::switches::find(&mut change, id).await?.ok_or_else(errors::no_switch)?;
            self.announce(&mut change, &switch, CommandKind::Release).await?;
            change.subject("kill_switch", id);
            change.detail(json!({ "scope": switch.scope, "device": switch.device_id, "expires_at": switch.expires_at }));
            change.commit().await?;
        }
        Ok(())
    }
}
