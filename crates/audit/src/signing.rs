//! The log's own key: signs checkpoints, plain and with the time. Public halves are kept in the log's tables for ever,
//! because a checkpoint must verify long after its key was retired.

use backends::{Algorithm, Backends, Signer};
use base::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::note::{Checkpoint, VerifierKey};

const PURPOSE: &str = "audit";

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
