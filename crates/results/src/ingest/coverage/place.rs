//! Whether what was looked at contains the place of a finding.

use std::net::IpAddr;

use importers::{CoverageStatus, Extent, Location};
use url::Url;

/// The host and addresses of a place, as statements are found by them.
pub(super) fn assets(location: &Location) -> Vec<String> {
    let mut assets: Vec<String> = location.ip.iter().chain(location.host.iter()).cloned().chain(host_of(location)).collect();
    assets.dedup();
    assets
}

/// The host of the place's URL, without the brackets of an IPv6 address.
pub(super) fn host_of(location: &Location) -> Option<String> {
    let url = Url::parse(location.url.as_deref()?).ok()?;
    url.host_str().map(|host| host.trim_matches(['[', ']']).to_lowercase())
}

/// Whether a statement is about a finding's place. A tool that names no place at all may have been somewhere else, in another project
/// or folder: what it looked at it cannot close, and what went wrong there it can keep open. A port that is closed is closed under
/// every name of its address.
pub(super) fn speaks_of(status: CoverageStatus, extent: &Extent, covered: &Location, found: &Location) -> bool {
    if matches!(extent, Extent::Closed(_)) {
        return covered.ip.is_some() && covered.ip == found.ip && (covered.protocol.is_none() || covered.protocol == found.protocol);
    }
    (status != CoverageStatus::Done || names_a_place(covered) || !names_a_place(found)) && is_at(extent, covered, found)
}

/// Whether what was covered contains the finding's place; a part the coverage does not name holds for all.
fn is_at(extent: &Extent, covered: &Location, found: &Location) -> bool {
    let same = |covered: &Option<String>, found: &Option<String>| covered.is_none() || covered == found;
    let asset = match (&covered.ip, &found.ip) {
        (Some(ip), Some(other)) => ip == other && is_same_site(covered, found),
        _ => covered.host.as_ref().is_none_or(|host| assets(found).contains(host)),
    };
    asset
        && (covered.ip.is_none() || found.ip.is_some() || covered.host.is_some())
        && is_same_port(extent, covered, found)
        && same(&covered.protocol, &found.protocol)
        && covered.url.as_deref().is_none_or(|url| is_under(extent, url, found.url.as_deref()))
        && same(&covered.method, &found.method)
        && same(&covered.parameter, &found.parameter)
        && same(&covered.file, &found.file)
        && same(&covered.logical, &found.logical)
        && covered.component.as_ref().is_none_or(|component| found.component.as_ref().is_some_and(|found| found.name == component.name))
}

/// A host that was covered by itself is none of its services, and none of the pages that they show.
fn is_same_port(extent: &Extent, covered: &Location, found: &Location) -> bool {
    match (covered.port, extent) {
        (Some(port), _) => found.port == Some(port),
        (None, Extent::Itself) => covered.url.is_some() || found.port.is_none() && found.url.is_none(),
        (None, _) => true,
    }
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

/// The same page, or any page of a site that was covered as a whole, which its first page stands for.
fn is_under(extent: &Extent, covered: &str, found: Option<&str>) -> bool {
    let (Ok(covered), Some(Ok(found))) = (Url::parse(covered), found.map(Url::parse)) else { return Some(covered) == found };
    let is_site = covered.path() == "/" && *extent != Extent::Itself;
    covered.origin() == found.origin() && (is_site || covered.path() == found.path())
}
