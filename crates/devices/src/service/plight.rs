//! What concerns all phones of an organisation at once: everybody stopped by other people, or scores that are simplified.

use base::{Actor, Result, Time};
use serde::Serialize;

use super::Devices;
use crate::actions;
use crate::live::{self, Simplified};
use crate::store;
use crate::vocabulary::SwitchScope;

/// What concerns all phones of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plight {
    /// Until when a kill switch of another organisation's operators stops everybody; why is theirs to know.
    pub stopped_until: Option<Time>,
    /// Why and since when a node's scores are simplified, and lock nobody.
    pub simplified: Option<Simplified>,
}

impl Devices {
    /// What concerns all phones of the organisation now, on whatever node.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn plight(&self, actor: &Actor) -> Result<Plight> {
        let own = actor.scope(actions::READ)?.tenant();
        let on = store::switches::on(&self.backends().db, self.now()).await?;
        let foreign = on.into_iter().filter(|(tenant, switch)| switch.scope == SwitchScope::Global && *tenant != own);
        Ok(Plight {
            stopped_until: foreign.map(|(_, switch)| switch.expires_at).max(),
            simplified: live::proclaimed(&self.backends().hot).await,
        })
    }
}
