//! Checks on the chain of certificates: names, signatures, root, dates, revocation, and that nothing
//! was hung below the key the device attested.

use super::EXTENSION;
use super::policy::Policy;
use crate::certificate::Certificate;
use crate::report::{Checks, Finding};
use crate::roots::Roots;

/// Object identifier of the provisioning information of remotely provisioned keys.
const PROVISIONING: &str = "1.3.6.1.4.1.11129.2.1.30";
const TITLE: &str = "2.5.4.12";
const ORGANIZATION: &str = "2.5.4.10";
const SERIAL_NUMBER: &str = "2.5.4.5";

/// How the attestation key came into the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provisioning {
    /// Burnt in by the maker: root, intermediate, attestation, target.
    Factory,
    /// Fetched by the device, short-lived: root, intermediate, server, attestation, target.
    Remote,
    /// Neither: software, or a maker that names things otherwise.
    Unknown,
}

impl Provisioning {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Factory => "factory",
            Self::Remote => "remote",
            Self::Unknown => "unknown",
        }
    }
}

/// A chain, leaf first, with the root apart.
pub(super) struct Chain<'c> {
    pub(super) path: &'c [Certificate],
    root: Option<&'c Certificate>,
    pub(super) provisioning: Provisioning,
}

impl<'c> Chain<'c> {
    pub(super) fn new(certificates: &'c [Certificate]) -> Self {
        let (path, root) = match certificates.split_last() {
            Some((last, path)) if last.is_self_issued() && !path.is_empty() => (path, Some(last)),
            _ => (certificates, None),
        };
        Self { path, root, provisioning: provisioning(path) }
    }

    /// The certificate that signed the target's.
    pub(super) fn attestation(&self) -> Option<&'c Certificate> {
        self.path.get(1)
    }

    /// Hardware level that the makers of the chain wrote into the attestation certificate.
    pub(super) fn claimed_level(&self) -> Option<&'c str> {
        let subject = &self.attestation()?.subject;
        let claims = |oid| subject.attribute(oid).filter(|value| ["TEE", "StrongBox"].contains(value));
        claims(TITLE).or_else(|| claims(ORGANIZATION))
    }

    pub(super) fn judge(&self, policy: &Policy, checks: &mut Checks<'_>) {
        checks.require("trusted_root", self.trusted(&policy.roots));
        checks.require("names", self.names());
        checks.require("signatures", self.signatures(&policy.roots));
        checks.require("validity", self.validity(policy));
        match &policy.revoked {
            None => checks.unasked("revocation", "no revocation list given"),
            Some(list) => checks.require("revocation", self.revocation(list, policy)),
        }
        checks.require("chain_shape", self.shape());
        checks.require("extension_in_target", self.extension_in_target());
        checks.require("extension_only_in_target", self.extension_only_in_target());
    }

    /// The root's key is what is trusted; its own dates and bytes are not looked at.
    fn trusted(&self, roots: &Roots) -> Finding {
        if let Some(root) = self.root {
            return if roots.includes(root) {
                Ok(format!("{} ({} {})", root.subject, root.key.kind.name(), root.key.size))
            } else {
                Err(format!("{} with {} key {} is not trusted", root.subject, root.key.kind.name(), root.serial))
            };
        }
        let last = self.path.last().ok_or("the chain is empty")?;
        match roots.issuers(last).next() {
            Some(root) => Ok(format!("{}, not part of the chain", root.subject)),
            None => Err(format!("nobody trusted is called {}", last.issuer)),
        }
    }

    fn links(&self) -> impl Iterator<Item = (usize, &'c Certificate, Option<&'c Certificate>)> {
        let issuers = self.path.iter().skip(1).map(Some).chain([self.root]);
        self.path.iter().zip(issuers).enumerate().map(|(at, (certificate, issuer))| (at, certificate, issuer))
    }

    fn names(&self) -> Finding {
        for (at, certificate, issuer) in self.links() {
            if let Some(issuer) = issuer
                && !certificate.issuer.matches(&issuer.subject)
            {
                return Err(format!("certificate {} names {} as its issuer, next is {}", at + 1, certificate.issuer, issuer.subject));
            }
        }
        Ok("every issuer is the next subject".to_owned())
    }

    fn signatures(&self, roots: &Roots) -> Finding {
        for (at, certificate, issuer) in self.links() {
            let outcome = match issuer {
                Some(issuer) => certificate.verify(&issuer.key),
                None => roots
                    .issuers(certificate)
                    .map(|root| certificate.verify(&root.key))
                    .reduce(Result::or)
                    .unwrap_or_else(|| Err("the key of its issuer is not known".to_owned())),
            };
            outcome.map_err(|why| format!("certificate {}: {why}", at + 1))?;
        }
        Ok(format!("{} signatures verify", self.path.len()))
    }

    /// All but the target, whose dates the device writes, and the root. Makers let factory keys outlive their certificates.
    fn validity(&self, policy: &Policy) -> Finding {
        let lenient = self.provisioning == Provisioning::Factory;
        let mut expired = 0;
        for (at, certificate) in self.path.iter().enumerate().skip(1) {
            if policy.at < certificate.not_before {
                return Err(format!("certificate {} is good only from {}", at + 1, certificate.not_before));
            }
            if policy.at > certificate.not_after {
                if !lenient {
                    return Err(format!("certificate {} was good until {}", at + 1, certificate.not_after));
                }
                expired += 1;
            }
        }
        Ok(match expired {
            0 => "every certificate above the target is good at this time".to_owned(),
            expired => format!("{expired} expired, which counts only for remotely provisioned keys"),
        })
    }

    fn revocation(&self, list: &crate::revocation::RevocationList, policy: &Policy) -> Finding {
        if let Some(why) = list.staleness(policy.at) {
            return Err(why);
        }
        for certificate in self.path.iter().chain(self.root) {
            if let Some(why) = list.complaint(&certificate.serial) {
                return Err(format!("certificate with serial number {} is {why}", certificate.serial));
            }
        }
        Ok(format!("none of the serial numbers is among the {} listed", list.len()))
    }

    /// Certificates below the root that each kind of provisioning has.
    fn shape(&self) -> Finding {
        let length = self.path.len();
        let expected = match self.provisioning {
            Provisioning::Factory => 3..=3,
            Provisioning::Remote => 4..=4,
            Provisioning::Unknown => 2..=3,
        };
        let told = format!("{} provisioning, {length} certificates below the root", self.provisioning.name());
        if expected.contains(&length) {
            Ok(told)
        } else if length > *expected.end() {
            Err(format!("{told}: the chain goes on below the attested key"))
        } else {
            Err(format!("{told}: too few"))
        }
    }

    fn extension_in_target(&self) -> Finding {
        match self.path.first().map_or(0, |target| target.extensions(EXTENSION).len()) {
            1 => Ok("the target carries one attestation extension".to_owned()),
            0 => Err("the target carries no attestation extension".to_owned()),
            many => Err(format!("the target carries {many} attestation extensions")),
        }
    }

    fn extension_only_in_target(&self) -> Finding {
        let others = self.path.iter().skip(1).chain(self.root);
        match others.into_iter().position(|certificate| !certificate.extensions(EXTENSION).is_empty()) {
            None => Ok("no other certificate carries one".to_owned()),
            Some(at) => Err(format!("certificate {} carries one too", at + 2)),
        }
    }
}

fn provisioning(path: &[Certificate]) -> Provisioning {
    let Some(intermediate) = path.last() else { return Provisioning::Unknown };
    let subject = &intermediate.subject;
    let is_factory =
        subject.attribute(SERIAL_NUMBER).is_some() && subject.attribute(TITLE).is_some_and(|title| ["TEE", "StrongBox"].contains(&title));
    let has_provisioning = |at: usize| path.get(at).is_some_and(|certificate| !certificate.extensions(PROVISIONING).is_empty());
    if is_factory {
        Provisioning::Factory
    } else if path.len().checked_sub(3).is_some_and(|at| at > 0 && has_provisioning(at)) {
        Provisioning::Remote
    } else {
        Provisioning::Unknown
    }
}

/// How many certificates the server issued to this device in the last 30 days, as it writes into the attestation certificate.
pub(super) fn certificates_issued(chain: &Chain<'_>) -> Option<u64> {
    let value = *chain.attestation()?.extensions(PROVISIONING).first()?;
    crate::cbor::map(crate::asn1::octets_or_bare(value), "provisioning information").ok()?.number(1)
}
