//! Was it looked at again? Coverage against a finding's check and place; in doubt the answer is no.

mod packages;
mod place;
mod ports;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use importers::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};

use self::packages::{Searches, is_of_package};
use self::place::{assets, host_of, speaks_of};
use self::ports::tells_of;
use crate::model::{CoverageRow, Finding};

/// A finding as coverage sees it.
pub(crate) struct Place<'a> {
    pub(crate) source: &'a str,
    pub(crate) check: &'a str,
    pub(crate) location: &'a Location,
    pub(crate) severity: Severity,
    /// Whether its tool said how to be rid of it.
    pub(crate) is_fixable: bool,
}

/// Everything a run says it looked at.
#[derive(Default)]
pub(crate) struct Covered {
    by_set: HashMap<(String, String), HashMap<Option<String>, Vec<Coverage>>>,
    packages: Searches,
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
        if coverage.extent == Extent::Untold && matches!(coverage.status, CoverageStatus::Done | CoverageStatus::Partial) {
            return true;
        }
        self.packages.add(&coverage);
        let asset = coverage.location.ip.clone().or_else(|| coverage.location.host.clone()).or_else(|| host_of(&coverage.location));
        let set = (coverage.source.clone(), coverage.check_set.clone());
        self.by_set.entry(set).or_default().entry(asset).or_default().push(coverage);
        true
    }

    /// Notes what the run found, at whatever severity.
    pub(crate) fn see(&mut self, observation: &Observation) {
        self.touch(&observation.location);
        self.packages.see(observation);
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
        let mut done = match self.packages.is_done(place) {
            Some(false) => return false,
            said => said == Some(true),
        };
        let mut own: Vec<Option<String>> = assets(place.location).into_iter().map(Some).collect();
        own.push(None);
        for set in sets(place.check) {
            let Some(by_asset) = self.by_set.get(&(place.source.to_owned(), set.to_owned())) else { continue };
            for coverage in own.iter().filter_map(|asset| by_asset.get(asset)).flatten() {
                if !speaks_of(coverage.status, &coverage.extent, &coverage.location, place.location) {
                    continue;
                }
                match (coverage.status, tells_of(&coverage.extent, place.location)) {
                    (CoverageStatus::Done, Some(true)) => done = true,
                    (CoverageStatus::Done | CoverageStatus::Partial, _) | (_, Some(false)) => {}
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
            && speaks_of(row.status, &row.extent, &row.location, &finding.location)
            && (!matches!(row.extent, Extent::Closed(_)) || tells_of(&row.extent, &finding.location) == Some(true))
    };
    row.source == finding.source && (is_of_package(&row.location, &finding.location) || is_of_check())
}

/// The check itself and its beginnings that end at a boundary: `a`, `a:`, `a:b` of `a:b`.
fn sets(check: &str) -> impl Iterator<Item = &str> {
    let boundaries = check.char_indices().filter(|(_, character)| !character.is_alphanumeric() && *character != '-' && *character != '_');
    let beginnings = boundaries.flat_map(|(at, character)| [&check[..at], &check[..at + character.len_utf8()]]);
    beginnings.filter(|beginning| !beginning.is_empty()).chain([check])
}
