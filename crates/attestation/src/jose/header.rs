//! Protected headers: what is accepted is listed, everything else that could change the meaning is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{JoseError, TOKEN_BYTES, object};

/// Whether the header may bring the key itself, which only proofs of possession do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embedded {
    Refused,
    Required,
}

/// A protected header.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) algorithm: String,
    pub(crate) encryption: Option<String>,
    pub(crate) kid: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) jwk: Option<Map<String, Value>>,
}

/// Parameters that name what is inside and change nothing.
const HARMLESS: &[&str] = &["alg", "enc", "kid", "typ", "cty", "jwk", "x5t", "x5t#S256", "iat"];

impl Header {
    pub(crate) fn read(encoded: &str, embedded: Embedded) -> Result<Self, JoseError> {
        let members = object(&decode(encoded, "header")?, "header")?;
        if let Some(name) = members.keys().find(|name| !HARMLESS.contains(&name.as_str())) {
            return Err(JoseError::Header(name.clone()));
        }
        let jwk = match (members.get("jwk"), embedded) {
            (None, Embedded::Refused) => None,
            (Some(Value::Object(jwk)), Embedded::Required) => Some(jwk.clone()),
            _ => return Err(JoseError::Header("jwk".to_owned())),
        };
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(JoseError::Header(name.to_owned())),
        };
        let algorithm = text("alg")?.ok_or_else(|| JoseError::Header("alg".to_owned()))?;
        Ok(Self { algorithm, encryption: text("enc")?, kid: text("kid")?, kind: text("typ")?, jwk })
    }
}

/// The parts of a token in compact form.
pub(crate) fn split<const N: usize>(token: &str) -> Result<[&str; N], JoseError> {
    if token.len() > TOKEN_BYTES {
        return Err(JoseError::TooLarge);
    }
    let parts: Vec<&str> = token.split('.').take(N + 1).collect();
    parts.try_into().map_err(|_| JoseError::Malformed(format!("not {N} parts")))
}

/// Base64url without padding; other alphabets, padding and stray bits are refused.
pub(super) fn decode(encoded: &str, what: &str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| JoseError::Malformed(format!("{what} is not base64url")))
}
