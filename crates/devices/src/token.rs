//! Tokens of phones: access tokens (RFC 9068) bound to the phone's key (RFC 9449), and refresh tokens that say themselves which chain
//! and place they belong to. A refresh token's signature is deterministic, so its successor can be told twice without being kept.

use attestation::jose::{self, Algorithm as JoseAlgorithm, VerificationKey};
use aws_lc_rs::digest::{SHA256, digest};
use backends::{Algorithm, Keys};
use base::{Error, Id, Result, Role, TenantId, Time, UserId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::{DeviceId, FamilyId};

/// The keys that sign everybody's access tokens.
pub(crate) const ACCESS: &str = "jwt";
/// The keys that sign commands; phones learn them when they enrol.
pub(crate) const COMMANDS: &str = "device-commands";
const REFRESH: &str = "device-refresh";
const ACCESS_TYPE: &str = "at+jwt";
/// `typ` of a signed command.
pub(crate) const COMMAND_TYPE: &str = "tyrian-command+jwt";
/// Longer text is no token of ours.
const LONGEST: usize = 4 * 1024;
const MARK: &str = "tdr_";
const BODY: usize = 16 + 16 + 8;

/// What an access token of a phone says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: DeviceId,
    pub(crate) client_id: DeviceId,
    pub(crate) tenant: TenantId,
    pub(crate) user_id: Option<UserId>,
    pub(crate) roles: Vec<Role>,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    pub(crate) jti: String,
    pub(crate) cnf: Confirmation,
    /// The phone's generation; earlier ones are revoked.
    #[serde(rename = "gen")]
    pub(crate) generation: i64,
}

/// What a token is bound to: the phone's key (RFC 9449), or the certificate of its connection (RFC 8705).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Confirmation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jkt: Option<String>,
    #[serde(default, rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
}

/// A certificate (DER) as `x5t#S256` names it.
pub(crate) fn certificate_thumbprint(certificate: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate))
}

/// An access token of these claims.
pub(crate) async fn access(keys: &Keys, claims: &Claims) -> Result<String> {
    keys.sign_jws(ACCESS, Algorithm::Es256, ACCESS_TYPE, claims).await
}

/// The claims of an access token that one of our keys signed; time and revocation are the caller's question.
pub(crate) async fn read_access(keys: &Keys, token: &str) -> Result<Option<Claims>> {
    if token.len() > LONGEST {
        return Ok(None);
    }
    let mut known = Vec::new();
    for key in keys.public(ACCESS).await?.into_iter().filter(|key| key.algorithm == Algorithm::Es256) {
        let mut jwk = key.jwk;
        jwk["kid"] = Json::String(key.kid);
        let members = jwk.as_object().ok_or_else(|| Error::internal("our own key is no JWK"))?;
        let key = VerificationKey::from_jwk(members, JoseAlgorithm::Es256);
        known.push(key.map_err(|cause| Error::internal("our own key cannot be read").because(cause))?);
    }
    let Ok(signed) = jose::verify(token, &known) else { return Ok(None) };
    if signed.kind.as_deref() != Some(ACCESS_TYPE) || signed.kid.is_none() {
        return Ok(None);
    }
    Ok(serde_json::from_slice::<Claims>(&signed.payload).ok().filter(|claims| claims.sub == claims.client_id))
}

/// The public keys of commands, as a JWK set.
pub(crate) async fn command_keys(keys: &Keys) -> Result<Json> {
    keys.signer(COMMANDS, Algorithm::Es256).await?;
    keys.jwk_set(COMMANDS).await
}

/// What a refresh token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) tenant: TenantId,
    pub(crate) family: FamilyId,
    pub(crate) generation: i64,
}

impl Refresh {
    fn body(self) -> [u8; BODY] {
        let mut body = [0; BODY];
        body[..16].copy_from_slice(self.tenant.uuid().as_bytes());
        body[16..32].copy_from_slice(self.family.uuid().as_bytes());
        body[32..].copy_from_slice(&self.generation.to_be_bytes());
        body
    }

    /// Its text; the same every time it is written by the same key.
    pub(crate) async fn write(self, keys: &Keys) -> Result<String> {
        let signer = keys.signer(REFRESH, Algorithm::Ed25519).await?;
        let body = self.body();
        let signature = keys.sign(&signer, &message(&body)).await?;
        Ok(format!("{MARK}{}", URL_SAFE_NO_PAD.encode([&body[..], &signature].concat())))
    }

    /// The token behind a text, when we wrote it.
    pub(crate) async fn read(keys: &Keys, text: &str) -> Result<Option<Self>> {
        let Some(bytes) = text.strip_prefix(MARK).filter(|text| text.len() < LONGEST).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        else {
            return Ok(None);
        };
        let Some((body, signature)) = bytes.split_first_chunk::<BODY>() else { return Ok(None) };
        let message = message(body);
        let is_ours = keys.public(REFRESH).await?.iter().any(|key| key.verify(&message, signature));
        Ok(is_ours.then(|| Self::of(body)).flatten())
    }

    fn of(body: &[u8; BODY]) -> Option<Self> {
        let id = |from: usize| <[u8; 16]>::try_from(body.get(from..from + 16)?).ok();
        let generation = <[u8; 8]>::try_from(body.get(32..)?).ok()?;
        Some(Self { tenant: tenant(id(0)?), family: family(id(16)?), generation: i64::from_be_bytes(generation) })
    }

    /// `jti` of the hot key `refresh:{user}:{device}:{jti}:{fingerprint_hash}`.
    pub(crate) fn jti(self) -> String {
        format!("{}.{}", self.family, self.generation)
    }
}

fn tenant(bytes: [u8; 16]) -> TenantId {
    Id::from_uuid(uuid::Uuid::from_bytes(bytes))
}

fn family(bytes: [u8; 16]) -> FamilyId {
    Id::from_uuid(uuid::Uuid::from_bytes(bytes))
}

fn message(body: &[u8; BODY]) -> Vec<u8> {
    [b"tyrian device refresh v1".as_slice(), body].concat()
}

/// SHA-256 in lower-case hexadecimal, as tables and hot keys hold it.
pub(crate) fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// When tokens that say `exp` and `nbf` are good; clocks of our own nodes may differ by `skew` seconds (SPEC BR-1).
pub(crate) fn is_timely(claims: &Claims, now: Time, skew: i64) -> bool {
    let now = now.seconds();
    claims.exp > now - skew && claims.nbf <= now + skew && claims.iat <= now + skew
}
