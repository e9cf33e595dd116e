//! Checked credentials, remembered for seconds in `session:*` and sealed, so that whoever writes to the hot store still cannot
//! become somebody. A change to an account leaves a mark in `user:session:{user_id}` that outlives them. Without the hot store
//! every request asks the database: slower, as right.

use std::time::Duration;

use backends::{Backends, Hot};
use base::{Actor, Time, UserId};
use serde::{Deserialize, Serialize};

/// How long a checked credential is believed: the longest a revocation can go unseen should the hot store fail at that moment.
const BELIEVED: Duration = Duration::from_secs(5);
/// How long the mark of a change stays; longer than anything read before it can be believed.
const MARKED: Duration = Duration::from_secs(60);

/// A credential found good.
#[derive(Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) actor: Actor,
    pub(crate) ends_at: Time,
}

fn grant_key(hash: &str) -> String {
    format!("session:{hash}")
}

fn mark_key(user: UserId) -> String {
    format!("user:session:{user}")
}

/// The actor of a credential (by its SHA-256), when it was found good moments ago and nothing changed since.
pub(crate) async fn recall(backends: &Backends, hash: &str, now: Time) -> Option<Actor> {
    let (hot, key) = (&backends.hot, grant_key(hash));
    let sealed = hot.get(&key).await.ok().flatten()?;
    let grant: Grant = serde_json::from_slice(&backends.keys.open(&key, &sealed).await.ok()?).ok()?;
    let is_changed = hot.get(&mark_key(grant.actor.user?)).await.ok()?.is_some();
    (!is_changed && now < grant.ends_at).then_some(grant.actor)
}

/// Remembers a credential found good.
pub(crate) async fn remember(backends: &Backends, hash: &str, grant: &Grant) {
    let key = grant_key(hash);
    let Ok(bytes) = serde_json::to_vec(grant) else { return };
    let written = match backends.keys.seal(&key, &bytes).await {
        Ok(sealed) => backends.hot.set(&key, &sealed, Some(BELIEVED)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        tracing::debug!(%error, "a checked credential is not remembered");
    }
}

/// Makes everything remembered of this user unbelievable; called after every commit that takes something away.
pub(crate) async fn forget(hot: &Hot, user: UserId) {
    if let Err(error) = hot.set(&mark_key(user), b"changed", Some(MARKED)).await {
        tracing::warn!(%error, %user, "a change to an account may go unseen for {} seconds", BELIEVED.as_secs());
    }
}
