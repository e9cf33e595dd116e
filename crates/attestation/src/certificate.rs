//! Certificates as the verifiers need them: owned, with names and keys laid open. Chains are leaf first.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::errors::Unreadable;
use crate::report::rfc3339;
use crate::signature;

/// Bytes of one certificate that are read.
const CERTIFICATE_BYTES: usize = 16 << 10;
/// Certificates of one chain that are read.
const CHAIN_LENGTH: usize = 10;
/// Bytes of an input that are read.
const INPUT_BYTES: usize = 256 << 10;

/// The kinds of public keys that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, any size.
    Rsa,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// NIST P-224, which signs nothing here.
    P224,
    /// Ed25519.
    Ed25519,
    /// X25519, which signs nothing.
    X25519,
    /// ML-DSA-44 (FIPS 204).
    MlDsa44,
    /// ML-DSA-65 (FIPS 204).
    MlDsa65,
    /// ML-DSA-87 (FIPS 204).
    MlDsa87,
    /// Any other.
    Unknown,
}

impl KeyKind {
    /// Name as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::P224 => "P-224",
            Self::Ed25519 => "Ed25519",
            Self::X25519 => "X25519",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
            Self::Unknown => "unknown",
        }
    }
}

/// A public key out of a SubjectPublicKeyInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// What kind it is.
    pub kind: KeyKind,
    /// Bits of the modulus or of the field; 0 when unknown.
    pub size: usize,
    /// Content of the bit string: an elliptic point, an RSAPublicKey, or raw bytes.
    pub bits: Vec<u8>,
    /// The whole SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, Unreadable> {
        let (rest, spki) =
            SubjectPublicKeyInfo::from_der(der).map_err(|_| Unreadable::malformed("public key", "not a SubjectPublicKeyInfo"))?;
        if !rest.is_empty() {
            return Err(Unreadable::malformed("public key", "bytes follow it"));
        }
        Ok(Self::new(&spki))
    }

    /// Reads a public key as PEM, base64 or DER SubjectPublicKeyInfo, or as a raw uncompressed P-256 point.
    pub fn read(input: &[u8]) -> Result<Self, Unreadable> {
        let text = trimmed(input)?;
        let der = if text.starts_with(b"-----") {
            pem_blocks(text, &["PUBLIC KEY"])?.pop().unwrap_or_default()
        } else {
            // Only text has margins: the last byte of a raw key may look like a space.
            STANDARD.decode(text).unwrap_or_else(|_| input.to_vec())
        };
        if let [4, ..] = der.as_slice()
            && der.len() == 65
        {
            let spki = [P256_PREFIX, &der].concat();
            return Self::from_der(&spki);
        }
        Self::from_der(&der)
    }

    fn new(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        let curve = spki.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok()).map(|oid| oid.to_id_string());
        let (kind, size) = match (spki.algorithm.algorithm.to_id_string().as_str(), curve.as_deref()) {
            ("1.2.840.113549.1.1.1", _) => (KeyKind::Rsa, spki.parsed().map_or(0, |key| key.key_size())),
            ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => (KeyKind::P256, 256),
            ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => (KeyKind::P384, 384),
            ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => (KeyKind::P521, 521),
            ("1.2.840.10045.2.1", Some("1.3.132.0.33")) => (KeyKind::P224, 224),
            ("1.3.101.112", _) => (KeyKind::Ed25519, 256),
            ("1.3.101.110", _) => (KeyKind::X25519, 256),
            ("2.16.840.1.101.3.4.3.17", _) => (KeyKind::MlDsa44, 0),
            ("2.16.840.1.101.3.4.3.18", _) => (KeyKind::MlDsa65, 0),
            ("2.16.840.1.101.3.4.3.19", _) => (KeyKind::MlDsa87, 0),
            _ => (KeyKind::Unknown, 0),
        };
        Self { kind, size, bits: spki.subject_public_key.data.to_vec(), spki: spki.raw.to_vec() }
    }
}

/// Head of the SubjectPublicKeyInfo of an uncompressed P-256 point.
const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];

/// A distinguished name: its DER, its attributes, and how people read it.
#[derive(Clone, Debug)]
pub struct Name {
    raw: Vec<u8>,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Name {
    fn new(name: &X509Name<'_>) -> Self {
        let attributes = name
            .iter_attributes()
            .map(|attribute| {
                let value = attribute.as_str().map_or_else(|_| hex::encode(attribute.as_slice()), str::to_owned);
                (attribute.attr_type().to_id_string(), value)
            })
            .collect();
        Self { raw: name.as_raw().to_vec(), attributes, text: name.to_string() }
    }

    /// The first value of the attribute with this object identifier.
    pub fn attribute(&self, oid: &str) -> Option<&str> {
        self.attributes.iter().find(|(kind, _)| kind == oid).map(|(_, value)| value.as_str())
    }

    /// The same name: byte for byte, or but for case, outer spaces and string kinds, as RFC 5280 compares.
    pub fn matches(&self, other: &Self) -> bool {
        let fold = |(oid, value): &(String, String)| (oid.clone(), value.trim().to_lowercase());
        self.raw == other.raw
            || (self.attributes.len() == other.attributes.len()
                && self.attributes.iter().zip(&other.attributes).all(|(own, theirs)| fold(own) == fold(theirs)))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// One X.509 certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Who it is for.
    pub subject: Name,
    /// Who signed it.
    pub issuer: Name,
    /// Serial number, lower-case hexadecimal without leading zeros.
    pub serial: String,
    /// First moment it is good for.
    pub not_before: DateTime<Utc>,
    /// Last moment it is good for.
    pub not_after: DateTime<Utc>,
    /// The certified key.
    pub key: PublicKey,
    /// Whether it says that its key may sign other certificates.
    pub is_authority: bool,
    signed: Vec<u8>,
    algorithm: String,
    signature: Vec<u8>,
    extensions: Vec<(String, Vec<u8>)>,
}

impl Certificate {
    /// Reads one certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, Unreadable> {
        if der.len() > CERTIFICATE_BYTES {
            return Err(Unreadable::TooLarge { what: "bytes of a certificate", limit: CERTIFICATE_BYTES });
        }
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|cause| Unreadable::malformed("certificate", cause.to_string()))?;
        if !rest.is_empty() {
            return Err(Unreadable::malformed("certificate", "bytes follow it"));
        }
        if parsed.tbs_certificate.signature.algorithm != parsed.signature_algorithm.algorithm {
            return Err(Unreadable::malformed("certificate", "names two signature algorithms"));
        }
        let moment =
            |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or_else(|| Unreadable::malformed("certificate", "no such date"));
        Ok(Self {
            subject: Name::new(parsed.subject()),
            issuer: Name::new(parsed.issuer()),
            serial: serial(parsed.raw_serial()),
            not_before: moment(parsed.validity().not_before.timestamp())?,
            not_after: moment(parsed.validity().not_after.timestamp())?,
            key: PublicKey::new(parsed.public_key()),
            is_authority: parsed.is_ca(),
            signed: parsed.tbs_certificate.as_ref().to_vec(),
            algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
            signature: parsed.signature_value.data.to_vec(),
            extensions: parsed.extensions().iter().map(|extension| (extension.oid.to_id_string(), extension.value.to_vec())).collect(),
        })
    }

    /// Whether subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject.matches(&self.issuer)
    }

    /// Values of the extension with this object identifier; more than one only in a malformed certificate.
    pub fn extensions(&self, oid: &str) -> Vec<&[u8]> {
        self.extensions.iter().filter(|(own, _)| own == oid).map(|(_, value)| value.as_slice()).collect()
    }

    /// Verifies the signature of this certificate with the key of its issuer.
    pub(crate) fn verify(&self, issuer: &PublicKey) -> Result<(), String> {
        signature::verify(issuer, &self.algorithm, &self.signed, &self.signature)
    }

    /// What a report tells about it.
    pub(crate) fn facts(&self) -> Value {
        json!({
            "subject": self.subject.to_string(), "issuer": self.issuer.to_string(), "serial": self.serial,
            "notBefore": rfc3339(self.not_before), "notAfter": rfc3339(self.not_after), "key": self.key.kind.name(), "keySize": self.key.size,
        })
    }
}

/// Hexadecimal without leading zeros, as revocation lists write serial numbers.
fn serial(bytes: &[u8]) -> String {
    let text = hex::encode(bytes);
    let text = text.trim_start_matches('0');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

/// Reads a chain, leaf first: PEM blocks, a JSON array of PEM or base64 texts (also under `x5c`, `chain` or
/// `certificates` of an object), base64 lines, or one certificate in DER.
pub fn read_chain(input: &[u8]) -> Result<Vec<Certificate>, Unreadable> {
    let text = trimmed(input)?;
    // Only text has margins: the last byte of a certificate may look like a space.
    let input = if is_der(input) { input } else { text };
    let mut ders = Vec::new();
    if input.starts_with(b"[") || input.starts_with(b"{") {
        let value: Value = serde_json::from_slice(input).map_err(|cause| Unreadable::malformed("JSON", cause.to_string()))?;
        let list = value.as_array().or_else(|| ["x5c", "chain", "certificates"].iter().find_map(|key| value.get(key)?.as_array()));
        for text in list.ok_or_else(|| Unreadable::malformed("JSON", "no list of certificates"))? {
            let text = text.as_str().ok_or_else(|| Unreadable::malformed("JSON", "a certificate is not a text"))?;
            blocks(text.as_bytes(), &mut ders)?;
        }
    } else {
        blocks(input, &mut ders)?;
    }
    if ders.len() > CHAIN_LENGTH {
        return Err(Unreadable::TooLarge { what: "certificates of a chain", limit: CHAIN_LENGTH });
    }
    if ders.is_empty() {
        return Err(Unreadable::malformed("chain", "no certificate found"));
    }
    ders.iter()
        .enumerate()
        .map(|(at, der)| {
            Certificate::from_der(der).map_err(|error| match error {
                Unreadable::Malformed { what, why } => Unreadable::Malformed { what: format!("{what} {}", at + 1), why },
                other => other,
            })
        })
        .collect()
}

fn is_der(input: &[u8]) -> bool {
    input.first() == Some(&0x30) && std::str::from_utf8(input).is_err()
}

fn blocks(input: &[u8], ders: &mut Vec<Vec<u8>>) -> Result<(), Unreadable> {
    if find(input, b"-----BEGIN ") {
        ders.append(&mut pem_blocks(input, &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"])?);
        return Ok(());
    }
    if is_der(input) {
        ders.push(input.to_vec());
        return Ok(());
    }
    for line in input.split(u8::is_ascii_whitespace).filter(|line| !line.is_empty()) {
        ders.push(STANDARD.decode(line).map_err(|_| Unreadable::malformed("chain", "neither PEM, JSON, base64 nor DER"))?);
    }
    Ok(())
}

fn pem_blocks(input: &[u8], labels: &[&str]) -> Result<Vec<Vec<u8>>, Unreadable> {
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(input) {
        let block = block.map_err(|cause| Unreadable::malformed("PEM", cause.to_string()))?;
        if labels.contains(&block.label.as_str()) {
            found.push(block.contents);
        }
    }
    Ok(found)
}

fn find(input: &[u8], word: &[u8]) -> bool {
    input.windows(word.len()).any(|window| window == word)
}

pub(crate) fn trimmed(input: &[u8]) -> Result<&[u8], Unreadable> {
    if input.len() > INPUT_BYTES {
        return Err(Unreadable::TooLarge { what: "bytes of input", limit: INPUT_BYTES });
    }
    Ok(input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input).trim_ascii())
}
