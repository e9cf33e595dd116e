//! A person was locked out or removed: nothing that their phones hold counts any more, and they get nothing new.

use audit::Change;
use backends::Run;
use base::{Actor, Result, TenantId, UserId};
use serde_json::json;

use super::Devices;
use crate::{actions, errors, store};

/// What chains of refresh tokens say of their end.
const CAUSE: &str = "user_barred";

impl Devices {
    /// Refuses what would be for somebody who is unknown or kept out. Asked before the change that makes a code or gives tokens: such a
    /// change and [`Self::revoke_barred`] write the same row, so whoever is kept out after the answer has those tokens revoked.
    pub(crate) async fn welcome(&self, tenant: TenantId, user: Option<UserId>) -> Result<()> {
        match user {
            Some(user) if !self.inner.people.is_welcome(tenant, user).await? => Err(errors::user_barred()),
            _ => Ok(()),
        }
    }

    /// Ends the enrolment codes that were made for a person, and revokes the tokens of their phones.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn revoke_barred(&self, user: UserId, reason: &str, run: &Run) -> Result<()> {
        let tenant = run.actor.tenant;
        let actor = run.system(tenant);
        self.end_codes(&actor, user, reason).await?;
        for id in store::devices::of_user(&self.backends().db, tenant, user).await? {
            self.revoke_tokens(&actor, actions::REVOKE_BARRED, id, (CAUSE, reason), Some(run.job)).await?;
        }
        Ok(())
    }

    async fn end_codes(&self, actor: &Actor, user: UserId, reason: &str) -> Result<()> {
        let mut change = Change::begin(self.backends(), actor, actions::END_CODES).await?;
        let ended = store::codes::end_of_user(&mut change, user).await?;
        if ended == 0 {
            return Ok(());
        }
        change.subject("user", user);
        change.detail(json!({ "codes": ended }));
        change.reason(reason);
        change.commit().await
    }
}
