//! Proofs of possession with each request: about this request, by a key, carrying a nonce of ours, once. Our nonce makes the phone's
//! clock irrelevant; it follows from a key, the time and the life of the hot store, so every node knows it and nothing is kept. No proof
//! from another life is taken: that store may have forgotten that it was used.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use attestation::dpop::{Demand, Proof, ProofError, verify};
use attestation::jose::Algorithm as JoseAlgorithm;
use aws_lc_rs::digest::{SHA256, digest};
use backends::{Algorithm, Backends};
use base::{Result, Time};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use url::Url;

use crate::errors;
use crate::token::sha256;

/// Seconds that one nonce is given out.
const WINDOW: i64 = 120;
/// How long a used proof is remembered: longer than its nonce is taken.
const REMEMBERED: Duration = Duration::from_secs(3 * WINDOW as u64);
const PURPOSE: &str = "device-nonce";
/// Longer text is no proof.
const LONGEST: usize = 4 * 1024;

/// What a request brought.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The proof, as the `DPoP` header carries it.
    pub proof: Option<String>,
    /// The access token, as `Authorization: DPoP` carries it.
    pub token: Option<String>,
    /// Method of the request.
    pub method: String,
    /// `Host` of the request, for when the configuration names no public address.
    pub host: Option<String>,
    /// Path of the request as the phone sent it.
    pub path: String,
    /// Whether it came to a listener of its own, whose address is what `host` says and not the configured one.
    pub is_direct: bool,
}

/// The nonces of proofs.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    made: Mutex<Vec<Made>>,
}

/// A nonce of this window and life.
#[derive(Debug)]
struct Made {
    window: i64,
    life: Arc<str>,
    nonce: String,
}

impl Nonces {
    /// The nonce to give out at `now`.
    pub(crate) async fn at(&self, backends: &Backends, now: Time) -> Result<String> {
        self.of(backends, &backends.hot.life(), now.seconds().div_euclid(WINDOW)).await
    }

    async fn of(&self, backends: &Backends, life: &Arc<str>, window: i64) -> Result<String> {
        if let Some(nonce) = self.remembered(life, window) {
            return Ok(nonce);
        }
        let signer = backends.keys.signer(PURPOSE, Algorithm::Ed25519).await?;
        let message = format!("tyrian dpop nonce v2 {window} {life}");
        let signature = backends.keys.sign(&signer, message.as_bytes()).await?;
        let nonce = URL_SAFE_NO_PAD.encode(digest(&SHA256, &signature));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push(Made { window, life: Arc::clone(life), nonce: nonce.clone() });
        if made.len() > 4 {
            made.remove(0);
        }
        Ok(nonce)
    }

    fn remembered(&self, life: &Arc<str>, window: i64) -> Option<String> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().find(|own| own.window == window && own.life == *life).map(|own| own.nonce.clone())
    }

    /// Whether this nonce was given out lately, in this life.
    async fn knows(&self, backends: &Backends, life: &Arc<str>, now: Time, nonce: &str) -> Result<bool> {
        let window = now.seconds().div_euclid(WINDOW);
        Ok(self.of(backends, life, window).await? == nonce || self.of(backends, life, window - 1).await? == nonce)
    }
}

/// What a proof says of itself before its signature is looked at.
#[derive(Deserialize)]
struct Claimed {
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    htu: String,
}

/// Checks the proof of a request, once. `thumbprint` is the key it must be by.
pub(crate) async fn check(
    backends: &Backends,
    nonces: &Nonces,
    public_url: Option<&Url>,
    presented: &Presented,
    thumbprint: Option<&str>,
) -> Result<Proof> {
    let proof = presented.proof.as_deref().filter(|proof| proof.len() <= LONGEST).ok_or_else(|| errors::proof("there is none"))?;
    let claimed = claimed(proof).ok_or_else(|| errors::proof("it is no signed token"))?;
    let now = backends.clock.now();
    let nonce = claimed.nonce.as_deref().unwrap_or_default();
    // Told before the signature costs anything: every first request of a phone comes this way.
    let life = backends.hot.life();
    if !nonces.knows(backends, &life, now, nonce).await? {
        return Err(errors::use_nonce());
    }
    let url = address(public_url.filter(|_| !presented.is_direct), presented, &claimed.htu)
        .ok_or_else(|| errors::proof("the request has no address"))?;
    let mut demand = Demand::new(now.to_chrono(), &presented.method, &url);
    demand.access_token = presented.token.as_deref();
    demand.thumbprint = thumbprint;
    demand.nonce = Some(nonce);
    demand.algorithms = &[JoseAlgorithm::Es256];
    let proof = verify(proof, &demand).map_err(|error| match error {
        ProofError::Nonce => errors::use_nonce(),
        other => errors::proof(other),
    })?;
    let key = format!("nonce:dpop:{}:{}", proof.thumbprint, sha256(&proof.jti));
    let is_first = backends.hot.claim(&key, REMEMBERED).await?;
    // The store that was asked may have taken the place of the one that knew.
    match (is_first, backends.hot.life() == life) {
        (true, true) => Ok(proof),
        (true, false) => Err(errors::use_nonce()),
        (false, _) => Err(errors::proof_used()),
    }
}

fn claimed(proof: &str) -> Option<Claimed> {
    let payload = proof.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The address the proof must be about: the public one when it is configured, else what `Host` says, encrypted or not.
fn address(public_url: Option<&Url>, presented: &Presented, htu: &str) -> Option<Url> {
    let Some(public) = public_url else {
        let scheme = if htu.starts_with("https:") { "https" } else { "http" };
        return Url::parse(&format!("{scheme}://{}{}", presented.host.as_deref()?, presented.path)).ok();
    };
    let mut url = public.clone();
    url.set_path(&presented.path);
    Some(url)
}
