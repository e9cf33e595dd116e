//! Verification keys, from JWK (RFC 7517) or SubjectPublicKeyInfo. Each key stands for exactly one algorithm.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::JoseError;
use crate::apple::sha256;
use crate::certificate::{KeyKind, PublicKey};

/// Signature algorithms, all asymmetric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the registry (RFC 7518, RFC 8037)")]
pub enum Algorithm {
    Es256,
    Es384,
    Es512,
    EdDsa,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
}

impl Algorithm {
    const ALL: [Self; 10] =
        [Self::Es256, Self::Es384, Self::Es512, Self::EdDsa, Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Ps384, Self::Ps512];

    /// Name as headers write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    /// The algorithm of this name; `none` and everything symmetric has none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }

    fn direct(self) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match self {
            Self::Es256 => &ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &ECDSA_P384_SHA384_FIXED,
            Self::Es512 => &ECDSA_P521_SHA512_FIXED,
            Self::EdDsa => &ED25519,
            other => return other.rsa().map(|parameters| parameters as &'static dyn VerificationAlgorithm),
        })
    }
}

#[derive(Clone, Debug)]
enum Material {
    /// A point, an Ed25519 key, or an RSAPublicKey.
    Bits(Vec<u8>),
    /// Modulus and exponent.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// A public key with the one algorithm it is for.
#[derive(Clone, Debug)]
pub struct VerificationKey {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Its name; a header that names another is refused.
    pub kid: Option<String>,
    /// Thumbprint by RFC 7638, base64url of SHA-256; only of keys that came as JWK.
    pub thumbprint: Option<String>,
    material: Material,
}

impl VerificationKey {
    /// A key out of a certificate or a SubjectPublicKeyInfo.
    pub fn new(key: &PublicKey, algorithm: Algorithm) -> Result<Self, JoseError> {
        let fits = match key.kind {
            KeyKind::P256 => algorithm == Algorithm::Es256,
            KeyKind::P384 => algorithm == Algorithm::Es384,
            KeyKind::P521 => algorithm == Algorithm::Es512,
            KeyKind::Ed25519 => algorithm == Algorithm::EdDsa,
            KeyKind::Rsa => algorithm.rsa().is_some(),
            _ => false,
        };
        if !fits {
            return Err(JoseError::Algorithm(algorithm.name().to_owned()));
        }
        Ok(Self { algorithm, kid: None, thumbprint: None, material: Material::Bits(key.bits.clone()) })
    }

    /// A key out of a JWK, for this algorithm. A JWK with private parts is refused.
    pub fn from_jwk(jwk: &Map<String, Value>, algorithm: Algorithm) -> Result<Self, JoseError> {
        if let Some(name) = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().find(|name| jwk.contains_key(**name)) {
            return Err(JoseError::Key(format!("private part {name}")));
        }
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).ok_or_else(|| JoseError::Key(format!("{name} is missing")));
        let bytes = |name: &str| text(name).and_then(|text| super::header::decode(text, name));
        if jwk.get("alg").is_some_and(|own| own.as_str() != Some(algorithm.name()))
            || jwk.get("use").is_some_and(|own| own.as_str() != Some("sig"))
        {
            return Err(JoseError::Key("made for something else".to_owned()));
        }
        let curve = |length: usize| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != length || y.len() != length {
                return Err(JoseError::Key("coordinates of the wrong length".to_owned()));
            }
            Ok(Material::Bits([&[4][..], &x, &y].concat()))
        };
        let (material, canonical) = match (text("kty")?, jwk.get("crv").and_then(Value::as_str), algorithm) {
            ("EC", Some("P-256"), Algorithm::Es256) => (curve(32)?, json!({"crv": "P-256", "kty": "EC", "x": text("x")?, "y": text("y")?})),
            ("EC", Some("P-384"), Algorithm::Es384) => (curve(48)?, json!({"crv": "P-384", "kty": "EC", "x": text("x")?, "y": text("y")?})),
            ("EC", Some("P-521"), Algorithm::Es512) => (curve(66)?, json!({"crv": "P-521", "kty": "EC", "x": text("x")?, "y": text("y")?})),
            ("OKP", Some("Ed25519"), Algorithm::EdDsa) => {
                (Material::Bits(bytes("x")?), json!({"crv": "Ed25519", "kty": "OKP", "x": text("x")?}))
            }
            ("RSA", _, algorithm) if algorithm.rsa().is_some() => {
                (Material::Rsa { n: bytes("n")?, e: bytes("e")? }, json!({"e": text("e")?, "kty": "RSA", "n": text("n")?}))
            }
            _ => return Err(JoseError::Algorithm(algorithm.name().to_owned())),
        };
        let thumbprint = Some(URL_SAFE_NO_PAD.encode(sha256(&[canonical.to_string().as_bytes()])));
        let kid = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { algorithm, kid, thumbprint, material })
    }

    /// Verifies a signature in the form JWS has it.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        let outcome = match (&self.material, self.algorithm.rsa(), self.algorithm.direct()) {
            (Material::Rsa { n, e }, Some(parameters), _) => RsaPublicKeyComponents { n, e }.verify(parameters, message, signature),
            (Material::Bits(bits), _, Some(direct)) => UnparsedPublicKey::new(direct, bits).verify(message, signature),
            _ => return Err(JoseError::Algorithm(self.algorithm.name().to_owned())),
        };
        outcome.map_err(|_| JoseError::Signature)
    }
}

/// Thumbprint of a client certificate as tokens bound by mutual TLS carry it in `cnf.x5t#S256` (RFC 8705).
pub fn certificate_thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(sha256(&[der]))
}
