//! Prowler of every generation: OCSF since version 3, tables since version 4, its own JSON of version 3, tables and lines of version 2.
//! What failed is a finding, what passed is coverage; only version 2 lists both alike.

pub(crate) mod classic;
pub(crate) mod native;
mod ocsf;
mod table;

use std::io::Read;

use crate::errors::ParseError;
use crate::identity;
use crate::input::{self, Gauge};
use crate::model::{Asset, Coverage, CoverageStatus, Extent, IdentityKey, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;

const SOURCE: &str = "prowler";
const EXPECTED: &str = "Prowler OCSF JSON or CSV";
const SCHEMES: [&str; 2] = ["cloud", "cloud.moved"];

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Prowler,
    id: "prowler",
    source: SOURCE,
    label: "Prowler OCSF JSON and CSV (version 4 and newer)",
    schemes: &SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.opens(&['{', '[']) {
        let detection = head.has("\"finding_info\"") && head.has("\"status_code\"");
        let event = detection || head.has("\"finding\"") && head.has("\"class_uid\"") && head.has("\"compliance\"");
        let own = head.has("\"Prowler\"") || head.has("\"prowler\"") || head.has("\"prowler-");
        return event.then_some(if own { Confidence::Certain } else { Confidence::Possible });
    }
    head.titled(&["finding_uid", "check_id", "status", "severity"]).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (is_json, mut source) = opening(source, &out.gauge())?;
    if is_json { ocsf::read(&mut source, out) } else { table::read(&mut source, EXPECTED, &["finding_uid", "check_id", "status"], out) }
}

/// Whether a source starts as JSON does, and the source as it was.
fn opening<'a>(source: &'a mut dyn Read, gauge: &Gauge) -> Result<(bool, impl Read + use<'a>), ParseError> {
    let (first, source) = input::opening(source, gauge)?;
    Ok((matches!(first, Some(b'{' | b'[')), source))
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Failed,
    /// Somebody has to look.
    Manual,
    Passed,
    /// Failed, and somebody said not to tell.
    Muted,
}

impl Outcome {
    fn of(status: &str, muted: bool) -> Option<Self> {
        Some(match status.trim().to_ascii_uppercase().as_str() {
            "FAIL" if muted => Self::Muted,
            "FAIL" | "WARNING" => Self::Failed,
            "MANUAL" => Self::Manual,
            "PASS" | "INFO" => Self::Passed,
            _ => return None,
        })
    }
}

/// One check of one resource.
#[derive(Default)]
struct Check {
    provider: String,
    account: Option<String>,
    region: Option<String>,
    service: Option<String>,
    id: String,
    title: String,
    severity: Severity,
    detail: Option<String>,
    description: Option<String>,
    risk: Option<String>,
    remediation: Option<String>,
    references: Vec<String>,
    tags: Vec<String>,
    /// Lasting name of the resource.
    resource: Option<String>,
    resource_kind: Option<String>,
    compliance: Vec<String>,
    observed_at: Option<String>,
}

impl Check {
    fn location(&self) -> Location {
        Location { service: self.service.clone(), logical: self.resource.clone(), ..Location::default() }
    }

    /// Hands on what passed or was left out.
    fn cover(self, status: CoverageStatus, reason: Option<String>, out: &mut Output<'_>) -> Result<(), ParseError> {
        let location = self.location();
        out.coverage(Coverage { source: SOURCE.to_owned(), check_set: self.id, location, extent: Extent::Whole, status, reason })
    }

    /// Hands on what failed; `issue` says which of the report's findings it is.
    fn tell(self, issue: &[&str], seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
        let keys = self.keys(&mut seen.occurrences);
        seen.introduce(&self, out)?;
        let location = self.location();
        let mut description: Vec<&str> = Vec::new();
        for text in [&self.detail, &self.description, &self.risk].into_iter().flatten() {
            if !description.contains(&text.as_str()) {
                description.push(text);
            }
        }
        let description = description.join("\n\n");
        let mut tags = self.tags;
        tags.push(format!("provider:{}", self.provider));
        tags.extend(self.account.map(|account| format!("account:{account}")));
        tags.extend(self.region.map(|region| format!("region:{region}")));
        tags.extend(self.resource_kind);
        let evidence = if self.compliance.is_empty() { Vec::new() } else { vec![out.evidence("compliance", &self.compliance.join("\n"))] };
        let observation = Observation {
            source: SOURCE.to_owned(),
            check: self.id,
            title: self.title,
            description,
            remediation: self.remediation,
            severity: self.severity,
            confidence: 85,
            cwes: vec![1032],
            references: self.references,
            tags,
            location,
            evidence,
            keys,
            observed_at: self.observed_at,
            ..Observation::default()
        };
        out.observation(observation, issue)
    }

    fn keys(&self, seen: &mut Occurrences) -> Vec<IdentityKey> {
        let (account, region) = (self.account.as_deref(), self.region.as_deref());
        let resource = self.resource.as_deref().unwrap_or_default();
        let nth = seen.of(("cloud", &self.provider, account, region, resource, &self.id));
        let mut keys = vec![identity::cloud(&self.provider, account, region, resource, &self.id, nth)];
        if !resource.is_empty() {
            keys.push(identity::cloud_moved(&self.provider, resource, &self.id));
        }
        keys
    }
}

/// What is remembered across the checks of one file.
#[derive(Default)]
struct Seen {
    occurrences: Occurrences,
    accounts: std::collections::BTreeSet<(String, String)>,
}

impl Seen {
    /// Hands every account on once.
    fn introduce(&mut self, check: &Check, out: &mut Output<'_>) -> Result<(), ParseError> {
        let Some(account) = &check.account else {
            return Ok(());
        };
        let name = (check.provider.clone(), account.clone());
        if self.accounts.len() >= 10_000 || !self.accounts.insert(name) {
            return Ok(());
        }
        let identifiers = vec![("provider".to_owned(), check.provider.clone()), ("account".to_owned(), account.clone())];
        out.asset(Asset { kind: "cloud".to_owned(), identifiers, services: Vec::new() })
    }
}

/// Texts that are there.
fn present<const N: usize>(texts: [Option<&str>; N]) -> Vec<String> {
    texts.into_iter().flatten().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn severity(word: Option<&str>) -> Severity {
    word.and_then(vocabulary::severity).unwrap_or_default()
}
