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
    /// The least grave of what was found.
    least: Option<Severity>,
    /// The least grave of what was found and has no fix yet.
    least_unfixable: Option<Severity>,
}

impl Search {
    /// Whether something was told that any filter would have left out before this.
    fn tells(&self, place: &Place<'_>) -> bool {
        let least = if place.is_fixable { self.least } else { self.least_unfixable };
        least.is_some_and(|least| place.severity >= least)
    }
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
        let Some(search) = self.of(&observation.source, &observation.location) else { return };
        let least = |known: Option<Severity>| Some(known.map_or(observation.severity, |known| known.min(observation.severity)));
        search.least = least(search.least);
        if observation.remediation.is_none() {
            search.least_unfixable = least(search.least_unfixable);
        }
    }

    /// Whether the package of this place was searched for to the end; `None` when nothing that was said is about it.
    pub(super) fn is_done(&self, place: &Place<'_>) -> Option<bool> {
        let (artifact, _) = place.location.artifact.as_ref().zip(place.location.component.as_ref())?;
        let search = self.0.get(&(place.source.to_owned(), artifact.clone()))?;
        let is = |wanted| search.ended.contains(&wanted);
        if search.ended.iter().any(|status| !matches!(status, CoverageStatus::Done | CoverageStatus::Partial)) {
            return Some(false);
        }
        (is(CoverageStatus::Done) || is(CoverageStatus::Partial) && search.tells(place)).then_some(true)
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
