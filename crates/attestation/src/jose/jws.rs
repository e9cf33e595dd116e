//! Signed tokens (RFC 7515): three parts, one of the caller's keys, the algorithm of that key.

use super::header::decode;
use super::{Embedded, Header, JoseError, VerificationKey, split};

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The content, as it was signed.
    pub payload: Vec<u8>,
    /// `typ` of the header.
    pub kind: Option<String>,
    /// `kid` of the header.
    pub kid: Option<String>,
}

/// Verifies a token with the key among `keys` that its header names; unnamed keys fit every header, and a header
/// that names no key fits every key of its algorithm.
pub fn verify(token: &str, keys: &[VerificationKey]) -> Result<Signed, JoseError> {
    let [header, ..] = split::<3>(token)?;
    let header = Header::read(header, Embedded::Refused)?;
    let named = |key: &&VerificationKey| match (&key.kid, &header.kid) {
        (Some(own), Some(asked)) => own == asked,
        _ => true,
    };
    let mut refusal = JoseError::Key(header.kid.clone().unwrap_or_else(|| "none given".to_owned()));
    for key in keys.iter().filter(named) {
        match check(token, &header, key) {
            Ok(payload) => return Ok(Signed { payload, kind: header.kind, kid: header.kid }),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// Verifies a token with one key.
pub(crate) fn check(token: &str, header: &Header, key: &VerificationKey) -> Result<Vec<u8>, JoseError> {
    let [first, payload, signature] = split::<3>(token)?;
    if header.algorithm != key.algorithm.name() || header.encryption.is_some() {
        return Err(JoseError::Algorithm(header.algorithm.clone()));
    }
    let message = format!("{first}.{payload}");
    key.verify(message.as_bytes(), &decode(signature, "signature")?)?;
    decode(payload, "payload")
}
