//! Access tokens: signed by the key store, verified here. The algorithm comes from our own key, never from the token;
//! time comes from the injected clock, not from the library's.

use std::time::Duration;

use backends::Backends;
use backends::{Algorithm as KeyAlgorithm, PublicKey};
use base::{Error, Permission, Result, Role, Secret, TenantId, Time, Unit, UserId};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::config::{self, Config};
use crate::errors;
use crate::model::Account;

/// The name of these keys in the key store.
pub(crate) const PURPOSE: &str = "jwt";
/// Most by which clocks may differ (SPEC BR-1).
pub(crate) const SKEW: Duration = Duration::from_secs(30);
/// RFC 9068: keeps other JWTs signed by the same keys from passing as access tokens.
const TYPE: &str = "at+jwt";
/// Longer than any token made here; longer text is not worth decoding.
const LONGEST: usize = 8 * 1024;

/// What an access token says (SPEC PT-10, RFC 9068).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: UserId,
    pub(crate) user_id: UserId,
    pub(crate) username: String,
    pub(crate) tenant: TenantId,
    pub(crate) roles: Vec<Role>,
    pub(crate) permissions: Vec<Permission>,
    /// Absent for who belongs to the whole organisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) units: Vec<Unit>,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    pub(crate) jti: String,
    /// The account's generation; older ones are revoked.
    #[serde(rename = "gen")]
    pub(crate) generation: i64,
}

impl Claims {
    pub(crate) fn new(config: &Config, account: &Account, jti: String, now: Time) -> Self {
        let user = &account.user;
        Self {
            iss: config.issuer.clone(),
            aud: config.audience.clone(),
            sub: user.id,
            user_id: user.id,
            username: user.username.clone(),
            tenant: user.tenant_id,
            roles: user.roles.clone(),
            permissions: user.permissions().into_iter().collect(),
            units: user.units.clone(),
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: (now + config.access_ttl()).seconds(),
            jti,
            generation: account.generation,
        }
    }
}

/// The key store's name for the configured algorithm.
pub(crate) const fn key_algorithm(algorithm: config::Algorithm) -> KeyAlgorithm {
    match algorithm {
        config::Algorithm::ES256 => KeyAlgorithm::Es256,
        config::Algorithm::RS256 => KeyAlgorithm::Rs256,
    }
}

/// The compact JWS of the claims.
pub(crate) async fn sign(backends: &Backends, config: &Config, claims: &Claims) -> Result<Secret<String>> {
    let signed = backends.keys.sign_jws(PURPOSE, key_algorithm(config.algorithm), TYPE, claims).await?;
    Ok(Secret::new(signed))
}

/// The claims of a token that is ours, meant for us and in its time. Revocation is the caller's question.
pub(crate) async fn verify(backends: &Backends, config: &Config, token: &str) -> Result<Claims> {
    if token.len() > LONGEST {
        return Err(errors::token());
    }
    let header = decode_header(token).map_err(|_| errors::token())?;
    let is_ours = header.typ.as_deref() == Some(TYPE) && header.crit.is_none() && header.zip.is_none() && header.enc.is_none();
    let kid = header.kid.filter(|_| is_ours).ok_or_else(errors::token)?;
    let keys = backends.keys.public(PURPOSE).await?;
    let key = keys.iter().find(|key| key.kid == kid).ok_or_else(errors::token)?;
    let algorithm = algorithm(key)?;
    let jwk: Jwk = serde_json::from_value(key.jwk.clone()).map_err(|cause| Error::internal("our own key is no JWK").because(cause))?;
    let decoding = DecodingKey::from_jwk(&jwk).map_err(|cause| Error::internal("our own key cannot be read").because(cause))?;
    let claims = decode::<Claims>(token, &decoding, &validation(config, algorithm)).map_err(|_| errors::token())?.claims;
    check_times(&claims, config, backends.clock.now())?;
    if claims.sub != claims.user_id { Err(errors::token()) } else { Ok(claims) }
}

/// Keys of other algorithms may share the purpose some day; they sign no access token.
fn algorithm(key: &PublicKey) -> Result<Algorithm> {
    match key.algorithm {
        KeyAlgorithm::Es256 => Ok(Algorithm::ES256),
        KeyAlgorithm::Rs256 => Ok(Algorithm::RS256),
        KeyAlgorithm::Ed25519 => Err(errors::token()),
    }
}

fn validation(config: &Config, algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[&config.issuer]);
    validation.set_audience(&[&config.audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    // The library would ask the system's clock and allow a minute.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

fn check_times(claims: &Claims, config: &Config, now: Time) -> Result<()> {
    let (early, late) = ((now - SKEW).seconds(), (now + SKEW).seconds());
    let life = i64::try_from(config.access_ttl_seconds).unwrap_or(i64::MAX);
    let is_in_time = claims.exp > early && claims.nbf <= late && claims.iat <= late;
    // A token that claims a longer life than any we give out was not made by this code.
    let is_short = claims.exp.checked_sub(claims.iat).is_some_and(|lived| (0..=life.max(86_400)).contains(&lived));
    if is_in_time && is_short { Ok(()) } else { Err(errors::token()) }
}

/// The key set for `/internal/.well-known/jwks.json` (RFC 7517).
pub(crate) async fn jwks(backends: &Backends) -> Result<Json> {
    backends.keys.jwk_set(PURPOSE).await
}
