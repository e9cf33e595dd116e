//! Who is trusted: root certificates, compared by name and key, never by their own bytes or dates,
//! because vendors re-issue a root for the same key.

use crate::certificate::{Certificate, read_chain};
use crate::errors::Unreadable;

/// Both roots of Android Key Attestation: RSA 4096 since 2016, P-384 since 2025.
const GOOGLE: &str = include_str!("../roots/google.pem");
/// Root of Apple App Attest.
const APPLE: &str = include_str!("../roots/apple.pem");

/// A set of trusted roots.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<Certificate>);

impl Roots {
    /// The roots of Android Key Attestation.
    pub fn google() -> Self {
        Self::read(GOOGLE.as_bytes()).unwrap_or_default()
    }

    /// The root of Apple App Attest.
    pub fn apple() -> Self {
        Self::read(APPLE.as_bytes()).unwrap_or_default()
    }

    /// Reads roots from PEM, or from a JSON list of PEM texts as Google publishes them.
    pub fn read(input: &[u8]) -> Result<Self, Unreadable> {
        read_chain(input).map(Self)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this certificate carries the name and the key of a trusted root.
    pub(crate) fn includes(&self, root: &Certificate) -> bool {
        self.0.iter().any(|trusted| trusted.key.spki == root.key.spki && trusted.subject.matches(&root.subject))
    }

    /// The roots that this certificate names as its issuer.
    pub(crate) fn issuers<'r>(&'r self, certificate: &'r Certificate) -> impl Iterator<Item = &'r Certificate> {
        self.0.iter().filter(|root| root.subject.matches(&certificate.issuer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_in_the_binary_are_the_published_ones() {
        let keys = |roots: Roots| roots.0.iter().map(|root| (root.key.kind.name(), root.serial.clone())).collect::<Vec<_>>();
        let google = [("RSA", "f1c172a699eaf51d".to_owned()), ("P-384", "84a9d0297b0eb58ae7ff0e80de760605".to_owned())];
        assert_eq!(keys(Roots::google()), google);
        assert_eq!(keys(Roots::apple()), [("P-384", "bf3be0ef1cdd2e0fb8c6e721f621798".to_owned())]);
    }
}
