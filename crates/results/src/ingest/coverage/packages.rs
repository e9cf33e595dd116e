//! Searches for packages: they say what they looked through and name no vulnerability that they know of.

use std::collections::HashMap;

use importers::{Coverage, CoverageStatus, Location, Observation, Severity};

use super::Place;

/// How searches ended, by tool and by what was looked through: an image, a lock file.
#[derive(Default)]
pub(super) struct Searches(HashMap<(String, String), Search>);

#[derive(Default)]
struct Search {
    ended: Vec<CoverageStatus>,
    /// The least grave of what was found: whether a search was filtered by severity, most tools do not tell.
    least: Option<Severity>,
}

impl Searches {
    /// Takes a statement, when it is of a search for packages.
    pub(super) fn add(&mut self, coverage: &Coverage) {
        if let Some(search) = self.of(&coverage.source, &coverage.location) {
            search.ended.push(coverage.status);
        }
    }

    /// Notes what was found.
    pub(super) fn see(&mut self, observation: &Observation) {
        if let Some(search) = self.of(&observation.source, &observation.location) {
            search.least = Some(search.least.map_or(observation.severity, |least| least.min(observation.severity)));
        }
    }

    /// Whether the package of this place was searched for to the end; `None` when nothing that was said is about it.
    pub(super) fn is_done(&self, place: &Place<'_>) -> Option<bool> {
        let (artifact, _) = place.location.artifact.as_ref().zip(place.location.component.as_ref())?;
        let search = self.0.get(&(place.source.to_owned(), artifact.clone()))?;
        if search.ended.iter().any(|status| *status != CoverageStatus::Done) {
            return Some(false);
        }
        (!search.ended.is_empty() && search.least.is_none_or(|least| place.severity >= least)).then_some(true)
    }

    fn of(&mut self, source: &str, location: &Location) -> Option<&mut Search> {
        let artifact = location.artifact.clone()?;
        Some(self.0.entry((source.to_owned(), artifact)).or_default())
    }
}

/// Whether a search was of what the finding's package is in.
pub(super) fn is_of_package(covered: &Location, found: &Location) -> bool {
    covered.artifact.is_some() && covered.artifact == found.artifact && found.component.is_some()
}
