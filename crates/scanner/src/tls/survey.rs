//! Finds out versions, suites and certificates of one endpoint, one handshake per question.
//! Invariant: only a server that is heard declines. Silence, and a connection that is closed without a word by a server that
//! does not answer the next one either, leave the question open.

use std::time::Duration;

use futures::future::join_all;

use super::certificate::CertificateReport;
use super::hello::{Hello, ssl2_hello};
use super::reply::{Answer, Flight, Until, read};
use super::starttls::StartTls;
use super::suites::{self, CLASSIC, MODERN, SuiteReport};
use super::{Failure, TlsReport, TlsVersion, client};
use crate::catalogue::{Check, tls};
use crate::dial::DialError;
use crate::report::CoverageStatus;
use crate::session::{Endpoint, Session};
use crate::wire::{Wire, WireError};

/// Handshakes per version after which a server that accepts everything is believed.
const MOST_SUITES: usize = 220;
const VERSIONS: [TlsVersion; 5] = [TlsVersion::Ssl3, TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12, TlsVersion::Tls13];

/// What a certificate decides.
const CERTIFICATE: [&Check; 11] = [
    &tls::EXPIRED,
    &tls::NOT_YET_VALID,
    &tls::EXPIRES_SOON,
    &tls::SELF_SIGNED,
    &tls::NAME_MISMATCH,
    &tls::ADDRESS_NOT_NAMED,
    &tls::WEAK_KEY,
    &tls::WEAK_SIGNATURE,
    &tls::WILDCARD,
    &tls::NO_ALTERNATIVE_NAMES,
    &tls::INCOMPLETE_CHAIN,
];

struct Prober<'a> {
    session: &'a Session,
    endpoint: &'a Endpoint,
    starttls: Option<StartTls>,
    wait: Duration,
}

/// What one version accepts, the flights that were seen, and why asking ended before the server declined.
struct Accepted {
    version: TlsVersion,
    suites: Vec<u16>,
    flights: Vec<Flight>,
    end: Option<End>,
}

/// How asking for a version ended where the server did not decline.
enum End {
    /// The server closed the connection without a word.
    Hangup,
    /// The protocol was not willing to change to TLS.
    NotOffered,
    Failed(Failure),
}

/// Why there was no handshake.
enum Closed {
    NotOffered,
    Failed(Failure),
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

/// What a server offers, as far as it told, and the questions it left open.
pub(super) struct Survey {
    pub(super) report: TlsReport,
    /// Why versions and suites are not known to their end.
    pub(super) failure: Option<Failure>,
    /// Checks that were not decided, beside those.
    pub(super) undecided: Vec<&'static Check>,
}

pub(super) async fn survey(session: &Session, endpoint: &Endpoint, starttls: Option<StartTls>) -> Result<Survey, Failure> {
    let prober = Prober { session, endpoint, starttls, wait: session.dialer.read_timeout };
    let mut versions = join_all(VERSIONS.map(|version| prober.enumerate(version))).await;
    // Where all were asked at once, one may have been kept waiting for another.
    for version in versions.iter_mut().filter(|version| matches!(version.end, Some(End::Failed(_)))) {
        *version = prober.enumerate(version.version).await;
    }
    let failure = prober.failure(&mut versions).await;
    let accepted: Vec<Accepted> = versions.into_iter().filter(|version| !version.suites.is_empty()).collect();
    let ssl2 = match starttls {
        None => prober.accepts_ssl2().await,
        Some(_) => Ok(false),
    };
    let accepts_ssl2 = ssl2.as_ref().is_ok_and(|accepts| *accepts);
    if accepted.is_empty() && !accepts_ssl2 {
        let none = || Failure { status: CoverageStatus::Error, reason: "no TLS version was accepted".to_owned() };
        return Err(failure.unwrap_or_else(none));
    }
    let classic = accepted.iter().rev().find(|version| version.version < TlsVersion::Tls13);
    let (server_order, compression) = match classic {
        Some(classic) => (prober.server_order(classic).await, prober.compresses(classic).await),
        None => (None, Some(false)),
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
    let has_order = classic.is_some_and(|classic| classic.suites.len() > 1);
    let has_groups = flights().all(|flight| flight.dh_bits.is_some() || !suites::uses_finite_field(flight.suite));
    let undecided = [
        (ssl2.is_err(), vec![&tls::SSL2]),
        (has_order && server_order.is_none(), vec![&tls::SERVER_ORDER]),
        (compression.is_none(), vec![&tls::COMPRESSION]),
        (!has_groups, vec![&tls::WEAK_DH]),
        (chain.is_empty(), CERTIFICATE.to_vec()),
    ];
    let undecided = undecided.into_iter().filter(|(is_open, _)| *is_open).flat_map(|(_, checks)| checks).collect();
    let report = TlsReport {
        address: endpoint.address,
        host: endpoint.host.clone(),
        starttls: starttls.map(StartTls::as_str),
        versions: accepts_ssl2.then_some(TlsVersion::Ssl2).into_iter().chain(accepted.iter().map(|version| version.version)).collect(),
        suites: accepted.iter().flat_map(Accepted::describe).collect(),
        server_order,
        dh_bits: flights().filter_map(|flight| flight.dh_bits).min(),
        compression: compression == Some(true),
        secure_renegotiation: renegotiating().next().is_some().then(|| renegotiating().all(|flight| flight.renegotiation)),
        chain: chain.iter().filter_map(|der| CertificateReport::read(der)).collect(),
    };
    Ok(Survey { report, failure, undecided })
}

impl Accepted {
    fn describe(&self) -> Vec<SuiteReport> {
        self.suites.iter().map(|id| suites::describe(self.version, *id)).collect()
    }
}

impl Prober<'_> {
    async fn open(&self) -> Result<Wire, Closed> {
        let stream = self.session.dialer.connect(self.endpoint.address).await.map_err(|error| Closed::Failed(error.into()))?;
        let mut wire = Wire::new(stream, self.wait);
        let Some(starttls) = self.starttls else { return Ok(wire) };
        match starttls.upgrade(&mut wire, &self.endpoint.host).await {
            Ok(true) => Ok(wire),
            Ok(false) => Err(Closed::NotOffered),
            Err(error) => Err(Closed::Failed(error.into())),
        }
    }

    async fn ask(&self, version: TlsVersion, suites: &[u16], compression: bool, until: Until) -> Result<Answer, Closed> {
        let mut wire = self.open().await?;
        let hello = Hello { version, suites, host: &self.endpoint.host, compression };
        if wire.send(&hello.bytes()).await.is_err() {
            return Ok(Answer::Silent);
        }
        Ok(read(&mut wire, until).await)
    }

    /// Asks once more when no answer came: a server that serves one client at a time was only busy, and what it was
    /// not asked would count as declined.
    async fn ask_patiently(&self, version: TlsVersion, suites: &[u16]) -> Result<Answer, Closed> {
        match self.ask(version, suites, false, Until::ServerDone).await {
            Ok(Answer::Late | Answer::Silent) | Err(Closed::Failed(_)) => self.ask(version, suites, false, Until::ServerDone).await,
            answer => answer,
        }
    }

    /// Offers everything, takes away what was chosen and asks again until the server declines.
    async fn enumerate(&self, version: TlsVersion) -> Accepted {
        let mut offered = match version {
            TlsVersion::Tls13 => MODERN.clone(),
            _ => CLASSIC.clone(),
        };
        let mut accepted = Accepted { version, suites: Vec::new(), flights: Vec::new(), end: None };
        while !offered.is_empty() && accepted.suites.len() < MOST_SUITES {
            let flight = match self.ask_patiently(version, &offered).await {
                Ok(Answer::Hello(flight)) => flight,
                Ok(Answer::Declined | Answer::NotTls) => break,
                unheard => {
                    accepted.end = Some(match unheard {
                        Ok(Answer::Silent) => End::Hangup,
                        Err(Closed::NotOffered) => End::NotOffered,
                        Err(Closed::Failed(failure)) => End::Failed(failure),
                        Ok(_) => End::Failed(WireError::Timeout.into()),
                    });
                    break;
                }
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
        accepted
    }

    /// Why the versions are not known to their end. Some servers decline by hanging up; they are believed when they accept
    /// once more, in the end, what they accepted before.
    async fn failure(&self, versions: &mut [Accepted]) -> Option<Failure> {
        let ends: Vec<End> = versions.iter_mut().filter_map(|version| version.end.take()).collect();
        let known = versions.iter().find_map(|version| Some((version.version, *version.suites.first()?)));
        let hung_up = || Failure { status: CoverageStatus::Error, reason: WireError::Closed.to_string() };
        let is_hangup = ends.iter().any(|end| matches!(end, End::Hangup));
        let is_no_offer = ends.iter().any(|end| matches!(end, End::NotOffered));
        if let Some(failure) = ends.into_iter().find_map(|end| if let End::Failed(failure) = end { Some(failure) } else { None }) {
            return Some(failure);
        }
        if is_no_offer {
            let reason = format!("{} does not offer to change to TLS", self.starttls.map_or("the service", StartTls::as_str));
            return Some(Failure { status: CoverageStatus::Skipped, reason });
        }
        let (version, suite) = known.filter(|_| is_hangup)?;
        match self.ask(version, &[suite], false, Until::ServerHello).await {
            Ok(Answer::Hello(flight)) if flight.suite == suite => None,
            _ => Some(hung_up()),
        }
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

    /// Whether the server compresses; unknown where it chose nothing.
    async fn compresses(&self, accepted: &Accepted) -> Option<bool> {
        match self.ask(accepted.version, &accepted.suites, true, Until::ServerHello).await {
            Ok(Answer::Hello(flight)) => Some(flight.compression != 0),
            // Some refuse a hello that offers what they do not have.
            Ok(Answer::Declined) => Some(false),
            _ => None,
        }
    }

    /// Whether the server speaks SSL 2; one that was not reached, or says nothing, has not declined.
    async fn accepts_ssl2(&self) -> Result<bool, Closed> {
        let mut wire = self.open().await?;
        let reply = match wire.send(&ssl2_hello()).await {
            Ok(()) => wire.read_until(|bytes| bytes.len() >= 7).await,
            Err(error) => Err(error),
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(WireError::Timeout) => return Err(Closed::Failed(WireError::Timeout.into())),
            // The bytes make no sense to a server of today, which hangs up.
            Err(_) => return Ok(false),
        };
        Ok(reply.first().is_some_and(|byte| byte & 0x80 != 0) && reply.get(2) == Some(&4) && reply.get(5..7) == Some(&[0, 2]))
    }

    /// With TLS 1.3 certificates are encrypted, so a real session is needed to see them.
    async fn chain_in_session(&self) -> Vec<Vec<u8>> {
        let Ok(wire) = self.open().await else {
            return Vec::new();
        };
        let wait = self.session.dialer.read_timeout;
        match client::connect(wire.into_flow(), &self.endpoint.host, wait).await {
            Ok(stream) => client::presented(&stream),
            Err(_) => Vec::new(),
        }
    }
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        let status = match error {
            WireError::Timeout => CoverageStatus::Timeout,
            _ => CoverageStatus::Error,
        };
        Self { status, reason: error.to_string() }
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
