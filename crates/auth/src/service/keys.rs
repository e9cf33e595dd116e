//! The keys that sign access tokens.

use std::time::Duration;

use audit::Change;
use base::{Actor, Result};
use serde::Serialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::Auth;
use crate::{actions, jwt};

/// What a rotation did.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = KeyRotation)]
pub struct Rotated {
    /// The key that signed until now and still verifies for a while.
    #[schema(max_length = 128)]
    pub previous: String,
    /// The key that will sign once every verifier has had time to fetch it.
    #[schema(max_length = 128)]
    pub next: String,
    /// When it begins to sign.
    pub signs_from: base::Time,
}

impl Auth {
    /// The public keys of access tokens, as a JWK set.
    ///
    /// # Errors
    /// The key store's.
    pub async fn jwks(&self) -> Result<Json> {
        self.backends().keys.signer(jwt::PURPOSE, jwt::key_algorithm(self.config().algorithm)).await?;
        jwt::jwks(self.backends()).await
    }

    /// Brings in a new signing key: published first, signing later; the old one verifies until its last token has ended.
    ///
    /// # Errors
    /// `Forbidden` without the permission, else the key store's.
    pub async fn rotate_keys(&self, actor: &Actor) -> Result<Rotated> {
        let mut change = Change::begin(self.backends(), actor, actions::ROTATE_KEYS).await?;
        let keys = &self.backends().keys;
        // The first rotation may come before the first token.
        keys.signer(jwt::PURPOSE, jwt::key_algorithm(self.config().algorithm)).await?;
        let publish_for = Duration::from_secs(self.config().key_publish_seconds);
        let rotation = keys.rotate(jwt::PURPOSE, publish_for, self.config().access_ttl() + jwt::SKEW * 2).await?;
        let rotated = Rotated { previous: rotation.previous, next: rotation.kid, signs_from: rotation.active_at };
        change.subject("key", &rotated.next);
        change.detail(json!({ "previous": rotated.previous, "signs_from": rotated.signs_from }));
        change.commit().await?;
        Ok(rotated)
    }
}
