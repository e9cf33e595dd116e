//! What the scanner found as records: assets with services, observations with identity keys, coverage.
//! Invariant: a coverage record's `check_set` is a check or the common beginning of checks, and all of those ran.
//!
//! A closed port counts as tested for everything that can be wrong with a service by TCP: what is refused by a host that
//! otherwise answers is not there, and its weaknesses went with it. This is how other scanners tell it too. A port that is
//! silent may only be filtered and counts for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use base::{Time, fill};
use importers::{
    Asset, Coverage, CoverageStatus, Evidence, Extent, Location, Observation, PortList, Record, Service, Severity, Sink, identity,
};
use scanner::{Covered, Issue, OPEN_PORT, Outcome};

use super::NATIVE;
use crate::artifact::Sheet;

/// The scanner's name for the search of open ports.
const PORTS: &str = "ports";
/// What is said of services by TCP and of nothing else. DNS servers are met by UDP too, and are told of by one name.
const OF_SERVICES: [&str; 4] = ["exposure.", "http.", "ssh.", "tls."];
/// Refusals told one by one.
const REFUSALS: usize = 100;

pub(super) fn write(outcome: &Outcome, now: Time, sheet: &mut Sheet) {
    // A full sheet refuses the rest; its own count tells.
    let _ = all(outcome, now, sheet);
}

fn all(outcome: &Outcome, now: Time, sheet: &mut Sheet) -> Result<(), importers::Stop> {
    for asset in assets(outcome) {
        sheet.record(Record::Asset(asset))?;
    }
    for address in &outcome.open {
        sheet.record(Record::Observation(open_port(outcome, *address, now)))?;
    }
    for issue in &outcome.issues {
        sheet.record(Record::Observation(observation(issue, now)))?;
    }
    for coverage in coverage(&outcome.coverage, &outcome.tried.iter().copied().collect()) {
        sheet.record(Record::Coverage(coverage))?;
    }
    for (address, closed) in outcome.closed.iter().filter(|(_, closed)| !closed.is_empty()) {
        for family in OF_SERVICES {
            sheet.record(Record::Coverage(gone(*address, family, closed)))?;
        }
    }
    for (what, reason) in outcome.refused.iter().take(REFUSALS) {
        sheet.record(Record::Coverage(refusal(what, reason)))?;
    }
    Ok(())
}

fn name(host: &str, ip: IpAddr) -> Option<String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    (!bare.is_empty() && bare.parse::<IpAddr>().is_err() && bare != ip.to_string()).then(|| bare.to_lowercase())
}

fn place(address: SocketAddr, host: &str) -> Location {
    Location {
        host: name(host, address.ip()),
        ip: Some(address.ip().to_string()),
        port: (address.port() > 0).then_some(address.port()),
        protocol: (address.port() > 0).then(|| "tcp".to_owned()),
        ..Location::default()
    }
}

fn assets(outcome: &Outcome) -> Vec<Asset> {
    let mut hosts: BTreeMap<IpAddr, (BTreeSet<String>, BTreeMap<u16, Service>)> = BTreeMap::new();
    for address in &outcome.open {
        let (_, services) = hosts.entry(address.ip()).or_default();
        services
            .insert(address.port(), Service { port: address.port(), protocol: "tcp".into(), state: "open".into(), ..Service::default() });
    }
    // A service by UDP is told by its own findings; here it would hide what answers by TCP on the same port.
    for report in outcome.services.iter().filter(|report| report.transport == "tcp") {
        let (names, services) = hosts.entry(report.address.ip()).or_default();
        names.extend(name(&report.host, report.address.ip()));
        let service = Service {
            port: report.address.port(),
            protocol: "tcp".into(),
            state: "open".into(),
            name: Some(report.service.to_owned()),
            product: report.product.clone(),
            version: report.version.clone(),
            banner: report.banner.clone(),
            cpe: report.cpe.clone().into_iter().collect(),
            tls: report.tls,
        };
        services.insert(service.port, service);
    }
    hosts
        .into_iter()
        .map(|(ip, (names, services))| {
            let mut identifiers = vec![("ip".to_owned(), ip.to_string())];
            identifiers.extend(names.into_iter().map(|name| ("hostname".to_owned(), name)));
            Asset { kind: "host".to_owned(), identifiers, services: services.into_values().collect() }
        })
        .collect()
}

fn open_port(outcome: &Outcome, address: SocketAddr, now: Time) -> Observation {
    let report = outcome.services.iter().find(|report| report.address == address && report.transport == "tcp");
    let host = report.map_or("", |report| report.host.as_str());
    let service = report.map_or("unknown", |report| report.service);
    let mut location = place(address, host);
    location.service = report.map(|report| report.service.to_owned());
    let mut evidence = Vec::new();
    if let Some(report) = report {
        let mut tell = |label: &str, body: Option<&String>| {
            evidence.extend(body.map(|body| Evidence { label: label.to_owned(), body: body.clone(), truncated: false }));
        };
        tell("product", report.product.as_ref());
        tell("version", report.version.as_ref());
        tell("banner", report.banner.as_ref());
    }
    let port = address.port().to_string();
    let told = |text: &str| fill(text, &[("port", &port), ("service", service)]);
    Observation {
        source: NATIVE.to_owned(),
        check: OPEN_PORT.id.to_owned(),
        title: told(OPEN_PORT.title),
        description: told(OPEN_PORT.description),
        remediation: Some(told(OPEN_PORT.remediation)),
        severity: Severity::Info,
        confidence: 100,
        keys: keys(&assets_of(&location), |asset| identity::network(asset, "tcp", location.port, OPEN_PORT.id)),
        location,
        evidence,
        observed_at: Some(now.to_string()),
        ..Observation::default()
    }
}

/// The names by which a place may be known again: its address first, then the name it was asked by.
fn assets_of(location: &Location) -> Vec<String> {
    location.ip.iter().chain(location.host.iter()).cloned().collect()
}

fn keys(assets: &[String], key: impl Fn(&str) -> importers::IdentityKey) -> Vec<importers::IdentityKey> {
    assets.iter().map(|asset| key(asset)).collect()
}

fn severity(given: scanner::Severity) -> Severity {
    match given {
        scanner::Severity::Info => Severity::Info,
        scanner::Severity::Low => Severity::Low,
        scanner::Severity::Medium => Severity::Medium,
        scanner::Severity::High => Severity::High,
        scanner::Severity::Critical => Severity::Critical,
    }
}

fn observation(issue: &Issue, now: Time) -> Observation {
    let mut location = place(issue.address, &issue.host);
    location.protocol = location.protocol.map(|_| issue.transport.to_owned());
    location.url = issue.url.as_ref().map(url::Url::to_string);
    location.parameter = issue.parameter.clone();
    Observation {
        source: NATIVE.to_owned(),
        check: issue.check.to_owned(),
        title: issue.title.to_owned(),
        description: issue.description.to_owned(),
        remediation: Some(issue.remediation.to_owned()),
        severity: severity(issue.severity),
        confidence: issue.confidence,
        cvss: issue.cvss.map(str::to_owned),
        cwes: issue.cwe.into_iter().collect(),
        references: vec![issue.reference.to_owned()],
        keys: issue_keys(issue, &location),
        location,
        evidence: issue
            .evidence
            .iter()
            .map(|(label, body)| Evidence { label: label.clone(), body: body.clone(), truncated: body.ends_with('…') })
            .collect(),
        observed_at: Some(now.to_string()),
        ..Observation::default()
    }
}

fn issue_keys(issue: &Issue, location: &Location) -> Vec<importers::IdentityKey> {
    let assets = assets_of(location);
    match &issue.url {
        Some(url) => {
            let origin = url.origin().ascii_serialization();
            vec![identity::web(&origin, issue.check, None, url.path(), issue.parameter.as_deref())]
        }
        None if issue.check.starts_with("tls.") => keys(&assets, |asset| identity::tls(asset, location.port, issue.check)),
        // One server has many zones, one host many communities: what the finding is about tells them apart.
        None if issue.check.starts_with("dns.") || issue.transport == "udp" => {
            let check = format!("{} {}", issue.check, issue.parameter.as_deref().unwrap_or_default());
            keys(&assets, |asset| identity::network(asset, issue.transport, location.port, check.trim_end()))
        }
        None => keys(&assets, |asset| identity::network(asset, "tcp", location.port, issue.check)),
    }
}

fn status(given: scanner::CoverageStatus) -> CoverageStatus {
    match given {
        scanner::CoverageStatus::Done => CoverageStatus::Done,
        scanner::CoverageStatus::Skipped => CoverageStatus::Skipped,
        scanner::CoverageStatus::Error => CoverageStatus::Error,
        scanner::CoverageStatus::Timeout => CoverageStatus::Timeout,
    }
}

/// The checks of a set of the catalogue; `ports` and `services` are no sets of it and stand for themselves.
fn checks_of(set: &str) -> Vec<&'static str> {
    scanner::catalogue().iter().filter(|check| check.check_set == set).map(|check| check.id).collect()
}

/// `http.passive` is no beginning of `http.csp-missing`: such a set is told check by check. A check may be told twice of one place,
/// by its set and by itself: that it was left open must not be lost for its set having said that it was made.
fn coverage(given: &[Covered], tried: &PortList) -> Vec<Coverage> {
    let mut told = BTreeSet::new();
    let mut all = Vec::new();
    for covered in given {
        let checks = checks_of(covered.check_set);
        let is_prefix = checks.iter().all(|check| check.starts_with(covered.check_set));
        let names: Vec<String> =
            if is_prefix { vec![covered.check_set.to_owned()] } else { checks.iter().map(|check| (*check).to_owned()).collect() };
        for name in names {
            let place = (&covered.host, covered.address, covered.transport, &covered.parameter, &covered.url);
            if told.insert((place, covered.status, name.clone())) {
                all.push(Coverage {
                    source: NATIVE.to_owned(),
                    check_set: name,
                    location: location(covered),
                    extent: extent(covered, tried),
                    status: status(covered.status),
                    reason: covered.reason.clone(),
                });
            }
        }
    }
    all
}

fn location(covered: &Covered) -> Location {
    let mut location = match covered.address {
        Some(address) => place(address, &covered.host),
        None => Location { host: Some(covered.host.to_lowercase()), ..Location::default() },
    };
    location.protocol = location.protocol.map(|_| covered.transport.to_owned());
    location.url = covered.url.as_ref().map(url::Url::to_string);
    location.parameter.clone_from(&covered.parameter);
    location
}

/// A page that was asked is not the site; what went wrong at the first one may have gone wrong at all of them. A search for open
/// ports tells how many gave no answer but not which, so that it proves nothing of any of them.
fn extent(covered: &Covered, tried: &PortList) -> Extent {
    let is_done = covered.status == scanner::CoverageStatus::Done;
    match covered.check_set {
        PORTS if is_done && covered.unanswered > 0 => Extent::Ports(PortList::unknown()),
        PORTS => Extent::Ports(tried.clone()),
        _ if is_done && covered.url.is_some() => Extent::Itself,
        _ => Extent::Whole,
    }
}

fn gone(address: IpAddr, family: &str, closed: &[u16]) -> Coverage {
    Coverage {
        source: NATIVE.to_owned(),
        check_set: family.to_owned(),
        location: Location { protocol: Some("tcp".to_owned()), ..place(SocketAddr::new(address, 0), "") },
        extent: Extent::Closed(closed.iter().copied().collect()),
        status: CoverageStatus::Done,
        reason: None,
    }
}

fn refusal(what: &str, reason: &str) -> Coverage {
    let location = match what.parse::<SocketAddr>() {
        Ok(address) => place(address, ""),
        Err(_) => Location { url: Some(what.to_owned()), ..Location::default() },
    };
    Coverage {
        source: NATIVE.to_owned(),
        check_set: "scope".to_owned(),
        location,
        extent: Extent::Whole,
        status: CoverageStatus::Skipped,
        reason: Some(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(check_set: &'static str, status: scanner::CoverageStatus) -> Covered {
        let address = "127.0.0.1:80".parse().ok();
        Covered {
            check_set,
            address,
            transport: "tcp",
            parameter: None,
            host: "localhost".into(),
            url: None,
            status,
            unanswered: 0,
            reason: None,
        }
    }

    /// A beginning ends where a word ends: `exposure.redis` says nothing about `exposure.redis-default-password`.
    fn covers(check_set: &str, check: &str) -> bool {
        let rest = check.strip_prefix(check_set);
        rest.is_some_and(|rest| check_set.ends_with('.') || rest.is_empty() || rest.starts_with('.'))
    }

    fn coverage(given: &[Covered]) -> Vec<Coverage> {
        super::coverage(given, &PortList::from("1-1024,8080"))
    }

    #[test]
    fn a_search_for_open_ports_proves_what_it_tried_where_all_of_that_answered() {
        let search = |status, unanswered| Covered { unanswered, ..covered("ports", status) };
        let told = |status, unanswered| coverage(&[search(status, unanswered)]).remove(0).extent;
        assert_eq!(told(scanner::CoverageStatus::Done, 0), Extent::Ports(PortList::from("1-1024,8080")));
        assert_eq!(told(scanner::CoverageStatus::Done, 3), Extent::Ports(PortList::unknown()), "which ones, nobody told");
        assert_eq!(told(scanner::CoverageStatus::Timeout, 0), Extent::Ports(PortList::from("1-1024,8080")));
        let top = scanner::PortSet::top(1000).iter().collect::<PortList>();
        assert!(top.to_string().len() < 4000 && scanner::PortSet::top(1000).iter().all(|port| top.contains(port) == Some(true)));
    }

    #[test]
    fn every_check_of_a_done_set_is_covered_by_what_is_told() {
        let sets: BTreeSet<&'static str> = scanner::catalogue().iter().map(|check| check.check_set).collect();
        for set in &sets {
            let told = coverage(&[covered(set, scanner::CoverageStatus::Done)]);
            for check in scanner::catalogue() {
                let is_told = told.iter().any(|coverage| covers(&coverage.check_set, check.id));
                assert_eq!(is_told, check.check_set == *set, "{set}: {}", check.id);
            }
        }
    }

    #[test]
    fn a_check_without_an_answer_at_one_page_is_told_beside_its_set() {
        let page = |path: &str| Covered {
            url: url::Url::parse(&format!("http://localhost{path}")).ok(),
            reason: Some("the server answered 502".into()),
            ..covered("http.exposed-dotenv", scanner::CoverageStatus::Error)
        };
        let told = coverage(&[covered("http.active", scanner::CoverageStatus::Done), page("/.env"), page("/.env.bak")]);
        let doubts: Vec<&Coverage> = told.iter().filter(|coverage| coverage.status == CoverageStatus::Error).collect();
        assert_eq!(
            doubts.iter().filter_map(|doubt| doubt.location.url.as_deref()).collect::<Vec<_>>(),
            ["http://localhost/.env", "http://localhost/.env.bak"]
        );
        assert!(doubts.iter().all(|doubt| doubt.check_set == "http.exposed-dotenv"));
    }

    #[test]
    fn a_check_that_was_left_open_is_told_although_its_set_was_made() {
        let told = coverage(&[
            covered("http.passive", scanner::CoverageStatus::Done),
            covered("http.active", scanner::CoverageStatus::Error),
            covered("http.directory-listing", scanner::CoverageStatus::Skipped),
            covered("http.directory-listing", scanner::CoverageStatus::Skipped),
        ]);
        let of_listing: Vec<CoverageStatus> =
            told.iter().filter(|coverage| coverage.check_set == "http.directory-listing").map(|coverage| coverage.status).collect();
        assert_eq!(of_listing, [CoverageStatus::Done, CoverageStatus::Skipped]);
    }

    #[test]
    fn the_first_page_does_not_stand_for_the_site_where_it_was_asked_alone() {
        let first = |status| Covered { url: url::Url::parse("http://localhost/").ok(), ..covered("http.directory-listing", status) };
        let told = coverage(&[first(scanner::CoverageStatus::Done), first(scanner::CoverageStatus::Error)]);
        let told: Vec<_> = told.iter().map(|coverage| (coverage.location.url.as_deref(), &coverage.extent)).collect();
        assert_eq!(told, [(Some("http://localhost/"), &Extent::Itself), (Some("http://localhost/"), &Extent::Whole)]);
    }

    #[test]
    fn every_family_of_checks_but_that_of_dns_goes_with_its_port() {
        let families: BTreeSet<&str> = scanner::catalogue().iter().filter_map(|check| check.id.split_inclusive('.').next()).collect();
        assert_eq!(families, OF_SERVICES.into_iter().chain(["dns."]).collect());
        let told = gone("192.0.2.1".parse().unwrap(), "tls.", &[1, 2, 3, 443]);
        assert_eq!((told.extent, told.location.port), (Extent::Closed(PortList::from("1-3,443")), None));
    }

    #[test]
    fn a_set_that_did_not_run_covers_nothing_as_done() {
        let told =
            coverage(&[covered("http.passive", scanner::CoverageStatus::Done), covered("http.active", scanner::CoverageStatus::Timeout)]);
        let is_done =
            |check: &str| told.iter().any(|coverage| covers(&coverage.check_set, check) && coverage.status == CoverageStatus::Done);
        assert!(is_done("http.csp-missing") && !is_done("http.exposed-git"));
    }
}
