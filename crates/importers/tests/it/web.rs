//! What is carried over from scanners of web applications and of code.

use importers::Format;

use crate::{fixture, sample};

/// A small file of every format and generation.
pub(crate) fn specimens() -> Vec<(Format, Vec<u8>)> {
    vec![
        (Format::Zap, sample("zap/0_zap_sample.xml")),
        (Format::Zap, fixture("zap-plus.json")),
        (Format::Burp, sample("burp/one_finding_with_cwe.xml")),
        (Format::BurpApi, sample("burp_api/fix_issue_9128.json")),
        (Format::BurpDastardly, fixture("burp-dastardly.xml")),
        (Format::BurpGraphql, sample("burp_graphql/two_findings.json")),
        (Format::BurpSuiteDast, fixture("burp-dast.html")),
        (Format::Acunetix, sample("acunetix/watson_test_unique.xml")),
        (Format::Acunetix, sample("acunetix/issue_11206.json")),
        (Format::Wapiti, sample("wapiti/cwe_multi_cwe_fabricated.xml")),
        (Format::Wapiti, fixture("wapiti.json")),
        (Format::Semgrep, sample("semgrep/repeated_findings.json")),
        (Format::Semgrep, sample("semgrep/close_old_findings_report_line31.json")),
        (Format::Semgrep, fixture("semgrep-advisories.json")),
        (Format::SemgrepPro, sample("semgrep_pro/one_vuln.json")),
        (Format::Bandit, sample("bandit/one_vuln.json")),
        (Format::Gitleaks, sample("gitleaks/gitleaks8_many.json")),
        (Format::Gitleaks, sample("gitleaks/redacted_data_many.json")),
        (Format::Checkov, fixture("checkov.json")),
        (Format::Sonarqube, sample("sonarqube/sonar-table-in-table.html")),
        (Format::Sonarqube, sample("sonarqube/sonar-no-finding.json")),
        (Format::Sonarqube, fixture("sonarqube-api.json")),
    ]
}
