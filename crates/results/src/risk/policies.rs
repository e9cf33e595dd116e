//! Policies of due dates: one for the organisation, one for each unit that wants its own.

use audit::Change;
use base::{Actor, Result};
use serde_json::json;

use crate::jobs::AssessAll;
use crate::model::{SlaPolicy, UnitPolicy, unit};
use crate::service::Results;
use crate::{actions, errors, store};

impl Results {
    /// Every policy in force, the organisation's first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn sla_policies(&self, actor: &Actor) -> Result<Vec<UnitPolicy>> {
        let scope = actor.scope(actions::READ)?;
        let mut policies = store::risk::policies(&self.backends.db, &scope).await?;
        if !policies.iter().any(|set| set.unit.is_empty()) {
            let policy = SlaPolicy::default();
            policies.insert(0, UnitPolicy { unit: String::new(), policy, updated_by: None, updated_at: None });
        }
        Ok(policies)
    }

    /// Sets the policy of a unit, or of the organisation; due dates follow by a job.
    ///
    /// # Errors
    /// `Invalid` naming the field; `Forbidden`.
    pub async fn set_sla_policy(&self, actor: &Actor, name: &str, policy: SlaPolicy) -> Result<UnitPolicy> {
        let unit = unit(name)?;
        policy.check()?;
        let mut change = Change::begin(&self.backends, actor, actions::SET_SLA).await?;
        let set = UnitPolicy { unit, policy, updated_by: Some(actor.username.clone()), updated_at: Some(change.now()) };
        store::risk::put_policy(&mut change, &set).await?;
        change.enqueue(&AssessAll {}).await?;
        change.subject("sla_policy", name);
        change.detail(json!({ "unit": set.unit, "policy": set.policy }));
        change.commit().await?;
        Ok(set)
    }

    /// Takes a policy back: the unit follows the organisation's, the organisation what holds by default.
    ///
    /// # Errors
    /// `NotFound` when there is none; `Forbidden`.
    pub async fn drop_sla_policy(&self, actor: &Actor, name: &str) -> Result<()> {
        let unit = unit(name)?;
        let mut change = Change::begin(&self.backends, actor, actions::DROP_SLA).await?;
        if !store::risk::drop_policy(&mut change, &unit).await? {
            return Err(errors::no_policy(name));
        }
        change.enqueue(&AssessAll {}).await?;
        change.subject("sla_policy", name);
        change.detail(json!({ "unit": unit }));
        change.commit().await
    }
}
