//! What is carried over from scanners of packages, images and clouds.

use std::collections::BTreeSet;

use importers::{CoverageStatus, Detail, Format, IdentityKey, Limits, Observation, Options, ParseError, Record, Severity, parse, sniff};
use serde_json::{Value, json};

use crate::{fixture, observations, outcome, records, warnings};

const FILES: [(Format, &str); 19] = [
    (Format::Trivy, "trivy.json"),
    (Format::TrivyOperator, "trivy-operator.json"),
    (Format::AnchoreGrype, "grype.json"),
    (Format::OsvScanner, "osv.json"),
    (Format::DependencyTrack, "dependency-track.json"),
    (Format::Cyclonedx, "cyclonedx.json"),
    (Format::Cyclonedx, "cyclonedx.xml"),
    (Format::NpmAudit, "npm-6.json"),
    (Format::NpmAudit7Plus, "npm-7.json"),
    (Format::PipAudit, "pip.json"),
    (Format::CargoAudit, "cargo.json"),
    (Format::Snyk, "snyk.json"),
    (Format::SnykIssueApi, "snyk-issues.json"),
    (Format::Prowler, "prowler.json"),
    (Format::Prowler, "prowler.csv"),
    (Format::AwsProwlerV3Plus, "prowler-3.json"),
    (Format::AwsProwler, "prowler-2.csv"),
    (Format::AwsProwler, "prowler-2.json"),
    (Format::Tyrian, "tyrian.json"),
];

fn file(name: &str) -> Vec<u8> {
    fixture(&format!("packages/{name}"))
}

/// A small file of every format and generation.
pub(crate) fn specimens() -> Vec<(Format, Vec<u8>)> {
    FILES.iter().map(|(format, name)| (*format, file(name))).collect()
}

/// An observation without what is empty; of its keys only the schemes.
fn plain(observation: &Observation) -> Value {
    let mut value = serde_json::to_value(observation).expect("JSON");
    value["keys"] = observation.keys.iter().map(|key| key.scheme.as_str()).collect();
    strip(&mut value);
    value
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(strip);
            members.retain(|_, member| {
                !matches!(member, Value::Null | Value::Bool(false)) && *member != json!([]) && *member != json!({}) && *member != json!("")
            });
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[test]
fn the_first_observation_of_every_format_is_carried_over_in_full() {
    let expected: Value = serde_json::from_slice(&file("observations.json")).expect("JSON");
    let mut told = serde_json::Map::new();
    for (format, name) in FILES {
        let records = records(format, &file(name));
        told.insert(name.to_owned(), observations(&records).first().map_or(Value::Null, |first| plain(first)));
    }
    let told = Value::Object(told);
    for (_, name) in FILES {
        assert_eq!(told[name], expected[name], "{name}");
    }
}

/// Check and severity of every observation.
fn rated(records: &[Record]) -> Vec<String> {
    observations(records).into_iter().map(|o| format!("{} {}", o.check, o.severity)).collect()
}

fn covered(records: &[Record]) -> Vec<String> {
    let told = |record: &Record| match record {
        Record::Coverage(c) => {
            Some(format!("{} {:?} {}", c.check_set, c.status, c.reason.as_deref().unwrap_or_default()).trim_end().to_owned())
        }
        _ => None,
    };
    records.iter().filter_map(told).collect()
}

#[test]
fn everything_a_report_lists_is_told_apart_and_what_passed_is_coverage() {
    let found = records(Format::Trivy, &file("trivy.json"));
    assert_eq!(rated(&found), ["CVE-2024-0001 high", "private-key high", "AVD-X-1 critical", "license:MIT low"]);
    assert_eq!(covered(&found), ["trivy:lang-pkgs Partial", "AVD-X-2 Done", "trivy:config Partial 1 passed, 1 failed"]);
    assert_eq!(warnings(&found).len(), 1, "{:?}", warnings(&found));

    let found = records(Format::TrivyOperator, &file("trivy-operator.json"));
    assert_eq!(rated(&found), ["CVE-2024-0003 critical", "token medium", "KSV001 medium", "cis:1.1 high"]);
    assert!(covered(&found).contains(&"KSV002 Done".to_owned()), "{:?}", covered(&found));

    let found = records(Format::Cyclonedx, &file("cyclonedx.json"));
    let components: Vec<_> = observations(&found).iter().map(|o| o.location.component.clone().expect("component")).collect();
    let names: Vec<_> = components.iter().map(|c| format!("{} {}", c.name, c.version.as_deref().unwrap_or_default())).collect();
    assert_eq!(names, ["inner 3", "@team/far 2.0", "team:outer 1"]);
    assert!(warnings(&found)[0].contains("\"CVE-2024-0008\" affects nothing that is named"), "{:?}", warnings(&found));
    let found = records(Format::Cyclonedx, &file("cyclonedx.xml"));
    assert_eq!(rated(&found), ["CVE-2024-0009 info", "CVE-2024-0010 medium"]);

    let found = records(Format::Snyk, &file("snyk.json"));
    assert_eq!(rated(&found), ["SNYK-JS-LEFT-1 high", "snyk:lic:npm:left:GPL-3.0 high"]);
    assert_eq!(covered(&found), ["snyk:dependencies Done 4 dependencies", "snyk:dependencies Error nothing to test"]);

    let found = records(Format::SnykIssueApi, &file("snyk-issues.json"));
    assert_eq!(rated(&found), ["SNYK-JS-LEFT-1 high", "js/Sqli medium"]);
    assert_eq!(observations(&found)[1].location.line, Some(9));

    let found = records(Format::PipAudit, &file("pip.json"));
    let skipped = "pip-audit:dependencies Skipped not on the index";
    assert_eq!(covered(&found), ["pip-audit:dependencies Done", skipped, "pip-audit:dependencies Done"]);

    let found = records(Format::Prowler, &file("prowler.json"));
    assert_eq!(covered(&found), ["iam_mfa Done", "iam_open Skipped muted"]);
    let found = records(Format::Prowler, &file("prowler.csv"));
    assert_eq!(rated(&found), ["vm_open critical", "vm_open low"]);
    assert!(observations(&found)[1].tags.contains(&"manual".to_owned()));
}

#[test]
fn warnings_of_cargo_audit_are_findings_only_when_judged() {
    let judged = Options { detail: Detail::Judged, ..Options::default() };
    let (_, found) = outcome(Format::CargoAudit, &file("cargo.json"), &judged);
    assert_eq!(rated(&found), ["RUSTSEC-2024-0001 critical", "RUSTSEC-2023-0002 low"]);
    assert_eq!(observations(&records(Format::CargoAudit, &file("cargo.json"))).len(), 1);
}

#[test]
fn the_reports_of_prowler_2_merge_what_they_say_alike() {
    let bytes = file("prowler-2.csv");
    let totals = parse(Format::AwsProwler, &mut &bytes[..], &Limits::default(), &mut Vec::new()).expect("readable");
    assert_eq!((totals.issues, totals.observations, totals.by_severity.info, totals.by_severity.high), (2, 3, 1, 1));
    let found = records(Format::AwsProwler, &file("prowler-2.json"));
    assert_eq!(observations(&found)[0].severity, Severity::Critical);
}

#[test]
fn reports_without_findings_are_read_and_failed_runs_are_refused() {
    let empty: [(Format, &str); 12] = [
        (Format::Trivy, "null"),
        (Format::Trivy, "{\"SchemaVersion\":2,\"ArtifactName\":\"a\",\"ArtifactType\":\"filesystem\"}"),
        (Format::AnchoreGrype, "{\"matches\":[],\"descriptor\":{\"name\":\"grype\"}}"),
        (Format::OsvScanner, "{\"results\":[]}"),
        (Format::DependencyTrack, "{\"meta\":{\"application\":\"Dependency-Track\"},\"findings\":null}"),
        (Format::Cyclonedx, "{\"bomFormat\":\"CycloneDX\",\"components\":[{\"name\":\"a\"}]}"),
        (Format::NpmAudit, "{\"actions\":[],\"advisories\":{},\"muted\":[]}"),
        (Format::NpmAudit7Plus, "{\"auditReportVersion\":2,\"vulnerabilities\":{}}"),
        (Format::PipAudit, "{\"dependencies\":[],\"fixes\":[]}"),
        (
            Format::CargoAudit,
            "{\"database\":{\"advisory-count\":1},\"lockfile\":{\"dependency-count\":1},\"vulnerabilities\":{\"list\":[]}}",
        ),
        (Format::Snyk, "{\"vulnerabilities\":[],\"ok\":true,\"dependencyCount\":3}"),
        (Format::SnykIssueApi, "{\"jsonapi\":{},\"data\":[],\"links\":{\"self\":\"/orgs/o/issues\"}}"),
    ];
    for (format, text) in empty {
        let guesses = sniff(text.as_bytes(), None);
        // Several tools write nothing but `null`.
        assert!(guesses.first().map(|best| best.0) == Some(format) || text == "null", "{text}: {guesses:?}");
        let found = records(format, text.as_bytes());
        assert!(observations(&found).is_empty() && warnings(&found).is_empty(), "{text}: {found:?}");
    }
    let failed = b"{\"error\":{\"code\":\"ENOLOCK\",\"summary\":\"needs a lock file\"}}";
    assert_eq!(sniff(failed, None)[0].0, Format::NpmAudit);
    let error = parse(Format::NpmAudit, &mut &failed[..], &Limits::default(), &mut Vec::new()).expect_err("refused");
    assert!(error.to_string().contains("npm audit failed with ENOLOCK: needs a lock file"), "{error}");
}

#[test]
fn documents_after_one_another_are_read_as_many_and_a_bad_record_costs_itself() {
    let one = file("grype.json");
    let two = [&one[..], b"\n", &one[..]].concat();
    assert_eq!(observations(&records(Format::AnchoreGrype, &two)).len(), 2);
    let lines = file("prowler.json");
    let events: Vec<Value> = serde_json::from_slice(&lines).expect("JSON");
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    assert_eq!(rated(&records(Format::Prowler, lines.as_bytes())), ["iam_open high"]);
    let bad = "{\"dependencies\":[{\"name\":\"a\",\"vulns\":[]},7,{\"name\":\"\\ud800\",\"vulns\":[]},{\"vulns\":[]},{\"name\":\"b\",\"vulns\":[{\"id\":\"X-1\"}]}]}";
    let found = records(Format::PipAudit, bad.as_bytes());
    assert_eq!(rated(&found), ["X-1 medium"]);
    assert_eq!(warnings(&found).len(), 3, "{:?}", warnings(&found));
}

fn keys(format: Format, bytes: &[u8]) -> Vec<Vec<IdentityKey>> {
    let records = records(format, bytes);
    let mut keys: Vec<_> = observations(&records).into_iter().map(|o| o.keys.clone()).collect();
    keys.sort();
    keys
}

/// Changes what may change from one scan to the next without another finding.
fn later(value: &mut Value) {
    const WORDS: [&str; 14] = [
        "Severity",
        "severity",
        "Title",
        "title",
        "Description",
        "description",
        "summary",
        "details",
        "overview",
        "message",
        "desc",
        "risk_details",
        "StatusExtended",
        "status_detail",
    ];
    const VERSIONS: [&str; 8] =
        ["InstalledVersion", "installedVersion", "FixedVersion", "version", "package_version", "PURL", "purl", "packagePURL"];
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(text) if WORDS.contains(&name.as_str()) => "high".clone_into(text),
                    Value::String(text) if text.starts_with("pkg:") => *text = bumped(text),
                    Value::String(text) if VERSIONS.contains(&name.as_str()) => "9.9.9".clone_into(text),
                    Value::Number(number) if ["StartLine", "line"].contains(&name.as_str()) => *number = 400.into(),
                    Value::Array(steps) if name == "from" => {
                        steps.iter_mut().for_each(|step| *step = bumped(step.as_str().expect("text")).into());
                    }
                    member => later(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(later),
        _ => {}
    }
}

fn bumped(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((name, _)) if !name.is_empty() => format!("{name}@9.9.9"),
        _ => text.to_owned(),
    }
}

#[test]
fn words_ratings_lines_and_versions_do_not_enter_keys() {
    for (format, name) in FILES.iter().filter(|(_, name)| name.ends_with(".json") && *name != "prowler-2.json") {
        let bytes = file(name);
        let mut value: Value = serde_json::from_slice(&bytes).expect("JSON");
        later(&mut value);
        let changed = value.to_string();
        assert_ne!(changed, String::from_utf8(bytes.clone()).expect("text"));
        assert_eq!(keys(*format, changed.as_bytes()), keys(*format, &bytes), "{name}");
    }
    let image = String::from_utf8(file("trivy.json")).expect("text");
    let retagged = image.replace("team/app:1.0", "team/app:2.0").replace("sha256:", "sha256:9");
    assert_eq!(keys(Format::Trivy, image.as_bytes()), keys(Format::Trivy, retagged.as_bytes()));
    let moved = image.replace("app/node_modules/left", "web/node_modules/left");
    let (before, after) = (keys(Format::Trivy, image.as_bytes()).concat(), keys(Format::Trivy, moved.as_bytes()).concat());
    let kept = before.iter().filter(|key| after.contains(key) && key.scheme == "dependency").count();
    assert!(kept > 0, "the weaker name survives a move");
    let rolled = String::from_utf8(file("trivy-operator.json")).expect("text");
    assert_eq!(
        keys(Format::TrivyOperator, rolled.as_bytes()),
        keys(Format::TrivyOperator, rolled.replace("5d4f8c7b9", "7c6b5d4f9").as_bytes())
    );
}

#[test]
fn order_does_not_matter_and_two_findings_never_share_all_keys() {
    for (name, format, bytes, _) in crate::expected::recorded() {
        if !FILES.iter().any(|(own, _)| *own == format) {
            continue;
        }
        let all = keys(format, &bytes);
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{name}");
        let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        reverse(&mut value);
        let turned = value.to_string();
        let set = |keys: Vec<Vec<IdentityKey>>| keys.concat().into_iter().collect::<BTreeSet<_>>();
        assert_eq!(set(keys(format, turned.as_bytes())), set(all), "{name}");
    }
}

/// Turns round every list of findings.
fn reverse(value: &mut Value) {
    const FINDING: [&str; 10] = [
        "VulnerabilityID",
        "vulnerability",
        "vulnerabilityID",
        "advisory",
        "vulns",
        "affects",
        "semver",
        "attributes",
        "finding_info",
        "CheckID",
    ];
    match value {
        Value::Object(members) => members.values_mut().for_each(reverse),
        Value::Array(items) => {
            if items.iter().any(|item| FINDING.iter().any(|name| item.get(name).is_some())) {
                items.reverse();
            }
            items.iter_mut().for_each(reverse);
        }
        _ => {}
    }
}

#[test]
fn records_that_never_end_are_refused_where_they_pass_the_limit() {
    let heads: [(Format, &str); 9] = [
        (Format::Trivy, "{\"SchemaVersion\":2,\"Results\":[{\"Target\":\"t\",\"Vulnerabilities\":[{\"Title\":\""),
        (Format::TrivyOperator, "{\"items\":[{\"kind\":\""),
        (Format::AnchoreGrype, "{\"matches\":[{\"a\":\""),
        (Format::Cyclonedx, "{\"bomFormat\":\"CycloneDX\",\"components\":[{\"name\":\""),
        (Format::NpmAudit, "{\"advisories\":{\"1\":{\"title\":\""),
        (Format::Snyk, "[{\"vulnerabilities\":[{\"title\":\""),
        (Format::Prowler, "[{\"message\":\""),
        (Format::AwsProwler, "{\"Control\":\""),
        (Format::Prowler, "AUTH_METHOD;FINDING_UID;CHECK_ID;STATUS;SEVERITY\na;b;c;"),
    ];
    let limits = Limits { text: 1 << 20, ..Limits::default() };
    for (format, head) in heads {
        let mut source = crate::hostile::Endless { head: head.as_bytes(), byte: b'a', left: 1 << 30 };
        let error = parse(format, &mut source, &limits, &mut Vec::new()).expect_err("refused");
        assert!(matches!(error, ParseError::LimitExceeded { .. }), "{head}: {error}");
        assert!(error.position().expect("position").byte < (1 << 20) + (80 << 10), "{head}: {error}");
    }
}

#[test]
fn what_was_held_back_for_a_broken_report_is_handed_on() {
    for (format, name) in
        [(Format::AnchoreGrype, "grype.json"), (Format::DependencyTrack, "dependency-track.json"), (Format::Snyk, "snyk.json")]
    {
        let bytes = file(name);
        let (outcome, found) = outcome(format, &bytes[..bytes.len() - 4], &Options::default());
        assert!(matches!(outcome.failure, Some(ParseError::Truncated { .. })), "{name}: {:?}", outcome.failure);
        assert!(!observations(&found).is_empty(), "{name}");
        assert!(
            !found.iter().any(|record| matches!(record, Record::Coverage(c) if c.status == CoverageStatus::Done && name != "snyk.json"))
        );
    }
}

#[test]
fn configuration_that_snyk_tested_is_known_by_rule_file_and_path() {
    let text = r#"{"meta":{"isPrivate":true},"filesystemPolicy":false,"vulnerabilities":[],"dependencyCount":0,"licensesPolicy":null,
      "ignoreSettings":null,"targetFile":"main.tf","projectName":"infra","packageManager":"terraformconfig","ok":false,
      "infrastructureAsCodeIssues":[{"id":"SNYK-CC-TF-1","publicId":"SNYK-CC-TF-1","title":"Security Group allows open ingress",
      "severity":"medium","isIgnored":false,"subType":"VPC","type":"terraform","lineNumber":12,"documentation":"https://example.org/1",
      "path":["resource","aws_security_group[allow]","ingress"],"references":["https://example.org/2"],
      "iacDescription":{"issue":"That inbound traffic is allowed","impact":"Any address","resolve":"Set cidr_block"}}]}"#;
    assert_eq!(sniff(text.as_bytes(), None).first().map(|guess| guess.0), Some(Format::Snyk));
    let records = records(Format::Snyk, text.as_bytes());
    let [one] = observations(&records)[..] else { panic!("{records:?}") };
    assert_eq!((one.severity, one.location.file.as_deref(), one.location.line), (Severity::Medium, Some("main.tf"), Some(12)));
    assert_eq!(one.location.logical.as_deref(), Some("resource.aws_security_group[allow].ingress"));
    assert_eq!(one.remediation.as_deref(), Some("Set cidr_block"));
    assert!(one.keys.iter().all(|key| Format::Snyk.schemes().contains(&key.scheme.as_str())), "{:?}", one.keys);
}

#[test]
fn a_cluster_without_reports_is_no_error() {
    let empty = [
        r#"{"apiVersion":"v1","items":[],"kind":"List","metadata":{"resourceVersion":""}}"#,
        r#"{"apiVersion":"aquasecurity.github.io/v1alpha1","items":[],"kind":"VulnerabilityReportList"}"#,
    ];
    for text in empty {
        assert!(observations(&records(Format::TrivyOperator, text.as_bytes())).is_empty(), "{text}");
    }
    let pods = r#"{"apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}],"kind":"List"}"#;
    let refused = parse(Format::TrivyOperator, &mut pods.as_bytes(), &Limits::default(), &mut Vec::<Record>::new());
    assert!(matches!(refused, Err(ParseError::NotThisFormat { .. })), "{refused:?}");
}
