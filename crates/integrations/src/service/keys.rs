//! The keys that sign event tokens, and how one follows another.

use std::time::Duration;

use audit::Change;
use backends::Algorithm;
use base::{Actor, Result, Time};
use serde::Serialize;
use serde_json::json;

use super::Integrations;
use crate::{actions, token};

/// Receivers read our keys anew within this time at the latest.
const PUBLISHED_FOR: Duration = Duration::from_secs(3_600);
/// Receivers verify what they took from a queue of their own for so long after it was signed.
const VERIFIES_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A new key for event tokens.
#[derive(Debug, Clone, Serialize)]
pub struct Rotated {
    /// The key that signed so far.
    pub previous: String,
    /// Its successor, published from now on.
    pub next: String,
    /// When the successor begins to sign.
    pub signs_from: Time,
}

impl Integrations {
    /// Brings in a new key for event tokens: published first, signing an hour later; the old one verifies for a week more.
    ///
    /// # Errors
    /// `Forbidden` without the permission, else the key store's.
    pub async fn rotate_keys(&self, actor: &Actor) -> Result<Rotated> {
        let mut change = Change::begin(self.backends(), actor, actions::ROTATE_KEYS).await?;
        let keys = &self.backends().keys;
        // The first rotation may come before the first event.
        keys.signer(token::PURPOSE, Algorithm::Rs256).await?;
        let rotation = keys.rotate(token::PURPOSE, PUBLISHED_FOR, VERIFIES_FOR).await?;
        let rotated = Rotated { previous: rotation.previous, next: rotation.kid, signs_from: rotation.active_at };
        change.subject("key", &rotated.next);
        change.detail(json!({ "previous": rotated.previous, "signs_from": rotated.signs_from }));
        change.commit().await?;
        Ok(rotated)
    }
}
