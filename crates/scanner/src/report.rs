//! What a run says: events while it works, one outcome at its end.

use std::net::{IpAddr, SocketAddr};

use serde::Serialize;
use url::Url;

use crate::catalogue::Check;
use crate::session::Endpoint;
use crate::tls::TlsReport;

pub(crate) const TCP: &str = "tcp";
pub(crate) const UDP: &str = "udp";

/// How bad an issue is, in the words of CVSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to repair.
    Info,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// The lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One weakness, found at one place, with what proves it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Issue {
    /// Identifier of the check in the catalogue.
    pub check: &'static str,
    /// Short name of the weakness.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// CVSS 3.1 vector, absent when the issue is information only.
    pub cvss: Option<&'static str>,
    /// CWE number.
    pub cwe: Option<u32>,
    /// Where the weakness is described.
    pub reference: &'static str,
    /// What the weakness is.
    pub description: &'static str,
    /// How to repair it.
    pub remediation: &'static str,
    /// The address that was connected to.
    pub address: SocketAddr,
    /// `tcp` or `udp`.
    pub transport: &'static str,
    /// The name the target was asked by.
    pub host: String,
    /// The URL concerned, for web checks.
    pub url: Option<Url>,
    /// The header, cookie, parameter or suite concerned.
    pub parameter: Option<String>,
    /// What was seen: name and value, made printable and cut short.
    pub evidence: Vec<(String, String)>,
    /// How sure the check is, 0 to 100.
    pub confidence: u8,
}

impl Issue {
    /// An issue of this check at this place, with no evidence yet.
    pub(crate) fn new(check: &Check, address: SocketAddr, host: &str) -> Self {
        Self {
            check: check.id,
            title: check.title,
            severity: check.severity,
            cvss: check.cvss,
            cwe: check.cwe,
            reference: check.reference,
            description: check.description,
            remediation: check.remediation,
            address,
            transport: TCP,
            host: host.to_owned(),
            url: None,
            parameter: None,
            evidence: Vec::new(),
            confidence: 95,
        }
    }

    pub(crate) fn at(mut self, url: &Url) -> Self {
        self.url = Some(url.clone());
        self
    }

    pub(crate) fn about(mut self, parameter: impl Into<String>) -> Self {
        self.parameter = Some(parameter.into());
        self
    }

    pub(crate) fn evidence(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.evidence.push((name.to_owned(), printable(value.as_ref().as_bytes(), 400)));
        self
    }

    pub(crate) fn sure(mut self, confidence: u8) -> Self {
        self.confidence = confidence;
        self
    }
}

/// Which service answers at an address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServiceReport {
    /// The address.
    pub address: SocketAddr,
    /// The name the target was asked by.
    pub host: String,
    /// The protocol: `http`, `ssh`, `redis`, … or `unknown`.
    pub service: &'static str,
    /// `tcp` or `udp`.
    pub transport: &'static str,
    /// True when the protocol is wrapped in TLS from the first byte.
    pub tls: bool,
    /// The product, when its answer names it.
    pub product: Option<String>,
    /// The version, when its answer names it.
    pub version: Option<String>,
    /// CPE 2.3 name, only when product and version are certain.
    pub cpe: Option<String>,
    /// The first words of the service, made printable and cut short.
    pub banner: Option<String>,
    /// How sure the identification is, 0 to 100.
    pub confidence: u8,
}

/// Whether a set of checks ran at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CoverageStatus {
    /// Ran to its end.
    Done,
    /// Not run, for the reason given.
    Skipped,
    /// Failed, for the reason given.
    Error,
    /// Ran out of time.
    Timeout,
}

/// A set of checks and what became of it at one place; absence of an issue only counts where it is done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Covered {
    /// The set: `ports`, `services`, `datagrams`, a `check_set` of the catalogue, or one check of it.
    pub check_set: &'static str,
    /// The address; port 0 stands for the whole host.
    pub address: Option<SocketAddr>,
    /// `tcp` or `udp`.
    pub transport: &'static str,
    /// What of an issue's `parameter` was asked about, where that is not everything.
    pub parameter: Option<String>,
    /// The name the target was asked by.
    pub host: String,
    /// The URL, for web checks.
    pub url: Option<Url>,
    /// What became of it.
    pub status: CoverageStatus,
    /// Of a search for open ports that is done: how many of its ports may be open although nothing answered there.
    pub unanswered: usize,
    /// Why it is not done, or what exactly was done, in words for people.
    pub reason: Option<String>,
}

impl Covered {
    /// What became of a set at a place, by TCP and in every respect.
    pub(crate) fn at(check_set: &'static str, endpoint: &Endpoint, status: CoverageStatus) -> Self {
        let (address, host) = (Some(endpoint.address), endpoint.host.clone());
        Self { check_set, address, transport: TCP, parameter: None, host, url: None, status, unanswered: 0, reason: None }
    }
}

/// Something worth telling while the run works.
#[derive(Debug, Clone)]
pub enum Event {
    /// A stage begins with this many things to do.
    Stage {
        /// Name of the stage.
        name: &'static str,
        /// Things to do in it.
        total: usize,
    },
    /// A stage moved on; dropped rather than awaited when nobody keeps up.
    Progress {
        /// Name of the stage.
        stage: &'static str,
        /// Things done.
        done: usize,
        /// Things to do.
        total: usize,
    },
    /// A port accepts connections.
    OpenPort {
        /// Its address.
        address: SocketAddr,
    },
    /// A service was identified.
    Service(ServiceReport),
    /// A weakness was found.
    Issue(Issue),
    /// A set of checks ended at a place.
    Coverage(Covered),
    /// A remark for the log of the scan.
    Note {
        /// The remark.
        message: String,
    },
}

/// Everything a run found; partial when it was cancelled or ran out of time.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// Addresses the target stood for, resolved once.
    pub resolved: Vec<IpAddr>,
    /// Ports that were to be tried on every address.
    pub tried: Vec<u16>,
    /// Addresses of which no port answered, neither open nor closed: down, or filtered on the way.
    pub silent: Vec<IpAddr>,
    /// Open ports.
    pub open: Vec<SocketAddr>,
    /// Ports that refused a connection, of the addresses that took one on another port afterwards: nothing answers there.
    pub closed: Vec<(IpAddr, Vec<u16>)>,
    /// Identified services.
    pub services: Vec<ServiceReport>,
    /// TLS facts per address.
    pub tls: Vec<TlsReport>,
    /// Weaknesses.
    pub issues: Vec<Issue>,
    /// What was tested and what was not.
    pub coverage: Vec<Covered>,
    /// Addresses and URLs the guard refused, with its reasons.
    pub refused: Vec<(String, String)>,
    /// True when the caller cancelled.
    pub cancelled: bool,
    /// True when the total time ran out.
    pub timed_out: bool,
    /// Connection attempts made.
    pub connections: u64,
}

/// Why a run could not be made at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The name has no address.
    #[error("host {host} cannot be resolved: {reason}")]
    Unresolvable {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The guard refused everything.
    #[error("target {target} is refused: {reason}")]
    Refused {
        /// The target.
        target: String,
        /// The guard's reason.
        reason: String,
    },
    /// The target is larger than the limit.
    #[error("target {target} stands for more than {limit} addresses")]
    TooManyAddresses {
        /// The target.
        target: String,
        /// The limit of the plan.
        limit: usize,
    },
    /// There is nothing to connect to.
    #[error("the port set is empty")]
    EmptyPortSet,
    /// The target cannot be scanned as it is written.
    #[error("target {target} is not valid: {reason}")]
    InvalidTarget {
        /// The target.
        target: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Text from the network made safe to show: printable characters only, at most `limit` of them.
pub(crate) fn printable(bytes: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown: String = text
        .chars()
        .map(|character| match character {
            '\r' | '\n' | '\t' => ' ',
            other if other.is_control() => '.',
            other => other,
        })
        .take(limit)
        .collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown.trim().to_owned()
}
