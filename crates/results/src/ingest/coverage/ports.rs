//! Closed ports, and the ports a search for open ones tried: both stand in the reason of a statement.

use importers::{Coverage, CoverageStatus, Location};

/// What a statement says of the port of a finding.
pub(super) enum Ports {
    /// The finding is not about a port, or the coverage names the port itself.
    NotAsked,
    Within,
    Outside,
    /// A search for open ports that does not say which ports it tried, or which of them answered.
    Unknown,
}

/// Searches for open ports cover a host but only some ports; which ones stands in the reason.
pub(super) fn ports(coverage: &Coverage, found: &Location) -> Ports {
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
pub(super) fn closed_ports<'r>(reason: Option<&'r str>, location: &Location) -> Option<&'r str> {
    reason.filter(|_| location.port.is_none())?.strip_prefix("closed ports ")
}

pub(super) fn is_among(list: &str, port: Option<u16>) -> bool {
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
