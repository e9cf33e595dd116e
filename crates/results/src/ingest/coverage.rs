//! Was it looked at again? Coverage against a finding's check and place; in doubt the answer is no.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use importers::{Coverage, CoverageStatus, Location, Observation, Severity};
use url::Url;

use crate::model::{CoverageRow, Finding};

/// A finding as coverage sees it.
pub(crate) struct Place<'a> {
    pub(crate) source: &'a str,
    pub(crate) check: &'a str,
    pub(crate) location: &'a Location,
    pub(crate) severity: Severity,
}

/// Everything a run says it looked at.
#[derive(Default)]
pub(crate) struct Covered {
    by_set: HashMap<(String, String), HashMap<Option<String>, Vec<Coverage>>>,
    /// How searches for packages ended, by tool and by what they searched.
    packages: HashMap<(String, String), Vec<CoverageStatus>>,
    /// The least grave of what each of them found: whether it was filtered by severity, most do not tell.
    least: HashMap<(String, String), Severity>,
    /// Hosts and addresses the run had to do with.
    assets: HashSet<String>,
    /// Statements made already: tools repeat themselves.
    said: HashSet<u64>,
}

impl Covered {
    /// Takes a statement; tells whether it is a new one.
    pub(crate) fn add(&mut self, coverage: Coverage) -> bool {
        if !self.said.insert(fingerprint(&coverage)) {
            return false;
        }
        self.touch(&coverage.location);
        if let Some(artifact) = &coverage.location.artifact {
            self.packages.entry((coverage.source.clone(), artifact.clone())).or_default().push(coverage.status);
        }
        let asset = coverage.location.ip.clone().or_else(|| coverage.location.host.clone()).or_else(|| host_of(&coverage.location));
        let set = (coverage.source.clone(), coverage.check_set.clone());
        self.by_set.entry(set).or_default().entry(asset).or_default().push(coverage);
        true
    }

    /// Notes what the run found, at whatever severity.
    pub(crate) fn see(&mut self, observation: &Observation) {
        self.touch(&observation.location);
        if let Some(artifact) = &observation.location.artifact {
            let least = self.least.entry((observation.source.clone(), artifact.clone())).or_insert(observation.severity);
            *least = (*least).min(observation.severity);
        }
    }

    /// Notes that the run had to do with this place.
    fn touch(&mut self, location: &Location) {
        self.assets.extend(assets(location));
    }

    /// Whether the run had to do with the asset of this place.
    pub(crate) fn knows(&self, location: &Location) -> bool {
        assets(location).iter().any(|asset| self.assets.contains(asset))
    }

    /// Whether this check ran to its end at this place: only then may its finding be closed.
    /// A statement that it did not overrules one that it did.
    pub(crate) fn is_done(&self, place: &Place<'_>) -> bool {
        let mut done = false;
        if let (Some(artifact), Some(_)) = (&place.location.artifact, &place.location.component) {
            let search = (place.source.to_owned(), artifact.clone());
            let ended = self.packages.get(&search).map_or(&[][..], Vec::as_slice);
            if ended.iter().any(|status| *status != CoverageStatus::Done) {
                return false;
            }
            done = !ended.is_empty() && self.least.get(&search).is_none_or(|least| place.severity >= *least);
        }
        let mut own: Vec<Option<String>> = assets(place.location).into_iter().map(Some).collect();
        own.push(None);
        for set in sets(place.check) {
            let Some(by_asset) = self.by_set.get(&(place.source.to_owned(), set.to_owned())) else { continue };
            for coverage in own.iter().filter_map(|asset| by_asset.get(asset)).flatten() {
                if !speaks_of(coverage.status, coverage.reason.as_deref(), &coverage.location, place.location) {
                    continue;
                }
                match (coverage.status, ports(coverage, place.location)) {
                    (CoverageStatus::Done, Ports::Within | Ports::NotAsked) => done = true,
                    (CoverageStatus::Done, Ports::Outside | Ports::Unknown) | (_, Ports::Outside) => {}
                    _ => return false,
                }
            }
        }
        done
    }
}

fn fingerprint(coverage: &Coverage) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(coverage).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// Whether a statement about coverage is about this finding's check and place.
pub(crate) fn concerns(row: &CoverageRow, finding: &Finding) -> bool {
    let is_of_check = || {
        sets(&finding.check).any(|set| set == row.check_set)
            && speaks_of(row.status, row.reason.as_deref(), &row.location, &finding.location)
            && closed_ports(row.reason.as_deref(), &row.location).is_none_or(|list| is_among(list, finding.location.port))
    };
    row.source == finding.source && (is_of_package(&row.location, &finding.location) || is_of_check())
}

/// Whether a search for packages, which names no vulnerability that it knows of, was of what the finding's package is in.
fn is_of_package(covered: &Location, found: &Location) -> bool {
    covered.artifact.is_some() && covered.artifact == found.artifact && found.component.is_some()
}

/// The check itself and its beginnings that end at a boundary: `a`, `a:`, `a:b` of `a:b`.
fn sets(check: &str) -> impl Iterator<Item = &str> {
    let boundaries = check.char_indices().filter(|(_, character)| !character.is_alphanumeric() && *character != '-' && *character != '_');
    let beginnings = boundaries.flat_map(|(at, character)| [&check[..at], &check[..at + character.len_utf8()]]);
    beginnings.filter(|beginning| !beginning.is_empty()).chain([check])
}

fn assets(location: &Location) -> Vec<String> {
    let mut assets: Vec<String> = location.ip.iter().chain(location.host.iter()).cloned().chain(host_of(location)).collect();
    assets.dedup();
    assets
}

fn host_of(location: &Location) -> Option<String> {
    let url = Url::parse(location.url.as_deref()?).ok()?;
    url.host_str().map(|host| host.trim_matches(['[', ']']).to_lowercase())
}

/// Whether a statement is about a finding's place. A tool that names no place at all may have been somewhere else, in another project
/// or folder: what it looked at it cannot close, and what went wrong there it can keep open. A port that is closed is closed under
/// every name of its address.
fn speaks_of(status: CoverageStatus, reason: Option<&str>, covered: &Location, found: &Location) -> bool {
    if closed_ports(reason, covered).is_some() {
        return covered.ip == found.ip && (covered.protocol.is_none() || covered.protocol == found.protocol);
    }
    (status != CoverageStatus::Done || names_a_place(covered) || !names_a_place(found)) && is_at(covered, found)
}

/// Whether what was covered contains the finding's place; a part the coverage does not name holds for all.
fn is_at(covered: &Location, found: &Location) -> bool {
    let same = |covered: &Option<String>, found: &Option<String>| covered.is_none() || covered == found;
    let asset = match (&covered.ip, &found.ip) {
        (Some(ip), Some(other)) => ip == other && is_same_site(covered, found),
        _ => covered.host.as_ref().is_none_or(|host| assets(found).contains(host)),
    };
    asset
        && (covered.ip.is_none() || found.ip.is_some() || covered.host.is_some())
        && (covered.port.is_none() || covered.port == found.port)
        && same(&covered.protocol, &found.protocol)
        && covered.url.as_deref().is_none_or(|url| is_under(url, found.url.as_deref()))
        && same(&covered.method, &found.method)
        && same(&covered.parameter, &found.parameter)
        && same(&covered.file, &found.file)
        && same(&covered.logical, &found.logical)
        && covered.component.as_ref().is_none_or(|component| found.component.as_ref().is_some_and(|found| found.name == component.name))
}

/// Whether two places at one address are the same: an address may have many names, each another site.
fn is_same_site(covered: &Location, found: &Location) -> bool {
    match (names(covered).as_slice(), names(found).as_slice()) {
        ([], []) => true,
        // A machine is the same with and without its name; which site a page is of, only a name tells.
        ([], _) | (_, []) => found.url.is_none(),
        (covered, found) => covered.iter().any(|name| found.contains(name)),
    }
}

/// What a place is called, beside its address.
fn names(location: &Location) -> Vec<String> {
    let names = location.host.iter().map(|host| host.to_lowercase()).chain(host_of(location));
    names.filter(|name| name.parse::<IpAddr>().is_err()).collect()
}

fn names_a_place(location: &Location) -> bool {
    let Location { host, ip, url, component, file, .. } = location;
    component.is_some() || [host, ip, url, file].into_iter().any(Option::is_some)
}

/// The same page, or any page of a site that was covered as a whole.
fn is_under(covered: &str, found: Option<&str>) -> bool {
    let (Ok(covered), Some(Ok(found))) = (Url::parse(covered), found.map(Url::parse)) else { return Some(covered) == found };
    covered.origin() == found.origin() && (covered.path() == "/" || covered.path() == found.path())
}

enum Ports {
    /// The finding is not about a port, or the coverage names the port itself.
    NotAsked,
    Within,
    Outside,
    /// A search for open ports that does not say which ports it tried, or which of them answered.
    Unknown,
}

/// Searches for open ports cover a host but only some ports; which ones stands in the reason.
fn ports(coverage: &Coverage, found: &Location) -> Ports {
    if let Some(list) = closed_ports(coverage.reason.as_deref(), &coverage.location) {
        return if is_among(list, found.port) { Ports::Within } else { Ports::Outside };
    }
    let is_search = coverage.check_set == "ports" || coverage.check_set.ends_with("open-port");
    let Some(port) = found.port.filter(|_| coverage.location.port.is_none() && is_search) else { return Ports::NotAsked };
    let reason = coverage.reason.as_deref().unwrap_or_default();
    let list = match coverage.status {
        CoverageStatus::Done => reason.strip_prefix("ports "),
        _ => reason.rsplit_once(": ").map(|(_, list)| list),
    };
    let Some(list) = list.filter(|list| !list.contains(';')) else { return Ports::Unknown };
    match contains(list, port) {
        Some(true) => Ports::Within,
        Some(false) => Ports::Outside,
        None => Ports::Unknown,
    }
}

/// The list of a statement that is about the closed ports of a host only, whatever the check: what was there is gone.
fn closed_ports<'r>(reason: Option<&'r str>, location: &Location) -> Option<&'r str> {
    reason.filter(|_| location.port.is_none())?.strip_prefix("closed ports ")
}

fn is_among(list: &str, port: Option<u16>) -> bool {
    port.and_then(|port| contains(list, port)) == Some(true)
}

/// Whether `1-1024,8080` contains the port; `None` when the list ends in words before it names the port.
fn contains(list: &str, port: u16) -> Option<bool> {
    for part in list.split(',') {
        let (from, to) = part.trim().split_once('-').unwrap_or((part.trim(), part.trim()));
        let (from, to): (u16, u16) = (from.parse().ok()?, to.parse().ok()?);
        if (from..=to).contains(&port) {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ip: &str, port: Option<u16>) -> Location {
        Location { ip: Some(ip.into()), port, protocol: port.map(|_| "tcp".into()), ..Location::default() }
    }

    fn covered(lines: &[(&str, Location, CoverageStatus, Option<&str>)]) -> Covered {
        let mut covered = Covered::default();
        for (check_set, location, status, reason) in lines {
            covered.add(Coverage {
                source: "nmap".into(),
                check_set: (*check_set).into(),
                location: location.clone(),
                status: *status,
                reason: reason.map(str::to_owned),
            });
        }
        covered
    }

    fn is_done(covered: &Covered, check: &str, location: &Location) -> bool {
        covered.is_done(&Place { source: "nmap", check, location, severity: Severity::High })
    }

    use CoverageStatus::{Done, Error, Skipped};

    #[test]
    fn a_weakness_by_udp_was_looked_at_where_something_answered_and_for_what_was_asked() {
        let udp = |parameter: Option<&str>| Location {
            protocol: Some("udp".into()),
            parameter: parameter.map(str::to_owned),
            ..at("192.0.2.1", Some(161))
        };
        let community = "exposure.snmp-default-community";
        let host = Location { ip: Some("192.0.2.1".into()), ..Location::default() };
        let told = ("datagrams", host, Done, Some("0 of 20 ports answered by UDP, and silence proves nothing"));
        assert!(!is_done(&covered(std::slice::from_ref(&told)), community, &udp(Some("public"))));
        let run = covered(&[told, (community, udp(Some("public")), Done, None)]);
        assert!(is_done(&run, community, &udp(Some("public"))));
        assert!(!is_done(&run, community, &udp(Some("private"))), "nobody asked for it");
        assert!(!is_done(&run, community, &at("192.0.2.1", Some(161))), "nobody asked by TCP");
    }

    #[test]
    fn a_port_outside_the_searched_ones_was_not_looked_at() {
        let host = Location { ip: Some("192.0.2.1".into()), protocol: Some("tcp".into()), ..Location::default() };
        let run = covered(&[("nmap:open-port", host.clone(), Done, Some("ports 1-1024,8080"))]);
        assert!(is_done(&run, "nmap:open-port", &at("192.0.2.1", Some(8080))));
        assert!(!is_done(&run, "nmap:open-port", &at("192.0.2.1", Some(8443))));
        assert!(!is_done(&run, "nmap:open-port", &at("192.0.2.2", Some(80))));
        assert!(!is_done(&run, "nmap:other", &at("192.0.2.1", Some(80))));
        let vague = covered(&[("nmap:open-port", host.clone(), Done, Some("ports 1-1024; 3 without an answer"))]);
        assert!(!is_done(&vague, "nmap:open-port", &at("192.0.2.1", Some(80))));
        let cut = covered(&[("nmap:open-port", host.clone(), Done, Some("ports 22,80,… 100 ports"))]);
        assert!(is_done(&cut, "nmap:open-port", &at("192.0.2.1", Some(80))));
        assert!(!is_done(&cut, "nmap:open-port", &at("192.0.2.1", Some(8080))));
        let filtered = covered(&[
            ("nmap:open-port", host.clone(), Done, Some("ports 1-1024")),
            ("nmap:open-port", host, Skipped, Some("2 ports filtered (no-response): 80-81")),
        ]);
        assert!(is_done(&filtered, "nmap:open-port", &at("192.0.2.1", Some(22))));
        assert!(!is_done(&filtered, "nmap:open-port", &at("192.0.2.1", Some(81))));
    }

    #[test]
    fn what_was_on_a_closed_port_is_gone_and_nothing_else() {
        let host = Location { ip: Some("192.0.2.1".into()), protocol: Some("tcp".into()), ..Location::default() };
        let run = covered(&[
            ("tls.", host.clone(), Done, Some("closed ports 1-79,443")),
            ("tls", at("192.0.2.1", Some(8443)), Error, Some("connection closed")),
        ]);
        assert!(is_done(&run, "tls.expired", &at("192.0.2.1", Some(443))));
        assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", Some(8443))));
        assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", Some(80))), "open, filtered or not tried");
        assert!(!is_done(&run, "tls.expired", &at("192.0.2.2", Some(443))));
        assert!(!is_done(&run, "http.csp-missing", &at("192.0.2.1", Some(443))));
        assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", None)), "of no port");
    }

    #[test]
    fn a_set_covers_its_checks_and_nothing_that_merely_looks_alike() {
        let run = covered(&[("tls", at("192.0.2.1", Some(443)), Done, None), ("http.", at("192.0.2.1", Some(80)), Done, None)]);
        assert!(is_done(&run, "tls.expired", &at("192.0.2.1", Some(443))));
        assert!(!is_done(&run, "tlsx.expired", &at("192.0.2.1", Some(443))));
        assert!(!is_done(&run, "tls.expired", &at("192.0.2.1", Some(8443))));
        assert!(is_done(&run, "http.csp-missing", &at("192.0.2.1", Some(80))));
        let failed = covered(&[("tls", at("192.0.2.1", Some(443)), Done, None), ("tls.expired", at("192.0.2.1", Some(443)), Error, None)]);
        assert!(!is_done(&failed, "tls.expired", &at("192.0.2.1", Some(443))), "a failure overrules");
    }

    #[test]
    fn a_tool_that_does_not_say_where_it_was_says_nothing_of_places() {
        let file = Location { file: Some("src/main.rs".into()), ..Location::default() };
        let run = covered(&[("secrets", Location::default(), Done, None)]);
        assert!(!is_done(&run, "secrets:aws-key", &file), "it may have been in another project");
        assert!(!is_done(&run, "secrets:aws-key", &at("192.0.2.1", None)));
        assert!(is_done(&run, "secrets:policy", &Location::default()), "a check of the whole");
        let broken = covered(&[("secrets", file.clone(), Done, None), ("secrets", Location::default(), Error, Some("rules are missing"))]);
        assert!(!is_done(&broken, "secrets:aws-key", &file), "what went wrong somewhere may have gone wrong there");
    }

    #[test]
    fn a_closed_port_is_closed_under_every_name_and_a_resource_is_no_other() {
        let host = Location { ip: Some("192.0.2.1".into()), protocol: Some("tcp".into()), ..Location::default() };
        let page =
            |port| Location { host: Some("shop.example".into()), url: Some("https://shop.example/".into()), ..at("192.0.2.1", Some(port)) };
        let run = covered(&[("http", host, Done, Some("closed ports 443,8080-8081"))]);
        assert!(is_done(&run, "http.csp-missing", &page(443)));
        assert!(!is_done(&run, "http.csp-missing", &page(8443)));
        let bucket = |name: &str| Location { file: Some("account".into()), logical: Some(name.into()), ..Location::default() };
        let run = covered(&[("s3_public", bucket("b"), Done, None)]);
        assert!(is_done(&run, "s3_public", &bucket("b")) && !is_done(&run, "s3_public", &bucket("a")));
    }

    #[test]
    fn packages_less_grave_than_anything_told_may_have_been_filtered_out() {
        let image =
            Location { artifact: Some("shop|os-pkgs".into()), component: Some(importers::Component::default()), ..Location::default() };
        let done =
            |covered: &Covered, severity| covered.is_done(&Place { source: "trivy", check: "CVE-2026-1", location: &image, severity });
        let mut run = Covered::default();
        let location = Location { component: None, ..image.clone() };
        run.add(Coverage { source: "trivy".into(), check_set: "trivy:os-pkgs".into(), location, status: Done, reason: None });
        assert!(done(&run, Severity::Low), "nothing is left in the image");
        run.see(&Observation { source: "trivy".into(), location: image.clone(), severity: Severity::High, ..Observation::default() });
        assert!(done(&run, Severity::Critical) && done(&run, Severity::High));
        assert!(!done(&run, Severity::Low), "the report may be of high and critical ones only");
    }

    #[test]
    fn one_name_of_an_address_says_nothing_of_another() {
        let named = |host: &str| Location { host: Some(host.into()), ..at("192.0.2.1", Some(443)) };
        let page = |host: &str, url: &str| Location { url: Some(url.into()), ..named(host) };
        let a = covered(&[("tls", named("a.example"), Done, None), ("http", named("a.example"), Done, None)]);
        assert!(is_done(&a, "tls.expired", &named("a.example")));
        assert!(!is_done(&a, "tls.expired", &named("b.example")));
        assert!(is_done(&a, "http.csp", &page("a.example", "https://a.example/login")));
        assert!(!is_done(&a, "http.csp", &page("b.example", "https://b.example/login")));
        assert!(is_done(&a, "tls.expired", &at("192.0.2.1", Some(443))), "the same machine, asked without its name");
        let by_address = Location { url: Some("https://192.0.2.1/".into()), ..at("192.0.2.1", Some(443)) };
        assert!(!is_done(&a, "http.csp", &by_address), "without a name another site answers");

        let bare = covered(&[("tls", at("192.0.2.1", Some(443)), Done, None), ("http", at("192.0.2.1", Some(443)), Done, None)]);
        assert!(is_done(&bare, "tls.expired", &at("192.0.2.1", Some(443))));
        assert!(is_done(&bare, "tls.expired", &named("a.example")), "the same machine, this time without its name");
        assert!(is_done(&bare, "http.csp", &by_address));
        assert!(!is_done(&bare, "http.csp", &page("a.example", "https://a.example/login")));
        // A machine's own name and that of a site on it.
        let site = Location { host: Some("ns1.example".into()), ..page("a.example", "https://a.example/") };
        assert!(is_done(&a, "http.csp", &site));
        let web = covered(&[("http", page("a.example", "https://a.example/"), Done, None)]);
        assert!(is_done(&web, "http.csp", &page("a.example", "https://a.example/x")));
        assert!(!is_done(&web, "http.csp", &page("b.example", "https://b.example/x")));
    }

    #[test]
    fn a_site_covers_its_pages() {
        let page = |url: &str| Location { url: Some(url.into()), ..Location::default() };
        let run = covered(&[("template", page("https://a.example/"), Done, None)]);
        assert!(is_done(&run, "template", &page("https://a.example/login?x=1")));
        assert!(!is_done(&run, "template", &page("https://b.example/login")));
        assert!(!is_done(&run, "template", &page("http://a.example/login")));
    }
}
