//! Key pairs of the three algorithms and their public halves, as SPKI and as JWK.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use aws_lc_rs::{digest, rand};
use base::{Error, Result, Secret, Time};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::State;

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (JWS `ES256`): the default, and the fastest to sign.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA 3072, PKCS #1 v1.5 with SHA-256 (JWS `RS256`).
    #[serde(rename = "RS256")]
    Rs256,
    /// Ed25519 (JWS `EdDSA`).
    #[serde(rename = "EdDSA")]
    Ed25519,
}

impl Algorithm {
    /// The name in a JWS header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ed25519 => "EdDSA",
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Ed25519 => &ED25519,
        }
    }
}

/// A key as verifiers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// What it verifies.
    pub algorithm: Algorithm,
    /// SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// The members of its JWK: `kty`, and `crv`, `x`, `y` or `n`, `e`.
    pub jwk: Value,
    /// When it signs first.
    pub not_before: Time,
    /// When verifiers must forget it, once that is known.
    pub retire_at: Option<Time>,
    /// Where it is in its life.
    pub state: State,
}

impl PublicKey {
    /// Whether the holder of the private half made this signature.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm.verification(), &self.spki).verify(message, signature).is_ok()
    }
}

/// The private half, ready to sign.
pub(super) enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    /// A new pair as PKCS #8.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Secret<Vec<u8>>> {
        let made: std::result::Result<Vec<u8>, Unspecified> = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| document.as_ref().to_vec()),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa3072)
                .and_then(|pair| AsDer::<Pkcs8V1Der<'_>>::as_der(&pair))
                .map(|der| der.as_ref().to_vec()),
            Algorithm::Ed25519 => Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8()).map(|document| document.as_ref().to_vec()),
        };
        made.map(Secret::new).map_err(|_| Error::internal("a key pair cannot be generated"))
    }

    /// Reads what `generate` made.
    pub(super) fn parse(algorithm: Algorithm, pkcs8: &Secret<Vec<u8>>) -> std::result::Result<Self, KeyRejected> {
        let pkcs8 = pkcs8.expose();
        Ok(match algorithm {
            Algorithm::Es256 => Self::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?),
            Algorithm::Rs256 => Self::Rs256(RsaKeyPair::from_pkcs8(pkcs8)?),
            Algorithm::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8)?),
        })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        let signature = match self {
            Self::Es256(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
            Self::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
        };
        signature.map_err(|_| Error::internal("the key cannot sign"))
    }

    /// The public half as SubjectPublicKeyInfo.
    pub(super) fn spki(&self) -> Result<Vec<u8>> {
        let der: std::result::Result<PublicKeyX509Der<'_>, Unspecified> = match self {
            Self::Es256(pair) => pair.public_key().as_der(),
            Self::Rs256(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
        };
        der.map(|der| der.as_ref().to_vec()).map_err(|_| Error::internal("the public key cannot be encoded"))
    }

    /// The members RFC 7638 requires, which are also all a JWK needs.
    pub(super) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                // Uncompressed point: a marker byte, then both coordinates.
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
                json!({ "crv": "P-256", "kty": "EC", "x": text(x), "y": text(y) })
            }
            Self::Rs256(pair) => {
                let key = pair.public_key();
                let exponent = text(key.exponent().big_endian_without_leading_zero());
                let modulus = text(key.modulus().big_endian_without_leading_zero());
                json!({ "e": exponent, "kty": "RSA", "n": modulus })
            }
            Self::Ed25519(pair) => json!({ "crv": "Ed25519", "kty": "OKP", "x": text(pair.public_key().as_ref()) }),
        }
    }
}

/// RFC 7638: SHA-256 over the JWK's required members in alphabetical order, without white space.
pub(super) fn thumbprint(jwk: &Value) -> String {
    let mut members: Vec<(&String, &Value)> = jwk.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| *name);
    let members: Vec<String> = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let canonical = format!("{{{}}}", members.join(","));
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

/// Fresh random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::internal("the system gives no random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        let jwk = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
        });
        assert_eq!(thumbprint(&jwk), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn every_algorithm_signs_what_its_public_half_verifies() {
        for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Ed25519] {
            let pair = Pair::parse(algorithm, &Pair::generate(algorithm).unwrap()).unwrap();
            let jwk = pair.jwk();
            let key = PublicKey {
                kid: thumbprint(&jwk),
                algorithm,
                spki: pair.spki().unwrap(),
                jwk,
                not_before: Time::default(),
                retire_at: None,
                state: State::Active,
            };
            let signature = pair.sign(b"message").unwrap();
            assert!(key.verify(b"message", &signature), "{algorithm:?}");
            assert!(!key.verify(b"massage", &signature), "{algorithm:?}");
            if algorithm == Algorithm::Es256 {
                assert_eq!(signature.len(), 64);
                assert_eq!(key.jwk["x"].as_str().unwrap().len(), 43);
                assert_eq!(key.jwk["y"].as_str().unwrap().len(), 43);
            }
        }
    }
}
