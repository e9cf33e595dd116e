//! The parts of JOSE that tokens about devices need (RFC 7515, 7516, 7517, 7638), compact form only.
//!
//! The key decides the algorithm, never the header. A header that points elsewhere for a key, asks for an
//! extension, or says a thing twice is refused before any cryptography.

mod header;
mod json;
mod jwe;
mod jwk;
mod jws;

pub use jwe::{DecryptionKey, decrypt};
pub use jwk::{Algorithm, VerificationKey, certificate_thumbprint};
pub use jws::{Signed, verify};

pub(crate) use header::{Embedded, Header, split};
pub(crate) use json::object;
pub(crate) use jws::check as check_signature;

/// Bytes of one token that are read.
pub const TOKEN_BYTES: usize = 64 << 10;

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoseError {
    /// The token is longer than is read.
    #[error("the token is over {TOKEN_BYTES} bytes")]
    TooLarge,
    /// The bytes are not a token in compact form.
    #[error("not a token: {0}")]
    Malformed(String),
    /// A header parameter that is not accepted.
    #[error("header parameter {0} is not accepted")]
    Header(String),
    /// The algorithm is not the one of the key.
    #[error("algorithm {0} is not accepted for this key")]
    Algorithm(String),
    /// No key fits.
    #[error("no key: {0}")]
    Key(String),
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// The content cannot be decrypted with the key.
    #[error("the content cannot be decrypted with this key")]
    Decryption,
}
