//! Security Event Tokens (RFC 8417) as SSF 1.0 wants them: signed with RS256, one event each, with `sub_id` and without `sub` or `exp`.

use backends::{Algorithm, Keys};
use base::Result;
use serde_json::{Value as Json, json};

use crate::model::{Held, Stream};

/// The name of these keys in the key store.
pub(crate) const PURPOSE: &str = "ssf";
const TYPE: &str = "secevent+jwt";

/// The signed token of one event for one stream. It is signed when it is sent, by the key that signs then; `jti` stays the same.
pub(crate) async fn sign(keys: &Keys, issuer: &str, stream: &Stream, held: &Held) -> Result<String> {
    let claims = json!({
        "iss": issuer, "aud": stream.audience(issuer), "jti": held.id, "iat": held.created_at.seconds(), "txn": held.transaction,
        "sub_id": held.subject, "events": { held.event.as_str(): held.claims },
    });
    keys.sign_jws(PURPOSE, Algorithm::Rs256, TYPE, &claims).await
}

/// The key set at `jwks_uri` (RFC 7517).
pub(crate) async fn jwks(keys: &Keys) -> Result<Json> {
    // A receiver may read the keys before the first event.
    keys.signer(PURPOSE, Algorithm::Rs256).await?;
    keys.jwk_set(PURPOSE).await
}
