//! What older and rarer generations of a tool write says the same as what the current one does.

use importers::{Format, Severity, sniff};

use crate::{fixture, observations, records};

const FILES: [(Format, &str); 3] = [
    (Format::Sslyze, "sslyze-2.json"),
    (Format::Prowler, "packages/prowler-3-ocsf.json"),
    (Format::DependencyTrack, "packages/dependency-track-api.json"),
];

pub(crate) fn specimens() -> Vec<(Format, Vec<u8>)> {
    FILES.iter().map(|(format, name)| (*format, fixture(name))).collect()
}

#[test]
fn every_generation_is_known_by_its_contents() {
    for (format, bytes) in specimens() {
        assert_eq!(sniff(&bytes, None).first().map(|guess| guess.0), Some(format));
    }
}

#[test]
fn sslyze_before_version_3_finds_what_later_versions_find() {
    let old = records(Format::Sslyze, &fixture("sslyze-2.json"));
    let new = records(Format::Sslyze, &fixture("sslyze.json"));
    let told = |records| observations(records).into_iter().map(|o| (o.check.clone(), o.severity)).collect::<Vec<_>>();
    assert_eq!(told(&old), told(&new));
    let evidence = &observations(&old).last().expect("certificates").evidence[0].body;
    assert!(evidence.contains("self signed certificate (trust store Mozilla 2019-03)") && !evidence.contains("Java"), "{evidence}");
    let refused = old.iter().filter(|record| format!("{record:?}").contains("Could not resolve")).count();
    assert_eq!(refused, 1);
}

#[test]
fn prowler_security_findings_are_those_of_its_detection_findings() {
    let old = records(Format::Prowler, &fixture("packages/prowler-3-ocsf.json"));
    let new = records(Format::Prowler, &fixture("packages/prowler.json"));
    let (old, new) = (observations(&old), observations(&new));
    assert_eq!(old.len(), 1);
    assert_eq!((&old[0].check, &old[0].keys, old[0].severity), (&new[0].check, &new[0].keys, Severity::High));
    assert_eq!(old[0].description, new[0].description);
    assert_eq!(old[0].remediation.as_deref(), Some("Close it"));
}

#[test]
fn early_leaks_and_results_without_numbers_are_taken() {
    let leaks = br#"[{"line":"key = AKIA0","commit":"1","offender":"AKIA0","reason":"AWS","commitMsg":"m","author":"a","file":"x.py"}]"#;
    assert_eq!(observations(&records(Format::Gitleaks, leaks))[0].severity, Severity::Critical);
    let results = br#"{"metrics":{"_totals":{}},"results":[{"test_name":"exec_used","filename":"a.py","issue_severity":"HIGH"}]}"#;
    assert_eq!(observations(&records(Format::Bandit, results))[0].check, "bandit:exec_used");
    let findings = records(Format::DependencyTrack, &fixture("packages/dependency-track-api.json"));
    assert_eq!(observations(&findings)[0].cves, ["CVE-2019-10744"]);
}
