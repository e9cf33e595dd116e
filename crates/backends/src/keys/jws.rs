//! The forms in which others read signatures and keys: compact JWS (RFC 7515) and JWK sets (RFC 7517).

use base::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Algorithm, Keys};

impl Keys {
    /// The compact JWS of `content` with the type `kind`, by the key that signs for `purpose` now; the first call makes one.
    ///
    /// # Errors
    /// `Unavailable` when the key file cannot be read or written; `Internal` for content that is no JSON.
    pub async fn sign_jws(&self, purpose: &str, algorithm: Algorithm, kind: &str, content: &impl Serialize) -> Result<String> {
        let signer = self.signer(purpose, algorithm).await?;
        let header = json!({ "alg": signer.algorithm.as_str(), "kid": signer.kid, "typ": kind });
        let content =
            serde_json::to_vec(content).map_err(|cause| Error::internal("what is to be signed cannot be written").because(cause))?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(content));
        let signature = self.sign(&signer, signed.as_bytes()).await?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Every key that verifies for `purpose`, as a JWK set.
    ///
    /// # Errors
    /// `Unavailable` when the key file cannot be read.
    pub async fn jwk_set(&self, purpose: &str) -> Result<Json> {
        let keys: Vec<Json> = self
            .public(purpose)
            .await?
            .into_iter()
            .map(|key| {
                let mut jwk = key.jwk;
                jwk["kid"] = json!(key.kid);
                jwk["alg"] = json!(key.algorithm.as_str());
                jwk["use"] = json!("sig");
                jwk
            })
            .collect();
        Ok(json!({ "keys": keys }))
    }
}
