//! A person was locked out or removed: nothing that their phones hold counts any more, and they get nothing new.

use audit::Change;
use backends::Run;
use base::{Actor, Result, UserId};
use serde_json::json;

use super::Devices;
use crate::model::Device;
use crate::{actions, errors, store};

/// What chains of refresh tokens say of their end, before the job that ended them.
const CAUSE: &str = "user_barred";

impl Devices {
    /// Refuses a phone whose person is kept out. Asked before the change that gives tokens: such a change and [`Self::revoke_barred`]
    /// write the same row, so whoever is kept out after the answer has those tokens revoked.
    pub(crate) async fn welcome(&self, device: &Device) -> Result<()> {
        match device.user_id {
            Some(user) if !self.inner.people.is_welcome(device.tenant, user).await? => Err(errors::user_barred()),
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
        // Should this run twice, the second must not take what a phone got since, when its person was let in again.
        let cause = format!("{CAUSE} {}", run.job);
        let db = &self.backends().db;
        for id in store::devices::of_user(db, tenant, user).await? {
            if !store::families::has_ended(db, tenant, id, &cause).await? {
                self.revoke_tokens(&actor, actions::REVOKE_BARRED, id, (&cause, reason)).await?;
            }
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
