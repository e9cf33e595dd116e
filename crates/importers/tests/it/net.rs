//! What is carried over from scanners of networks.

use importers::{CoverageStatus, Format, Record, Severity, sniff};

use crate::{fixture, observations, records, sample, warnings};

/// A small file of every format and generation.
pub(crate) fn specimens() -> Vec<(Format, Vec<u8>)> {
    vec![
        (Format::Testssl, fixture("testssl.csv")),
        (Format::Testssl, fixture("testssl-pretty.json")),
        (Format::Tenable, fixture("nessus.nessus")),
        (Format::Tenable, fixture("nessus-old.nessus")),
        (Format::Tenable, fixture("tenable.csv")),
        (Format::Tenable, fixture("tenable-sc.csv")),
        (Format::Openvas, fixture("openvas.xml")),
        (Format::Openvas, sample("openvas/report_combine_v2.csv")),
        (Format::Nexpose, fixture("nexpose.xml")),
        (Format::Qualys, fixture("qualys.xml")),
        (Format::Qualys, sample("qualys/Qualys_Sample_Report.csv")),
        (Format::QualysHackerGuardian, fixture("qualys-pci.csv")),
        (Format::QualysInfrascanWebgui, fixture("qualys-scan.xml")),
        (Format::QualysVmdr, fixture("qualys-vmdr-wrapped.csv")),
        (Format::QualysVmdr, sample("qualys_vmdr/one_vuln_cve.csv")),
        (Format::QualysWebapp, fixture("qualys-was.xml")),
        (Format::Nikto, fixture("nikto.json")),
        (Format::Nikto, fixture("nikto.csv")),
        (Format::Nikto, sample("nikto/nikto-report-many-vuln.xml")),
        (Format::Sslyze, fixture("sslyze.json")),
        (Format::Sslyze, fixture("sslyze.xml")),
    ]
}

/// Check, severity and CVE ids of every observation, in their order.
fn told(records: &[Record]) -> Vec<String> {
    observations(records)
        .into_iter()
        .map(|o| {
            let place = o.location.port.map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}{place} {} {}", o.check, o.severity, o.cves.join(" ")).trim_end().to_owned()
        })
        .collect()
}

/// Every coverage record but the plain ones.
fn uncovered(records: &[Record]) -> Vec<String> {
    let unusual = |record: &Record| match record {
        Record::Coverage(c) if c.status != CoverageStatus::Done => {
            let host = c.location.ip.as_deref().or(c.location.host.as_deref()).or(c.location.url.as_deref()).unwrap_or("all");
            Some(format!("{} {host} {:?} {}", c.check_set, c.status, c.reason.as_deref().unwrap_or_default()))
        }
        _ => None,
    };
    records.iter().filter_map(unusual).collect()
}

#[test]
fn testssl_rows_are_findings_per_cve_and_passed_ones_are_coverage() {
    let table = records(Format::Testssl, &fixture("testssl.csv"));
    assert_eq!(
        told(&table),
        [
            "testssl:engine_problem:443 info",
            "testssl:service:443 info",
            "testssl:SSLv3:443 critical",
            "testssl:DROWN/CVE-2016-0800:443 high CVE-2016-0800",
            "testssl:DROWN/CVE-2016-0703:443 high CVE-2016-0703",
            "testssl:cert_notAfter:443 medium",
            "testssl:cert_notAfter:443 medium",
        ]
    );
    assert_eq!(uncovered(&table), ["testssl:engine_problem lab.example Error No engine or GOST support"]);
    let nested = records(Format::Testssl, &fixture("testssl-pretty.json"));
    let drown = |records: &[Record]| observations(records).into_iter().find(|o| o.check.contains("0800")).expect("DROWN").keys.clone();
    assert_eq!(drown(&nested), drown(&table), "the same finding in both notations");
    assert_eq!(uncovered(&nested), ["testssl all Error cannot resolve other.example"]);
}

#[test]
fn a_nessus_item_is_carried_over_in_full() {
    let found = records(Format::Tenable, &fixture("nessus.nessus"));
    let one = observations(&found)[1].clone();
    assert_eq!((one.check.as_str(), one.severity, one.confidence), ("tenable:42873", Severity::High, 90));
    assert_eq!(one.title, "SSL Medium Strength Cipher Suites Supported (SWEET32)");
    assert_eq!(one.description, "The remote service supports medium strength ciphers.\n\nIt supports 3DES.");
    assert_eq!(one.remediation.as_deref(), Some("Avoid use of medium strength ciphers."));
    assert_eq!(one.cvss.as_deref(), Some("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"));
    assert_eq!((one.cves.as_slice(), one.cwes.as_slice()), (&["CVE-2016-2183".to_owned()][..], &[327][..]));
    assert_eq!(one.references, ["https://sweet32.info", "http://www.nessus.org/u?df5555f5", "IAVT:0001-T-0931"]);
    assert_eq!(one.tags, ["General", "exploit"]);
    assert_eq!((one.location.ip.as_deref(), one.location.host.as_deref()), (Some("192.0.2.7"), Some("lab.example")));
    assert_eq!(
        (one.location.port, one.location.protocol.as_deref(), one.location.service.as_deref()),
        (Some(443), Some("tcp"), Some("www"))
    );
    assert_eq!(one.location.component.expect("product").name, "openssl");
    assert_eq!(one.evidence[0].body, "DES-CBC3-SHA");
    assert_eq!(one.observed_at.as_deref(), Some("2026-11-22T03:50:01Z"));
    assert_eq!(one.keys.len(), 4);
    assert_eq!(
        uncovered(&found),
        [
            "tenable 192.0.2.7 Skipped the file does not tell which plugins ran",
            "tenable:local 192.0.2.7 AuthLost a plugin reports that credentials did not work",
            "tenable 192.0.2.8 Error no end of the host's scan is recorded",
        ]
    );
    let old = records(Format::Tenable, &fixture("nessus-old.nessus"));
    assert_eq!(told(&old), ["tenable:10107:80 medium", "tenable:19506 low"]);
}

#[test]
fn rows_that_repeat_a_report_for_every_cve_are_one() {
    let found = records(Format::Tenable, &fixture("tenable.csv"));
    assert_eq!(told(&found), ["tenable:176700 high CVE-2023-32233 CVE-2023-32234", "tenable:10107:80 info", "tenable:10107:443 info"]);
    let kernel = observations(&found)[0];
    assert_eq!((kernel.confidence, kernel.cvss.as_deref()), (60, Some("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H")));
    let found = records(Format::Tenable, &fixture("tenable-sc.csv"));
    assert_eq!(told(&found), ["tenable:51192:443 medium"]);
    assert_eq!(observations(&found)[0].location.host.as_deref(), Some("lab.example"));
}

#[test]
fn greenbone_results_errors_and_unfinished_hosts_are_told() {
    let found = records(Format::Openvas, &fixture("openvas.xml"));
    assert_eq!(
        told(&found),
        [
            "openvas:1.3.6.1.4.1.25623.1.0.105610:22 low CVE-2008-5161",
            "openvas:1.3.6.1.4.1.25623.1.0.10330 info",
            "openvas:1.3.6.1.4.1.25623.1.0.105610:22 low",
        ]
    );
    let one = observations(&found)[0];
    assert_eq!((one.confidence, one.cvss.as_deref()), (80, Some("AV:N/AC:H/Au:N/C:P/I:N/A:N")));
    assert_eq!(one.description, "Weak MACs are offered.\n\nInsight: none\n\nAffected: SSH");
    assert_eq!((one.remediation.as_deref(), one.references[0].as_str()), (Some("Disable them."), "https://example.org/macs"));
    assert_eq!(
        uncovered(&found),
        [
            "openvas all Error scan interrupted",
            "openvas:1.3.6.1.4.1.25623.1.0.1 192.0.2.7 Timeout NVT timed out after 320 seconds.",
            "openvas 192.0.2.7 Error scan interrupted",
            "openvas 192.0.2.9 Error the host's scan has no end",
        ]
    );
    assert_eq!(warnings(&found).len(), 1, "{:?}", warnings(&found));
}

#[test]
fn nexpose_tests_wait_for_their_definitions() {
    let found = records(Format::Nexpose, &fixture("nexpose.xml"));
    assert_eq!(
        told(&found),
        ["nexpose:open-port:443 info", "nexpose:host-up info", "nexpose:host-up info", "nexpose:weak-ciphers:443 medium CVE-2016-2183"]
    );
    let one = observations(&found)[3];
    assert_eq!(one.evidence[0].body, "Negotiated with 3DES https://e.example/x");
    assert_eq!(one.references, ["https://sweet32.info", "BID:92630", "https://exploits.example/1"]);
    assert_eq!((one.remediation.as_deref(), one.cwes[0]), (Some("- Disable them"), 327));
    assert_eq!(one.observed_at.as_deref(), Some("2026-11-22T03:56:53Z"));
    let open = |host: &str| format!("nexpose {host} Partial the report does not tell which checks ran on which ports");
    assert_eq!(
        uncovered(&found),
        [
            "nexpose:generic-x 192.0.2.7 Skipped skipped-version",
            &open("192.0.2.7"),
            &open("192.0.2.8"),
            "nexpose 192.0.2.9 Skipped node is dead"
        ]
    );
    assert!(warnings(&found)[0].contains("\"unknown-thing\" has no definition"), "{:?}", warnings(&found));
}

#[test]
fn qualys_detections_are_named_by_the_glossary_after_them() {
    let found = records(Format::Qualys, &fixture("qualys.xml"));
    assert_eq!(told(&found), ["qualys:38657:443 high CVE-2016-2183", "qualys:6 info", "qualys:105 high"]);
    let one = observations(&found)[0];
    assert_eq!(
        (one.title.as_str(), one.cvss.as_deref()),
        ("Birthday attacks (SWEET32)", Some("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"))
    );
    assert_eq!(one.references, ["http://cve.example/CVE-2016-2183", "https://sweet32.info"]);
    let scan = records(Format::QualysInfrascanWebgui, &fixture("qualys-scan.xml"));
    assert_eq!(told(&scan), ["qualys:38657:443 medium CVE-2016-2183"]);
    let common = observations(&scan)[0].keys.iter().filter(|key| one.keys.contains(key)).count();
    assert_eq!(common, 2, "the same detection in two reports");
    let table = records(Format::QualysVmdr, &fixture("qualys-vmdr-wrapped.csv"));
    assert_eq!(told(&table), ["qualys:38657:443 medium"]);
    assert_eq!(observations(&table)[0].title, "Say \"SWEET32\"");
    assert_eq!(observations(&table)[0].observed_at.as_deref(), Some("2026-11-22T03:46:00Z"));
    let table = records(Format::QualysHackerGuardian, &fixture("qualys-pci.csv"));
    assert_eq!(told(&table), ["qualys:11827:443 low", "qualys:11827:80 low", "qualys:86729:80 high CVE-2020-1234"]);
}

#[test]
fn qualys_web_findings_have_their_place_request_and_lost_login() {
    let found = records(Format::QualysWebapp, &fixture("qualys-was.xml"));
    assert_eq!(told(&found), ["qualys:150001:443 critical", "qualys:150001:443 critical", "qualys:6:443 info"]);
    let one = observations(&found)[0];
    assert_eq!((one.location.method.as_deref(), one.location.parameter.as_deref()), (Some("GET"), Some("q")));
    assert_eq!(one.evidence[1].body, "HTTP/1.1 200 OK");
    assert_eq!((one.cwes[0], one.observed_at.as_deref()), (79, Some("2020-03-11T17:07:00Z")));
    assert_ne!(one.keys, observations(&found)[1].keys);
    assert_eq!(uncovered(&found), ["qualys https://lab.example/ AuthLost Failed"]);
}

#[test]
fn nikto_items_of_one_number_are_told_apart() {
    let found = records(Format::Nikto, &fixture("nikto.json"));
    assert_eq!(told(&found), ["nikto:999986:443 info", "nikto:999986:443 info", "nikto:001885:443 medium CVE-2001-0500"]);
    assert_ne!(observations(&found)[0].keys, observations(&found)[1].keys);
    assert_eq!(observations(&found)[2].location.url.as_deref(), Some("https://lab.example/system/"));
    let table = records(Format::Nikto, &fixture("nikto.csv"));
    assert_eq!(told(&table), ["nikto:443 info", "nikto:443 medium"]);
}

#[test]
fn sslyze_verdicts_are_the_same_in_json_and_xml() {
    let found = records(Format::Sslyze, &fixture("sslyze.json"));
    assert_eq!(
        told(&found),
        [
            "sslyze:heartbleed:443 medium CVE-2014-0160",
            "sslyze:session_renegotiation:443 medium",
            "sslyze:tls_1_0_cipher_suites:443 medium",
            "sslyze:tls_1_2_cipher_suites:443 medium",
            "sslyze:certificate_info:443 medium",
        ]
    );
    assert_eq!(
        uncovered(&found),
        [
            "sslyze nowhere.example Error Could not resolve",
            "sslyze:http_headers 192.0.2.7 Skipped not scheduled",
            "sslyze:openssl_ccs_injection 192.0.2.7 Error CONNECTIVITY_ISSUE",
            "sslyze 192.0.2.7 Error ConnectionRefused",
        ]
    );
    let old = records(Format::Sslyze, &fixture("sslyze.xml"));
    assert_eq!(
        told(&old),
        ["sslyze:heartbleed:443 info CVE-2014-0160", "sslyze:session_renegotiation:443 info", "sslyze:tlsv1_2:443 info"]
    );
    assert_eq!(observations(&old)[0].keys, observations(&found)[0].keys);
    assert_eq!(uncovered(&old), ["sslyze:openssl_ccs 192.0.2.7 Error timeout", "sslyze nowhere.example Error Could not resolve"]);
}

/// What identity must not see: ratings, wording and versions.
#[test]
fn other_words_and_ratings_keep_the_keys() {
    let swaps = [
        ("severity=\"2\"", "severity=\"3\""),
        ("It supports 3DES", "3DES is there"),
        ("Weak ciphers", "Feeble ciphers"),
        ("<threat>Low", "<threat>High"),
        ("SWEET32)", "Sweet Thirty-Two)"),
        (",High,", ",Low,"),
        ("1.0.2", "1.1.1"),
        ("Reflected Cross-Site", "Stored Cross-Site"),
        ("\"CRITICAL\"", "\"HIGH\""),
        ("<SEVERITY>3", "<SEVERITY>5"),
    ];
    let mut changed = 0;
    for (format, bytes) in specimens() {
        let text = String::from_utf8(bytes.clone()).expect("text");
        let other = swaps.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
        changed += usize::from(other != text);
        let keys = |bytes: &[u8]| observations(&records(format, bytes)).into_iter().map(|o| o.keys.clone()).collect::<Vec<_>>();
        assert_eq!(keys(other.as_bytes()), keys(text.as_bytes()), "{format}");
    }
    assert!(changed >= 10, "only {changed} specimens were changed");
}

#[test]
fn the_simple_xml_of_nexpose_names_what_failed_and_rates_nothing() {
    let text = r#"<NeXposeSimpleXML version="1.0"><generated>20201102T101530123</generated><devices>
      <device address="10.0.0.5" id="7"><fingerprint certainty="0.85"><description>Linux 4.19</description></fingerprint>
        <vulnerabilities><vulnerability id="generic-icmp-timestamp" resultCode="VE"><id type="cve">CVE-1999-0524</id><id type="xf">306</id></vulnerability></vulnerabilities>
        <services><service name="HTTP" port="80" protocol="tcp"><fingerprint certainty="1.0"><description>nginx 1.18</description></fingerprint>
          <vulnerabilities><vulnerability id="HTTP-Trace" resultCode="VV"><id type="url">https://example.org/x</id></vulnerability>
            <vulnerability id="http-put" resultCode="NV"/></vulnerabilities></service></services></device></devices></NeXposeSimpleXML>"#;
    assert_eq!(sniff(text.as_bytes(), None).first().map(|guess| guess.0), Some(Format::Nexpose));
    let records = records(Format::Nexpose, text.as_bytes());
    let found: Vec<(&str, Option<u16>)> = observations(&records).iter().map(|one| (one.check.as_str(), one.location.port)).collect();
    assert_eq!(
        found,
        [
            ("nexpose:generic-icmp-timestamp", None),
            ("nexpose:http-trace", Some(80)),
            ("nexpose:open-port", Some(80)),
            ("nexpose:host-up", None)
        ]
    );
    assert_eq!(observations(&records)[0].cves, ["CVE-1999-0524"]);
    assert_eq!(observations(&records)[0].references, ["XF:306"]);
}
