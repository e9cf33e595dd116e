//! Finds out versions, suites and certificates of one endpoint, one handshake per question.

use std::time::Duration;

use futures::future::join_all;

use super::certificate::CertificateReport;
use super::hello::{Hello, ssl2_hello};
use super::reply::{Answer, Flight, Until, read};
use super::starttls::StartTls;
use super::suites::{self, CLASSIC, MODERN, SuiteReport};
use super::{Failure, TlsReport, TlsVersion, client};
use crate::dial::DialError;
use crate::report::CoverageStatus;
use crate::session::{Endpoint, Session};
use crate::wire::Wire;

/// Handshakes per version after which a server that accepts everything is believed.
const MOST_SUITES: usize = 220;
const VERSIONS: [TlsVersion; 5] = [TlsVersion::Ssl3, TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12, TlsVersion::Tls13];

struct Prober<'a> {
    session: &'a Session,
    endpoint: &'a Endpoint,
    starttls: Option<StartTls>,
    wait: Duration,
}

/// What one version accepts, and the flights that were seen.
struct Accepted {
    version: TlsVersion,
    suites: Vec<u16>,
    flights: Vec<Flight>,
}

pub(super) async fn speaks_tls(session: &Session, endpoint: &Endpoint, wait: Duration) -> bool {
    let prober = Prober { session, endpoint, starttls: None, wait };
    for (version, suites) in [(TlsVersion::Tls12, &*CLASSIC), (TlsVersion::Tls10, &*CLASSIC)] {
        match prober.ask(version, suites, false, Until::ServerHello).await {
            Ok(Answer::Hello(_) | Answer::Declined) => return true,
            Ok(Answer::NotTls) => return false,
            Ok(Answer::Silent | Answer::Late) | Err(_) => {}
        }
    }
    false
}

pub(super) async fn survey(session: &Session, endpoint: &Endpoint, starttls: Option<StartTls>) -> Result<TlsReport, Failure> {
    let prober = Prober { session, endpoint, starttls, wait: session.dialer.read_timeout };
    let versions = join_all(VERSIONS.map(|version| prober.enumerate(version))).await;
    let mut accepted = Vec::new();
    let mut failure = None;
    for version in versions {
        match version {
            Ok(version) if !version.suites.is_empty() => accepted.push(version),
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    let ssl2 = starttls.is_none() && prober.accepts_ssl2().await;
    if accepted.is_empty()
        && let Some(protocol) = starttls
    {
        let reason = format!("{} does not offer to change to TLS", protocol.as_str());
        return Err(Failure { status: CoverageStatus::Skipped, reason });
    }
    if accepted.is_empty() && !ssl2 {
        return Err(Failure { status: CoverageStatus::Error, reason: "no TLS version was accepted".to_owned() });
    }
    let classic = accepted.iter().rev().find(|version| version.version < TlsVersion::Tls13);
    let (server_order, compression) = match classic {
        Some(classic) => (prober.server_order(classic).await, prober.compresses(classic).await),
        None => (None, false),
    };
    let flights = || accepted.iter().flat_map(|version| &version.flights);
    let mut chain = flights().map(|flight| &flight.chain).find(|chain| !chain.is_empty()).cloned().unwrap_or_default();
    if chain.is_empty() {
        chain = prober.chain_in_session().await;
    }
    let renegotiating = || {
        accepted
            .iter()
            .filter(|version| (TlsVersion::Tls10..=TlsVersion::Tls12).contains(&version.version))
            .flat_map(|version| &version.flights)
    };
    Ok(TlsReport {
        address: endpoint.address,
        host: endpoint.host.clone(),
        starttls: starttls.map(StartTls::as_str),
        versions: ssl2.then_some(TlsVersion::Ssl2).into_iter().chain(accepted.iter().map(|version| version.version)).collect(),
        suites: accepted.iter().flat_map(Accepted::describe).collect(),
        server_order,
        dh_bits: flights().filter_map(|flight| flight.dh_bits).min(),
        compression,
        secure_renegotiation: renegotiating().next().is_some().then(|| renegotiating().all(|flight| flight.renegotiation)),
        chain: chain.iter().filter_map(|der| CertificateReport::read(der)).collect(),
    })
}

impl Accepted {
    fn describe(&self) -> Vec<SuiteReport> {
        self.suites.iter().map(|id| suites::describe(self.version, *id)).collect()
    }
}

impl Prober<'_> {
    async fn open(&self) -> Result<Option<Wire>, DialError> {
        let stream = self.session.dialer.connect(self.endpoint.address).await?;
        let mut wire = Wire::new(stream, self.wait);
        match self.starttls {
            None => Ok(Some(wire)),
            Some(starttls) => match starttls.upgrade(&mut wire, &self.endpoint.host).await {
                Ok(true) => Ok(Some(wire)),
                Ok(false) | Err(_) => Ok(None),
            },
        }
    }

    async fn ask(&self, version: TlsVersion, suites: &[u16], compression: bool, until: Until) -> Result<Answer, DialError> {
        let Some(mut wire) = self.open().await? else {
            return Ok(Answer::Silent);
        };
        let hello = Hello { version, suites, host: &self.endpoint.host, compression };
        if wire.send(&hello.bytes()).await.is_err() {
            return Ok(Answer::Silent);
        }
        Ok(read(&mut wire, until).await)
    }

    /// Asks once more when no answer came: a server that serves one client at a time was only busy, and what it was
    /// not asked would count as declined.
    async fn ask_patiently(&self, version: TlsVersion, suites: &[u16]) -> Result<Answer, DialError> {
        match self.ask(version, suites, false, Until::ServerDone).await? {
            Answer::Late => self.ask(version, suites, false, Until::ServerDone).await,
            answer => Ok(answer),
        }
    }

    /// Offers everything, takes away what was chosen and asks again until the server declines.
    async fn enumerate(&self, version: TlsVersion) -> Result<Accepted, Failure> {
        let mut offered = match version {
            TlsVersion::Tls13 => MODERN.clone(),
            _ => CLASSIC.clone(),
        };
        let mut accepted = Accepted { version, suites: Vec::new(), flights: Vec::new() };
        while !offered.is_empty() && accepted.suites.len() < MOST_SUITES {
            let flight = match self.ask_patiently(version, &offered).await {
                Ok(Answer::Hello(flight)) => flight,
                Ok(_) => break,
                Err(error) => return Err(Failure::from(error)),
            };
            let before = offered.len();
            offered.retain(|suite| *suite != flight.suite);
            // A server that answers in another version, or with what was not offered, has declined.
            if flight.version != version.code() || offered.len() == before {
                break;
            }
            accepted.suites.push(flight.suite);
            accepted.flights.push(flight);
        }
        Ok(accepted)
    }

    async fn server_order(&self, accepted: &Accepted) -> Option<bool> {
        let [first, second, ..] = accepted.suites.as_slice() else {
            return None;
        };
        match self.ask(accepted.version, &[*second, *first], false, Until::ServerHello).await {
            Ok(Answer::Hello(flight)) => Some(flight.suite == *first),
            _ => None,
        }
    }

    async fn compresses(&self, accepted: &Accepted) -> bool {
        matches!(
            self.ask(accepted.version, &accepted.suites, true, Until::ServerHello).await,
            Ok(Answer::Hello(flight)) if flight.compression != 0
        )
    }

    async fn accepts_ssl2(&self) -> bool {
        let Ok(Some(mut wire)) = self.open().await else {
            return false;
        };
        if wire.send(&ssl2_hello()).await.is_err() {
            return false;
        }
        let Ok(reply) = wire.read_until(|bytes| bytes.len() >= 7).await else {
            return false;
        };
        reply.first().is_some_and(|byte| byte & 0x80 != 0) && reply.get(2) == Some(&4) && reply.get(5..7) == Some(&[0, 2])
    }

    /// With TLS 1.3 certificates are encrypted, so a real session is needed to see them.
    async fn chain_in_session(&self) -> Vec<Vec<u8>> {
        let Ok(Some(wire)) = self.open().await else {
            return Vec::new();
        };
        let wait = self.session.dialer.read_timeout;
        match client::connect(wire.into_flow(), &self.endpoint.host, wait).await {
            Ok(stream) => client::presented(&stream),
            Err(_) => Vec::new(),
        }
    }
}

impl From<DialError> for Failure {
    fn from(error: DialError) -> Self {
        Self {
            status: match error {
                DialError::Refused(_) => CoverageStatus::Skipped,
                DialError::Timeout => CoverageStatus::Timeout,
                DialError::Failed(_) => CoverageStatus::Error,
            },
            reason: error.to_string(),
        }
    }
}
