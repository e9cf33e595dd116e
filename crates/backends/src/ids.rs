//! The one place that draws chance: time-ordered ids and unguessable secrets.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base::{Error, Id, Result, Secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Draws ids and secrets.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    random: SystemRandom,
}

impl Ids {
    /// The next id (UUIDv7: later ids sort after earlier ones of this process).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the replacement the lint points at")]
    pub fn next<T>(&self) -> Id<T> {
        Id::from_uuid(Uuid::now_v7())
    }

    /// `bytes` random bytes as URL-safe base64 text.
    ///
    /// # Errors
    /// `Internal` when the operating system gives no randomness.
    pub fn secret(&self, bytes: usize) -> Result<Secret<String>> {
        let mut buffer = vec![0_u8; bytes];
        self.random.fill(&mut buffer).map_err(|_| Error::internal("the system gives no random bytes"))?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(&buffer)))
    }
}
