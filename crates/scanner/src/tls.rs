//! The TLS audit: versions, cipher suites and certificates, by handshakes made of own bytes.
//! Invariant: nothing is trusted and no secret is exchanged; handshakes stop after the server's first flight.

mod certificate;
pub(crate) mod client;
mod hello;
mod judge;
mod reply;
mod starttls;
mod suites;
mod survey;

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

pub use certificate::CertificateReport;
pub(crate) use starttls::StartTls;
pub use suites::SuiteReport;

use crate::report::CoverageStatus;
use crate::session::{Endpoint, Session};

pub(crate) const CHECK_SET: &str = "tls";

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum TlsVersion {
    /// SSL 2.0.
    #[serde(rename = "SSLv2")]
    Ssl2,
    /// SSL 3.0.
    #[serde(rename = "SSLv3")]
    Ssl3,
    /// TLS 1.0.
    #[serde(rename = "TLSv1.0")]
    Tls10,
    /// TLS 1.1.
    #[serde(rename = "TLSv1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "TLSv1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLSv1.3")]
    Tls13,
}

impl TlsVersion {
    /// The name that tools print: `TLSv1.2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ssl2 => "SSLv2",
            Self::Ssl3 => "SSLv3",
            Self::Tls10 => "TLSv1.0",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    fn code(self) -> u16 {
        match self {
            Self::Ssl2 => 0x0002,
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

/// What a TLS endpoint offers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TlsReport {
    /// The address.
    pub address: SocketAddr,
    /// The name the target was asked by.
    pub host: String,
    /// The protocol that was upgraded, when TLS did not start at once.
    pub starttls: Option<&'static str>,
    /// Accepted versions, oldest first.
    pub versions: Vec<TlsVersion>,
    /// Accepted cipher suites, per version in the order the server picked them.
    pub suites: Vec<SuiteReport>,
    /// True when the server's order decides, false when the client's does; unknown with fewer than two suites.
    pub server_order: Option<bool>,
    /// Size of the finite-field Diffie-Hellman group, when one was seen.
    pub dh_bits: Option<usize>,
    /// True when the server compresses.
    pub compression: bool,
    /// Whether renegotiation is protected; unknown when only TLS 1.3 is offered.
    pub secure_renegotiation: Option<bool>,
    /// Certificates as sent, the server's own first.
    pub chain: Vec<CertificateReport>,
}

/// True when the endpoint answers a TLS handshake of any version with TLS.
pub(crate) async fn speaks_tls(session: &Session, endpoint: &Endpoint, wait: Duration) -> bool {
    survey::speaks_tls(session, endpoint, wait).await
}

/// Audits one endpoint and reports its issues and coverage.
pub(crate) async fn audit(session: &Session, endpoint: &Endpoint, starttls: Option<StartTls>) {
    match survey::survey(session, endpoint, starttls).await {
        Ok(survey) => {
            for issue in judge::judge(&survey.report, session.plan.now_unix, survey.failure.is_none()) {
                session.issue(issue).await;
            }
            session.tls(survey.report);
            let (status, reason) = survey.failure.map_or((CoverageStatus::Done, None), |failure| (failure.status, Some(failure.reason)));
            for check in survey.undecided {
                let reason = "the server did not answer that question".to_owned();
                session.undecided(check.id, endpoint, None, CoverageStatus::Error, reason).await;
            }
            session.covered(CHECK_SET, endpoint, status, reason).await;
        }
        Err(failure) => {
            session.covered(CHECK_SET, endpoint, failure.status, Some(failure.reason)).await;
        }
    }
}

/// Why an audit could not be made.
pub(crate) struct Failure {
    status: CoverageStatus,
    reason: String,
}
