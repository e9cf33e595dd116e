//! What is carried over, format by format.

use importers::{CoverageStatus, Detail, Extent, Format, Options, ParseError, Record, Severity};

use crate::{fixture, observations, outcome, records, sample, warnings};

#[test]
fn nmap_ports_services_scripts_and_coverage_are_carried_over() {
    let records = records(Format::Nmap, &fixture("nmap-scripts.xml"));
    let found = observations(&records);
    let titles: Vec<&str> = found.iter().map(|o| o.title.as_str()).collect();
    assert_eq!(titles, ["Open port: 18080/tcp", "Open port: 18443/tcp"]);
    let web = found[0];
    assert_eq!(web.location.ip.as_deref(), Some("127.0.0.1"));
    assert_eq!(web.location.host.as_deref(), Some("localhost"));
    assert_eq!(web.location.service.as_deref(), Some("http"));
    let component = web.location.component.as_ref().expect("product");
    assert_eq!((component.name.as_str(), component.version.as_deref()), ("SimpleHTTPServer", Some("0.6")));
    let title = web.evidence.iter().find(|e| e.label == "nmap script http-title").expect("script");
    assert!(title.body.contains("Lab page"), "{}", title.body);
    assert_eq!(web.observed_at.as_deref(), Some("2026-11-22T03:46:53Z"));
    let asset = records
        .iter()
        .find_map(|record| match record {
            Record::Asset(asset) => Some(asset),
            _ => None,
        })
        .expect("asset");
    assert!(asset.services[1].tls);
    assert_eq!(asset.services[0].cpe, ["cpe:/a:python:simplehttpserver:0.6"]);
    let done = records.iter().filter(|record| matches!(record, Record::Coverage(c) if c.status == CoverageStatus::Done));
    assert_eq!(done.count(), 2, "one per host");
}

#[test]
fn nmap_vulners_and_hosts_without_an_answer_are_understood() {
    let xml = br#"<nmaprun start="1396104416"><scaninfo protocol="tcp" services="1-10"/>
        <host><status state="up"/><address addr="2001:DB8::1" addrtype="ipv6"/>
        <ports><extraports state="filtered" count="7"><extrareasons reason="no-response" count="7" proto="tcp" ports="1-7"/></extraports>
        <port protocol="udp" portid="53"><state state="open|filtered" reason="no-response"/></port>
        <port protocol="tcp" portid="8"><state state="filtered" reason="admin-prohibited"/></port>
        <port protocol="tcp" portid="ninety"><state state="open"/></port>
        <port protocol="tcp" portid="22"><state state="open"/><script id="vulners" output="x">
          <table key="cpe:/a:openbsd:openssh:7.4">
            <table><elem key="id">CVE-2018-15919</elem><elem key="cvss">5.0</elem><elem key="type">cve</elem></table>
            <table><elem key="id">EDB-ID:1</elem><elem key="cvss">9.8</elem><elem key="type">exploitdb</elem><elem key="is_exploit">true</elem></table>
            <table><elem key="id">CVE-2018-15919</elem><elem key="cvss">5.0</elem><elem key="type">cve</elem></table>
            <table><elem key="cvss">5.0</elem></table>
          </table></script></port></ports></host>
        <host><status state="down" reason="no-response"/><address addr="192.0.2.9" addrtype="ipv4"/></host>
        <runstats><finished exit="error" errormsg="out of sockets"/></runstats></nmaprun>"#;
    let records = records(Format::Nmap, xml);
    let found: Vec<_> = observations(&records).into_iter().map(|o| (o.check.as_str(), o.severity, o.cves.clone())).collect();
    let cve = "CVE-2018-15919".to_owned();
    assert_eq!(
        found,
        [
            ("nmap:open-port", Severity::Info, vec![]),
            ("nmap:vulners:CVE-2018-15919", Severity::Medium, vec![cve]),
            ("nmap:vulners:EDB-ID:1", Severity::Critical, vec![]),
        ]
    );
    let coverage: Vec<String> = records
        .iter()
        .filter_map(|record| match record {
            Record::Coverage(c) => Some(
                format!(
                    "{} {:?} {} {:?} {}",
                    c.location.ip.as_deref().unwrap_or("all"),
                    c.location.port,
                    if let Extent::Ports(list) = &c.extent { list.to_string() } else { format!("{:?}", c.extent) },
                    c.status,
                    c.reason.as_deref().unwrap_or_default()
                )
                .trim_end()
                .to_owned(),
            ),
            _ => None,
        })
        .collect();
    assert_eq!(
        coverage,
        [
            "2001:db8::1 None 1-7 Skipped 7 ports filtered (no-response)",
            "2001:db8::1 Some(53) Whole Skipped open|filtered (no-response)",
            "2001:db8::1 Some(8) Whole Skipped filtered (admin-prohibited)",
            "2001:db8::1 None 1-10 Done",
            "192.0.2.9 None 1-10 Skipped host down: no-response",
            "all None Whole Error out of sockets",
        ]
    );
    assert_eq!(warnings(&records).len(), 2, "{:?}", warnings(&records));
}

#[test]
fn a_killed_nmap_keeps_its_finished_hosts_and_says_where_it_ends() {
    let (outcome, _) = outcome(Format::Nmap, &fixture("nmap-killed.xml"), &Options::default());
    let error = outcome.failure.expect("truncated");
    assert!(matches!(error, ParseError::Truncated { .. }), "{error}");
    let whole = fixture("nmap-scripts.xml");
    let text = String::from_utf8(whole).expect("text");
    let second = text.find("<host starttime=\"1795319184\" endtime=\"1795319184\"").expect("host");
    let (outcome, records) = self::outcome(Format::Nmap, &text.as_bytes()[..second + 80], &Options::default());
    assert_eq!(outcome.totals.observations, 2);
    assert_eq!(observations(&records).len(), 2);
    assert!(outcome.failure.expect("truncated").to_string().contains("inside <"));
}

#[test]
fn sarif_carries_rules_flows_suppressions_and_the_repository() {
    let records = records(Format::Sarif, &sample("sarif/appendix_k.sarif"));
    let found = observations(&records)[0];
    assert_eq!(found.source, "sarif:CodeScanner");
    assert_eq!(found.title, "Variable \"ptr\" was used without being initialized. It was declared [here](0).");
    assert_eq!(found.location.file.as_deref(), Some("collections/list.h"));
    assert_eq!(found.location.line, Some(15));
    assert_eq!(found.location.logical.as_deref(), Some("collections::list::add"));
    assert_eq!(found.observed_at.as_deref(), Some("2016-07-16T14:19:01Z"));
    assert_eq!(found.remediation.as_deref(), Some("Initialize the variable to null"));
    assert!(found.tags.contains(&"suppressed".to_owned()));
    let labels: Vec<&str> = found.evidence.iter().map(|e| e.label.as_str()).collect();
    assert_eq!(labels, ["code flow", "related locations", "suppression"]);
}

#[test]
fn sarif_members_may_come_in_any_order_and_kinds_other_than_fail_are_coverage() {
    let log = br#"{"runs":[{"results":[
        {"rule":{"index":1},"message":{"id":"m","arguments":["x"]},"locations":[
            {"physicalLocation":{"artifactLocation":{"index":1},"region":{"startLine":3}}},
            {"physicalLocation":{"artifactLocation":{"uri":"./b.c"}}}]},
        {"ruleId":"A/sub","kind":"pass","message":{"text":"fine"}},
        {"ruleId":"Q","rule":{"toolComponent":{"name":"queries"}},"message":{"text":"t"}},
        {"message":{}}, 7],
        "artifacts":[{"location":{"uri":"z.c"}},{"location":{"uri":"a.c"}}],
        "tool":{"extensions":[{"rules":[{"id":"Q","properties":{"security-severity":"9.8","tags":["external/cwe/cwe-089"]}}],"name":"queries"}],
          "driver":{"rules":[{"id":"A"},{"id":"B","defaultConfiguration":{"level":"error"},
          "messageStrings":{"m":{"text":"saw {0} in {{braces}}"}}}],"name":"T"}}}],"version":"2.1.0"}"#;
    let records = records(Format::Sarif, log);
    let found: Vec<_> = observations(&records)
        .into_iter()
        .map(|o| (o.check.as_str(), o.title.as_str(), o.severity, o.location.file.as_deref(), o.cwes.clone()))
        .collect();
    assert_eq!(
        found,
        [
            ("B", "saw x in {braces}", Severity::High, Some("a.c"), vec![]),
            ("B", "saw x in {braces}", Severity::High, Some("b.c"), vec![]),
            ("Q", "t", Severity::Critical, None, vec![89]),
        ]
    );
    let passed = records.iter().any(|record| matches!(record, Record::Coverage(c) if c.check_set == "A/sub"));
    assert!(passed);
    let warnings = warnings(&records);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("line 6, record 4: result without rule"), "{warnings:?}");
}

#[test]
fn nuclei_lines_are_mapped_and_a_bad_line_is_a_warning_with_its_place() {
    let text = concat!(
        r#"{"template-id":"t","info":{"name":"N","severity":"unknown","tags":"a, b","reference":"- https://r/1\n- https://r/2","classification":{"cve-id":["cve-2021-1234"],"cwe-id":["CWE-79"],"cvss-metrics":"CVSS:9"}},"type":"http","host":"https://H.example","matched-at":"https://h.example:443/p/42?q=1","request":"POST /p/42 HTTP/1.1\r\n","extracted-results":["x"],"timestamp":"2023-11-06T14:48:31+01:00"}"#,
        "\n\n{\"template-id\":\n",
        r#"{"template-id":"u","matcher-name":"m","info":{},"type":"ssl","matched-at":"[2001:db8::1]:8443","matcher-status":false,"error":"no route"}"#,
        "\n[]\n"
    );
    let records = records(Format::Nuclei, text.as_bytes());
    let found = observations(&records);
    assert_eq!(found.len(), 1);
    let one = found[0];
    assert_eq!(one.severity, Severity::Low);
    assert_eq!(one.tags, ["a", "b"]);
    assert_eq!(one.references, ["https://r/1", "https://r/2"]);
    assert_eq!((one.cves[0].as_str(), one.cwes[0], one.cvss.as_deref()), ("CVE-2021-1234", 79, None));
    assert_eq!(one.location.host.as_deref(), Some("h.example"));
    assert_eq!((one.location.port, one.location.method.as_deref()), (Some(443), Some("POST")));
    assert_eq!(one.observed_at.as_deref(), Some("2023-11-06T13:48:31Z"));
    let failed = records.iter().any(|record| {
        matches!(record, Record::Coverage(c) if c.status == CoverageStatus::Error
            && c.location.ip.as_deref() == Some("2001:db8::1") && c.location.port == Some(8443))
    });
    assert!(failed, "{records:?}");
    let warnings = warnings(&records);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains("CVSS vector \"CVSS:9\" is not valid"), "{warnings:?}");
    assert!(warnings[1].contains("line 3, record 2: record is not JSON"), "{warnings:?}");
    assert!(warnings[2].contains("line 5, record 4: not a nuclei result"), "{warnings:?}");
}

#[test]
fn nuclei_is_read_the_same_as_lines_array_and_indented_values() {
    let lines = sample("nuclei/many_findings.json");
    let values: Vec<serde_json::Value> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("JSON"))
        .collect();
    let array = serde_json::to_vec(&values).expect("JSON");
    let indented: String = values.iter().map(|value| serde_json::to_string_pretty(value).expect("JSON") + "\n").collect();
    let as_lines = records(Format::Nuclei, &lines);
    assert_eq!(as_lines, records(Format::Nuclei, &array));
    assert_eq!(as_lines, records(Format::Nuclei, indented.as_bytes()));
}

#[test]
fn sslscan_facts_become_findings_only_when_judged() {
    let bytes = fixture("sslscan-self-signed.xml");
    let reported = records(Format::Sslscan, &bytes);
    assert!(observations(&reported).iter().all(|o| o.severity == Severity::Info));
    let judged = Options { detail: Detail::Judged, ..Options::default() };
    let (_, records) = outcome(Format::Sslscan, &bytes, &judged);
    let found = observations(&records);
    let severity = |check: &str| found.iter().find(|o| o.check == check).map(|o| o.severity);
    assert_eq!(severity("sslscan:protocol/TLSv1.0"), Some(Severity::Medium));
    assert_eq!(severity("sslscan:certificate/self-signed"), Some(Severity::Medium));
    assert_eq!(severity("sslscan:cipher/TLSv1.2/ADH-AES256-SHA"), Some(Severity::High));
    assert_eq!(severity("sslscan:certificate/expired"), None);
    let old = sample("sslscan/sslscan_many_vuln.xml");
    let (_, records) = outcome(Format::Sslscan, &old, &judged);
    let mut found: Vec<_> = observations(&records).iter().map(|o| (o.check.as_str(), o.severity)).collect();
    found.sort_unstable();
    assert_eq!(found, [("sslscan:certificate/expired", Severity::Medium), ("sslscan:heartbleed/TLSv1.0", Severity::High),]);
    let refused = self::records(Format::Sslscan, &fixture("sslscan-refused.xml"));
    assert!(matches!(&refused[..], [Record::Coverage(c)] if c.status == CoverageStatus::Error));
}

#[test]
fn records_survive_serialisation() {
    for (format, bytes) in crate::specimens() {
        for record in records(format, &bytes) {
            let text = serde_json::to_string(&record).expect("JSON");
            assert!(text.starts_with("{\"kind\":\""), "{text}");
            assert_eq!(serde_json::from_str::<Record>(&text).expect("record"), record);
        }
    }
}

#[test]
fn a_sarif_result_that_the_run_did_not_see_any_more_is_coverage_of_its_place() {
    let result = |state: Option<&str>, file: Option<&str>| {
        let locations: Vec<_> =
            file.iter().map(|file| serde_json::json!({ "physicalLocation": { "artifactLocation": { "uri": file } } })).collect();
        serde_json::json!({ "ruleId": "r", "message": { "text": "m" }, "baselineState": state, "locations": locations })
    };
    let results = [result(Some("absent"), Some("gone.c")), result(Some("unchanged"), Some("here.c")), result(Some("absent"), None)];
    let log = serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "t" } }, "results": results }] });
    let (mut seen, mut covered) = (Vec::new(), Vec::new());
    for record in records(Format::Sarif, log.to_string().as_bytes()) {
        match record {
            Record::Observation(observation) => seen.push(observation.location.file.unwrap()),
            Record::Coverage(coverage) if coverage.check_set == "r" => {
                covered.push((coverage.location.file, coverage.status, coverage.reason));
            }
            _ => {}
        }
    }
    assert_eq!(seen, ["here.c"]);
    assert_eq!(covered, [(Some("gone.c".into()), CoverageStatus::Done, Some("absent".into()))]);
}
