//! What is carried over from scanners of code, dependencies and secrets.

use importers::{Format, Options, Record, sniff};
use serde_json::{Value, json};

use crate::web::{first, told, told_all};
use crate::{fixture, observations, outcome, records, sample, warnings};

#[test]
fn semgrep_results_carry_their_flow_and_what_was_scanned() {
    let bytes = sample("semgrep/close_old_findings_report_line31.json");
    let one = first(Format::Semgrep, &bytes);
    assert_eq!(one["check"].as_str().map(|check| check.starts_with("semgrep:code:python.lang.security")), Some(true));
    assert_eq!((one["severity"].as_str(), one["cwes"].clone(), one["confidence"].as_u64()), (Some("high"), json!([78]), Some(65)));
    assert_eq!(
        one["location"],
        json!({
            "file": "sample/brute.py", "line": 31,
            "snippet": "    result = subprocess.run([program, username, password], stdout=subprocess.DEVNULL)"
        })
    );
    assert_eq!(one["keys"], json!(["code.fingerprint", "code", "code.moved"]));
    let flow = one["evidence"][0][1].as_str().expect("flow");
    assert!(flow.starts_with("from sample/brute.py:6: sys.argv\nto sample/brute.py:31: "), "{flow}");
    let all = told_all(Format::Semgrep, &bytes);
    let scanned: Vec<&str> =
        all.iter().filter(|record| record["kind"] == "coverage").filter_map(|c| c["location"]["file"].as_str()).collect();
    assert_eq!((scanned.len(), scanned[1]), (7, "sample/brute.py"));
    let report = json!({"version": "1.2.3", "results": [], "errors": [{"type": "Syntax error", "path": "a.py", "message": "bad"}],
        "paths": {"scanned": [], "skipped": [{"path": "b.min.js", "reason": "minified"}]}, "skipped_rules": [{"rule_id": "r", "details": "old"}]});
    let told: Vec<_> = told_all(Format::Semgrep, report.to_string().as_bytes());
    let lines: Vec<String> = told
        .iter()
        .map(|c| {
            format!(
                "{} {} {}",
                c["check_set"].as_str().unwrap_or("?"),
                c["status"].as_str().unwrap_or("?"),
                c["location"]["file"].as_str().unwrap_or("all")
            )
        })
        .collect();
    let expected = ["semgrep:code error a.py", "semgrep:code skipped b.min.js", "semgrep:code:r skipped all", "semgrep:code done all"];
    let mut sorted = lines.clone();
    sorted.sort();
    let mut wanted = expected.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(sorted, wanted);
}

#[test]
fn a_semgrep_advisory_is_a_package_and_a_notice_is_no_fingerprint() {
    assert_eq!(
        first(Format::Semgrep, &fixture("semgrep-advisories.json")),
        json!({
            "kind": "observation", "source": "semgrep", "check": "semgrep:supply-chain:ssc-0000-1111", "title": "Uncontrolled recursion in parser",
            "description": "parser before 2.0.1 never comes back.", "remediation": "Update parser to 2.0.1.",
            "severity": "critical", "confidence": 90, "cwes": [674], "cves": ["CVE-2024-0001"],
            "references": ["https://nvd.nist.gov/vuln/detail/CVE-2024-0001"],
            "tags": ["reachable", "direct", "no_reachability_analysis", "new"],
            "location": {
                "component": {"name": "parser", "version": "1.9.0", "purl": "pkg:pypi/parser@1.9.0"},
                "file": "app/requirements.txt", "line": 3, "url": "https://git.example/app/requirements.txt#L3"
            },
            "keys": ["dependency.place", "dependency"], "observed_at": "2024-02-03T04:05:06Z"
        })
    );
    let result = json!({"check_id": "r", "path": "./a.py", "start": {"line": 1}, "extra": {"severity": "INFO", "message": "m",
        "fingerprint": "requires login", "lines": "requires login"}});
    let report = json!({"results": [result], "errors": []}).to_string();
    let one = first(Format::Semgrep, report.as_bytes());
    assert_eq!(
        (one["keys"].clone(), one["location"].clone(), one["severity"].as_str()),
        (json!(["code"]), json!({"file": "a.py", "line": 1}), Some("low"))
    );
}

#[test]
fn the_platform_knows_a_finding_under_the_fingerprint_of_the_command_line() {
    let line = json!({"results": [{"check_id": "rules.r", "path": "a.py", "start": {"line": 1},
        "extra": {"severity": "ERROR", "message": "m", "fingerprint": "f00_0", "lines": "x"}}], "errors": []});
    let platform = json!({"findings": [{"rule_name": "rules.r", "match_based_id": "f00_0", "severity": "high",
        "location": {"file_path": "a.py", "line": 9}, "repository": {"name": "shop", "url": "https://git.example/shop"}}]});
    let key = |format, value: &Value| observations(&records(format, value.to_string().as_bytes()))[0].keys[0].clone();
    assert_eq!(key(Format::Semgrep, &line), key(Format::SemgrepPro, &platform));
    let one = first(Format::SemgrepPro, &sample("semgrep_pro/one_vuln.json"));
    assert_eq!(
        (one["severity"].as_str(), one["cwes"].clone(), one["location"]["line"].as_u64()),
        (Some("medium"), json!([319]), Some(120))
    );
}

#[test]
fn bandit_flags_lines_whatever_surrounds_them() {
    let one = first(Format::Bandit, &sample("bandit/one_vuln.json"));
    assert_eq!(
        one,
        json!({
            "kind": "observation", "source": "bandit", "check": "bandit:B101",
            "title": "Use of assert detected. The enclosed code will be removed when compiling to optimised byte code.",
            "description": "Use of assert detected. The enclosed code will be removed when compiling to optimised byte code.",
            "severity": "low", "confidence": 85, "tags": ["assert_used"],
            "references": ["https://bandit.readthedocs.io/en/latest/plugins/b101_assert_used.html"],
            "location": {"file": "one/one.py", "line": 2, "snippet": "import os\nassert False"},
            "keys": ["code", "code.moved"], "observed_at": "2020-12-30T10:03:39Z"
        })
    );
    let report = |code: &str, line: u64| {
        let result = json!({"test_id": "B1", "filename": "a.py", "issue_severity": "UNDEFINED", "issue_cwe": {"id": 78, "link": "https://cwe/78"},
            "code": code, "line_number": line, "line_range": [line]});
        let report = json!({"results": [result], "errors": [{"filename": "b.py", "reason": "syntax error"}], "generated_at": "2024-01-01T00:00:00Z"});
        records(Format::Bandit, report.to_string().as_bytes())
    };
    let (before, after) = (report("1 import os\n2 os.system(x)\n3 y()\n", 2), report("8 z()\n9 os.system( x )\n10 w()\n", 9));
    assert_eq!(observations(&before)[0].keys, observations(&after)[0].keys);
    assert_eq!(observations(&before)[0].cwes, [78]);
    assert!(before.iter().any(|record| matches!(record, Record::Coverage(c) if c.location.file.as_deref() == Some("b.py"))));
}

#[test]
fn a_secret_is_never_shown_and_known_again_where_it_went() {
    let leak = |file: &str, secret: &str, line: u64| {
        json!([{"Description": "Generic API Key", "StartLine": line, "Match": format!("key = '{secret}'"), "Secret": secret, "File": file,
            "Commit": "", "Message": format!("add {secret}"), "Date": "2024-01-01T00:00:00Z", "Tags": ["t"], "RuleID": "generic-api-key"}])
    };
    let keys = |value: &Value| observations(&records(Format::Gitleaks, value.to_string().as_bytes()))[0].keys.clone();
    let (one, moved, other) = (leak("a.py", "s3cr3t-value", 3), leak("b.py", "s3cr3t-value", 9), leak("a.py", "another-value", 3));
    let found = records(Format::Gitleaks, one.to_string().as_bytes());
    assert!(!serde_json::to_string(&found).expect("JSON").contains("s3cr3t-value"));
    assert_eq!(
        told(&found[0]),
        json!({
            "kind": "observation", "source": "gitleaks", "check": "gitleaks:generic-api-key", "title": "Hard-coded secret: Generic API Key in a.py",
            "description": "Generic API Key in a.py.\nMessage: add [redacted]",
            "remediation": "Revoke the secret, then keep its successor in a vault and out of the history.",
            "severity": "high", "confidence": 70, "cwes": [798], "tags": ["t"],
            "location": {"file": "a.py", "line": 3, "snippet": "key = '[redacted]'"},
            "keys": ["secret", "secret.moved", "secret.place"], "observed_at": "2024-01-01T00:00:00Z"
        })
    );
    assert_eq!(keys(&one)[1], keys(&moved)[1]);
    assert_ne!(keys(&one)[0], keys(&moved)[0]);
    assert_eq!(keys(&one)[2], keys(&other)[2], "the place stays when the secret changes");
    assert!(records(Format::Gitleaks, b"null").len() == 1 && records(Format::Gitleaks, b"[]").len() == 1);
}

#[test]
fn checkov_checks_are_findings_or_coverage() {
    let all = told_all(Format::Checkov, &fixture("checkov.json"));
    assert_eq!(
        all[1],
        json!({
            "kind": "observation", "source": "checkov", "check": "checkov:terraform:CKV_AWS_20",
            "title": "S3 Bucket has an ACL defined which allows public READ access.",
            "description": "Check CKV_AWS_20 of terraform failed for aws_s3_bucket.logs: S3 Bucket has an ACL defined which allows public READ access.",
            "severity": "medium", "confidence": 80, "tags": ["terraform"],
            "references": ["https://docs.prismacloud.io/en/s3-1-acl-read-permissions-everyone"],
            "location": {"file": "main.tf", "line": 1, "logical": "aws_s3_bucket.logs"},
            "keys": ["code", "code.moved"]
        })
    );
    let lines: Vec<_> = all
        .iter()
        .filter(|record| record["kind"] == "coverage")
        .map(|c| (c["check_set"].as_str().unwrap_or("?"), c["status"].as_str().unwrap_or("?")))
        .collect();
    assert_eq!(
        lines,
        [
            ("checkov:terraform:CKV_AWS_21", "done"),
            ("checkov:terraform:CKV_AWS_18", "skipped"),
            ("checkov:terraform", "error"),
            ("checkov:terraform", "done"),
            ("checkov:sca_package", "done")
        ]
    );
    let package = &all[5];
    assert_eq!(
        (package["cvss"].as_str(), package["cves"].clone()),
        (Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), json!(["CVE-2019-19844"]))
    );
    assert_eq!(package["location"]["component"], json!({"name": "django", "version": "1.2", "purl": "pkg:pypi/django@1.2"}));
}

#[test]
fn sonarqube_pages_and_reports_are_told_apart() {
    let one = first(Format::Sonarqube, &fixture("sonarqube-api.json"));
    assert_eq!(
        one,
        json!({
            "kind": "observation", "source": "sonarqube", "check": "sonarqube:python:S5122",
            "title": "Make sure this permissive policy is safe here. Category: CWE-942",
            "description": "Make sure this permissive policy is safe here. Category: CWE-942",
            "severity": "medium", "confidence": 75, "cwes": [942], "tags": ["cwe", "owasp-a5", "vulnerability", "open"],
            "location": {"file": "app/views.py", "line": 12},
            "keys": ["code.fingerprint", "code", "code.moved"], "observed_at": "2024-01-03T02:04:05Z"
        })
    );
    let html = first(Format::Sonarqube, &sample("sonarqube/sonar-single-finding.html"));
    assert_eq!((html["title"].as_str(), html["severity"].as_str()), (Some("Credentials should not be hard-coded"), Some("critical")));
    assert_eq!(html["location"]["file"], "modules/jdbc-pool/src/main/java/org/apache/tomcat/jdbc/pool/DataSourceFactory.java");
    assert!(html["cwes"].as_array().is_some_and(|cwes| cwes.contains(&json!(798))), "{}", html["cwes"]);
    let later = json!({"paging": {"pageIndex": 1, "pageSize": 1, "total": 2}, "hotspots": [
        {"key": "k", "component": "shop:a.py", "project": "shop", "securityCategory": "dos", "vulnerabilityProbability": "MEDIUM",
         "status": "TO_REVIEW", "line": 3, "message": "m", "ruleKey": "python:S1"}], "components": [{"key": "shop:a.py", "path": "src/a.py"}]});
    let all = told_all(Format::Sonarqube, later.to_string().as_bytes());
    assert_eq!((all[0]["location"]["file"].as_str(), all[0]["severity"].as_str()), (Some("src/a.py"), Some("medium")));
    assert_eq!(all.last().map(|last| last["status"].clone()), Some(json!("skipped")), "a page of several covers nothing");
}

#[test]
fn pages_of_sonarqube_in_a_zip_are_read_one_by_one() {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let page = fixture("sonarqube-api.json");
    for (name, bytes) in [("project/issues-1.json", page.as_slice()), ("readme.txt", b"not a page"), ("project/empty.json", b"{}")] {
        archive.start_file(name, options).expect("a file in the archive");
        archive.write_all(bytes).expect("its bytes");
    }
    let bytes = archive.finish().expect("an archive").into_inner();
    assert_eq!(sniff(&bytes, None).first().map(|guess| guess.0), Some(Format::Sonarqube));
    let packed = records(Format::Sonarqube, &bytes);
    assert_eq!(observations(&packed), observations(&records(Format::Sonarqube, &page)));
    assert_eq!(warnings(&packed).len(), 1, "{:?}", warnings(&packed));
    for cut in [30, bytes.len() / 2, bytes.len() - 3] {
        let (outcome, _) = outcome(Format::Sonarqube, &bytes[..cut], &Options::default());
        assert!(outcome.failure.is_some(), "{cut}");
    }
    let mut small = Options::default();
    small.limits.bytes = bytes.len() as u64 + 10;
    assert!(outcome(Format::Sonarqube, &bytes, &small).0.failure.is_some(), "a page larger than the limit");
}
