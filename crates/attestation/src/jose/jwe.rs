//! Encrypted tokens (RFC 7516) with a wrapped content key: A128KW or A256KW with A128GCM or A256GCM.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};

use zeroize::Zeroizing;

use super::header::decode;
use super::{Embedded, Header, JoseError, split};

/// A key that unwraps content keys; 16 bytes stand for A128KW, 32 for A256KW.
#[derive(Clone)]
pub struct DecryptionKey(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecryptionKey")
    }
}

impl DecryptionKey {
    /// A key of 16 or 32 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, JoseError> {
        match bytes.len() {
            16 | 32 => Ok(Self(Zeroizing::new(bytes))),
            other => Err(JoseError::Key(format!("{other} bytes, 16 or 32 are needed"))),
        }
    }

    fn algorithm(&self) -> &'static str {
        if self.0.len() == 16 { "A128KW" } else { "A256KW" }
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        let cipher = if self.0.len() == 16 { &AES_128 } else { &AES_256 };
        let mut content_key = Zeroizing::new(vec![0; wrapped.len()]);
        let kek = AesKek::new(cipher, &self.0).map_err(|_| JoseError::Decryption)?;
        let length = kek.unwrap(wrapped, &mut content_key).map_err(|_| JoseError::Decryption)?.len();
        content_key.truncate(length);
        Ok(content_key)
    }
}

/// Decrypts a token; `encryption` is the only content encryption that is accepted.
pub fn decrypt(token: &str, key: &DecryptionKey, encryption: &str) -> Result<Vec<u8>, JoseError> {
    let [first, wrapped, iv, ciphertext, tag] = split::<5>(token)?;
    let header = Header::read(first, Embedded::Refused)?;
    if header.algorithm != key.algorithm() {
        return Err(JoseError::Algorithm(header.algorithm));
    }
    let cipher = match (encryption, header.encryption.as_deref()) {
        ("A128GCM", Some("A128GCM")) => &AES_128_GCM,
        ("A256GCM", Some("A256GCM")) => &AES_256_GCM,
        (_, other) => return Err(JoseError::Algorithm(other.unwrap_or("none").to_owned())),
    };
    let wrapped = decode(wrapped, "encrypted key")?;
    let nonce = Nonce::try_assume_unique_for_key(&decode(iv, "initialization vector")?).map_err(|_| JoseError::Decryption)?;
    let (mut content, tag) = (decode(ciphertext, "ciphertext")?, decode(tag, "tag")?);
    // A shorter tag would be easier to guess; a longer one would be content.
    if tag.len() != 16 || wrapped.len() != cipher.key_len() + 8 {
        return Err(JoseError::Decryption);
    }
    content.extend_from_slice(&tag);
    let content_key = UnboundKey::new(cipher, &key.unwrap(&wrapped)?).map_err(|_| JoseError::Decryption)?;
    let plain = LessSafeKey::new(content_key)
        .open_in_place(nonce, Aad::from(first.as_bytes()), &mut content)
        .map_err(|_| JoseError::Decryption)?
        .len();
    content.truncate(plain);
    Ok(content)
}
