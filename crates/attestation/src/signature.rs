//! One place that turns the algorithm identifiers of X.509 into a verification of aws-lc-rs.
//! Nothing with SHA-1, nothing below 2048 bits of RSA.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519, ML_DSA_44, ML_DSA_65,
    ML_DSA_87, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};

use crate::certificate::{KeyKind, PublicKey};

/// Verifies `signature` over `message` with the key of the signer; the error says why not.
pub(crate) fn verify(key: &PublicKey, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), String> {
    let verification = select(key.kind, algorithm)
        .ok_or_else(|| format!("signature algorithm {algorithm} does not fit a key of kind {}", key.kind.name()))?;
    UnparsedPublicKey::new(verification, &key.bits).verify(message, signature).map_err(|_| "the signature does not verify".to_owned())
}

fn select(kind: KeyKind, algorithm: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (algorithm, kind) {
        ("1.2.840.113549.1.1.11", KeyKind::Rsa) => &RSA_PKCS1_2048_8192_SHA256,
        ("1.2.840.113549.1.1.12", KeyKind::Rsa) => &RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", KeyKind::Rsa) => &RSA_PKCS1_2048_8192_SHA512,
        ("1.2.840.10045.4.3.2", KeyKind::P256) => &ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", KeyKind::P256) => &ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", KeyKind::P256) => &ECDSA_P256_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", KeyKind::P384) => &ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", KeyKind::P384) => &ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", KeyKind::P384) => &ECDSA_P384_SHA512_ASN1,
        ("1.2.840.10045.4.3.2", KeyKind::P521) => &ECDSA_P521_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", KeyKind::P521) => &ECDSA_P521_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", KeyKind::P521) => &ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", KeyKind::Ed25519) => &ED25519,
        ("2.16.840.1.101.3.4.3.17", KeyKind::MlDsa44) => &ML_DSA_44,
        ("2.16.840.1.101.3.4.3.18", KeyKind::MlDsa65) => &ML_DSA_65,
        ("2.16.840.1.101.3.4.3.19", KeyKind::MlDsa87) => &ML_DSA_87,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{KeyPair, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair};

    #[test]
    fn signatures_of_post_quantum_keys_verify_under_their_own_algorithm_only() {
        let cases = [
            (&ML_DSA_44_SIGNING, KeyKind::MlDsa44, "2.16.840.1.101.3.4.3.17"),
            (&ML_DSA_65_SIGNING, KeyKind::MlDsa65, "2.16.840.1.101.3.4.3.18"),
            (&ML_DSA_87_SIGNING, KeyKind::MlDsa87, "2.16.840.1.101.3.4.3.19"),
        ];
        for (signing, kind, algorithm) in cases {
            let pair = PqdsaKeyPair::generate(signing).unwrap();
            let mut signature = vec![0; signing.signature_len()];
            pair.sign(b"message", &mut signature).unwrap();
            let key = PublicKey { kind, size: 0, bits: pair.public_key().as_ref().to_vec(), spki: Vec::new() };
            assert_eq!(verify(&key, algorithm, b"message", &signature), Ok(()));
            assert!(verify(&key, algorithm, b"another", &signature).is_err());
            assert!(verify(&key, "1.2.840.10045.4.3.2", b"message", &signature).is_err());
        }
    }

    #[test]
    fn weak_algorithms_fit_no_key() {
        for algorithm in ["1.2.840.113549.1.1.5", "1.2.840.113549.1.1.4", "1.2.840.10045.4.1", "1.2.840.113549.1.1.10", ""] {
            for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519, KeyKind::Unknown] {
                assert!(select(kind, algorithm).is_none(), "{algorithm}");
            }
        }
    }
}
