//! Private keys and data keys. They are sealed on disk and never leave this module: callers sign, seal
//! and open by name. A signing key is published before it signs and keeps verifying until its deadline.
//!
//! The embedded engine is one file, sealed with a key from a passphrase (Argon2id) or from `master.key`
//! beside it. The latter protects a copied database or backup, not a copy of the folder itself.
//! Several processes may share the folder.

mod file;
mod jws;
mod pair;
mod protection;
mod ring;
mod seal;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::{Error, Result, Secret, Time};

use self::file::KeyFile;
use crate::{Clock, errors};

pub use self::pair::{Algorithm, PublicKey};
pub use self::ring::{Rotation, State};

/// The key store.
#[derive(Clone)]
pub struct Keys {
    file: Arc<KeyFile>,
    clock: Clock,
}

/// A key that may sign now, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
}

impl Keys {
    /// Opens the store the URL names (`file:DIR`); the first start creates it.
    ///
    /// # Errors
    /// `Invalid` when the folder is open to others, or for the wrong passphrase or master key.
    pub async fn connect(url: &str, passphrase: Option<&Secret<String>>, clock: &Clock) -> Result<Self> {
        let folder = match url.split_once(':') {
            Some(("file", folder)) if !folder.is_empty() => Path::new(folder).to_path_buf(),
            _ => return Err(errors::unknown_engine("keys", url, "`file:DIR`")),
        };
        let (passphrase, clock) = (passphrase.cloned(), clock.clone());
        let file = blocking(move || KeyFile::open(&folder, passphrase)).await?;
        Ok(Self { file: Arc::new(file), clock })
    }

    /// The key that signs for `purpose` now; the first call makes one.
    ///
    /// # Errors
    /// `Unavailable` when the key file cannot be read or written.
    pub async fn signer(&self, purpose: &str, algorithm: Algorithm) -> Result<Signer> {
        let now = self.clock.now();
        let signer = |kid: String| Signer { kid, algorithm };
        if let Some(kid) = self.file.current()?.active(purpose, algorithm, now) {
            return Ok(signer(kid));
        }
        let (file, purpose) = (Arc::clone(&self.file), purpose.to_owned());
        let kid = blocking(move || {
            file.update(|ring| match ring.active(&purpose, algorithm, now) {
                // Another process was faster.
                Some(kid) => Ok(kid),
                None => ring.create(&purpose, algorithm, now, now),
            })
        });
        Ok(signer(kid.await?))
    }

    /// Signs `message`: raw r‖s for ES256 as JWS wants it, PKCS #1 v1.5 for RS256, 64 bytes for Ed25519.
    ///
    /// # Errors
    /// `NotFound` when the key is gone or past its deadline.
    pub async fn sign(&self, signer: &Signer, message: &[u8]) -> Result<Vec<u8>> {
        self.file.current()?.pair(&signer.kid, self.clock.now())?.sign(message)
    }

    /// Every key that verifies for `purpose`, the one that signs first: soon to sign, signing, retiring.
    ///
    /// # Errors
    /// `Unavailable` when the key file cannot be read.
    pub async fn public(&self, purpose: &str) -> Result<Vec<PublicKey>> {
        Ok(self.file.current()?.public(purpose, self.clock.now()))
    }

    /// Makes the successor of the key that signs for `purpose`: known to verifiers at once, signing
    /// after `publish_for`; its predecessor verifies for `retire_after` more.
    ///
    /// # Errors
    /// `NotFound` when nothing signs for `purpose` yet.
    pub async fn rotate(&self, purpose: &str, publish_for: Duration, retire_after: Duration) -> Result<Rotation> {
        let (file, purpose, now) = (Arc::clone(&self.file), purpose.to_owned(), self.clock.now());
        blocking(move || file.update(|ring| ring.rotate(&purpose, now, publish_for, retire_after))).await
    }

    /// Encrypts with AES-256-GCM under the present data key. `place` (table, column, row) is bound in:
    /// the value opens nowhere else.
    ///
    /// # Errors
    /// `Unavailable` when the key file cannot be read or written.
    pub async fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
        if let Some(sealed) = self.file.current()?.seal(place, plain)? {
            return Ok(sealed);
        }
        self.rotate_data(false).await?;
        self.file.current()?.seal(place, plain)?.ok_or_else(|| Error::internal("there is no data key after making one"))
    }

    /// Decrypts what `seal` made for the same place.
    ///
    /// # Errors
    /// `Invalid` when it was altered, moved, or sealed with keys we do not have.
    pub async fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.file.current()?.open(place, sealed)
    }

    /// Makes a new data key for everything sealed from now on; older values still open. Due before one
    /// key has sealed 2³² values.
    ///
    /// # Errors
    /// `Unavailable` when the key file cannot be written.
    pub async fn rotate_seal(&self) -> Result<()> {
        self.rotate_data(true).await
    }

    /// Whether the key file can be read.
    ///
    /// # Errors
    /// `Unavailable` when it cannot.
    pub async fn ping(&self) -> Result<()> {
        self.file.current().map(drop)
    }

    async fn rotate_data(&self, always: bool) -> Result<()> {
        let (file, now): (_, Time) = (Arc::clone(&self.file), self.clock.now());
        blocking(move || {
            file.update(|ring| {
                if always || !ring.has_data_key() {
                    ring.create_data_key(now)?;
                }
                Ok(())
            })
        })
        .await
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Keys(…)")
    }
}

/// Disk, Argon2 and RSA generation would hold up everything else on the thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(cause) => Err(Error::internal("work on the key file panicked").because(cause)),
    }
}
