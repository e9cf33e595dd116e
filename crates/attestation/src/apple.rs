//! Apple App Attest: is this key in the secure enclave of a genuine device, made by this application
//! (<https://developer.apple.com/documentation/devicecheck/validating-apps-that-connect-to-your-server>).
//!
//! An attestation introduces a key once; assertions by that key follow, each with a higher counter.

mod assertion;
mod attestation;
mod authenticator;

use aws_lc_rs::digest::{SHA256, digest};

pub use assertion::{AssertionPolicy, verify as verify_assertion};
pub use attestation::{AttestationPolicy, verify as verify_attestation};
pub use authenticator::Environment;

use crate::certificate::trimmed;
use crate::errors::Unreadable;
use crate::report::Finding;

/// What the application hashed together with the authenticator data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientData {
    /// The SHA-256 of the client data.
    Hash([u8; 32]),
    /// The client data itself: the challenge of an attestation, the request of an assertion.
    Bytes(Vec<u8>),
}

impl ClientData {
    fn hash(&self) -> [u8; 32] {
        match self {
            Self::Hash(hash) => *hash,
            Self::Bytes(bytes) => sha256(&[bytes]),
        }
    }
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &parts.concat()).as_ref());
    out
}

/// The bytes of an object given as CBOR or as base64 of it.
fn object(input: &[u8]) -> Result<Vec<u8>, Unreadable> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let text = trimmed(input)?;
    if text.first().is_some_and(|byte| byte >> 5 == 5) {
        return Ok(input.to_vec());
    }
    let joined: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD
        .decode(&joined)
        .or_else(|_| URL_SAFE_NO_PAD.decode(&joined))
        .map_err(|_| Unreadable::malformed("object", "neither CBOR nor base64"))
}

fn relying_party(hash: &[u8; 32], application: &str) -> Finding {
    if sha256(&[application.as_bytes()]) == *hash {
        Ok(format!("made for {application}"))
    } else {
        Err(format!("made for another application than {application}"))
    }
}
