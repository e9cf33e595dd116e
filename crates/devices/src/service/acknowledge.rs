//! A phone tells what became of a command; the first answer stands, a repetition is answered like it.

use audit::Change;
use base::Result;
use serde_json::json;

use super::{Devices, Phone};
use crate::model::Command;
use crate::vocabulary::{CommandKind, Outcome};
use crate::{actions, errors, store};

impl Devices {
    /// Takes a phone's answer to a command.
    ///
    /// # Errors
    /// `NotFound` when there is no such command.
    pub async fn acknowledge(&self, phone: &Phone, sequence: i64, outcome: Outcome) -> Result<Command> {
        let id = phone.device.id;
        let mut change = Change::begin(self.backends(), &phone.actor, actions::ACKNOWLEDGE).await?;
        let command = store::commands::find(&mut change, id, sequence).await?.ok_or_else(|| errors::no_command(sequence))?;
        if command.acknowledged_at.is_some() || !store::commands::acknowledge(&mut change, id, sequence, outcome).await? {
            return Ok(command);
        }
        let told = json!({ "command": command.id, "kind": command.kind, "sequence": sequence, "outcome": outcome });
        store::timeline::add(&mut change, id, "acknowledged", &told).await?;
        change.subject("device", id);
        change.detail(told);
        let now = change.now();
        change.commit().await?;
        if command.kind == CommandKind::ForceOverlay
            && let Err(error) = self.backends().hot.delete(&format!("force_overlay:{id}")).await
        {
            tracing::debug!(%error, "the hot store still shows an overlay that was seen");
        }
        metrics::counter!("device_acknowledgements_total", "kind" => command.kind.as_str(), "outcome" => outcome.as_str()).increment(1);
        Ok(Command { acknowledged_at: Some(now), outcome: Some(outcome), ..command })
    }
}
