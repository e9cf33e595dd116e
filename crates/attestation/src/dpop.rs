//! Proofs of possession for access tokens (RFC 9449). Pure: that a proof is used once is for the caller,
//! who remembers `jti` for as long as a proof is accepted.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use url::Url;

use crate::apple::sha256;
use crate::jose::{Algorithm, Embedded, Header, JoseError, VerificationKey, check_signature, object, split};

/// Bytes of one proof that are read.
const PROOF_BYTES: usize = 4 << 10;
/// Characters of `jti` that are read.
const IDENTIFIER: usize = 128;

/// What a proof must be about.
#[derive(Clone, Debug)]
pub struct Demand<'d> {
    /// The moment of the request.
    pub at: DateTime<Utc>,
    /// Method of the request.
    pub method: &'d str,
    /// Address of the request; query and fragment do not count.
    pub url: &'d Url,
    /// The access token that came with the request; its hash must be in the proof.
    pub access_token: Option<&'d str>,
    /// Thumbprint of the key the token is bound to (`cnf.jkt`).
    pub thumbprint: Option<&'d str>,
    /// The nonce the server gave out; with it the proof's own clock does not count.
    pub nonce: Option<&'d str>,
    /// Algorithms that are accepted.
    pub algorithms: &'d [Algorithm],
    /// Age over which a proof is refused.
    pub longest_age: TimeDelta,
    /// How far the clock of the client may be ahead.
    pub ahead: TimeDelta,
}

impl<'d> Demand<'d> {
    /// A proof about this request by any ES256 or EdDSA key, at most a minute old and five seconds ahead.
    pub const fn new(at: DateTime<Utc>, method: &'d str, url: &'d Url) -> Self {
        Self {
            at,
            method,
            url,
            access_token: None,
            thumbprint: None,
            nonce: None,
            algorithms: &[Algorithm::Es256, Algorithm::EdDsa],
            longest_age: TimeDelta::seconds(60),
            ahead: TimeDelta::seconds(5),
        }
    }
}

/// A proof that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Identifier, to be accepted once.
    pub jti: String,
    /// Thumbprint of the key (RFC 7638), for `cnf.jkt`.
    pub thumbprint: String,
    /// When the client says it made it.
    pub issued_at: DateTime<Utc>,
}

/// Why a proof is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Not a signed token of the right kind.
    #[error(transparent)]
    Token(#[from] JoseError),
    /// A claim is missing or about something else.
    #[error("claim {0} is missing or about something else")]
    Claim(&'static str),
    /// The proof is too old or from the future.
    #[error("the proof is too old or from the future")]
    Time,
    /// The proof carries no nonce or another one: answer `use_dpop_nonce` with a fresh one.
    #[error("the proof does not carry the expected nonce")]
    Nonce,
    /// The key is not the one the token is bound to.
    #[error("the key is not the one the token is bound to")]
    Binding,
}

/// Verifies one proof.
pub fn verify(proof: &str, demand: &Demand<'_>) -> Result<Proof, ProofError> {
    if proof.len() > PROOF_BYTES {
        return Err(JoseError::TooLarge.into());
    }
    let [first, ..] = split::<3>(proof)?;
    let header = Header::read(first, Embedded::Required)?;
    if header.kind.as_deref() != Some("dpop+jwt") {
        return Err(JoseError::Header("typ".to_owned()).into());
    }
    let algorithm = Algorithm::from_name(&header.algorithm).filter(|algorithm| demand.algorithms.contains(algorithm));
    let algorithm = algorithm.ok_or_else(|| JoseError::Algorithm(header.algorithm.clone()))?;
    let jwk = header.jwk.as_ref().ok_or_else(|| JoseError::Header("jwk".to_owned()))?;
    let key = VerificationKey::from_jwk(jwk, algorithm)?;
    let claims = object(&check_signature(proof, &header, &key)?, "claims")?;
    let thumbprint = key.thumbprint.ok_or(ProofError::Binding)?;
    if demand.thumbprint.is_some_and(|bound| !same(bound, &thumbprint)) {
        return Err(ProofError::Binding);
    }
    about(&claims, demand)?;
    let issued_at = timely(&claims, demand)?;
    let jti = text(&claims, "jti").filter(|jti| (1..=IDENTIFIER).contains(&jti.len())).ok_or(ProofError::Claim("jti"))?;
    Ok(Proof { jti: jti.to_owned(), thumbprint, issued_at })
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name)?.as_str()
}

fn same(own: &str, theirs: &str) -> bool {
    verify_slices_are_equal(own.as_bytes(), theirs.as_bytes()).is_ok()
}

fn about(claims: &Map<String, Value>, demand: &Demand<'_>) -> Result<(), ProofError> {
    if text(claims, "htm") != Some(demand.method) {
        return Err(ProofError::Claim("htm"));
    }
    let address = text(claims, "htu").and_then(|text| Url::parse(text).ok()).map(bare).ok_or(ProofError::Claim("htu"))?;
    if address != bare(demand.url.clone()) {
        return Err(ProofError::Claim("htu"));
    }
    let hash = demand.access_token.map(|token| URL_SAFE_NO_PAD.encode(sha256(&[token.as_bytes()])));
    match (hash, text(claims, "ath")) {
        (Some(hash), Some(own)) if same(&hash, own) => Ok(()),
        (None, None) => Ok(()),
        _ => Err(ProofError::Claim("ath")),
    }
}

/// The address as RFC 9449 compares it: normalised, without user, query and fragment.
fn bare(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    url
}

fn timely(claims: &Map<String, Value>, demand: &Demand<'_>) -> Result<DateTime<Utc>, ProofError> {
    let seconds = claims.get("iat").and_then(|iat| iat.as_i64().or_else(|| iat.as_f64().map(|iat| iat as i64)));
    let issued_at = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(ProofError::Claim("iat"))?;
    if let Some(nonce) = demand.nonce {
        let carried = text(claims, "nonce").is_some_and(|own| same(own, nonce));
        return if carried { Ok(issued_at) } else { Err(ProofError::Nonce) };
    }
    if issued_at > demand.at + demand.ahead || demand.at - issued_at > demand.longest_age {
        return Err(ProofError::Time);
    }
    Ok(issued_at)
}
