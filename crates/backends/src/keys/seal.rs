//! AES-256-GCM with a random nonce in front. One key must not seal more than 2³² values.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base::{Error, Result, Secret};

/// The bytes of an AES-256 key.
pub(super) type Key = Secret<[u8; 32]>;

/// Nonce, ciphertext and tag.
pub(super) fn seal(key: &Key, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let failed = |_| Error::internal("AES-256-GCM cannot seal");
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map_err(failed)?;
    let mut sealed = plain.to_vec();
    let nonce = cipher.seal_in_place_append_tag(Aad::from(bound), &mut sealed).map_err(failed)?;
    sealed.splice(0..0, nonce.as_ref().iter().copied());
    Ok(sealed)
}

/// What `seal` sealed, or nothing when key, bound data or bytes differ.
pub(super) fn open(key: &Key, bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.expose()).ok()?;
    let mut text = text.to_vec();
    let length = cipher.open_in_place(nonce, Aad::from(bound), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}
