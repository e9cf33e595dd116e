//! What holds for every importer of web scanners and code scanners: identity survives other words, ratings, lines and
//! another order, and bytes made to hurt are refused where they hurt.

use std::collections::BTreeSet;

use importers::{Format, IdentityKey, Limits, parse};
use serde_json::Value;

use crate::hostile::{Endless, refusal};
use crate::{observations, outcome, records, sample, web};

fn keys(format: Format, bytes: &[u8]) -> Vec<Vec<IdentityKey>> {
    observations(&records(format, bytes)).into_iter().map(|observation| observation.keys.clone()).collect()
}

/// Specimens that are JSON.
fn documents() -> Vec<(Format, Value)> {
    web::specimens().into_iter().filter_map(|(format, bytes)| Some((format, serde_json::from_slice(&bytes).ok()?))).collect()
}

const WORDS: [&str; 17] = [
    "alert",
    "desc",
    "solution",
    "description",
    "description_html",
    "remediation_html",
    "issue_background",
    "remediation_background",
    "Description",
    "Impact",
    "RemedialProcedure",
    "sol",
    "issue_text",
    "rule_message",
    "message",
    "check_name",
    "guideline",
];
const RATINGS: [(&str, &str); 9] = [
    ("severity", "LOW"),
    ("riskcode", "1"),
    ("confidence", "3"),
    ("Severity", "Low"),
    ("issue_severity", "HIGH"),
    ("issue_confidence", "LOW"),
    ("vulnerabilityProbability", "LOW"),
    ("Certainty", "7"),
    ("version", "9.9.9"),
];
const LINES: [&str; 5] = ["line", "startLine", "StartLine", "lineNumber", "line_number"];

/// Other words, other ratings and other lines, wherever they stand.
fn change(value: &mut Value, changed: &mut u32) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.as_str();
                if let (true, Some(text)) = (WORDS.contains(&name), value.as_str()) {
                    *value = Value::from(text.replace(|c: char| c.is_ascii_lowercase(), "x"));
                    *changed += 1;
                } else if let (Some((_, other)), true) = (RATINGS.iter().find(|(one, _)| *one == name), value.is_string()) {
                    *value = Value::from(*other);
                    *changed += 1;
                } else if let (true, Some(line)) = (LINES.contains(&name), value.as_u64()) {
                    *value = Value::from(line + 40);
                    *changed += 1;
                } else {
                    change(value, changed);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, changed)),
        _ => {}
    }
}

#[test]
fn other_words_ratings_and_lines_keep_an_identity() {
    for (format, document) in documents() {
        let before = keys(format, document.to_string().as_bytes());
        let (mut other, mut changed) = (document, 0);
        change(&mut other, &mut changed);
        let after = keys(format, other.to_string().as_bytes());
        assert_eq!(before.len(), after.len(), "{format}");
        assert!(before.is_empty() || changed > 1, "{format}: {changed} changes");
        for (before, after) in before.iter().zip(&after) {
            // ZAP before 2021 has nothing but the name to tell variants of a rule apart, so that key may go.
            let (before, after) = if format == Format::Zap { (&before[1..], &after[1..]) } else { (&before[..], &after[..]) };
            assert_eq!(before, after, "{format}");
        }
    }
}

fn reverse(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(reverse),
        Value::Array(items) => {
            items.iter_mut().for_each(reverse);
            if items.iter().all(Value::is_object) {
                items.reverse();
            }
        }
        _ => {}
    }
}

#[test]
fn order_does_not_matter_and_a_second_reading_says_the_same() {
    let mut all = documents();
    for name in ["semgrep/many_vulns.json", "semgrep/sca-deployments-vulns.json", "bandit/many_vulns.json", "sonarqube/sonar.json"] {
        let format = name.split('/').next().and_then(|id| id.parse().ok()).expect("format");
        all.push((format, serde_json::from_slice(&sample(name)).expect("JSON")));
    }
    for (format, mut document) in all {
        let bytes = document.to_string();
        let set = |keys: Vec<Vec<IdentityKey>>| keys.concat().into_iter().collect::<BTreeSet<_>>();
        assert_eq!(records(format, bytes.as_bytes()), records(format, bytes.as_bytes()), "{format}");
        reverse(&mut document);
        assert_eq!(set(keys(format, bytes.as_bytes())), set(keys(format, document.to_string().as_bytes())), "{format}");
    }
}

#[test]
fn no_two_findings_of_a_file_share_all_their_names() {
    let files =
        ["semgrep/many_vulns.json", "semgrep/sca-deployments-vulns.json", "bandit/many_vulns.json", "gitleaks/redacted_data_many.json"];
    let more = [
        "gitleaks/gitleaks8_many.json",
        "checkov/checkov-report-severity.json",
        "sonarqube/sonar.json",
        "wapiti/cwe_multi_cwe_fabricated.xml",
    ];
    for name in files.into_iter().chain(more).chain(["sonarqube/sonar-6-findings-1-unique_id_changed.html"]) {
        let format = name.split('/').next().and_then(|id| id.parse().ok()).expect("format");
        let all = keys(format, &sample(name));
        let strongest: BTreeSet<_> = all.iter().map(|keys| &keys[0]).collect();
        assert_eq!(strongest.len(), all.len(), "{name}");
    }
}

const BEGINNINGS: [(Format, &str, &str); 22] = [
    (Format::Zap, "<OWASPZAPReport><site name='a'><alerts><alertitem><desc>", "text"),
    (Format::Zap, "{\"site\":[{\"alerts\":[{\"desc\":\"", "record"),
    (Format::Zap, "{\"@version\":\"", "text"),
    (Format::Burp, "<issues burpVersion='1'><issue><name>", "text"),
    (Format::BurpApi, "{\"issue_events\":[{\"type\":\"", "record"),
    (Format::BurpDastardly, "<testsuites name='Dastardly'><testsuite name='", "text"),
    (Format::BurpGraphql, "{\"Issues\":[{\"issue_type\":{\"name\":\"", "record"),
    (Format::BurpSuiteDast, "<!DOCTYPE html><html><body><h1>", "text"),
    (Format::BurpSuiteDast, "<html><table class='", "text"),
    (Format::Acunetix, "<ScanGroup><Scan><StartURL>", "text"),
    (Format::Acunetix, "{\"Vulnerabilities\":[{\"Name\":\"", "record"),
    (Format::Wapiti, "<report type='security'><vulnerabilities><vulnerability name='", "text"),
    (Format::Wapiti, "{\"vulnerabilities\":{\"SQL\":[{\"info\":\"", "record"),
    (Format::Wapiti, "{\"vulnerabilities\":{\"", "text"),
    (Format::Semgrep, "{\"results\":[{\"check_id\":\"", "record"),
    (Format::Semgrep, "{\"version\":\"", "text"),
    (Format::SemgrepPro, "{\"findings\":[{\"rule_name\":\"", "record"),
    (Format::Bandit, "{\"results\":[{\"code\":\"", "record"),
    (Format::Gitleaks, "[{\"Secret\":\"", "record"),
    (Format::Checkov, "[{\"results\":{\"failed_checks\":[{\"check_id\":\"", "record"),
    (Format::Sonarqube, "{\"issues\":[{\"message\":\"", "record"),
    (Format::Sonarqube, "<html><title>", "text"),
];

#[test]
fn a_gigabyte_in_one_piece_is_refused_by_each() {
    let limits = Limits { text: 1 << 20, ..Limits::default() };
    for (format, head, which) in BEGINNINGS {
        let mut source = Endless { head: head.as_bytes(), byte: b'a', left: 1 << 30 };
        let error = parse(format, &mut source, &limits, &mut Vec::new()).expect_err("refused");
        let at = error.position().expect("position").byte;
        let told = error.to_string();
        assert!([which, "text", "record"].into_iter().any(|limit| told.starts_with(limit)), "{format}: {told}");
        assert!((1 << 20..(1 << 20) + (80 << 10)).contains(&at), "{format}: {told}");
        assert!(source.left > 1000 << 20, "{format} read on");
    }
}

#[test]
fn bombs_of_entities_depth_and_small_values_are_refused_by_each() {
    for (format, head, _) in BEGINNINGS {
        if head.starts_with("<html") || head.starts_with("<!DOCTYPE html") {
            continue;
        }
        if head.starts_with('<') {
            let root: String = head.chars().skip(1).take_while(char::is_ascii_alphanumeric).collect();
            let bomb = format!("<!DOCTYPE {root} [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>{head}&b;");
            assert!(refusal(format, bomb.as_bytes()).contains("entities are never expanded"), "{format}");
            let open = head.rsplit_once(['>', '\'']).map_or("", |(open, _)| open);
            let deep = format!("{}>{}", open.trim_end_matches('>'), "<a>".repeat(100_000));
            let told = refusal(format, deep.as_bytes());
            assert!(told.starts_with("depth over") || told.starts_with("malformed"), "{format}: {told}");
            continue;
        }
        let at = head.trim_end_matches('"');
        let deep = format!("{at}{}", "[".repeat(100_000));
        let told = refusal(format, deep.as_bytes());
        assert!(told.starts_with("depth over") || told.starts_with("malformed"), "{format}: {told}");
        if at.ends_with(':') {
            let many = format!("{at}[{}0]", "0,".repeat(300_000));
            let told = refusal(format, many.as_bytes());
            assert!(told.starts_with("values of one record") || told.starts_with("truncated"), "{format}: {told}");
        }
    }
}

#[test]
fn html_may_complain_without_end_and_is_still_bounded() {
    let limits = Limits { text: 64 << 10, ..Limits::default() };
    for byte in [0, b'&', b'<'] {
        let mut source = Endless { head: b"<html><body><h1>", byte, left: 1 << 30 };
        let error = parse(Format::BurpSuiteDast, &mut source, &limits, &mut Vec::new()).expect_err("refused");
        assert!(error.to_string().starts_with("text over the limit"), "{byte}: {error}");
    }
}

#[test]
fn a_small_alert_cannot_make_many_large_records() {
    let description = "d".repeat(200 << 10);
    let instances = "<instance><uri>http://a.example/</uri></instance>".repeat(1_500);
    let report = format!(
        "<OWASPZAPReport><site name='http://a.example'><alerts><alertitem><pluginid>1</pluginid><alert>A</alert><desc>{description}</desc>\
         <instances>{instances}</instances></alertitem></alerts></site></OWASPZAPReport>"
    );
    let options = importers::Options::default();
    let (outcome, records) = outcome(Format::Zap, report.as_bytes(), &options);
    assert!(outcome.failure.is_none());
    assert_eq!((observations(&records).len(), outcome.totals.issues), (1_000, 1));
    let all: usize = observations(&records).iter().map(|observation| observation.description.len()).sum();
    assert!(all <= 1_000 * options.limits.evidence);
    assert!(crate::warnings(&records)[0].contains("alert with 1500 instances; 1000 are taken"));
}
