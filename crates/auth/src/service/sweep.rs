//! Deleting what has expired.

use audit::Change;
use base::{Actor, Result};
use serde_json::json;

use super::Auth;
use crate::{actions, store};

impl Auth {
    /// Deletes expired sessions, invitations, revocations and forgotten failures; tells how many rows.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep(&self, actor: &Actor) -> Result<u64> {
        let mut change = Change::begin(self.backends(), actor, actions::SWEEP).await?;
        let gone = store::failures::sweep(&mut change).await?;
        if gone > 0 {
            change.subject("credentials", "expired");
            change.detail(json!({ "rows": gone }));
            change.commit().await?;
        }
        Ok(gone)
    }
}
