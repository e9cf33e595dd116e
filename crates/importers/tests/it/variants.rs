//! What older and rarer generations of a tool write says the same as what the current one does.

use importers::{CoverageStatus, Format, Record, Severity, sniff};

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

#[test]
fn packages_are_told_before_or_after_what_is_wrong_with_them_and_beside_what_later_releases_add() {
    let flaw = r#""vulnerabilities":[{"id":"GHSA-0000-0000-0001","database_specific":{"severity":"MODERATE"}}]"#;
    let package = r#""package":{"name":"left","version":"1.0.0","ecosystem":"npm"}"#;
    let source = r#""source":{"path":"/src/package-lock.json","type":"lockfile"}"#;
    let orders = [
        format!(r#"{{"results":[{{{source},"packages":[{{{package},{flaw},"licenses":["MIT"]}}]}}],"license_summary":[]}}"#),
        format!(r#"{{"results":[{{{source},"packages":[{{{flaw},{package}}}]}}]}}"#),
        format!(r#"{{"results":[{{"packages":[{{{flaw},{package}}}],{source}}}]}}"#),
        format!(r#"{{"results":[{{{source},"experimental_annotations":[],"packages":[{{{package},{flaw}}}]}}],"image_metadata":{{}}}}"#),
        format!(
            r#"{{"results":[{{"packages":[{{{flaw},{package}}}],"packageSource":{{"path":"/src/package-lock.json","type":"lockfile"}}}}]}}"#
        ),
    ];
    for report in orders {
        assert_eq!(sniff(report.as_bytes(), None).first().map(|guess| guess.0), Some(Format::OsvScanner), "{report}");
        let found = records(Format::OsvScanner, report.as_bytes());
        let found = observations(&found);
        assert_eq!(found.len(), 1, "{report}");
        assert_eq!(found[0].severity, Severity::Medium, "{report}");
        assert_eq!(found[0].location.file.as_deref(), Some("/src/package-lock.json"), "{report}");
        assert_eq!(found[0].location.component.as_ref().map(|one| one.name.as_str()), Some("left"), "{report}");
    }
}

#[test]
fn a_report_in_which_nothing_is_says_whose_it_is_and_closes_nothing_by_itself() {
    let silent: [(Format, &[u8], &str); 13] = [
        (Format::Nmap, b"<nmaprun scanner='nmap'><runstats/></nmaprun>", "nmap"),
        (Format::Nuclei, b"", "nuclei"),
        (Format::Sarif, br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"X"}},"results":[]}]}"#, "sarif:X"),
        (Format::Trivy, br#"{"SchemaVersion":2,"ArtifactName":"x","ArtifactType":"filesystem"}"#, "trivy"),
        (Format::OsvScanner, br#"{"results":[]}"#, "osv-scanner"),
        (Format::PipAudit, b"[]", "pip-audit"),
        (Format::Cyclonedx, br#"{"bomFormat":"CycloneDX","specVersion":"1.5","vulnerabilities":[]}"#, "cyclonedx"),
        (Format::Zap, b"<OWASPZAPReport version='2.11'></OWASPZAPReport>", "zap"),
        (Format::Burp, b"<issues burpVersion='2'></issues>", "burp"),
        (Format::Tenable, b"<NessusClientData_v2><Report name='r'></Report></NessusClientData_v2>", "tenable"),
        (Format::Openvas, b"<report id='1'><report id='1'><results></results></report></report>", "openvas"),
        (Format::Nexpose, b"<NexposeReport version='2.0'><nodes/></NexposeReport>", "nexpose"),
        (Format::Testssl, b"id,fqdn/ip,port,severity,finding,cve,cwe\n", "testssl"),
    ];
    for (format, bytes, source) in silent {
        let found = records(format, bytes);
        let told: Vec<_> = found.iter().filter_map(|record| if let Record::Coverage(told) = record { Some(told) } else { None }).collect();
        assert_eq!((told.len(), observations(&found).len()), (1, 0), "{format}: {found:?}");
        assert_eq!((told[0].source.as_str(), told[0].status), (source, CoverageStatus::Skipped), "{format}");
    }
}

#[test]
fn nikto_with_its_commas_too_many_says_what_it_says_without_them() {
    let host = |name: &str, ends: &str| {
        let item = r#"{"id":3092,"OSVDB":3092,"method":"GET","url":"/a,]","msg":"/a,]: interesting, \"}"}"#;
        format!(r#"{{"host":"{name}","ip":"192.0.2.1","port":"80","banner":"x","vulnerabilities":[{item}{ends}]"#)
    };
    let told = |text: &str| {
        let found = records(Format::Nikto, text.as_bytes());
        observations(&found).into_iter().map(|one| (one.check.clone(), one.severity, one.location.url.clone())).collect::<Vec<_>>()
    };
    let plain = format!("[{}}},{}}}]", host("a.example", ""), host("b.example", ""));
    let before = format!("{},{},}}\n", host("a.example", ","), host("b.example", " ,\n "));
    assert_eq!(told(&before), told(&plain));
    assert_eq!(told(&plain).len(), 2);
    assert_eq!(told(&plain)[0].1, Severity::Medium);
}

#[test]
fn runs_that_are_appended_to_one_another_are_all_read() {
    let run = |address: &str| {
        let port = "<port protocol='tcp' portid='22'><state state='open'/></port>";
        format!("<?xml version='1.0'?><nmaprun start='1'><host><address addr='{address}'/><ports>{port}</ports></host></nmaprun>\n")
    };
    let both = records(Format::Nmap, format!("{}{}", run("192.0.2.1"), run("192.0.2.2")).as_bytes());
    assert_eq!(observations(&both).iter().filter_map(|one| one.location.ip.as_deref()).collect::<Vec<_>>(), ["192.0.2.1", "192.0.2.2"]);
    let nikto = String::from_utf8(crate::sample("nikto/nikto-output.xml")).expect("text");
    let (_, run) = nikto.split_once("<niktoscan").expect("root");
    let once = observations(&records(Format::Nikto, nikto.as_bytes())).len();
    let twice = format!("{nikto}<niktoscan{run}");
    assert_eq!(observations(&records(Format::Nikto, twice.as_bytes())).len(), 2 * once);
    let other = crate::hostile::refusal(Format::Nmap, b"<nmaprun/><html/>");
    assert!(other.contains("<html> after the end of the report"), "{other}");
}
