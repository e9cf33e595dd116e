//! Stories of statements and findings.

use importers::{Component, Coverage, CoverageStatus, Extent, Location, Observation, PortList, Severity};

use super::{Covered, Place};

fn at(ip: &str, port: Option<u16>) -> Location {
    Location { ip: Some(ip.into()), port, protocol: port.map(|_| "tcp".into()), ..Location::default() }
}

fn covered(lines: &[(&str, Location, CoverageStatus, Extent)]) -> Covered {
    let mut covered = Covered::default();
    for (check_set, location, status, extent) in lines {
        covered.add(Coverage {
            source: "nmap".into(),
            check_set: (*check_set).into(),
            location: location.clone(),
            extent: extent.clone(),
            status: *status,
            reason: None,
        });
    }
    covered
}

fn is_done(covered: &Covered, check: &str, location: &Location) -> bool {
    covered.is_done(&Place { source: "nmap", check, location, severity: Severity::High, is_fixable: false })
}

fn ports(list: &str) -> Extent {
    Extent::Ports(PortList::from(list))
}

fn closed(list: &str) -> Extent {
    Extent::Closed(PortList::from(list))
}

use CoverageStatus::{Done, Error, Skipped, Timeout};
use Extent::{Itself, Untold, Whole};

#[test]
fn a_weakness_by_udp_was_looked_at_where_something_answered_and_for_what_was_asked() {
    let udp = |parameter: Option<&str>| Location {
        protocol: Some("udp".into()),
        parameter: parameter.map(str::to_owned),
        ..at("192.0.2.1", Some(161))
    };
    let community = "exposure.snmp-default-community";
    let host = Location { ip: Some("192.0.2.1".into()), ..Location::default() };
    let told = ("datagrams", host, Done, Whole);
    assert!(!is_done(&covered(std::slice::from_ref(&told)), community, &udp(Some("public"))));
    let run = covered(&[told, (community, udp(Some("public")), Done, Whole)]);
    assert!(is_done(&run, community, &udp(Some("public"))));
    assert!(!is_done(&run, community, &udp(Some("private"))), "nobody asked for it");
    assert!(!is_done(&run, community, &at("192.0.2.1", Some(161))), "nobody asked by TCP");
}

#[test]
fn a_port_outside_the_searched_ones_was_not_looked_at() {
    let host = Location { ip: Some("192.0.2.1".into()), protocol: Some("tcp".into()), ..Location::default() };
    let run = covered(&[("nmap:open-port", host.clone(), Done, ports("1-1024,8080"))]);
    assert!(is_done(&run, "nmap:open-port", &at("192.0.2.1", Some(8080))));
    assert!(!is_done(&run, "nmap:open-port", &at("192.0.2.1", Some(8443))));
    assert!(!is_done(&run, "nmap:open-port", &at("192.0.2.2", Some(80))));
    assert!(!is_done(&run, "nmap:other", &at("192.0.2.1", Some(80))));
    let vague = covered(&[("nmap:open-port", host.clone(), Done, Extent::Ports(PortList::unknown()))]);
    assert!(!is_done(&vague, "nmap:open-port", &at("192.0.2.1", Some(80))));
    let cut = covered(&[("nmap:open-port", host.clone(), Done, ports("22,80,…"))]);
    assert!(is_done(&cut, "nmap:open-port", &at("192.0.2.1", Some(80))));
    assert!(!is_done(&cut, "nmap:open-port", &at("192.0.2.1", Some(8080))));
    let filtered = covered(&[("nmap:open-port", host.clone(), Done, ports("1-1024")), ("nmap:open-port", host, Skipped, ports("80-81"))]);
    assert!(is_done(&filtered, "nmap:open-port", &at("192.0.2.1", Some(22))));
    assert!(!is_done(&filtered, "nmap:open-port", &at("192.0.2.1", Some(81))));
}

#[test]
fn what_was_on_a_closed_port_is_gone_and_nothing_else() {
    let host = Location { ip: Some("192.0.2.1".into()), protocol: Some("tcp".into()), ..Location::default() };
    let run = covered(&[("tls.", host.clone(), Done, closed("1-79,443")), ("tls", at("192.0.2.1", Some(8443)), Error, Whole)]);
    assert!(is_done(&run, "tls.expired", &at("192.0.2.1", Some(443))));
    assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", Some(8443))));
    assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", Some(80))), "open, filtered or not tried");
    assert!(!is_done(&run, "tls.expired", &at("192.0.2.2", Some(443))));
    assert!(!is_done(&run, "http.csp-missing", &at("192.0.2.1", Some(443))));
    assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", None)), "of no port");
}

#[test]
fn a_set_covers_its_checks_and_nothing_that_merely_looks_alike() {
    let run = covered(&[("tls", at("192.0.2.1", Some(443)), Done, Whole), ("http.", at("192.0.2.1", Some(80)), Done, Whole)]);
    assert!(is_done(&run, "tls.expired", &at("192.0.2.1", Some(443))));
    assert!(!is_done(&run, "tlsx.expired", &at("192.0.2.1", Some(443))));
    assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", Some(8443))));
    assert!(is_done(&run, "http.csp-missing", &at("192.0.2.1", Some(80))));
    let failed = covered(&[("tls", at("192.0.2.1", Some(443)), Done, Whole), ("tls.expired", at("192.0.2.1", Some(443)), Error, Whole)]);
    assert!(!is_done(&failed, "tls.expired", &at("192.0.2.1", Some(443))), "a failure overrules");
}

#[test]
fn a_tool_that_does_not_say_where_it_was_says_nothing_of_places() {
    let file = Location { file: Some("src/main.rs".into()), ..Location::default() };
    let run = covered(&[("secrets", Location::default(), Done, Whole)]);
    assert!(!is_done(&run, "secrets:aws-key", &file), "it may have been in another project");
    assert!(!is_done(&run, "secrets:aws-key", &at("192.0.2.1", None)));
    assert!(is_done(&run, "secrets:policy", &Location::default()), "a check of the whole");
    let broken = covered(&[("secrets", file.clone(), Done, Whole), ("secrets", Location::default(), Error, Whole)]);
    assert!(!is_done(&broken, "secrets:aws-key", &file), "what went wrong somewhere may have gone wrong there");
}

#[test]
fn a_closed_port_is_closed_under_every_name_and_a_resource_is_no_other() {
    let host = Location { ip: Some("192.0.2.1".into()), protocol: Some("tcp".into()), ..Location::default() };
    let page =
        |port| Location { host: Some("shop.example".into()), url: Some("https://shop.example/".into()), ..at("192.0.2.1", Some(port)) };
    let run = covered(&[("http", host, Done, closed("443,8080-8081"))]);
    assert!(is_done(&run, "http.csp-missing", &page(443)));
    assert!(!is_done(&run, "http.csp-missing", &page(8443)));
    let bucket = |name: &str| Location { file: Some("account".into()), logical: Some(name.into()), ..Location::default() };
    let run = covered(&[("bucket_public", bucket("b"), Done, Whole)]);
    assert!(is_done(&run, "bucket_public", &bucket("b")) && !is_done(&run, "bucket_public", &bucket("a")));
}

#[test]
fn what_a_filter_may_have_left_out_of_a_search_for_packages_is_not_gone() {
    let image = Location { artifact: Some("shop|os-pkgs".into()), component: Some(Component::default()), ..Location::default() };
    let found = |severity, remediation: Option<&str>| Observation {
        source: "trivy".into(),
        location: image.clone(),
        severity,
        remediation: remediation.map(str::to_owned),
        ..Observation::default()
    };
    let ran = |status, found: &[Observation]| {
        let mut run = Covered::default();
        let location = Location { component: None, ..image.clone() };
        run.add(Coverage { source: "trivy".into(), check_set: "trivy:os-pkgs".into(), location, extent: Whole, status, reason: None });
        found.iter().for_each(|one| run.see(one));
        run
    };
    let done = |run: &Covered, severity, is_fixable| {
        run.is_done(&Place { source: "trivy", check: "CVE-2026-1", location: &image, severity, is_fixable })
    };
    let empty = ran(CoverageStatus::Partial, &[]);
    assert!(!done(&empty, Severity::Critical, true), "what was asked for may have been something else");
    assert!(done(&ran(Done, &[]), Severity::Low, false), "a tool that filters nothing");
    let fixable = ran(CoverageStatus::Partial, &[found(Severity::High, Some("upgrade"))]);
    assert!(done(&fixable, Severity::Critical, true) && done(&fixable, Severity::High, true));
    assert!(!done(&fixable, Severity::Low, true), "the report may be of high and critical ones only");
    assert!(!done(&fixable, Severity::Critical, false), "and only of what has a fix");
    let all = ran(CoverageStatus::Partial, &[found(Severity::Low, None), found(Severity::High, Some("upgrade"))]);
    assert!(done(&all, Severity::Low, false) && done(&all, Severity::Low, true));
}

#[test]
fn one_name_of_an_address_says_nothing_of_another() {
    let named = |host: &str| Location { host: Some(host.into()), ..at("192.0.2.1", Some(443)) };
    let page = |host: &str, url: &str| Location { url: Some(url.into()), ..named(host) };
    let a = covered(&[("tls", named("a.example"), Done, Whole), ("http", named("a.example"), Done, Whole)]);
    assert!(is_done(&a, "tls.expired", &named("a.example")));
    assert!(!is_done(&a, "tls.expired", &named("b.example")));
    assert!(is_done(&a, "http.csp", &page("a.example", "https://a.example/login")));
    assert!(!is_done(&a, "http.csp", &page("b.example", "https://b.example/login")));
    assert!(is_done(&a, "tls.expired", &at("192.0.2.1", Some(443))), "the same machine, asked without its name");
    let by_address = Location { url: Some("https://192.0.2.1/".into()), ..at("192.0.2.1", Some(443)) };
    assert!(!is_done(&a, "http.csp", &by_address), "without a name another site answers");

    let bare = covered(&[("tls", at("192.0.2.1", Some(443)), Done, Whole), ("http", at("192.0.2.1", Some(443)), Done, Whole)]);
    assert!(is_done(&bare, "tls.expired", &at("192.0.2.1", Some(443))));
    assert!(is_done(&bare, "tls.expired", &named("a.example")), "the same machine, this time without its name");
    assert!(is_done(&bare, "http.csp", &by_address));
    assert!(!is_done(&bare, "http.csp", &page("a.example", "https://a.example/login")));
    // A machine's own name and that of a site on it.
    let site = Location { host: Some("ns1.example".into()), ..page("a.example", "https://a.example/") };
    assert!(is_done(&a, "http.csp", &site));
    let web = covered(&[("http", page("a.example", "https://a.example/"), Done, Whole)]);
    assert!(is_done(&web, "http.csp", &page("a.example", "https://a.example/x")));
    assert!(!is_done(&web, "http.csp", &page("b.example", "https://b.example/x")));
}

#[test]
fn a_host_without_its_services_is_none_of_them() {
    let run = covered(&[("tenable", at("192.0.2.1", None), Done, Itself), ("tenable", at("192.0.2.1", Some(443)), Done, Whole)]);
    let own = Location { protocol: Some("tcp".into()), ..at("192.0.2.1", None) };
    assert!(is_done(&run, "tenable:1", &own) && is_done(&run, "tenable:1", &at("192.0.2.1", Some(443))));
    assert!(!is_done(&run, "tenable:1", &at("192.0.2.1", Some(8999))), "nobody tried this port");
    let page = Location { url: Some("https://192.0.2.1:8999/".into()), ..at("192.0.2.1", None) };
    assert!(!is_done(&run, "tenable:1", &page), "nor looked at this page");
}

#[test]
fn a_search_for_open_ports_that_failed_keeps_open_what_it_may_have_met() {
    let host = Location { ip: Some("192.0.2.1".into()), protocol: Some("tcp".into()), ..Location::default() };
    let run = |failed: Extent| {
        covered(&[("nmap:open-port", host.clone(), Done, ports("1-1024")), ("nmap:open-port", host.clone(), Timeout, failed)])
    };
    let is_gone = |failed| is_done(&run(failed), "nmap:open-port", &at("192.0.2.1", Some(443)));
    assert!(is_gone(ports("1-100")) && !is_gone(ports("1-1024")) && !is_gone(Whole));
    assert!(!is_gone(ports("1-100,…")) && !is_gone(Untold), "nobody knows which ports it was about");
}

#[test]
fn what_was_done_proves_nothing_where_nobody_said_how_much_of_the_place_it_was() {
    let told: Coverage = serde_json::from_str(
        r#"{"source":"nmap","check_set":"tls.","location":{"ip":"192.0.2.1"},"status":"done","reason":"closed ports 1-3"}"#,
    )
    .unwrap();
    assert_eq!(told.extent, Untold, "as artifacts were written before there was a word for it");
    let mut run = Covered::default();
    assert!(run.add(told));
    assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", Some(443))));
    assert!(run.knows(&at("192.0.2.1", Some(443))), "the run was there all the same");
    let failed = covered(&[("tls", at("192.0.2.1", Some(443)), Done, Whole), ("tls", at("192.0.2.1", None), Error, Untold)]);
    assert!(!is_done(&failed, "tls.expired", &at("192.0.2.1", Some(443))), "what failed may have failed there");
}

#[test]
fn a_site_covers_its_pages() {
    let page = |url: &str| Location { url: Some(url.into()), ..Location::default() };
    let run = covered(&[("template", page("https://a.example/"), Done, Whole)]);
    assert!(is_done(&run, "template", &page("https://a.example/login?x=1")));
    assert!(!is_done(&run, "template", &page("https://b.example/login")));
    assert!(!is_done(&run, "template", &page("http://a.example/login")));
    let first = covered(&[("template", page("https://a.example/"), Done, Itself)]);
    assert!(is_done(&first, "template", &page("https://a.example/")) && is_done(&first, "template", &page("https://a.example/?x=1")));
    assert!(!is_done(&first, "template", &page("https://a.example/login")), "only the first page was asked");
}
