//! The nouns every format is mapped to: what a tool said, where, and what it looked at.
//! Nothing here is our belief; findings and decisions are made from these elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::errors::Position;
use crate::ports::PortList;

/// How grave the tool says it is, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    #[default]
    Info,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.
    Critical,
}

impl Severity {
    /// Lower-case name, as stored and serialised.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Severity of a CVSS score, by the qualitative scale of CVSS 3.1 §5.
    pub fn from_score(score: f64) -> Self {
        match score {
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            score if score > 0.0 => Self::Low,
            _ => Self::Info,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no severity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown severity {0:?}")]
pub struct UnknownSeverity(pub String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        match text.trim().to_ascii_lowercase().as_str() {
            "info" | "informational" | "information" | "none" => Ok(Self::Info),
            "low" => Ok(Self::Low),
            "medium" | "moderate" => Ok(Self::Medium),
            "high" | "important" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            _ => Err(UnknownSeverity(text.to_owned())),
        }
    }
}

/// One thing a tool said; immutable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The tool: `nmap`, `sarif:<driver>`, `nuclei`, `sslscan`, `tyrian`.
    pub source: String,
    /// Id of the check, stable inside the source.
    pub check: String,
    /// One line.
    pub title: String,
    /// What was found, in the words of the tool.
    pub description: String,
    /// What to do about it, when the tool says.
    pub remediation: Option<String>,
    /// As the tool rates it.
    pub severity: Severity,
    /// How sure the detection is, 0 to 100.
    pub confidence: u8,
    /// CVSS vector, valid.
    pub cvss: Option<String>,
    /// CWE numbers, sorted.
    pub cwes: Vec<u32>,
    /// CVE ids, upper case, sorted.
    pub cves: Vec<String>,
    /// Other names of the same vulnerability (GHSA, RUSTSEC, PYSEC, OSV, SNYK), as their databases write them, sorted.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Addresses to read on.
    pub references: Vec<String>,
    /// Labels of the tool.
    pub tags: Vec<String>,
    /// Where.
    pub location: Location,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// Names by which it is known again, strongest first.
    pub keys: Vec<IdentityKey>,
    /// When the tool saw it, RFC 3339 in UTC.
    pub observed_at: Option<String>,
    /// Set where the tool lists what it knows to be gone: it was there, and this is no sight of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
}

/// What a tool tells of something that it found once and that is not there any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// When the tool saw it first, RFC 3339 in UTC.
    pub first_seen: Option<String>,
    /// When it was found to be gone, RFC 3339 in UTC.
    pub at: Option<String>,
}

/// Where something is; as many parts as the tool gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Host name, lower case.
    pub host: Option<String>,
    /// Address.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// `tcp` or `udp`.
    pub protocol: Option<String>,
    /// Service name, such as `http`.
    pub service: Option<String>,
    /// Full address of a web location.
    pub url: Option<String>,
    /// Request method.
    pub method: Option<String>,
    /// Parameter or other insertion point.
    pub parameter: Option<String>,
    /// Software component.
    pub component: Option<Component>,
    /// Path in a repository or image.
    pub file: Option<String>,
    /// Line, from one.
    pub line: Option<u32>,
    /// The code in question.
    pub snippet: Option<String>,
    /// Function, class or other logical place.
    pub logical: Option<String>,
    /// What was searched for packages: an image without its tag, a lock file, a project. What is told of the search and what was found by
    /// it name it alike, so that the next search of the same speaks for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
}

/// A package or product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Name as the tool gives it.
    pub name: String,
    /// Version, if known.
    pub version: Option<String>,
    /// Package URL, if known.
    pub purl: Option<String>,
}

/// What another instance believed of the observation that comes next; found in its own exports only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Belief {
    /// `present`, `absent` or `not_retested`.
    pub state: String,
    /// First sight, RFC 3339.
    pub first_seen: Option<String>,
    /// Last sight, RFC 3339.
    pub last_seen: Option<String>,
    /// When it was found to be gone, RFC 3339.
    pub fixed_at: Option<String>,
    /// Runs that saw it.
    pub times_seen: u32,
    /// The decision in force there.
    pub decision: Option<Carried>,
    /// What people wrote down there, oldest first.
    pub notes: Vec<CarriedNote>,
}

/// A decision somebody made elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Carried {
    /// What, such as `false_positive`.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Until when, RFC 3339.
    pub valid_until: Option<String>,
    /// Who, by name.
    pub decided_by_name: String,
    /// When, RFC 3339.
    pub decided_at: Option<String>,
    /// Who approved it, by name.
    pub approved_by_name: Option<String>,
}

/// A note somebody wrote elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CarriedNote {
    /// The words.
    pub text: String,
    /// Who, by name.
    pub written_by_name: String,
    /// When, RFC 3339.
    pub created_at: Option<String>,
}

/// A named piece of proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is, such as `response`.
    pub label: String,
    /// The text.
    pub body: String,
    /// Whether it was cut at the limit.
    pub truncated: bool,
}

/// A versioned digest by which an observation is known again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdentityKey {
    /// What the digest is made of, such as `network`.
    pub scheme: String,
    /// Version of the scheme.
    pub version: u16,
    /// SHA-256, hexadecimal.
    pub digest: String,
}

/// How testing one thing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageStatus {
    /// Tested.
    Done,
    /// Tested, but the report does not say what its options left out: what is less grave, or what has no fix yet.
    Partial,
    /// Left out.
    Skipped,
    /// Failed.
    Error,
    /// Ran out of time.
    Timeout,
    /// The session was lost while testing.
    AuthLost,
}

/// What a tool looked at, whether or not it found anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The tool, as in [`Observation::source`].
    pub source: String,
    /// The check, or the common beginning of the checks, that ran.
    pub check_set: String,
    /// What it ran against.
    pub location: Location,
    /// How much of that.
    #[serde(default)]
    pub extent: Extent,
    /// How it ended.
    pub status: CoverageStatus,
    /// Why, or what else is worth knowing, in words for people: nothing follows from them.
    pub reason: Option<String>,
}

/// How much of a place a statement about coverage is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "ports", rename_all = "snake_case")]
pub enum Extent {
    /// Whoever told did not say; that something was done is then no proof of anything.
    #[default]
    Untold,
    /// Everything at the place and below it: a site of which the first page is named, a host with its services.
    Whole,
    /// The place alone: one page, a host without its services.
    Itself,
    /// Of the host, these ports only, and only whether they are open.
    Ports(PortList),
    /// Of the host, these ports, which were found closed: what was there is gone, whatever the check.
    Closed(PortList),
}

impl Extent {
    /// Of what was told of one service. Where a report leaves out which, its other services were not done with it.
    pub(crate) fn of_service(status: CoverageStatus, place: &Location) -> Self {
        if status == CoverageStatus::Done && place.port.is_none() { Self::Itself } else { Self::Whole }
    }
}

/// Something that exists, by the names the tool knows it by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// `host`, `web`, `repository`; `type` in JSON, since `kind` names the record.
    #[serde(rename = "type")]
    pub kind: String,
    /// Pairs such as `("ip", "127.0.0.1")`.
    pub identifiers: Vec<(String, String)>,
    /// What listens there.
    pub services: Vec<Service>,
}

/// Something listening on a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Port.
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// `open`, `open|filtered`.
    pub state: String,
    /// Service name.
    pub name: Option<String>,
    /// Product.
    pub product: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// What it says of itself.
    pub banner: Option<String>,
    /// CPE names.
    pub cpe: Vec<String>,
    /// Whether TLS is spoken.
    pub tls: bool,
}

/// Something the importer could not take as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Where.
    pub position: Option<Position>,
    /// What.
    pub message: String,
}

/// One unit of output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly every record is an observation")]
pub enum Record {
    /// Something that exists.
    Asset(Asset),
    /// Something a tool said.
    Observation(Observation),
    /// Something a tool looked at.
    Coverage(Coverage),
    /// Something that could not be taken.
    Warning(Warning),
    /// What was believed elsewhere of the observation that comes next.
    Belief(Belief),
}

/// The receiver wants no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// Receives records as they are read.
pub trait Sink {
    /// Takes one record; `Err(Stop)` ends the import.
    fn record(&mut self, record: Record) -> Result<(), Stop>;
}

impl Sink for Vec<Record> {
    fn record(&mut self, record: Record) -> Result<(), Stop> {
        self.push(record);
        Ok(())
    }
}
