//! The log's own key: signs checkpoints, plain and with the time. Public halves are kept in the log's tables for ever,
//! because a checkpoint must verify long after its key was retired.

use std::time::Duration;

use backends::{Algorithm, Backends, Rotation, Signer};
use base::{Actor, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use serde_json::json;

use crate::note::{Checkpoint, VerifierKey};
use crate::{Audit, Change, actions};

const PURPOSE: &str = "audit";
/// How long an old key stays in the key store after its successor signs.
const RETIREMENT: Duration = Duration::from_secs(24 * 3600);

impl Audit {
    /// Brings in a new key, which signs the next checkpoint.
    ///
    /// # Errors
    /// `Forbidden` without the permission, else the key store's.
    pub async fn rotate_keys(&self, actor: &Actor) -> Result<Rotation> {
        let mut change = Change::begin(&self.backends, actor, actions::ROTATE_KEYS).await?;
        // The first rotation may come before the first checkpoint.
        Log::open(&self.backends).await?;
        let rotation = self.backends.keys.rotate(PURPOSE, Duration::ZERO, RETIREMENT).await?;
        change.subject("key", &rotation.kid);
        change.detail(json!({ "previous": rotation.previous, "signs_from": rotation.active_at }));
        change.commit().await?;
        Ok(rotation)
    }
}

/// The key that signs now.
pub(crate) struct Log {
    signer: Signer,
}

impl Log {
    /// The active key, made on first use.
    pub(crate) async fn open(backends: &Backends) -> Result<Self> {
        Ok(Self { signer: backends.keys.signer(PURPOSE, Algorithm::Ed25519).await? })
    }

    /// The public half under the log's name.
    pub(crate) async fn verifier(&self, backends: &Backends, origin: &str) -> Result<VerifierKey> {
        let keys = backends.keys.public(PURPOSE).await?;
        let key = keys.iter().find(|key| key.kid == self.signer.kid);
        let raw = key.and_then(|key| key.jwk.get("x")?.as_str()).and_then(|x| URL_SAFE_NO_PAD.decode(x).ok());
        let key = raw.and_then(|raw| raw.try_into().ok()).ok_or_else(|| Error::internal("the audit key has no Ed25519 public half"))?;
        Ok(VerifierKey { name: origin.to_owned(), key })
    }

    /// The checkpoint as a signed note: one plain signature, one that also binds the time.
    pub(crate) async fn sign(&self, backends: &Backends, key: &VerifierKey, checkpoint: &Checkpoint, seconds: u64) -> Result<String> {
        let plain = backends.keys.sign(&self.signer, checkpoint.text().as_bytes()).await?;
        let timed = backends.keys.sign(&self.signer, checkpoint.timed_text(seconds).as_bytes()).await?;
        Ok(format!("{}\n{}{}", checkpoint.text(), key.plain_line(&plain), key.timed_line(seconds, &timed)))
    }
}
