//! Security Event Tokens (RFC 8417) as SSF 1.0 wants them: signed with RS256, one event each, with `sub_id` and without `sub` or `exp`.

use backends::{Algorithm, Keys};
use base::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};

use crate::model::{Held, Stream};

/// The name of these keys in the key store.
pub(crate) const PURPOSE: &str = "ssf";
const TYPE: &str = "secevent+jwt";

/// The signed token of one event for one stream. It is signed when it is sent, by the key that signs then; `jti` stays the same.
pub(crate) async fn sign(keys: &Keys, issuer: &str, stream: &Stream, held: &Held) -> Result<String> {
    let signer = keys.signer(PURPOSE, Algorithm::Rs256).await?;
    let header = json!({ "alg": signer.algorithm.as_str(), "kid": signer.kid, "typ": TYPE });
    let claims = json!({
        "iss": issuer, "aud": stream.audience(issuer), "jti": held.id, "iat": held.created_at.seconds(), "txn": held.transaction,
        "sub_id": held.subject, "events": { held.event.as_str(): held.claims },
    });
    let claims = serde_json::to_vec(&claims).map_err(|cause| Error::internal("an event cannot be written").because(cause))?;
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    let signature = keys.sign(&signer, message.as_bytes()).await?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The key set at `jwks_uri` (RFC 7517).
pub(crate) async fn jwks(keys: &Keys) -> Result<Json> {
    // A receiver may read the keys before the first event.
    keys.signer(PURPOSE, Algorithm::Rs256).await?;
    let keys: Vec<Json> = keys
        .public(PURPOSE)
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
