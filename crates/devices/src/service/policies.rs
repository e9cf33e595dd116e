//! What an organisation allows, and going on after locking stopped by itself.

use audit::Change;
use base::{Actor, Result};
use serde_json::json;

use super::Devices;
use crate::model::Policy;
use crate::order::{PolicyPatch, line};
use crate::{actions, store};

impl Devices {
    /// What the organisation allows.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn policy(&self, actor: &Actor) -> Result<Policy> {
        let scope = actor.scope(actions::READ)?;
        Ok(store::policies::find(&self.backends().db, &scope).await?.unwrap_or_else(|| self.default_policy()))
    }

    /// Changes what the organisation allows.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn patch_policy(&self, actor: &Actor, patch: PolicyPatch) -> Result<Policy> {
        let mut change = Change::begin(self.backends(), actor, actions::UPDATE_POLICY).await?;
        let before = store::policies::find_for_change(&mut change).await?.unwrap_or_else(|| self.default_policy());
        let after = store::policies::patch(&mut change, &patch, &self.default_policy()).await?;
        change.subject("device_policy", actor.tenant);
        change.detail(json!({ "before": before, "after": after }));
        change.commit().await?;
        self.inner.policies.invalidate(&actor.tenant);
        Ok(after)
    }

    /// A person looked: phones may be locked by themselves again.
    ///
    /// # Errors
    /// `Invalid` without a reason; `Forbidden`.
    pub async fn resume(&self, actor: &Actor, reason: &str) -> Result<Policy> {
        let reason = line("/reason", reason, 1000)?;
        let mut change = Change::begin(self.backends(), actor, actions::RESUME).await?;
        let before = store::policies::find_for_change(&mut change).await?.unwrap_or_else(|| self.default_policy());
        let after = Policy { halt: None, ..before.clone() };
        store::policies::resume(&mut change).await?;
        change.subject("device_policy", actor.tenant);
        change.detail(json!({ "halt": before.halt }));
        change.reason(&reason);
        change.commit().await?;
        self.inner.policies.invalidate(&actor.tenant);
        Ok(after)
    }
}
