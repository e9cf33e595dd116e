//! What is carried over from scanners of web applications.

use importers::{CoverageStatus, Format, Record, Severity};
use serde_json::{Value, json};

use crate::{fixture, records, sample};

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

/// A record as JSON without what is not told; keys by their schemes.
pub(crate) fn told(record: &Record) -> Value {
    let mut value = serde_json::to_value(record).expect("JSON");
    let object = value.as_object_mut().expect("object");
    object.retain(|_, value| !(value.is_null() || value.as_array().is_some_and(Vec::is_empty)));
    if let Some(keys) = object.get_mut("keys") {
        *keys = keys.as_array().expect("keys").iter().map(|key| key["scheme"].clone()).collect();
    }
    if let Some(location) = object.get_mut("location").and_then(Value::as_object_mut) {
        location.retain(|_, value| !value.is_null());
    }
    for evidence in object.get_mut("evidence").and_then(Value::as_array_mut).into_iter().flatten() {
        *evidence = json!([evidence["label"], evidence["body"]]);
    }
    value
}

pub(crate) fn told_all(format: Format, bytes: &[u8]) -> Vec<Value> {
    records(format, bytes).iter().map(told).collect()
}

pub(crate) fn first(format: Format, bytes: &[u8]) -> Value {
    let records = records(format, bytes);
    told(records.iter().find(|record| matches!(record, Record::Observation(_))).expect("observation"))
}

#[test]
fn zap_alerts_become_an_observation_per_instance_with_messages_and_tags() {
    let all = told_all(Format::Zap, &fixture("zap-plus.json"));
    assert_eq!(
        all[0],
        json!({"kind": "asset", "type": "web", "identifiers": [["url", "http://shop.example:8080"], ["hostname", "shop.example"]]})
    );
    assert_eq!(
        all[1],
        json!({
            "kind": "observation", "source": "zap", "check": "zap:40012-1", "title": "Cross Site Scripting (Reflected)",
            "description": "A script of the visitor comes back & runs.\nSee CVE-2011-0001.",
            "remediation": "Encode what you write into pages.",
            "severity": "high", "confidence": 70, "cwes": [79], "cves": ["CVE-2011-0001"],
            "references": ["https://owasp.org/www-community/attacks/xss/", "https://cwe.mitre.org/data/definitions/79.html"],
            "tags": ["OWASP_2021_A03", "CWE-79"],
            "location": {
                "host": "shop.example", "port": 8080, "protocol": "tcp", "service": "http", "method": "GET", "parameter": "q",
                "url": "http://shop.example:8080/search?q=%3Cscript%3E"
            },
            "evidence": [
                ["attack", "<script>alert(1)</script>"],
                ["evidence", "<script>alert(1)</script>"],
                ["request", "GET http://shop.example:8080/search?q=x HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n"],
                ["response", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n\n\n<html><script>alert(1)</script></html>"],
            ],
            "keys": ["web.named", "web", "web.moved"],
            "observed_at": "2024-09-09T08:05:01Z"
        })
    );
    assert_eq!((all[2]["location"]["method"].as_str(), all[3]["title"].as_str()), (Some("POST"), Some("Timestamp Disclosure")));
    assert_eq!(all[4]["location"]["url"], "http://shop.example:8080");
    let reason = "ZAP 2.15.0: the report lists what was found, not what was tested";
    assert_eq!((all[4]["status"].as_str(), all[4]["reason"].as_str(), all.len()), (Some("skipped"), Some(reason), 5));
    let old =
        b"<OWASPZAPReport><site name='http://a.example'><alerts><alertitem><pluginid>1</pluginid><alert>Old</alert><riskcode>2</riskcode>
        <uri>http://a.example/x</uri><param>p</param><attack>'</attack></alertitem></alerts></site></OWASPZAPReport>";
    let one = first(Format::Zap, old);
    assert_eq!(
        (one["location"]["parameter"].as_str(), one["evidence"][0][1].as_str(), one["severity"].as_str()),
        (Some("p"), Some("'"), Some("medium"))
    );
}

#[test]
fn burp_issues_are_the_same_whoever_writes_them() {
    let xml = br#"<?xml version="1.0"?><!DOCTYPE issues [<!ELEMENT issues (issue*)>]><issues burpVersion="2024.1" exportTime="Mon Sep 09 08:05:01 UTC 2024"><issue>
        <serialNumber>1</serialNumber><type>1049088</type><name>SQL injection</name><host ip="192.0.2.7">https://shop.example</host>
        <path><![CDATA[/login]]></path><location><![CDATA[/login [user parameter]]]></location><severity>High</severity><confidence>Firm</confidence>
        <issueBackground><![CDATA[<p>Queries built of text can be changed.</p>]]></issueBackground>
        <remediationDetail><![CDATA[<p>Bind parameters.</p>]]></remediationDetail>
        <references><![CDATA[<ul><li><a href="https://portswigger.net/web-security/sql-injection">SQL</a></li></ul>]]></references>
        <vulnerabilityClassifications><![CDATA[<a href="x">CWE-89: SQL</a>]]></vulnerabilityClassifications>
        <issueDetail><![CDATA[The <b>user</b> parameter is put into a query.]]></issueDetail>
        <requestresponse><request method="POST" base64="true"><![CDATA[UE9TVCAvbG9naW4gSFRUUC8xLjENCg==]]></request>
        <response base64="false"><![CDATA[HTTP/1.1 500 Oops]]></response></requestresponse></issue><issue><name>x</name></issue></issues>"#;
    let records = records(Format::Burp, xml);
    assert_eq!(crate::warnings(&records).len(), 1);
    let expected = json!({
        "kind": "observation", "source": "burp", "check": "burp:1049088", "title": "SQL injection",
        "description": "The user parameter is put into a query.\n\nQueries built of text can be changed.",
        "remediation": "Bind parameters.", "severity": "high", "confidence": 75, "cwes": [89],
        "references": ["https://portswigger.net/web-security/sql-injection"],
        "location": {
            "host": "shop.example", "ip": "192.0.2.7", "port": 443, "protocol": "tcp", "service": "https", "method": "POST", "parameter": "user",
            "url": "https://shop.example/login"
        },
        "evidence": [["request", "POST /login HTTP/1.1"], ["response", "HTTP/1.1 500 Oops"]],
        "keys": ["web", "web.moved"], "observed_at": "2024-09-09T08:05:01Z"
    });
    assert_eq!(told(&records[1]), expected);
    let events = json!({"scan_status": "auditing", "issue_events": [
        {"id": "1", "type": "audit_started"},
        {"id": "2", "type": "issue_found", "issue": {
            "name": "SQL injection", "type_index": 1_049_088, "serial_number": "9", "origin": "https://shop.example", "path": "/login",
            "caption": "/login [user parameter]", "severity": "false_positive", "confidence": "firm",
            "evidence": [{"request_response": {"request": [{"type": "DataSegment", "data": "UE9TVCAv"}, {"type": "SnipSegment", "length": 7}]}}]}}]});
    let found = self::records(Format::BurpApi, events.to_string().as_bytes());
    let one = crate::observations(&found)[0];
    assert_eq!(Some(&one.keys), crate::observations(&records).first().map(|issue| &issue.keys), "one issue, two editions");
    assert_eq!(
        (one.severity, one.tags[0].as_str(), one.evidence[0].body.as_str()),
        (Severity::Info, "false positive", "POST /[7 bytes left out]")
    );
    let skipped = found.iter().any(|record| matches!(record, Record::Coverage(c) if c.status == CoverageStatus::Skipped));
    assert!(skipped, "a scan that goes on has not covered its site");
}

#[test]
fn burp_dast_joins_the_table_with_the_details() {
    let all = told_all(Format::BurpSuiteDast, &fixture("burp-dast.html"));
    assert_eq!(
        all[1],
        json!({
            "kind": "observation", "source": "burp", "check": "burp:SQL injection", "title": "SQL injection",
            "description": "The user parameter is put into a query.\nIt may be more than one.\n\nQueries built of text can be changed.",
            "remediation": "Bind parameters.", "severity": "high", "confidence": 75, "cwes": [89],
            "references": ["https://portswigger.net/web-security/sql-injection"],
            "location": {"host": "shop.example", "port": 443, "protocol": "tcp", "service": "https", "method": "POST", "url": "https://shop.example/login"},
            "evidence": [["request", "POST /login HTTP/1.1\nHost: shop.example\n\nuser='"], ["response", "HTTP/1.1 500 Oops"]],
            "keys": ["web", "web.moved"], "observed_at": "2024-09-09T08:05:00Z"
        })
    );
    let rest: Vec<_> =
        all[2..4].iter().map(|issue| (issue["title"].as_str(), issue["location"]["url"].as_str(), issue["severity"].as_str())).collect();
    let place = |path| Some(path);
    assert_eq!(
        rest,
        [
            (Some("SQL injection"), place("https://shop.example/search"), Some("high")),
            (Some("TLS certificate"), place("https://shop.example/"), Some("info"))
        ],
        "rows without details are not lost"
    );
    let text = String::from_utf8(fixture("burp-dast.html")).expect("text");
    let bare = text.replace("<a href=\"#11\">&gt;&gt;</a>", "").replace("<a name=\"11\"></a>", "");
    let without = told_all(Format::BurpSuiteDast, bare.as_bytes());
    assert_eq!(without[1], all[1], "without an anchor, name and place lead to the details");
}

#[test]
fn dastardly_failures_are_taken_apart() {
    let all = told_all(Format::BurpDastardly, &fixture("burp-dastardly.xml"));
    let found: Vec<&Value> = all.iter().filter(|record| record["kind"] == "observation").collect();
    assert_eq!(
        found[0],
        &json!({
            "kind": "observation", "source": "burp", "check": "burp:Cross-site scripting (reflected)", "title": "Cross-site scripting (reflected)",
            "description": "The value of q comes back <unchanged>.\n\nScripts of strangers run in the browser.",
            "remediation": "Encode what you write.", "severity": "high", "confidence": 95, "cwes": [79],
            "references": ["https://portswigger.net/web-security/cross-site-scripting"],
            "location": {"host": "shop.example", "port": 443, "protocol": "tcp", "service": "https", "method": "GET", "url": "https://shop.example/search"},
            "evidence": [["request", "GET /search?q=x HTTP/2\nHost: shop.example"], ["response", "HTTP/2 200 OK\n\nx"]],
            "keys": ["web", "web.moved"]
        })
    );
    assert_eq!(found[1]["cves"], json!(["CVE-2019-10768"]));
    assert_eq!(all.iter().filter(|record| record["kind"] == "coverage").count(), 2);
}

#[test]
fn wapiti_json_knows_its_target_although_it_comes_last() {
    let all = told_all(Format::Wapiti, &fixture("wapiti.json"));
    let named = "SQL Injection (DBMS: MySQL) via injection in the parameter user";
    assert_eq!(
        all.iter().find(|record| record["check"] == "wapiti:SQL Injection").expect("found"),
        &json!({
            "kind": "observation", "source": "wapiti", "check": "wapiti:SQL Injection", "title": format!("SQL Injection: {named}"),
            "description": format!("{named}\n\nQueries built of text can be changed."),
            "remediation": "Bind parameters.", "severity": "critical", "confidence": 70, "cwes": [89], "tags": ["sql"],
            "references": ["https://cwe.mitre.org/data/definitions/89.html", "https://owasp.org/www-community/attacks/SQL_Injection"],
            "location": {
                "host": "shop.example", "port": 80, "protocol": "tcp", "service": "http", "method": "POST", "parameter": "user",
                "url": "http://shop.example/login"
            },
            "evidence": [["request", "POST /login HTTP/1.1\nhost: shop.example\n\nuser=%27"], ["curl", "curl \"http://shop.example/login\" -d \"user=%27\""]],
            "keys": ["web", "web.moved"], "observed_at": "2024-09-09T08:05:01Z"
        })
    );
    let xml = first(Format::Wapiti, &sample("wapiti/cwe_multi_cwe_fabricated.xml"));
    assert_eq!((xml["cwes"].clone(), xml["location"]["url"].as_str()), (json!([521, 798]), Some("https://example.org/login")));
    let covered: Vec<&str> = all.iter().filter_map(|record| record["check_set"].as_str()).collect();
    assert_eq!(covered, ["wapiti:SQL Injection", "wapiti:Secure Flag cookie"]);
}

#[test]
fn acunetix_items_and_vulnerabilities_carry_scores_and_places() {
    let item = first(Format::Acunetix, &sample("acunetix/many_findings_with_port_number.xml"));
    assert_eq!(item["cvss"], "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L");
    assert_eq!(
        item["location"],
        json!({"host": "www.itsecgames.com", "port": 8080, "protocol": "tcp", "service": "http", "url": "http://www.itsecgames.com:8080/"})
    );
    assert_eq!(
        (item["observed_at"].as_str(), item["check"].as_str()),
        (Some("2020-02-27T12:56:09Z"), Some("acunetix:slow-loris/Slow HTTP Denial of Service Attack"))
    );
    let cloud = first(Format::Acunetix, &sample("acunetix/issue_11206.json"));
    assert_eq!((cloud["confidence"].as_u64(), cloud["tags"].clone()), (Some(100), json!(["state:Present"])));
    assert_eq!((cloud["check"].as_str(), cloud["location"]["method"].as_str()), (Some("acunetix:CookieNotMarkedAsHttpOnly"), Some("GET")));
    assert_eq!(cloud["references"].as_array().map(Vec::len), Some(4));
}
