//! The facts of a certificate, read by `x509-parser`.

use std::net::IpAddr;

use serde::Serialize;
use x509_parser::der_parser::der::parse_der_integer;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// A certificate as a server sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateReport {
    /// Distinguished name of the subject.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// Common name of the subject.
    pub common_name: Option<String>,
    /// Serial number in hexadecimal with colons.
    pub serial: String,
    /// Start of validity, seconds since 1970 UTC.
    pub not_before_unix: i64,
    /// End of validity, seconds since 1970 UTC.
    pub not_after_unix: i64,
    /// Names and addresses it stands for.
    pub names: Vec<String>,
    /// Kind of key: `RSA`, `EC`, `Ed25519`, …
    pub key: &'static str,
    /// Size of the key in bits.
    pub key_bits: usize,
    /// Signature algorithm, or its identifier when it has no common name.
    pub signature: String,
    /// True when it is signed with its own key.
    pub self_signed: bool,
    /// True when it may sign others.
    pub authority: bool,
    /// True when it says where its issuer's certificate can be fetched.
    pub names_issuer_url: bool,
    /// SHA-256 of the whole certificate in hexadecimal.
    pub sha256: String,
}

const SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.10", "rsassaPss"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10040.4.3", "dsaWithSHA1"),
    ("2.16.840.1.101.3.4.3.1", "dsa_with_SHA224"),
    ("2.16.840.1.101.3.4.3.2", "dsa_with_SHA256"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.3.14.3.2.29", "sha1WithRSAEncryption"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
];

impl CertificateReport {
    /// Reads DER; nothing when it is not a certificate.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let signature = certificate.signature_algorithm.algorithm.to_id_string();
        let (key, key_bits) = key_of(&certificate);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            common_name: certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned),
            serial: certificate.raw_serial_as_string(),
            not_before_unix: certificate.validity().not_before.timestamp(),
            not_after_unix: certificate.validity().not_after.timestamp(),
            names: names_of(&certificate),
            key,
            key_bits,
            signature: SIGNATURES.iter().find(|(id, _)| *id == signature).map_or(signature.clone(), |(_, name)| (*name).to_owned()),
            self_signed: certificate.subject() == certificate.issuer() && certificate.verify_signature(None).is_ok(),
            authority: certificate.is_ca(),
            names_issuer_url: names_issuer_url(&certificate),
            sha256: hex::encode(digest.as_ref()),
        })
    }

    /// True when the certificate stands for this host.
    pub(super) fn stands_for(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let common_name = self.common_name.as_deref().filter(|_| self.names.is_empty());
        self.names.iter().map(String::as_str).chain(common_name).any(|name| matches_name(&name.to_ascii_lowercase(), &host))
    }
}

/// RFC 9525: a wildcard is the whole first label and stands for exactly one.
fn matches_name(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(domain) => {
            host.parse::<IpAddr>().is_err() && host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == domain)
        }
        None => pattern == host,
    }
}

fn key_of(certificate: &X509Certificate<'_>) -> (&'static str, usize) {
    let info = certificate.public_key();
    match info.algorithm.algorithm.to_id_string().as_str() {
        "1.3.101.112" => return ("Ed25519", 256),
        "1.3.101.113" => return ("Ed448", 456),
        _ => {}
    }
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => ("RSA", rsa_bits(key.modulus)),
        Ok(PublicKey::EC(point)) => ("EC", curve_bits(certificate).unwrap_or(point.key_size())),
        Ok(PublicKey::DSA(_)) => ("DSA", dsa_bits(certificate).unwrap_or(0)),
        Ok(_) | Err(_) => ("unknown", 0),
    }
}

/// The size of a DSA key is that of its prime, the first of the parameters.
fn dsa_bits(certificate: &X509Certificate<'_>) -> Option<usize> {
    let parameters = certificate.public_key().algorithm.parameters.as_ref()?;
    let (_, prime) = parse_der_integer(parameters.data).ok()?;
    Some(rsa_bits(prime.as_slice().ok()?))
}

fn rsa_bits(modulus: &[u8]) -> usize {
    let skipped = modulus.iter().take_while(|byte| **byte == 0).count();
    match modulus.get(skipped) {
        Some(first) => (modulus.len() - skipped) * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

fn curve_bits(certificate: &X509Certificate<'_>) -> Option<usize> {
    let parameters = certificate.public_key().algorithm.parameters.as_ref()?;
    match parameters.as_oid().ok()?.to_id_string().as_str() {
        "1.2.840.10045.3.1.1" => Some(192),
        "1.3.132.0.33" => Some(224),
        "1.2.840.10045.3.1.7" | "1.3.132.0.10" => Some(256),
        "1.3.132.0.34" => Some(384),
        "1.3.132.0.35" => Some(521),
        _ => None,
    }
}

fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
            _ => None,
        })
        .take(200)
        .collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn names_issuer_url(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions().iter().any(|extension| {
        matches!(
            extension.parsed_extension(),
            ParsedExtension::AuthorityInfoAccess(access)
                if access.accessdescs.iter().any(|description| {
                    description.access_method.to_id_string() == "1.3.6.1.5.5.7.48.2"
                })
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wildcard_stands_for_one_label_only() {
        assert!(matches_name("*.example.com", "www.example.com"));
        assert!(!matches_name("*.example.com", "a.www.example.com"));
        assert!(!matches_name("*.example.com", "example.com"));
        assert!(!matches_name("*.0.0.1", "127.0.0.1"));
    }

    #[test]
    fn the_facts_of_a_certificate_are_read() {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["weak.example".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let report = CertificateReport::read(made.der()).unwrap();
        assert_eq!(report.names, ["weak.example", "127.0.0.1"]);
        assert_eq!((report.key, report.key_bits), ("EC", 256));
        assert_eq!(report.signature, "ecdsa-with-SHA256");
        assert!(report.self_signed && !report.authority);
        assert!(report.stands_for("WEAK.example") && !report.stands_for("other.example"));
    }

    proptest! {
        #[test]
        fn garbage_is_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(CertificateReport::read(&bytes).is_none());
        }
    }
}
