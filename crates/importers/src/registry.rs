//! The one table of formats, and the doors that use it.

use std::fmt;
use std::io::Read;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::errors::ParseError;
use crate::formats::{
    acunetix, anchore_engine, asff, bandit, brakeman, burp, cargo_audit, checkmarx, checkov, clair, cyclonedx, dependency_check,
    dependency_track, detect_secrets, dockle, generic, gitlab, gitleaks, gosec, grype, hadolint, jfrogxray, kubebench, mend, mobsf,
    nexpose, nikto, nmap, npm_audit, npm_audit_7_plus, nuclei, openvas, osv_scanner, pip_audit, prowler, qualys, qualys_hacker_guardian,
    qualys_infrascan_webgui, qualys_vmdr, qualys_webapp, retirejs, sarif, semgrep, snyk, snyk_issue_api, sonarqube, sslscan, sslyze,
    stackhawk, tenable, testssl, trivy, trivy_operator, trufflehog, twistlock, tyrian, wapiti, yarn_audit, zap,
};
pub(crate) use crate::head::Head;
use crate::limits::{Limits, Options};
use crate::model::Sink;
use crate::output::{Output, Totals};

/// What the registry knows about a format.
pub(crate) struct Entry {
    pub(crate) format: Format,
    pub(crate) id: &'static str,
    /// The tool as observations name it; empty where each file names its own.
    pub(crate) source: &'static str,
    pub(crate) label: &'static str,
    /// Schemes of the identity keys its observations carry.
    pub(crate) schemes: &'static [&'static str],
    pub(crate) sniff: fn(&Head<'_>) -> Option<Confidence>,
    pub(crate) read: fn(&mut dyn Read, &mut Output<'_>) -> Result<(), ParseError>,
}

/// Writes the formats down once: what each is, its name, and the module whose entry says how it is known and read.
macro_rules! formats {
    ($($(#[$note:meta])* $name:ident = $($module:ident)::+,)+) => {
        /// A format this crate reads.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Format {
            $($(#[$note])* $name,)+
        }

        /// Every format; of those that are equally sure of a file, the first is taken.
        static ENTRIES: &[&Entry] = &[$(&$($module)::+::ENTRY,)+];

        impl Format {
            fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$name => &$($module)::+::ENTRY,)+
                }
            }
        }
    };
}

formats! {
    /// nmap `-oX`.
    Nmap = nmap,
    /// SARIF 2.1.0.
    Sarif = sarif,
    /// nuclei `-jsonl` and `-json-export`.
    Nuclei = nuclei,
    /// sslscan `--xml`.
    Sslscan = sslscan,
    /// Acunetix XML and Acunetix 360 JSON.
    Acunetix = acunetix,
    /// Issues exported from Burp as XML.
    Burp = burp::xml,
    /// Scan of the Burp REST API.
    BurpApi = burp::api,
    /// Dastardly JUnit XML.
    BurpDastardly = burp::dastardly,
    /// Issues of the Burp Enterprise GraphQL API.
    BurpGraphql = burp::graphql,
    /// Burp DAST (Burp Enterprise) HTML report.
    BurpSuiteDast = burp::dast,
    /// Bandit `-f json`.
    Bandit = bandit,
    /// Checkov `-o json`.
    Checkov = checkov,
    /// Gitleaks 7 and 8 JSON reports.
    Gitleaks = gitleaks,
    /// Semgrep `--json` and the supply-chain API.
    Semgrep = semgrep,
    /// Findings of the Semgrep AppSec Platform API.
    SemgrepPro = semgrep::pro,
    /// SonarQube web API JSON and sonar-report JSON and HTML.
    Sonarqube = sonarqube,
    /// Wapiti XML and JSON.
    Wapiti = wapiti,
    /// ZAP XML and JSON, traditional and plus.
    Zap = zap,
    /// testssl.sh `--csvfile`, `--jsonfile` and `--jsonfile-pretty`.
    Testssl = testssl,
    /// Nessus `.nessus` and the tables of Nessus, Tenable.io and Tenable.sc.
    Tenable = tenable,
    /// Greenbone (OpenVAS) XML and CSV.
    Openvas = openvas,
    /// Nikto XML, JSON and CSV.
    Nikto = nikto,
    /// Qualys asset data report, XML and CSV.
    Qualys = qualys,
    /// HackerGuardian and other tables of Qualys' PCI engine.
    QualysHackerGuardian = qualys_hacker_guardian,
    /// Qualys scan XML.
    QualysInfrascanWebgui = qualys_infrascan_webgui,
    /// Qualys VMDR CSV, by QID or by CVE.
    QualysVmdr = qualys_vmdr,
    /// Qualys Web Application Scanning XML.
    QualysWebapp = qualys_webapp,
    /// Nexpose XML export 2.0.
    Nexpose = nexpose,
    /// SSLyze JSON and XML.
    Sslyze = sslyze,
    /// Grype `-o json`.
    AnchoreGrype = grype,
    /// `cargo audit --json`.
    CargoAudit = cargo_audit,
    /// Prowler OCSF JSON and CSV since version 4.
    Prowler = prowler,
    /// CycloneDX bills of materials and VEX.
    Cyclonedx = cyclonedx,
    /// Prowler 3 JSON and CSV.
    #[serde(rename = "aws_prowler_v3plus")]
    AwsProwlerV3Plus = prowler::native,
    /// Prowler 2 CSV and JSON.
    AwsProwler = prowler::classic,
    /// Dependency-Track findings (FPF).
    DependencyTrack = dependency_track,
    /// `npm audit --json` up to npm 6.
    NpmAudit = npm_audit,
    /// `npm audit --json` since npm 7.
    #[serde(rename = "npm_audit_7_plus")]
    NpmAudit7Plus = npm_audit_7_plus,
    /// OSV-Scanner `--format json`.
    OsvScanner = osv_scanner,
    /// `pip-audit --format json`.
    PipAudit = pip_audit,
    /// `snyk test --json`.
    Snyk = snyk,
    /// Issues of the Snyk REST API.
    SnykIssueApi = snyk_issue_api,
    /// Trivy `--format json`.
    Trivy = trivy,
    /// Reports of the Trivy operator.
    TrivyOperator = trivy_operator,
    /// Anchore Engine JSON.
    AnchoreEngine = anchore_engine,
    /// AWS Security Hub findings (ASFF).
    Asff = asff,
    /// Brakeman `-f json`.
    Brakeman = brakeman,
    /// Clair as clair-scanner and klar report it.
    Clair = clair,
    /// OWASP Dependency-Check XML and JSON.
    DependencyCheck = dependency_check,
    /// detect-secrets baselines.
    DetectSecrets = detect_secrets,
    /// Dockle `-f json`.
    Dockle = dockle,
    /// Security reports of GitLab's analyzers.
    Gitlab = gitlab,
    /// gosec `-fmt json`.
    Gosec = gosec,
    /// hadolint `-f json`.
    Hadolint = hadolint,
    /// JFrog Xray JSON.
    Jfrogxray = jfrogxray,
    /// kube-bench `--json`.
    Kubebench = kubebench,
    /// Mend (WhiteSource) JSON.
    Mend = mend,
    /// MobSF JSON report.
    Mobsf = mobsf,
    /// Retire.js JSON.
    Retirejs = retirejs,
    /// TruffleHog 2 and 3 JSON lines.
    Trufflehog = trufflehog,
    /// Prisma Cloud (Twistlock) JSON and CSV.
    Twistlock = twistlock,
    /// `yarn audit --json` of version 1 and since version 3.
    YarnAudit = yarn_audit,
    /// Checkmarx XML and JSON.
    Checkmarx = checkmarx,
    /// DefectDojo's generic findings, JSON and CSV.
    Generic = generic,
    /// StackHawk webhook.
    Stackhawk = stackhawk,
    /// What this platform exports as JSON.
    Tyrian = tyrian,
}

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
    let entry = format.entry();
    let failure = (entry.read)(source, &mut output).and_then(|()| output.conclude(entry.source)).err();
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
