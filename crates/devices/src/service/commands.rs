//! What phones are told: signed, numbered in each phone's own order, kept until answered. A poll gets everything not answered yet.

use std::time::Duration;

use audit::Change;
use backends::Algorithm;
use base::{Actor, Result};
use serde::Serialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::{Devices, Phone};
use crate::model::{Command, CommandId, DeviceId};
use crate::order::{OverlayOrder, line};
use crate::token::{COMMAND_TYPE, COMMANDS};
use crate::vocabulary::{CommandKind, Reach};
use crate::{actions, errors, store};

/// How long a command waits for its phone.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Commands told at once.
const AT_ONCE: u32 = 100;

/// Commands for a phone, in order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DeviceCommands)]
pub struct CommandPage {
    /// The commands, lowest number first.
    #[schema(max_items = 100)]
    pub items: Vec<Command>,
    /// Ask with this as `after` next.
    #[schema(minimum = 0)]
    pub after: i64,
}

impl CommandPage {
    /// Whether there may be more.
    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= AT_ONCE as usize
    }
}

impl Devices {
    /// Gives a command within the change that is its reason.
    pub(crate) async fn command(
        &self,
        change: &mut Change,
        device: DeviceId,
        kind: CommandKind,
        reach: Reach,
        reason: &str,
        about: Json,
    ) -> Result<Command> {
        let id: CommandId = change.id();
        let sequence = store::devices::next_sequence(change, device).await?;
        let (now, expires_at) = (change.now(), change.now() + KEPT);
        let claims = json!({
            "iss": self.config().issuer, "aud": device, "jti": id, "seq": sequence, "iat": now.seconds(), "exp": expires_at.seconds(),
            "cmd": kind, "reach": reach, "reason": reason, "about": about,
        });
        let token = self.backends().keys.sign_jws(COMMANDS, Algorithm::Es256, COMMAND_TYPE, &claims).await?;
        let command = Command {
            id,
            sequence,
            kind,
            reach,
            reason: reason.to_owned(),
            token,
            created_at: now,
            expires_at,
            acknowledged_at: None,
            outcome: None,
        };
        store::commands::insert(change, device, &command).await?;
        metrics::counter!("device_commands_total", "kind" => kind.as_str()).increment(1);
        Ok(command)
    }

    /// Commands of a phone after number `after`, and earlier ones it has not answered.
    ///
    /// # Errors
    /// The database's.
    pub async fn commands_since(&self, phone: &Phone, after: i64) -> Result<CommandPage> {
        let scope = phone.actor.scope(actions::ACKNOWLEDGE)?;
        let items = store::commands::since(&self.backends().db, &scope, phone.device.id, after, self.now(), AT_ONCE).await?;
        let after = items.last().map_or(after, |command| command.sequence.max(after));
        Ok(CommandPage { items, after })
    }

    /// Commands of a phone after number `after` that it has not answered.
    pub(crate) async fn commands_beyond(&self, phone: &Phone, after: i64) -> Result<CommandPage> {
        let scope = phone.actor.scope(actions::ACKNOWLEDGE)?;
        let items = store::commands::beyond(&self.backends().db, &scope, phone.device.id, after, self.now(), AT_ONCE).await?;
        let after = items.last().map_or(after, |command| command.sequence);
        Ok(CommandPage { items, after })
    }

    /// Commands given to a phone, newest first.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn commands_of(&self, actor: &Actor, id: DeviceId) -> Result<CommandPage> {
        let scope = actor.scope(actions::READ)?;
        store::devices::find(&self.backends().db, &scope, id).await?.ok_or_else(errors::not_found)?;
        let items = store::commands::of_device(&self.backends().db, &scope, id, AT_ONCE).await?;
        let after = items.first().map_or(0, |command| command.sequence);
        Ok(CommandPage { items, after })
    }

    /// Puts a message over a phone's screen until the user saw it: `force_overlay`.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` naming the field; `Forbidden` without the permission, or beyond what the phone's owner allows.
    pub async fn overlay(&self, actor: &Actor, id: DeviceId, order: OverlayOrder) -> Result<Command> {
        let message = line("/message", &order.message, 1000)?;
        let mut change = Change::begin(self.backends(), actor, actions::OVERLAY).await?;
        let device = store::devices::hold(&mut change, id).await?.ok_or_else(errors::not_found)?;
        device.allows(order.reach)?;
        let command =
            self.command(&mut change, id, CommandKind::ForceOverlay, order.reach, &message, json!({ "message": message })).await?;
        let told = json!({ "command": command.id, "kind": command.kind, "reach": command.reach, "message": message });
        store::timeline::add(&mut change, id, "command", &told).await?;
        change.subject("device", id);
        change.detail(told);
        change.commit().await?;
        let hot = &self.backends().hot;
        if let Err(error) = hot.set(&format!("force_overlay:{id}"), command.sequence.to_string().as_bytes(), Some(KEPT)).await {
            tracing::debug!(%error, "an overlay is not shown in the hot store");
        }
        self.tell_commanded(device.tenant, id).await;
        Ok(command)
    }
}
