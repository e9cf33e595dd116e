//! What a tool lists although it knows that it is gone.

use importers::{Format, Gone};

use crate::{observations, records};

/// First seen and gone at, of each observation that is gone; nothing for the others.
fn told(format: Format, report: &str) -> Vec<Option<[String; 2]>> {
    let words = |gone: Gone| [gone.first_seen.unwrap_or_default(), gone.at.unwrap_or_default()];
    observations(&records(format, report.as_bytes())).into_iter().map(|observation| observation.gone.clone().map(words)).collect()
}

fn gone(first_seen: &str, at: &str) -> Option<[String; 2]> {
    Some([first_seen.to_owned(), at.to_owned()])
}

#[test]
fn a_state_of_fixed_is_no_sight() {
    let vmdr = r#""QID","Title","Severity","Status","Asset Name","Asset IPV4","First Detected","Last Detected","Last Fixed"
"1","Gone","5","FIXED","a","192.0.2.7","Feb 01, 2026 07:00 AM","Feb 02, 2026 07:00 AM","Feb 03, 2026 07:00 AM"
"2","There","5","RE-OPENED","a","192.0.2.7","Feb 01, 2026 07:00 AM","Feb 02, 2026 07:00 AM",""
"#;
    assert_eq!(told(Format::QualysVmdr, vmdr), [gone("2026-02-01T07:00:00Z", "2026-02-03T07:00:00Z"), None]);
    let table = r#""IP","DNS","QID","Title","Vuln Status","Severity","First Detected","Last Detected","Date Last Fixed"
"192.0.2.7","a","1","Gone","Fixed","5","02/01/2026 07:00:00","02/02/2026 07:00:00","02/03/2026 07:00:00"
"192.0.2.7","a","2","There","Active","5","02/01/2026 07:00:00","02/02/2026 07:00:00",""
"#;
    assert_eq!(told(Format::Qualys, table), [gone("2026-02-01T07:00:00Z", "2026-02-03T07:00:00Z"), None]);
    let report = "<ASSET_DATA_REPORT><HOST_LIST><HOST><IP>192.0.2.7</IP><VULN_INFO_LIST><VULN_INFO><QID id='qid_1'>1</QID><TYPE>Vuln</TYPE>
        <FIRST_FOUND>2026-02-01T07:00:00Z</FIRST_FOUND><LAST_FOUND>2026-02-02T07:00:00Z</LAST_FOUND><VULN_STATUS>Fixed</VULN_STATUS>
        <LAST_FIXED>2026-02-03T07:00:00Z</LAST_FIXED></VULN_INFO></VULN_INFO_LIST></HOST></HOST_LIST>
        <GLOSSARY><VULN_DETAILS_LIST><VULN_DETAILS id='qid_1'><QID id='qid_1'>1</QID><TITLE>Gone</TITLE><SEVERITY>5</SEVERITY></VULN_DETAILS>
        </VULN_DETAILS_LIST></GLOSSARY></ASSET_DATA_REPORT>";
    assert_eq!(told(Format::Qualys, report), [gone("2026-02-01T07:00:00Z", "2026-02-03T07:00:00Z")]);
    let tenable = "Plugin ID,Host,Name,Severity,Vulnerability State,First Found,Last Found,Last Fixed
1,192.0.2.7,Gone,High,Fixed,2026/02/01,2026/02/02,2026/02/03
2,192.0.2.7,There,High,Resurfaced,2026/02/01,2026/02/02,
";
    assert_eq!(told(Format::Tenable, tenable), [gone("2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), None]);
}

#[test]
fn what_was_resolved_in_code_is_gone_and_what_people_called_harmless_is_not() {
    let issue = |id: &str, state: &str| {
        format!(
            r#"{{"id":"{id}","type":"issue","attributes":{{"type":"package_vulnerability","key":"SNYK-{id}","title":"T","status":"{state}","effective_severity_level":"high",
            "created_at":"2026-02-01T07:00:00Z","updated_at":"2026-02-03T07:00:00Z","resolution":{{"type":"fixed","resolved_at":"2026-02-03T07:00:00Z"}}}}}}"#
        )
    };
    let snyk = format!(r#"{{"jsonapi":{{"version":"1.0"}},"data":[{},{}]}}"#, issue("1", "resolved"), issue("2", "open"));
    assert_eq!(told(Format::SnykIssueApi, &snyk), [gone("2026-02-01T07:00:00Z", "2026-02-03T07:00:00Z"), None]);
    let issue = |key: &str, resolution: &str| {
        format!(
            r#"{{"key":"{key}","rule":"java:S1","component":"shop:{key}.java","project":"shop","severity":"MAJOR","type":"VULNERABILITY","message":"m",
            "status":"CLOSED","resolution":"{resolution}","creationDate":"2026-02-01T07:00:00+0000","closeDate":"2026-02-03T07:00:00+0000"}}"#
        )
    };
    let sonar = format!(r#"{{"paging":{{}},"issues":[{},{}]}}"#, issue("a", "FIXED"), issue("b", "FALSE-POSITIVE"));
    assert_eq!(told(Format::Sonarqube, &sonar), [gone("2026-02-01T07:00:00Z", "2026-02-03T07:00:00Z"), None]);
    let flaw = |id: &str, state: &str| format!(r#"{{"id":"{id}","affects":[{{"ref":"a"}}],"analysis":{{"state":"{state}"}}}}"#);
    let all = [flaw("CVE-2030-0001", "resolved"), flaw("CVE-2030-0002", "resolved_with_pedigree"), flaw("CVE-2030-0003", "exploitable")];
    let vex = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{{"bom-ref":"a","type":"library","name":"a","version":"1"}}],"vulnerabilities":[{}]}}"#,
        all.join(",")
    );
    assert_eq!(told(Format::Cyclonedx, &vex), [gone("", ""), gone("", ""), None]);
    let finding = |id: &str, state: &str| {
        format!(
            r#"{{"component":{{"uuid":"c","name":"a","version":"1"}},"vulnerability":{{"uuid":"v","vulnId":"{id}","severity":"HIGH","source":"NVD"}},
            "analysis":{{"state":"{state}","isSuppressed":false}},"matrix":"{id}"}}"#
        )
    };
    let track = format!(
        r#"{{"version":"1.2","meta":{{"application":"Dependency-Track"}},"project":{{"uuid":"p","name":"shop"}},"findings":[{},{}]}}"#,
        finding("CVE-2030-0001", "RESOLVED"),
        finding("CVE-2030-0002", "NOT_SET")
    );
    assert_eq!(told(Format::DependencyTrack, &track), [gone("", ""), None]);
    let generic =
        r#"{"findings":[{"title":"Gone","description":"Was there.","severity":"Low","is_mitigated":true,"mitigated":"2026-02-03"}]}"#;
    assert_eq!(told(Format::Generic, generic), [gone("", "2026-02-03T00:00:00Z")]);
}
