//! A person was locked out or removed: nothing that their phones hold counts any more.

use audit::Change;
use backends::Run;
use base::{Actor, Result, Source, UserId};
use serde_json::json;

use super::Devices;
use crate::{actions, store};

/// What chains of refresh tokens say of their end.
const CAUSE: &str = "user_barred";

impl Devices {
    /// Revokes the tokens of a person's phones.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn revoke_barred(&self, user: UserId, reason: &str, run: &Run) -> Result<()> {
        let tenant = run.actor.tenant;
        let mut actor = Actor::system(tenant, Source::Job);
        actor.origin = run.actor.origin.clone();
        for id in store::devices::of_user(&self.backends().db, tenant, user).await? {
            let mut change = Change::begin(self.backends(), &actor, actions::REVOKE_BARRED).await?;
            store::devices::revoke(&mut change, id).await?;
            store::families::revoke_all(&mut change, id, CAUSE).await?;
            let told = json!({ "reason": reason, "user": user });
            store::timeline::add(&mut change, id, "tokens_revoked", &told).await?;
            change.subject("device", id);
            change.detail(told);
            change.reason(reason);
            let standing = store::devices::standing_in(&mut change, id).await?;
            change.commit().await?;
            self.learned(tenant, standing).await;
        }
        Ok(())
    }
}
