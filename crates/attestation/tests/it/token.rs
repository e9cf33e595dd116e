//! Tokens made to measure, honest and dishonest.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use attestation::jose::{Algorithm, VerificationKey};

/// Base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An ES256 key and its public JWK.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    pub(crate) jwk: Map<String, Value>,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])});
        Self { jwk: jwk.as_object().unwrap().clone(), pair }
    }

    pub(crate) fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn key(&self) -> VerificationKey {
        VerificationKey::from_jwk(&self.jwk, Algorithm::Es256).unwrap()
    }

    pub(crate) fn signature(&self, message: &str) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
    }

    /// A signed token with exactly these bytes as its header.
    pub(crate) fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.signature(&message));
        format!("{message}.{signature}")
    }
}

/// Encrypts for A256KW and A256GCM with exactly these bytes as header.
pub(crate) fn encrypt(header: &str, kek: &[u8; 32], content: &str) -> String {
    let (content_key, iv) = ([3; 32], [4; 12]);
    let mut wrapped = [0; 40];
    let wrapped = AesKek::new(&AES_256, kek).unwrap().wrap(&content_key, &mut wrapped).unwrap().to_vec();
    let header = encode(header);
    let mut sealed = content.as_bytes().to_vec();
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).unwrap())
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::from(header.as_bytes()), &mut sealed)
        .unwrap();
    let (ciphertext, tag) = sealed.split_at(sealed.len() - 16);
    [header, encode(wrapped), encode(iv), encode(ciphertext), encode(tag)].join(".")
}

/// The DER form of a fixed-length ECDSA signature.
pub(crate) fn as_der(fixed: &[u8]) -> Vec<u8> {
    let number = |half: &[u8]| {
        let digits: Vec<u8> = half.iter().copied().skip_while(|byte| *byte == 0).collect();
        let pad: &[u8] = if digits.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
        let content = [pad, &digits].concat();
        [vec![2, content.len() as u8], content].concat()
    };
    let content = [number(&fixed[..32]), number(&fixed[32..])].concat();
    [vec![0x30, content.len() as u8], content].concat()
}
