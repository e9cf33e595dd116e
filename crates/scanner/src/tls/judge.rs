//! From facts to issues: what a TLS report says is wrong, judged at a given moment.

use std::collections::BTreeMap;

use super::suites::{Weakness, weaknesses};
use super::{CertificateReport, TlsReport, TlsVersion};
use crate::catalogue::{Check, tls};
use crate::report::Issue;

const DAY: i64 = 86_400;

/// `is_whole` when every version was asked about to its end: only then is one that was not seen missing.
pub(super) fn judge(report: &TlsReport, now_unix: i64, is_whole: bool) -> Vec<Issue> {
    let mut issues = Vec::new();
    versions(report, is_whole, &mut issues);
    suites(report, &mut issues);
    handshake(report, &mut issues);
    certificates(report, now_unix, &mut issues);
    issues
}

fn issue(report: &TlsReport, check: &Check) -> Issue {
    let issue = Issue::new(check, report.address, &report.host);
    match report.starttls {
        Some(protocol) => issue.evidence("starttls", protocol),
        None => issue,
    }
}

fn versions(report: &TlsReport, is_whole: bool, issues: &mut Vec<Issue>) {
    let offered = report.versions.iter().map(|version| version.as_str()).collect::<Vec<_>>().join(", ");
    let old = [
        (TlsVersion::Ssl2, &tls::SSL2),
        (TlsVersion::Ssl3, &tls::SSL3),
        (TlsVersion::Tls10, &tls::TLS10),
        (TlsVersion::Tls11, &tls::TLS11),
    ];
    for (version, check) in old {
        if report.versions.contains(&version) {
            issues.push(issue(report, check).evidence("versions", &offered));
        }
    }
    let newest = report.versions.last().copied();
    if !is_whole {
        return;
    }
    if newest < Some(TlsVersion::Tls12) {
        issues.push(issue(report, &tls::NO_MODERN_VERSION).evidence("versions", &offered));
    } else if newest < Some(TlsVersion::Tls13) {
        issues.push(issue(report, &tls::NO_TLS13).evidence("versions", &offered));
    }
}

fn suites(report: &TlsReport, issues: &mut Vec<Issue>) {
    let mut weak: BTreeMap<Weakness, Vec<String>> = BTreeMap::new();
    for suite in &report.suites {
        for weakness in weaknesses(suite.id) {
            weak.entry(weakness).or_default().push(format!("{} ({})", suite.name, suite.version.as_str()));
        }
    }
    for (weakness, names) in weak {
        let check = match weakness {
            Weakness::Null => &tls::NULL_CIPHER,
            Weakness::Anonymous => &tls::ANONYMOUS_CIPHER,
            Weakness::Export => &tls::EXPORT_CIPHER,
            Weakness::Rc4 => &tls::RC4,
            Weakness::SmallBlock => &tls::SMALL_BLOCK,
            Weakness::NoForwardSecrecy => &tls::NO_FORWARD_SECRECY,
            Weakness::Cbc => &tls::CBC,
        };
        let mut found = issue(report, check).evidence("count", names.len().to_string());
        for name in names.iter().take(20) {
            found = found.evidence("suite", name);
        }
        issues.push(found);
    }
}

fn handshake(report: &TlsReport, issues: &mut Vec<Issue>) {
    if report.compression {
        issues.push(issue(report, &tls::COMPRESSION).evidence("method", "deflate"));
    }
    if report.secure_renegotiation == Some(false) {
        issues.push(issue(report, &tls::NO_SECURE_RENEGOTIATION).evidence("renegotiation_info", "missing"));
    }
    if let Some(bits) = report.dh_bits.filter(|bits| *bits < 2048) {
        issues.push(issue(report, &tls::WEAK_DH).evidence("bits", bits.to_string()));
    }
    if report.server_order == Some(false) {
        issues.push(issue(report, &tls::SERVER_ORDER).evidence("suites", report.suites.len().to_string()));
    }
}

fn certificates(report: &TlsReport, now_unix: i64, issues: &mut Vec<Issue>) {
    let Some(leaf) = report.chain.first() else {
        return;
    };
    let mut found = |check: &Check, certificate: &CertificateReport, name: &str, value: String| {
        issues.push(
            issue(report, check)
                .evidence("subject", &certificate.subject)
                .evidence("issuer", &certificate.issuer)
                .evidence("sha256", &certificate.sha256)
                .evidence(name, value),
        );
    };
    for certificate in &report.chain {
        let root = certificate.self_signed && certificate != leaf;
        if certificate.not_after_unix < now_unix {
            found(&tls::EXPIRED, certificate, "not_after_unix", certificate.not_after_unix.to_string());
        } else if certificate.not_before_unix > now_unix {
            found(&tls::NOT_YET_VALID, certificate, "not_before_unix", certificate.not_before_unix.to_string());
        } else if certificate.not_after_unix - now_unix < 21 * DAY {
            found(&tls::EXPIRES_SOON, certificate, "not_after_unix", certificate.not_after_unix.to_string());
        }
        let least = match certificate.key {
            "RSA" | "DSA" => 2048,
            _ => 224,
        };
        if certificate.key_bits > 0 && certificate.key_bits < least {
            let key = format!("{} {}", certificate.key, certificate.key_bits);
            found(&tls::WEAK_KEY, certificate, "key", key);
        }
        let digest = certificate.signature.to_ascii_lowercase();
        // Nobody checks the signature of a root: it is trusted by being known.
        if !root && (digest.contains("md5") || digest.contains("md2") || digest.contains("sha1")) {
            found(&tls::WEAK_SIGNATURE, certificate, "signature", certificate.signature.clone());
        }
    }
    if leaf.self_signed {
        found(&tls::SELF_SIGNED, leaf, "serial", leaf.serial.clone());
    } else if report.chain.len() == 1 {
        found(&tls::INCOMPLETE_CHAIN, leaf, "certificates", "1".to_owned());
    }
    if leaf.names.is_empty() {
        let name = leaf.common_name.clone().unwrap_or_default();
        found(&tls::NO_ALTERNATIVE_NAMES, leaf, "common_name", name);
    } else if leaf.names.iter().any(|name| name.starts_with("*.")) {
        found(&tls::WILDCARD, leaf, "names", leaf.names.join(", "));
    }
    if !leaf.stands_for(&report.host) {
        let asked_by_name = report.host.parse::<std::net::IpAddr>().is_err();
        let check = match asked_by_name {
            true => &tls::NAME_MISMATCH,
            false => &tls::ADDRESS_NOT_NAMED,
        };
        found(check, leaf, "names", leaf.names.join(", "));
    }
}
