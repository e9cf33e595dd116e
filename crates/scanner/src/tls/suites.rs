//! Cipher suites: what each is made of, from the table of IANA, and what is wrong with it.

use std::sync::LazyLock;

use serde::Serialize;
use tls_parser::{TlsCipherAu, TlsCipherEnc, TlsCipherEncMode, TlsCipherKx, TlsCipherSuite};

use super::TlsVersion;

/// A cipher suite a server accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuiteReport {
    /// The version it was accepted in.
    pub version: TlsVersion,
    /// IANA number.
    pub id: u16,
    /// IANA name.
    pub name: String,
    /// Key length of the encryption in bits.
    pub bits: u16,
}

/// Weaknesses of a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weakness {
    Null,
    Anonymous,
    Export,
    Rc4,
    SmallBlock,
    NoForwardSecrecy,
    Cbc,
}

/// Suites of TLS 1.3.
pub(super) static MODERN: LazyLock<Vec<u16>> = LazyLock::new(|| select(|suite| suite.kx == TlsCipherKx::Tls13));

/// Suites of SSL 3.0 to TLS 1.2 that a server can accept without an account of ours.
pub(super) static CLASSIC: LazyLock<Vec<u16>> = LazyLock::new(|| {
    select(|suite| {
        matches!(
            suite.kx,
            TlsCipherKx::Rsa | TlsCipherKx::Dh | TlsCipherKx::Dhe | TlsCipherKx::Ecdh | TlsCipherKx::Ecdhe | TlsCipherKx::Aecdh
        ) && !matches!(suite.au, TlsCipherAu::Psk | TlsCipherAu::Krb5 | TlsCipherAu::Srp | TlsCipherAu::Srp_Dss | TlsCipherAu::Srp_Rsa)
    })
});

fn select(wanted: impl Fn(&TlsCipherSuite) -> bool) -> Vec<u16> {
    (0..=u16::MAX).filter(|id| TlsCipherSuite::from_id(*id).is_some_and(&wanted)).collect()
}

pub(super) fn describe(version: TlsVersion, id: u16) -> SuiteReport {
    let known = TlsCipherSuite::from_id(id);
    SuiteReport {
        version,
        id,
        name: known.map_or_else(|| format!("0x{id:04x}"), |suite| suite.name.to_owned()),
        bits: known.map_or(0, |suite| suite.enc_size),
    }
}

/// True when the server sends finite-field parameters with this suite.
pub(super) fn uses_finite_field(id: u16) -> bool {
    TlsCipherSuite::from_id(id)
        .is_some_and(|suite| suite.kx == TlsCipherKx::Dhe || suite.kx == TlsCipherKx::Dh && suite.au == TlsCipherAu::Null)
}

pub(super) fn weaknesses(id: u16) -> Vec<Weakness> {
    let Some(suite) = TlsCipherSuite::from_id(id) else {
        return Vec::new();
    };
    let anonymous = suite.au == TlsCipherAu::Null || suite.name.contains("_anon_");
    let export = suite.name.contains("EXPORT");
    let mut found = Vec::new();
    if suite.kx == TlsCipherKx::Tls13 {
        return found;
    }
    if suite.enc == TlsCipherEnc::Null {
        found.push(Weakness::Null);
    }
    if anonymous {
        found.push(Weakness::Anonymous);
    }
    if export {
        found.push(Weakness::Export);
    }
    match suite.enc {
        TlsCipherEnc::Rc4 => found.push(Weakness::Rc4),
        TlsCipherEnc::Des | TlsCipherEnc::TripleDes | TlsCipherEnc::Idea | TlsCipherEnc::Rc2 => {
            found.push(Weakness::SmallBlock);
        }
        _ => {}
    }
    let ephemeral = matches!(suite.kx, TlsCipherKx::Dhe | TlsCipherKx::Ecdhe | TlsCipherKx::Aecdh) || anonymous;
    if !ephemeral {
        found.push(Weakness::NoForwardSecrecy);
    }
    if suite.enc_mode == TlsCipherEncMode::Cbc {
        found.push(Weakness::Cbc);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weaknesses_follow_from_the_parts_of_a_suite() {
        assert_eq!(weaknesses(0xc02f), []);
        assert_eq!(weaknesses(0x1301), []);
        assert_eq!(weaknesses(0x009c), [Weakness::NoForwardSecrecy]);
        assert_eq!(weaknesses(0x000a), [Weakness::SmallBlock, Weakness::NoForwardSecrecy, Weakness::Cbc]);
        assert_eq!(weaknesses(0x0034), [Weakness::Anonymous, Weakness::Cbc]);
        assert!(weaknesses(0x0003).contains(&Weakness::Export));
        assert!(uses_finite_field(0x009e) && !uses_finite_field(0xc02f));
    }

    #[test]
    fn the_suites_on_offer_cover_the_weak_ones() {
        for id in [0x0001, 0x0003, 0x0005, 0x000a, 0x0018, 0x002f, 0x0034, 0x009c, 0xc009, 0xc02f, 0xcca8] {
            assert!(CLASSIC.contains(&id), "{id:04x}");
        }
        assert!(!CLASSIC.contains(&0x00ff) && !CLASSIC.contains(&0x1301));
        assert!(MODERN.contains(&0x1301) && MODERN.contains(&0x1303));
    }
}
