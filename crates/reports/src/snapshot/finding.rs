//! A finding as a report freezes it, with its places, evidence and the human decision about it.

use base::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One weakness, as believed when the snapshot was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Id of the finding.
    pub id: String,
    /// What is wrong, in one line.
    pub title: String,
    /// How grave it is.
    pub severity: Severity,
    /// CVSS vector and the score computed from it.
    pub cvss: Option<Cvss>,
    /// Weakness classes (CWE numbers).
    pub cwes: Vec<u32>,
    /// Vulnerability names (CVE).
    pub cves: Vec<String>,
    /// Whether it is known to be exploited (CISA KEV); absent when not looked up.
    pub known_exploited: Option<bool>,
    /// Where it stands.
    pub status: Status,
    /// What a person decided about it.
    pub decision: Option<Decision>,
    /// How sure the source is.
    pub confidence: Confidence,
    /// Where it is.
    pub locations: Vec<Location>,
    /// What it is and what it allows.
    pub description: String,
    /// How to get rid of it.
    pub remediation: Option<String>,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// Where to read more.
    pub references: Vec<Reference>,
    /// Who found it: tool or format names.
    pub sources: Vec<String>,
    /// Id of the check inside the source; absent in reports made before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// First time it was seen.
    pub first_seen: Time,
    /// Last time it was seen.
    pub last_seen: Time,
}

/// How grave a finding is, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportedSeverity)]
#[expect(missing_docs, reason = "the field's usual five words")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All, gravest first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word used in data and class names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportedStatus)]
pub enum Status {
    /// Still there.
    Open,
    /// Was there; no later test looked again.
    NotRetested,
    /// There, and somebody accepted the risk.
    Accepted,
    /// Not a weakness after all.
    FalsePositive,
    /// Looked for again and gone.
    Fixed,
}

impl Status {
    /// All, most pressing first.
    pub const ALL: [Self; 5] = [Self::Open, Self::NotRetested, Self::Accepted, Self::FalsePositive, Self::Fixed];

    /// The word used in data and class names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::NotRetested => "not_retested",
            Self::Accepted => "accepted",
            Self::FalsePositive => "false_positive",
            Self::Fixed => "fixed",
        }
    }

    /// Whether the weakness has to be counted as being there.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::NotRetested)
    }
}

/// How sure the source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Shown to be so.
    Certain,
    /// Very likely.
    Firm,
    /// A sign, no more.
    Tentative,
}

impl Confidence {
    /// From a percentage as tools give it.
    #[must_use]
    pub const fn from_percent(percent: u8) -> Self {
        match percent {
            90.. => Self::Certain,
            60..90 => Self::Firm,
            _ => Self::Tentative,
        }
    }
}

/// A CVSS vector and its base score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cvss {
    /// Vector text, of any CVSS version.
    pub vector: Option<String>,
    /// Score in tenths, 0 to 100: whole numbers have one canonical text.
    pub score_tenths: u16,
}

/// What a person decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was decided.
    pub kind: DecisionKind,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Time,
    /// Why.
    pub reason: String,
    /// Until when it holds; without end when absent.
    pub until: Option<Time>,
}

/// Kinds of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// The risk is carried.
    Accepted,
    /// It is no weakness.
    FalsePositive,
    /// Declared fixed by a person.
    Fixed,
    /// Opened again.
    Reopened,
}

/// Where a finding is; as many fields as the source knew.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Location {
    /// Id of the target in scope.
    pub target: Option<String>,
    /// Host name or address.
    pub host: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Transport protocol of the port.
    pub protocol: Option<String>,
    /// Service name, such as `http`; absent in reports made before it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// URL.
    pub url: Option<String>,
    /// HTTP method.
    pub method: Option<String>,
    /// Parameter, header or field.
    pub parameter: Option<String>,
    /// Package or product, with its version when known.
    pub component: Option<String>,
    /// File.
    pub file: Option<String>,
    /// Line in the file.
    pub line: Option<u32>,
}

impl Location {
    /// Whether both are the same place, whatever answered there.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        let Self { target, host, port, protocol, service: _, url, method, parameter, component, file, line } = other;
        (&self.target, &self.host, self.port, &self.protocol, &self.url) == (target, host, *port, protocol, url)
            && (&self.method, &self.parameter, &self.component, &self.file, self.line) == (method, parameter, component, file, *line)
    }

    /// The place in one line, most telling part first; empty when nothing is known.
    #[must_use]
    pub fn place(&self) -> String {
        let mut parts = Vec::new();
        if let Some(url) = &self.url {
            match &self.method {
                Some(method) => parts.push(format!("{method} {url}")),
                None => parts.push(url.clone()),
            }
        } else if let Some(host) = &self.host {
            match (self.port, &self.protocol) {
                (Some(port), Some(protocol)) => parts.push(format!("{host} {protocol}/{port}")),
                (Some(port), None) => parts.push(format!("{host} {port}")),
                (None, _) => parts.push(host.clone()),
            }
        }
        if let Some(file) = &self.file {
            match self.line {
                Some(line) => parts.push(format!("{file}:{line}")),
                None => parts.push(file.clone()),
            }
        }
        parts.extend(self.component.clone());
        parts.extend(self.parameter.clone());
        parts.join(" · ")
    }
}

/// Something seen, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is: `request`, `response`, `banner` …
    pub label: String,
    /// The text itself.
    pub body: String,
    /// Whether it had been cut before it came here.
    pub truncated: bool,
}

/// Where to read more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Name to show; the address when absent.
    pub title: Option<String>,
    /// Address.
    pub url: String,
}
