//! Authenticator data as App Attest writes it: hash of the application, flags, counter, and in an attestation
//! the environment, the key's name and the key.

use serde::{Deserialize, Serialize};

use crate::cbor::{Map, leading_map};
use crate::errors::Unreadable;

/// Bytes before the attested credential.
const HEAD: usize = 37;
/// Every App Attest credential is named by a SHA-256.
const CREDENTIAL: usize = 32;

/// Which of Apple's servers vouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Applications from the store, or distributed like them.
    Production,
    /// Applications under development.
    Development,
}

impl Environment {
    /// Name as reports write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    fn from_aaguid(aaguid: &[u8]) -> Option<Self> {
        match aaguid {
            b"appattest\0\0\0\0\0\0\0" => Some(Self::Production),
            b"appattestdevelop" => Some(Self::Development),
            _ => None,
        }
    }
}

/// The head that attestations and assertions share.
pub(super) struct Head {
    pub(super) relying_party: [u8; 32],
    pub(super) flags: u8,
    pub(super) counter: u32,
}

/// The credential of an attestation.
pub(super) struct Credential {
    pub(super) environment: Option<Environment>,
    pub(super) id: [u8; CREDENTIAL],
    pub(super) declared_length: u16,
    /// The uncompressed point of the COSE key, when there is a readable one.
    pub(super) point: Option<Vec<u8>>,
}

/// Reads the head; returns what follows it.
pub(super) fn head(bytes: &[u8]) -> Result<(Head, &[u8]), Unreadable> {
    let (head, rest) = bytes.split_at_checked(HEAD).ok_or_else(|| Unreadable::malformed("authenticator data", "too short"))?;
    let mut relying_party = [0; 32];
    relying_party.copy_from_slice(&head[..32]);
    let counter = u32::from_be_bytes([head[33], head[34], head[35], head[36]]);
    Ok((Head { relying_party, flags: head[32], counter }, rest))
}

/// Reads the attested credential. The declared length is told, not used: some systems write it wrongly, and it is always a SHA-256.
pub(super) fn credential(rest: &[u8]) -> Result<Credential, Unreadable> {
    let (fixed, key) =
        rest.split_at_checked(18 + CREDENTIAL).ok_or_else(|| Unreadable::malformed("authenticator data", "no credential"))?;
    let mut id = [0; CREDENTIAL];
    id.copy_from_slice(&fixed[18..]);
    let declared_length = u16::from_be_bytes([fixed[16], fixed[17]]);
    let point = leading_map(key, "credential key").ok().and_then(|(map, _)| point(&map));
    Ok(Credential { environment: Environment::from_aaguid(&fixed[..16]), id, declared_length, point })
}

/// The extensions that newer systems append to an assertion, as JSON.
pub(super) fn extensions(rest: &[u8]) -> Option<serde_json::Value> {
    if rest.is_empty() {
        return None;
    }
    leading_map(rest, "extensions").ok().map(|(map, _)| map.facts())
}

/// A P-256 key of COSE (RFC 9053): kty 2, crv 1, x and y.
fn point(key: &Map) -> Option<Vec<u8>> {
    if key.number(1) != Some(2) || key.number(-1) != Some(1) {
        return None;
    }
    let (x, y) = (key.at(-2)?.as_bytes()?, key.at(-3)?.as_bytes()?);
    (x.len() == 32 && y.len() == 32).then(|| [&[4][..], x, y].concat())
}
