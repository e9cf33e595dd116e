//! The one table of formats, and the doors that use it.

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::errors::ParseError;
use crate::formats::{
    acunetix, bandit, burp, cargo_audit, checkov, cyclonedx, dependency_track, gitleaks, grype, nexpose, nikto, nmap, npm_audit,
    npm_audit_7_plus, nuclei, openvas, osv_scanner, pip_audit, prowler, qualys, qualys_hacker_guardian, qualys_infrascan_webgui,
    qualys_vmdr, qualys_webapp, sarif, semgrep, snyk, snyk_issue_api, sonarqube, sslscan, sslyze, tenable, testssl, trivy, trivy_operator,
    tyrian, wapiti, zap,
};
pub(crate) use crate::head::Head;
use crate::limits::{Limits, Options};
use crate::model::Sink;
use crate::output::{Output, Totals};

/// A format this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// nmap `-oX`.
    Nmap,
    /// SARIF 2.1.0.
    Sarif,
    /// nuclei `-jsonl` and `-json-export`.
    Nuclei,
    /// sslscan `--xml`.
    Sslscan,
    /// Acunetix XML and Acunetix 360 JSON.
    Acunetix,
    /// Issues exported from Burp as XML.
    Burp,
    /// Scan of the Burp REST API.
    BurpApi,
    /// Dastardly JUnit XML.
    BurpDastardly,
    /// Issues of the Burp Enterprise GraphQL API.
    BurpGraphql,
    /// Burp DAST (Burp Enterprise) HTML report.
    BurpSuiteDast,
    /// Bandit `-f json`.
    Bandit,
    /// Checkov `-o json`.
    Checkov,
    /// Gitleaks 7 and 8 JSON reports.
    Gitleaks,
    /// Semgrep `--json` and the supply-chain API.
    Semgrep,
    /// Findings of the Semgrep AppSec Platform API.
    SemgrepPro,
    /// SonarQube web API JSON and sonar-report JSON and HTML.
    Sonarqube,
    /// Wapiti XML and JSON.
    Wapiti,
    /// ZAP XML and JSON, traditional and plus.
    Zap,
    /// testssl.sh `--csvfile`, `--jsonfile` and `--jsonfile-pretty`.
    Testssl,
    /// Nessus `.nessus` and the tables of Nessus, Tenable.io and Tenable.sc.
    Tenable,
    /// Greenbone (OpenVAS) XML and CSV.
    Openvas,
    /// Nikto XML, JSON and CSV.
    Nikto,
    /// Qualys asset data report, XML and CSV.
    Qualys,
    /// HackerGuardian and other tables of Qualys' PCI engine.
    QualysHackerGuardian,
    /// Qualys scan XML.
    QualysInfrascanWebgui,
    /// Qualys VMDR CSV, by QID or by CVE.
    QualysVmdr,
    /// Qualys Web Application Scanning XML.
    QualysWebapp,
    /// Nexpose XML export 2.0.
    Nexpose,
    /// SSLyze JSON and XML.
    Sslyze,
    /// Grype `-o json`.
    AnchoreGrype,
    /// Prowler 2 CSV and JSON.
    AwsProwler,
    /// Prowler 3 JSON and CSV.
    #[serde(rename = "aws_prowler_v3plus")]
    AwsProwlerV3Plus,
    /// `cargo audit --json`.
    CargoAudit,
    /// CycloneDX bills of materials and VEX.
    Cyclonedx,
    /// Dependency-Track findings (FPF).
    DependencyTrack,
    /// `npm audit --json` up to npm 6.
    NpmAudit,
    /// `npm audit --json` since npm 7.
    #[serde(rename = "npm_audit_7_plus")]
    NpmAudit7Plus,
    /// OSV-Scanner `--format json`.
    OsvScanner,
    /// `pip-audit --format json`.
    PipAudit,
    /// Prowler OCSF JSON and CSV since version 4.
    Prowler,
    /// `snyk test --json`.
    Snyk,
    /// Issues of the Snyk REST API.
    SnykIssueApi,
    /// Trivy `--format json`.
    Trivy,
    /// Reports of the Trivy operator.
    TrivyOperator,
    /// What this platform exports as JSON.
    Tyrian,
}

/// What the registry knows about a format.
pub(crate) struct Entry {
    pub(crate) format: Format,
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    /// Schemes of the identity keys its observations carry.
    pub(crate) schemes: &'static [&'static str],
    pub(crate) sniff: fn(&Head<'_>) -> Option<Confidence>,
    pub(crate) read: fn(&mut dyn Read, &mut Output<'_>) -> Result<(), ParseError>,
}

static ENTRIES: &[&Entry] = &[
    &nmap::ENTRY,
    &sarif::ENTRY,
    &nuclei::ENTRY,
    &sslscan::ENTRY,
    &acunetix::ENTRY,
    &burp::xml::ENTRY,
    &burp::api::ENTRY,
    &burp::dastardly::ENTRY,
    &burp::graphql::ENTRY,
    &burp::dast::ENTRY,
    &bandit::ENTRY,
    &checkov::ENTRY,
    &gitleaks::ENTRY,
    &semgrep::ENTRY,
    &semgrep::pro::ENTRY,
    &sonarqube::ENTRY,
    &wapiti::ENTRY,
    &zap::ENTRY,
    &testssl::ENTRY,
    &tenable::ENTRY,
    &openvas::ENTRY,
    &nikto::ENTRY,
    &qualys::ENTRY,
    &qualys_hacker_guardian::ENTRY,
    &qualys_infrascan_webgui::ENTRY,
    &qualys_vmdr::ENTRY,
    &qualys_webapp::ENTRY,
    &nexpose::ENTRY,
    &sslyze::ENTRY,
    &grype::ENTRY,
    &cargo_audit::ENTRY,
    &prowler::ENTRY,
    &cyclonedx::ENTRY,
    &prowler::native::ENTRY,
    &prowler::classic::ENTRY,
    &dependency_track::ENTRY,
    &npm_audit::ENTRY,
    &npm_audit_7_plus::ENTRY,
    &osv_scanner::ENTRY,
    &pip_audit::ENTRY,
    &snyk::ENTRY,
    &snyk_issue_api::ENTRY,
    &trivy::ENTRY,
    &trivy_operator::ENTRY,
    &tyrian::ENTRY,
];

impl Format {
    /// Every format.
    pub fn all() -> impl Iterator<Item = Self> {
        ENTRIES.iter().map(|entry| entry.format)
    }

    /// Stable id, as used on command lines and in the API.
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    /// Name to show.
    pub fn label(self) -> &'static str {
        self.entry().label
    }

    /// Schemes of the identity keys its observations carry.
    pub fn schemes(self) -> &'static [&'static str] {
        self.entry().schemes
    }

    fn entry(self) -> &'static Entry {
        match self {
            Self::Nmap => &nmap::ENTRY,
            Self::Sarif => &sarif::ENTRY,
            Self::Nuclei => &nuclei::ENTRY,
            Self::Sslscan => &sslscan::ENTRY,
            Self::Acunetix => &acunetix::ENTRY,
            Self::Burp => &burp::xml::ENTRY,
            Self::BurpApi => &burp::api::ENTRY,
            Self::BurpDastardly => &burp::dastardly::ENTRY,
            Self::BurpGraphql => &burp::graphql::ENTRY,
            Self::BurpSuiteDast => &burp::dast::ENTRY,
            Self::Bandit => &bandit::ENTRY,
            Self::Checkov => &checkov::ENTRY,
            Self::Gitleaks => &gitleaks::ENTRY,
            Self::Semgrep => &semgrep::ENTRY,
            Self::SemgrepPro => &semgrep::pro::ENTRY,
            Self::Sonarqube => &sonarqube::ENTRY,
            Self::Wapiti => &wapiti::ENTRY,
            Self::Zap => &zap::ENTRY,
            Self::Testssl => &testssl::ENTRY,
            Self::Tenable => &tenable::ENTRY,
            Self::Openvas => &openvas::ENTRY,
            Self::Nikto => &nikto::ENTRY,
            Self::Qualys => &qualys::ENTRY,
            Self::QualysHackerGuardian => &qualys_hacker_guardian::ENTRY,
            Self::QualysInfrascanWebgui => &qualys_infrascan_webgui::ENTRY,
            Self::QualysVmdr => &qualys_vmdr::ENTRY,
            Self::QualysWebapp => &qualys_webapp::ENTRY,
            Self::Nexpose => &nexpose::ENTRY,
            Self::Sslyze => &sslyze::ENTRY,
            Self::AnchoreGrype => &grype::ENTRY,
            Self::CargoAudit => &cargo_audit::ENTRY,
            Self::Prowler => &prowler::ENTRY,
            Self::Cyclonedx => &cyclonedx::ENTRY,
            Self::AwsProwlerV3Plus => &prowler::native::ENTRY,
            Self::AwsProwler => &prowler::classic::ENTRY,
            Self::DependencyTrack => &dependency_track::ENTRY,
            Self::NpmAudit => &npm_audit::ENTRY,
            Self::NpmAudit7Plus => &npm_audit_7_plus::ENTRY,
            Self::OsvScanner => &osv_scanner::ENTRY,
            Self::PipAudit => &pip_audit::ENTRY,
            Self::Snyk => &snyk::ENTRY,
            Self::SnykIssueApi => &snyk_issue_api::ENTRY,
            Self::Trivy => &trivy::ENTRY,
            Self::TrivyOperator => &trivy_operator::ENTRY,
            Self::Tyrian => &tyrian::ENTRY,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {0:?}; known are {known}", known = known())]
pub struct UnknownFormat(pub String);

fn known() -> String {
    let ids: Vec<&str> = Format::all().map(Format::id).collect();
    ids.join(", ")
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        ENTRIES
            .iter()
            .find(|entry| entry.id.eq_ignore_ascii_case(text.trim()))
            .map(|entry| entry.format)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// How sure a guess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The name or the shape fits.
    Possible,
    /// Members fit that others could have too.
    Likely,
    /// The file says what it is.
    Certain,
}

/// Guesses the format from the first bytes of a file and its name; best first, empty when unknown.
pub fn sniff(head: &[u8], name: Option<&str>) -> Vec<(Format, Confidence)> {
    let head = Head::new(head, name);
    let mut guesses: Vec<_> =
        ENTRIES.iter().filter_map(|entry| (entry.sniff)(&head).map(|confidence| (entry.format, confidence))).collect();
    guesses.sort_by_key(|(_, confidence)| std::cmp::Reverse(*confidence));
    guesses
}

/// What came out of a file, and why it ended early if it did.
#[derive(Debug)]
pub struct Outcome {
    /// Counts of everything the sink received.
    pub totals: Totals,
    /// The error that ended the import; records before it were handed over.
    pub failure: Option<ParseError>,
}

/// Reads a file to its end or to the first error, and always says what was handed over.
pub fn read(format: Format, source: &mut dyn Read, options: &Options, sink: &mut dyn Sink) -> Outcome {
    let mut output = Output::new(sink, options);
    let failure = (format.entry().read)(source, &mut output).err();
    Outcome { totals: output.totals(), failure }
}

/// Reads a file as the tool reports it; see [`read`] for what came before an error.
pub fn parse(format: Format, source: &mut dyn Read, limits: &Limits, sink: &mut dyn Sink) -> Result<Totals, ParseError> {
    let options = Options { limits: limits.clone(), ..Options::default() };
    let outcome = read(format, source, &options, sink);
    match outcome.failure {
        Some(error) => Err(error),
        None => Ok(outcome.totals),
    }
}
