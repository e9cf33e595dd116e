//! Reports that are lists of records: what is counted, what is carried over, and what a report of nothing says.

use importers::{Format, Limits, Observation, ParseError, Record, Severity, SeverityCounts, parse, sniff};

use crate::{fixture, observations, records};

/// Info, low, medium, high, critical.
const FILES: [(Format, &str, [u64; 5]); 34] = [
    (Format::YarnAudit, "yarn-1.json", [0, 0, 1, 0, 0]),
    (Format::YarnAudit, "yarn-4.json", [0, 0, 1, 1, 0]),
    (Format::Asff, "asff.json", [0, 0, 1, 1, 0]),
    (Format::DependencyCheck, "dependency-check.json", [0, 0, 0, 0, 2]),
    (Format::DependencyCheck, "dependency-check.xml", [0, 0, 1, 1, 0]),
    (Format::Gosec, "gosec.json", [0, 0, 1, 1, 0]),
    (Format::Brakeman, "brakeman.json", [0, 0, 1, 0, 0]),
    (Format::Hadolint, "hadolint.json", [1, 0, 0, 1, 1]),
    (Format::Kubebench, "kubebench.json", [1, 0, 1, 0, 0]),
    (Format::Dockle, "dockle.json", [0, 1, 0, 1, 0]),
    (Format::Retirejs, "retirejs.json", [0, 1, 1, 0, 0]),
    (Format::DetectSecrets, "detect-secrets.json", [0, 0, 2, 0, 0]),
    (Format::Trufflehog, "trufflehog-2.json", [1, 0, 0, 0, 1]),
    (Format::Trufflehog, "trufflehog-3.json", [0, 0, 0, 1, 1]),
    (Format::Mend, "mend.json", [0, 0, 0, 1, 0]),
    (Format::Mend, "mend-libraries.json", [0, 0, 1, 0, 0]),
    (Format::Jfrogxray, "jfrogxray.json", [1, 0, 0, 1, 0]),
    (Format::Jfrogxray, "jfrogxray-scan.json", [0, 0, 1, 0, 0]),
    (Format::AnchoreEngine, "anchore-engine.json", [1, 0, 0, 1, 0]),
    (Format::AnchoreEngine, "anchore-evaluation.json", [0, 0, 0, 0, 1]),
    (Format::Clair, "clair.json", [0, 0, 1, 0, 1]),
    (Format::Clair, "clair-klar.json", [1, 0, 0, 1, 0]),
    (Format::Twistlock, "twistlock.json", [0, 0, 0, 1, 0]),
    (Format::Twistlock, "twistlock.csv", [0, 0, 1, 1, 0]),
    (Format::Mobsf, "mobsf.json", [1, 0, 2, 3, 0]),
    (Format::Mobsf, "mobsf-ios.json", [0, 0, 1, 1, 0]),
    (Format::Checkmarx, "checkmarx.json", [0, 1, 0, 1, 0]),
    (Format::Checkmarx, "checkmarx-one.json", [0, 0, 0, 1, 0]),
    (Format::Checkmarx, "checkmarx.xml", [0, 0, 0, 1, 0]),
    (Format::Generic, "generic.json", [0, 0, 1, 1, 0]),
    (Format::Generic, "generic.csv", [0, 1, 0, 0, 0]),
    (Format::Gitlab, "gitlab.json", [1, 0, 1, 2, 1]),
    (Format::Zap, "zap-alerts.json", [0, 1, 1, 0, 0]),
    (Format::Stackhawk, "stackhawk.json", [0, 0, 1, 0, 0]),
];

pub(crate) fn specimens() -> Vec<(Format, Vec<u8>)> {
    FILES.iter().map(|(format, name, _)| (*format, file(name))).collect()
}

fn file(name: &str) -> Vec<u8> {
    fixture(&format!("listed/{name}"))
}

fn first(format: Format, name: &str) -> Observation {
    observations(&records(format, &file(name)))[0].clone()
}

#[test]
fn every_report_is_counted_as_its_users_expect() {
    let mut wrong = Vec::new();
    for (format, name, [info, low, medium, high, critical]) in FILES {
        let guess = sniff(&file(name), None).first().map(|guess| guess.0);
        let mut sink = Vec::<Record>::new();
        let totals = parse(format, &mut &file(name)[..], &Limits::default(), &mut sink);
        let counted = totals.as_ref().map(|totals| (totals.by_severity, totals.skipped)).map_err(ToString::to_string);
        let expected = (SeverityCounts { info, low, medium, high, critical }, 0);
        if counted != Ok(expected) || guess != Some(format) {
            wrong.push(format!("{name}: {guess:?} {counted:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Reports of tools that found nothing, as each writes it.
const CLEAN: [(Format, &str); 28] = [
    (
        Format::YarnAudit,
        r#"{"type":"auditSummary","data":{"vulnerabilities":{"info":0,"low":0,"moderate":0,"high":0,"critical":0},"dependencies":3}}"#,
    ),
    (Format::YarnAudit, ""),
    (Format::Asff, r#"{"Findings":[]}"#),
    (Format::Asff, "[]"),
    (Format::DependencyCheck, r#"{"reportSchema":"1.1","scanInfo":{},"projectInfo":{},"dependencies":[]}"#),
    (
        Format::DependencyCheck,
        r#"<analysis xmlns="https://jeremylong.github.io/DependencyCheck/dependency-check.2.5.xsd"><scanInfo/><dependencies/></analysis>"#,
    ),
    (Format::Gosec, r#"{"Golang errors":{},"Issues":[],"Stats":{"files":1,"lines":9,"nosec":0,"found":0}}"#),
    (Format::Gosec, r#"{"Issues":null,"Stats":{"files":1,"lines":9,"nosec":0,"found":0}}"#),
    (Format::Brakeman, r#"{"scan_info":{"brakeman_version":"4"},"warnings":[],"ignored_warnings":[],"errors":[]}"#),
    (Format::Hadolint, "[]"),
    (Format::Kubebench, r#"{"Controls":[],"Totals":{"total_pass":0,"total_fail":0,"total_warn":0,"total_info":0}}"#),
    (Format::Dockle, r#"{"summary":{"fatal":0,"warn":0,"info":0,"skip":0,"pass":16},"details":[]}"#),
    (Format::Retirejs, "[]"),
    (Format::Retirejs, r#"{"version":"2.2.2","start":"2030-01-02T03:04:05.000Z","data":[],"messages":[],"errors":[]}"#),
    (Format::DetectSecrets, r#"{"version":"1.0.3","plugins_used":[],"results":{},"generated_at":"2030-01-02T03:04:05Z"}"#),
    (Format::Trufflehog, "\n"),
    (Format::Mend, r#"{"projectVitals":{},"libraries":[]}"#),
    (Format::Mend, r#"{"vulnerabilities":[]}"#),
    (Format::Jfrogxray, r#"{"total_count":0,"data":[]}"#),
    (Format::AnchoreEngine, r#"{"imageDigest":"sha256:00","vulnerabilities":[],"vulnerability_type":"all"}"#),
    (Format::Clair, r#"{"image":"a","unapproved":[],"vulnerabilities":[]}"#),
    (Format::Twistlock, r#"{"results":[{"id":"sha256:00","vulnerabilities":null,"vulnerabilityDistribution":{"total":0}}]}"#),
    (Format::Gitlab, r#"{"version":"15.0.7","scan":{"type":"sast","status":"success"},"vulnerabilities":[]}"#),
    (Format::Generic, r#"{"findings":[]}"#),
    (Format::Generic, "Date,Title,CweId,Url,Severity,Description,Mitigation\n"),
    (Format::Stackhawk, r#"{"service":"StackHawk","scanCompleted":{"scan":{"id":"1"},"findings":[]}}"#),
    (Format::Checkmarx, r#"<CxXMLResults ProjectName="a"></CxXMLResults>"#),
    (Format::Mobsf, r#"{"appsec":{},"code_analysis":{},"manifest_analysis":{},"certificate_analysis":{},"permissions":{}}"#),
];

#[test]
fn a_report_of_nothing_is_no_error_and_says_that_the_tool_ran() {
    for (format, text) in CLEAN {
        let mut sink = Vec::<Record>::new();
        let totals = parse(format, &mut text.as_bytes(), &Limits::default(), &mut sink);
        let totals = totals.unwrap_or_else(|error| panic!("{format}: {text}: {error}"));
        assert_eq!((totals.issues, totals.skipped, totals.coverage), (0, 0, 1), "{format}: {text}");
    }
}

#[test]
fn what_only_looks_like_a_report_is_refused() {
    for (format, ..) in FILES {
        if format == Format::Zap {
            continue;
        }
        for text in [r#"[{"a":1}]"#, r#"{"a":{"b":[1]}}"#, r#"{"results":[{"a":1}],"data":[{"b":2}]}"#, "<html></html>"] {
            let result = parse(format, &mut text.as_bytes(), &Limits::default(), &mut Vec::<Record>::new());
            assert!(matches!(result, Err(ParseError::NotThisFormat { .. })), "{format}: {text}: {result:?}");
        }
    }
}

#[test]
fn packages_carry_their_names_versions_and_repairs() {
    let one = first(Format::DependencyCheck, "dependency-check.json");
    assert_eq!(one.cvss.as_deref(), Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"));
    let component = one.location.component.expect("package");
    assert_eq!((component.purl.as_deref(), one.cwes.as_slice()), (Some("pkg:maven/org.example/thing@1.2"), &[502][..]));
    let old = first(Format::DependencyCheck, "dependency-check.xml");
    assert_eq!((old.keys, old.severity), (one.keys, Severity::High), "a report of another version is about the same");
    let xray = first(Format::Jfrogxray, "jfrogxray.json");
    let component = xray.location.component.expect("package");
    assert_eq!((component.name.as_str(), component.version.as_deref()), ("libthing", Some("1.0-2")));
    assert_eq!((xray.cves, xray.remediation.as_deref()), (vec!["CVE-2030-0005".to_owned()], Some("Upgrade libthing to 1.0-3.")));
    assert!(xray.cvss.expect("vector").starts_with("CVSS:3.0/"));
    let clair = first(Format::Clair, "clair.json");
    assert_eq!(clair.location.component.and_then(|component| component.purl).as_deref(), Some("pkg:deb/debian/curl@7.1"));
    let yarn = first(Format::YarnAudit, "yarn-4.json");
    assert_eq!((yarn.check.as_str(), yarn.aliases.as_slice()), ("GHSA-aaaa-bbbb-cccc", &["GHSA-aaaa-bbbb-cccc".to_owned()][..]));
    assert_eq!(first(Format::Twistlock, "twistlock.json").remediation.as_deref(), Some("Upgrade libthing to 1.1 or 1.0.9."));
}

#[test]
fn a_secret_is_never_shown() {
    for (format, name) in [(Format::Trufflehog, "trufflehog-2.json"), (Format::Trufflehog, "trufflehog-3.json")] {
        let told = format!("{:?}", records(format, &file(name)));
        assert!(!told.contains("example-"), "{told}");
    }
    let one = first(Format::Trufflehog, "trufflehog-3.json");
    assert_eq!((one.location.line, one.location.file.as_deref()), (Some(3), Some("keys/private")));
}

#[test]
fn what_passed_is_coverage_and_what_failed_knows_its_place() {
    let told = records(Format::Asff, &file("asff.json"));
    let covered = told.iter().filter(|record| matches!(record, Record::Coverage(coverage) if coverage.check_set.ends_with("S3.2"))).count();
    assert_eq!(covered, 1);
    let [bucket, package] = observations(&told)[..] else { panic!("two") };
    assert_eq!(bucket.location.logical.as_deref(), Some("arn:aws:s3:::example-bucket"));
    assert_eq!((package.cves.as_slice(), package.location.ip.as_deref()), (&["CVE-2030-0001".to_owned()][..], Some("10.0.0.5")));
    let one = first(Format::Gosec, "gosec.json");
    assert_eq!((one.location.line, one.location.snippet.as_deref()), (Some(12), Some("func read(name string) {\n\tos.Open(name)\n}")));
    let one = first(Format::Brakeman, "brakeman.json");
    assert_eq!((one.location.logical.as_deref(), one.observed_at.as_deref()), (Some("User#find_it"), Some("2030-01-02T03:04:09Z")));
}

#[test]
fn what_its_own_report_calls_settled_is_left_out_and_named() {
    let told: Vec<_> = records(Format::Generic, &file("generic.json"))
        .into_iter()
        .filter_map(|record| if let importers::Record::Warning(warning) = record { Some(warning.message) } else { None })
        .collect();
    assert_eq!(told, ["`Harmless` was left out: the report says false_p"]);
}
