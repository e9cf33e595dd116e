//! How much a report proves: what is not in it counts as gone only where the report says that it was looked for.

use importers::{CoverageStatus, Extent, Format, Record};

use crate::records;

/// `check set place status`, of every statement about what was tested; the place alone is told as `=place`, ports as they are spelled.
fn told(format: Format, report: impl AsRef<[u8]>) -> Vec<String> {
    let place = |location: &importers::Location| {
        let host = location.url.clone().or_else(|| location.ip.clone()).or_else(|| location.host.clone()).unwrap_or_default();
        location.port.filter(|_| location.url.is_none()).map_or(host.clone(), |port| format!("{host}:{port}"))
    };
    let extent = |place: String, extent: &Extent| match extent {
        Extent::Whole => place,
        Extent::Itself => format!("={place}"),
        Extent::Ports(list) => format!("{place} ports {list}"),
        extent => format!("{place} {extent:?}"),
    };
    let statement = |record: &Record| match record {
        Record::Coverage(told) => Some(format!("{} {} {:?}", told.check_set, extent(place(&told.location), &told.extent), told.status)),
        _ => None,
    };
    records(format, report.as_ref()).iter().filter_map(statement).collect()
}

#[test]
fn a_list_of_web_issues_tells_nothing_of_the_rest_of_the_site() {
    let zap = "<OWASPZAPReport version='2.15'><site name='http://a.example'><alerts/></site></OWASPZAPReport>";
    assert_eq!(told(Format::Zap, zap), ["zap http://a.example Skipped"]);
    let burp = "<issues burpVersion='2024'><issue><name>X</name><host>http://a.example</host><path>/x</path></issue></issues>";
    assert_eq!(told(Format::Burp, burp), ["burp http://a.example Skipped"]);
    let event = r#"{"type":"issue_found","issue":{"name":"X","origin":"http://a.example","path":"/x"}}"#;
    let api = |status: &str| format!("{{{status}\"issue_events\":[{event}]}}");
    assert_eq!(told(Format::BurpApi, api("\"scan_status\":\"succeeded\",")), ["burp http://a.example Done"]);
    assert_eq!(told(Format::BurpApi, api("")), ["burp http://a.example Skipped"]);
    let other = event.replace("a.example", "b.example");
    let both = format!(r#"{{"scan_status":"succeeded","issue_events":[{event},{other}]}}"#);
    assert_eq!(
        told(Format::BurpApi, both),
        ["burp http://a.example Skipped", "burp http://b.example Skipped"],
        "it may have begun at either"
    );
}

#[test]
fn an_acunetix_scan_covers_its_own_site_when_it_came_to_its_end() {
    let scan = |start: &str, said: &str| {
        format!(
            "<ScanGroup><Scan><StartURL>{start}</StartURL>{said}<ReportItems><ReportItem><Name>X</Name><ModuleName>M</ModuleName>\
             <Affects>http://b.example/y</Affects></ReportItem></ReportItems></Scan></ScanGroup>"
        )
    };
    let ended = "<FinishTime>10/09/2025, 21:42:41</FinishTime><Aborted>False</Aborted>";
    assert_eq!(
        told(Format::Acunetix, scan("http://a.example/", ended)),
        ["acunetix http://a.example Done", "acunetix http://b.example Skipped"]
    );
    for (start, said) in [
        ("http://a.example/", ""),
        ("http://a.example/", "<FinishTime></FinishTime><Aborted>False</Aborted>"),
        ("http://a.example/", "<FinishTime>10/09/2025, 21:42:41</FinishTime><Aborted>True</Aborted>"),
        ("http://a.example/shop/", ended),
    ] {
        let told = told(Format::Acunetix, scan(start, said));
        assert!(told.len() == 2 && told.iter().all(|told| told.ends_with("Skipped")), "{start} {said}: {told:?}");
    }
}

#[test]
fn a_wapiti_report_proves_the_modules_that_found_something() {
    let report = |target: &str| {
        format!(
            r#"{{"classifications":{{"XSS":{{"desc":"d","sol":"s"}},"SQL":{{"desc":"d","sol":"s"}}}},"vulnerabilities":{{"XSS":[{{"method":"GET",
            "path":"/x","info":"i","level":2,"parameter":"q","module":"xss"}}],"SQL":[]}},"anomalies":{{}},"infos":{{"target":"{target}"}}}}"#
        )
    };
    let site = "http://a.example";
    assert_eq!(
        told(Format::Wapiti, report("http://a.example/")),
        [format!("wapiti:SQL {site} Skipped"), format!("wapiti:XSS {site} Done")]
    );
    assert!(told(Format::Wapiti, report("http://a.example/shop/")).iter().all(|told| told.ends_with("Skipped")));
}

#[test]
fn a_greenbone_report_leaves_its_hosts_open_and_says_why() {
    let report = |said: &str, results: &str, status: &str| {
        let host = "<host><ip>192.0.2.7</ip><end>2026-11-22T03:50:01Z</end></host>";
        let said = format!("{said}<scan_run_status>{status}</scan_run_status>{host}<results {results}/>");
        let report = format!("<report id='1' format_id='x'><report id='1'>{said}</report></report>");
        let mut told = records(Format::Openvas, report.as_bytes()).into_iter().filter_map(|record| match record {
            Record::Coverage(told) => Some((told.status, told.reason.unwrap_or_default())),
            _ => None,
        });
        told.next_back().unwrap()
    };
    let open = |reason: &str| (CoverageStatus::Skipped, reason.to_owned());
    let count =
        |full: u32, filtered: u32| format!("<result_count>{filtered}<full>{full}</full><filtered>{filtered}</filtered></result_count>");
    let term = |term: &str| format!("<filters><term>{term}</term></filters>");
    let narrow = "apply_overrides=0 levels=hml rows=100 min_qod=70 first=1";
    // Which checks the task was set to run, on which ports, no report tells.
    let done = open("ended 2026-11-22T03:50:01Z; the report does not tell which checks ran on which ports");
    assert_eq!(report("", "", "Done"), done);
    assert_eq!(report(&(term(narrow) + &count(7, 7)), "start='1' max='100'", "Done"), done, "the filter left nothing out");
    assert_eq!(report(&term("levels=hmlg min_qod=0 rows=-1"), "start='1' max='-1'", "Done"), done);
    let keyword =
        "<filters><keywords><keyword><column>min_qod</column><relation>=</relation><value>70</value></keyword></keywords></filters>";
    for (said, results, reason) in [
        (term(narrow) + &count(90, 7), "start='1' max='100'", "the report was filtered"),
        (term(narrow), "", "the report was filtered"),
        (keyword.to_owned(), "", "the report was filtered"),
        (term("levels=hmlg min_qod=0") + &count(300, 300), "start='1' max='100'", "the report is one page of several"),
        (term("levels=hmlg min_qod=0") + &count(300, 300), "start='101' max='-1'", "the report is one page of several"),
    ] {
        assert_eq!(report(&said, results, "Done"), open(reason), "{said} {results}");
    }
    assert_eq!(report("", "", "Stopped").0, CoverageStatus::Error, "hosts that ended do not end the task");
    assert_eq!(
        told(Format::Openvas, "IP,Port,Port Protocol,Severity,NVT Name,NVT OID\n192.0.2.7,22,tcp,5.0,X,1.2\n"),
        ["openvas 192.0.2.7 Skipped"]
    );
}

#[test]
fn a_nessus_host_is_covered_by_a_whole_policy_and_by_a_login() {
    let family = |name: &str, status: &str| format!("<FamilyItem><FamilyName>{name}</FamilyName><Status>{status}</Status></FamilyItem>");
    let policy = |web: &str| {
        let families = family("General", "enabled") + &family("Port scanners", "mixed") + &family("Web Servers", web);
        format!("<Policy><policyName>p</policyName><FamilySelection>{families}</FamilySelection></Policy>")
    };
    let item = |port: u16, service: &str, plugin: u32, output: &str| {
        format!(
            "<ReportItem port='{port}' svc_name='{service}' protocol='tcp' severity='0' pluginID='{plugin}' pluginName='n'><plugin_output>{output}</plugin_output></ReportItem>"
        )
    };
    let report_of = |range: &str, policy: &str, login: &str, more: &str| {
        let items = item(0, "general", 19506, &format!("Port range : {range}\nScan type : Normal\nCredentialed checks : {login}\n"))
            + &item(443, "www", 1, "")
            + &item(445, "cifs", 2, "")
            + &item(2222, "ssh", 3, "")
            + more;
        let host = format!("<HostProperties><tag name='HOST_END'>Sun Nov 22 03:50:01 2026</tag></HostProperties>{items}");
        told(
            Format::Tenable,
            format!(
                "<NessusClientData_v2>{policy}<Report name='r'><ReportHost name='192.0.2.7'>{host}</ReportHost></Report></NessusClientData_v2>"
            ),
        )
    };
    let report = |policy: &str, login: &str, more: &str| report_of("1-65535", policy, login, more);
    let whole = policy("enabled");
    assert_eq!(report(&whole, "yes", ""), ["tenable 192.0.2.7 Done"]);
    let met = ["=192.0.2.7", "192.0.2.7:443", "192.0.2.7:445", "192.0.2.7:2222"].map(|place| format!("tenable {place} Done"));
    assert_eq!(report_of("default", &whole, "yes", ""), met, "the host itself, and the ports that something was told of");
    assert_eq!(report(&whole, "no", ""), ["tenable 192.0.2.7:443 Done"], "who did not log in saw services from outside");
    let lost = item(0, "general", 21745, "");
    assert_eq!(report(&whole, "yes", &lost), ["tenable 192.0.2.7:443 Done", "tenable:local 192.0.2.7 AuthLost"]);
    assert_eq!(report(&policy("disabled"), "yes", ""), ["tenable 192.0.2.7 Skipped"]);
    assert_eq!(report("", "yes", ""), ["tenable 192.0.2.7 Skipped"]);
    assert_eq!(
        told(Format::Tenable, "Plugin ID,Risk,Host,Protocol,Port,Name,Synopsis\n1,High,192.0.2.7,tcp,80,N,S\n"),
        ["tenable 192.0.2.7 Skipped"]
    );
}

#[test]
fn an_extract_of_qualys_leaves_open_what_its_template_leaves_out() {
    let report = "<ASSET_DATA_REPORT><HOST_LIST><HOST><IP>192.0.2.7</IP></HOST></HOST_LIST></ASSET_DATA_REPORT>";
    assert_eq!(told(Format::Qualys, report), ["qualys 192.0.2.7 Skipped"]);
    let table = "\"IP\",\"QID\",\"Title\",\"IP Status\"\n\"192.0.2.7\",\"6\",\"T\",\"host scanned, found vuln\"\n";
    assert_eq!(told(Format::Qualys, table), ["qualys 192.0.2.7 Skipped"]);
}

#[test]
fn a_list_of_qualys_detections_leaves_its_hosts_open() {
    let table = "QID,Title,Asset Name,Asset IPV4,Port\n6,T,host,192.0.2.7,443\n";
    assert_eq!(told(Format::QualysVmdr, table), ["qualys 192.0.2.7 Skipped"]);
    let table = "IP,HOSTNAME,LAST SCAN,QID,VULN TITLE,PORT\n192.0.2.7,-,2024-09-16 04:00:30,6,T,443\n";
    assert_eq!(told(Format::QualysHackerGuardian, table), ["qualys 192.0.2.7 Skipped"]);
}

#[test]
fn a_qualys_scan_does_not_tell_which_checks_it_made() {
    let scan = |status: &str, host: &str| {
        let options = "<KEY value='OPTIONS'>Full TCP scan, Standard UDP port list, Windows Authentication ON</KEY>";
        let header = format!("<HEADER>{options}<KEY value='STATUS'>{status}</KEY></HEADER>");
        told(Format::QualysInfrascanWebgui, format!("<SCAN value='scan/1'>{header}<IP value='192.0.2.7'{host}/></SCAN>"))
    };
    assert_eq!(scan("FINISHED", ""), ["qualys 192.0.2.7 Skipped"]);
    assert_eq!(scan("FINISHED", " status='down'"), ["qualys 192.0.2.7 Skipped"]);
    assert_eq!(scan("CANCELED", ""), ["qualys 192.0.2.7 Error"]);
}

#[test]
fn a_qualys_web_scan_covers_its_site_when_it_looked_for_everything_to_its_end() {
    let filtered = |scans: &str, filter: &str| {
        let filters = format!("<FILTERS><FILTER><NAME>REMEDIATION</NAME><VALUE>{filter}</VALUE></FILTER></FILTERS>");
        let body = format!("{filters}<APPENDIX>{scans}<WEBAPP><URL>https://a.example/</URL></WEBAPP></APPENDIX>");
        told(Format::QualysWebapp, format!("<WAS_SCAN_REPORT>{body}</WAS_SCAN_REPORT>")).concat()
    };
    let report = |scans: &str| filtered(scans, "Show ignored findings ");
    let scan_by = |status: &str, mode: &str, login: &str| {
        format!("<SCAN><MODE>{mode}</MODE><STATUS>{status}</STATUS><AUTHENTICATION_STATUS>{login}</AUTHENTICATION_STATUS></SCAN>")
    };
    let scan = |status: &str, mode: &str| scan_by(status, mode, "Successful");
    let list = |scans: &str| format!("<SCAN_LIST>{scans}</SCAN_LIST>");
    let options = |scope: &str| format!("<OPTION_PROFILE_DETAILS><DETECTION_SCOPE>{scope}</DETECTION_SCOPE></OPTION_PROFILE_DETAILS>");
    let whole = scan("Finished", "Vulnerability");
    assert_eq!(report(&(list(&whole) + &options("EVERYTHING"))), "qualys https://a.example/ Done");
    assert_eq!(filtered(&list(&whole), "Severity 5 only"), "qualys https://a.example/ Skipped");
    for (scans, status) in [
        (String::new(), "Skipped"),
        (list(&scan("Finished", "Discovery")), "Skipped"),
        (list(&whole) + &options("CUSTOM"), "Skipped"),
        (list(&whole) + &options("CORE"), "Skipped"),
        (list(&scan_by("Finished", "Vulnerability", "No Authentication specified")), "Skipped"),
        (list(&scan_by("Finished", "Vulnerability", "Failed")), "AuthLost"),
        (list(&(scan("Time Limit Exceeded", "Vulnerability") + &whole)), "Error"),
    ] {
        assert_eq!(report(&scans), format!("qualys https://a.example/ {status}"), "{scans}");
    }
}

#[test]
fn a_nexpose_report_proves_the_tests_that_it_names_where_they_were_made() {
    let service = "<service name='HTTPS'><tests><test id='b' status='not-vulnerable'/><test id='c' key='/one' status='not-vulnerable'/></tests></service>";
    let endpoint = format!("<endpoint protocol='tcp' port='443'><services>{service}</services></endpoint>");
    let node = format!("<tests><test id='a' status='not-vulnerable'/></tests><endpoints>{endpoint}</endpoints>");
    let nodes = format!("<nodes><node address='192.0.2.7' status='alive'>{node}</node></nodes>");
    assert_eq!(
        told(Format::Nexpose, format!("<NexposeReport version='2.0'>{nodes}</NexposeReport>")),
        ["nexpose:a =192.0.2.7 Done", "nexpose:b 192.0.2.7:443 Done", "nexpose:c 192.0.2.7:443 Partial", "nexpose 192.0.2.7 Partial"],
        "an instance that is not there says nothing of others"
    );
    let found = "<vulnerabilities><vulnerability id='a' resultCode='NV'/></vulnerabilities>";
    assert_eq!(
        told(
            Format::Nexpose,
            format!("<NeXposeSimpleXML><devices><device address='192.0.2.7'>{found}</device></devices></NeXposeSimpleXML>")
        ),
        ["nexpose:a =192.0.2.7 Done", "nexpose 192.0.2.7 Partial"]
    );
}

#[test]
fn nmap_tells_the_ports_it_tried_and_those_that_did_not_answer_for_whatever_reason() {
    let report = |services: &str, extra: &str| {
        let host = format!("<host><status state='up'/><address addr='192.0.2.7' addrtype='ipv4'/><ports>{extra}</ports></host>");
        told(Format::Nmap, format!("<nmaprun><scaninfo type='syn' protocol='tcp' {services}/>{host}</nmaprun>"))
    };
    let silent = "<extraports state='filtered' count='3'><extrareasons reason='no-response' count='2' proto='tcp' ports='80-81'/>\
                  <extrareasons reason='host-unreach' count='1' proto='tcp' ports='443'/></extraports>";
    assert_eq!(
        report("services='1-1024,8080'", silent),
        [
            "nmap:open-port 192.0.2.7 ports 80-81 Skipped",
            "nmap:open-port 192.0.2.7 ports 443 Skipped",
            "nmap:open-port 192.0.2.7 ports 1-1024,8080 Done"
        ]
    );
    let old = "<extraports state='filtered' count='3'><extrareasons reason='no-response' count='3'/></extraports>";
    assert_eq!(report("", old), ["nmap:open-port 192.0.2.7 ports … Skipped", "nmap:open-port 192.0.2.7 ports … Done"]);
}

#[test]
fn a_service_without_its_port_does_not_stand_for_all_of_its_host() {
    let row =
        |port: &str| format!("\"id\",\"fqdn/ip\",\"port\",\"severity\",\"finding\"\n\"SSLv2\",\"a/192.0.2.7\",\"{port}\",\"OK\",\"no\"\n");
    assert_eq!(told(Format::Testssl, row("443")), ["testssl:SSLv2 192.0.2.7:443 Done"]);
    assert_eq!(told(Format::Testssl, row("")), ["testssl:SSLv2 =192.0.2.7 Done"]);
}
