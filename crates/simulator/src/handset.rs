//! What a phone holds: a key that never leaves it, tokens, and the server's nonce. Every request is proven by the key (RFC 9449).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use backends::Clock;
use base::{Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::errors;
use crate::server::{Letter, Reply, Server, Silence};

/// One question of a phone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) body: Option<&'a Bytes>,
}

impl<'a> Ask<'a> {
    /// With the key alone.
    pub(crate) fn keyed(method: &'a Method, path: &'a str, body: Option<&'a Bytes>) -> Self {
        Self { method, path, token: None, code: None, body }
    }
}

/// Tokens of a phone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// Seconds the access token is good for.
    pub(crate) expires_in: u64,
}

impl Tokens {
    pub(crate) fn read(answer: &Json) -> Option<Self> {
        Some(Self {
            access: answer["access_token"].as_str()?.to_owned(),
            refresh: answer["refresh_token"].as_str()?.to_owned(),
            expires_in: answer["expires_in"].as_u64()?,
        })
    }
}

/// A phone's key and what it was told.
pub(crate) struct Handset {
    pair: Arc<EcdsaKeyPair>,
    jwk: Json,
    /// The proof's header, encoded: it is always the same.
    header: String,
    nonce: String,
    /// Seconds by which the phone's clock is wrong.
    pub(crate) skew: i64,
    /// The node it talks to; the next one when that is away.
    pub(crate) node: usize,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn broken(what: &'static str) -> impl FnOnce(aws_lc_rs::error::Unspecified) -> Error {
    move |_| Error::internal(what)
}

impl Handset {
    /// A phone with a new key.
    pub(crate) fn new() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(broken("a key cannot be made"))?;
        let point = pair.public_key().as_ref();
        let (x, y) = (point.get(1..33).unwrap_or_default(), point.get(33..).unwrap_or_default());
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        let header = encode(json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }).to_string());
        Ok(Self { pair: Arc::new(pair), jwk, header, nonce: String::new(), skew: 0, node: 0 })
    }

    /// A copy of it, key and all.
    pub(crate) fn copy(&self) -> Self {
        Self {
            pair: Arc::clone(&self.pair),
            jwk: self.jwk.clone(),
            header: self.header.clone(),
            nonce: self.nonce.clone(),
            skew: self.skew,
            node: self.node,
        }
    }

    /// Its public key.
    pub(crate) fn jwk(&self) -> &Json {
        &self.jwk
    }

    /// Keeps the nonce that the next proof must carry.
    pub(crate) fn learn(&mut self, nonce: Option<&str>) {
        if let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty()) {
            nonce.clone_into(&mut self.nonce);
        }
    }

    /// A proof about a request to `address`, with a token where it carries one.
    pub(crate) fn proof(&self, clock: &Clock, method: &Method, address: &str, token: Option<&str>) -> Result<String> {
        let chance = aws_lc_rs::rand::generate::<[u8; 16]>(&SystemRandom::new()).map_err(broken("there is no chance"))?.expose();
        let mut claims = json!({
            "jti": encode(chance), "htm": method.as_str(), "htu": address, "iat": clock.now().seconds() + self.skew, "nonce": self.nonce,
        });
        if let Some(token) = token {
            claims["ath"] = json!(encode(digest(&SHA256, token.as_bytes())));
        }
        let message = format!("{}.{}", self.header, encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).map_err(broken("a proof cannot be signed"))?;
        Ok(format!("{message}.{}", encode(signature)))
    }

    /// Asks, and once more when the server wants its newest nonce in the proof.
    pub(crate) async fn ask(&mut self, server: &Server, clock: &Clock, ask: Ask<'_>) -> Result<Result<Reply, Silence>> {
        for is_last in [false, true] {
            let url = server.url(ask.path)?;
            let mut address = url.clone();
            address.set_query(None);
            let proof = self.proof(clock, ask.method, address.as_str(), ask.token)?;
            let letter =
                Letter { method: ask.method.clone(), url, proof: &proof, token: ask.token, code: ask.code, body: ask.body.cloned() };
            let reply = match server.send(letter).await {
                Ok(reply) => reply,
                Err(silence) => return Ok(Err(silence)),
            };
            self.learn(reply.nonce.as_deref());
            if is_last || reply.code() != "devices.use_dpop_nonce" {
                return Ok(Ok(reply));
            }
        }
        Err(errors::answer(server.base(), "it asks for a nonce again and again"))
    }
}
