//! States that change together, and what is marked when a scan is over.

use std::collections::HashMap;

use audit::Change;
use base::{Result, Time};
use scans::{Scan, ScanId};

use super::apply::Origin;
use super::rows::{KnownFinding, Read};
use crate::model::{Derived, FindingId, HappeningKind, ImportOptions, State, derive};
use crate::store::{decisions, ingest as store};

const PAGE: usize = 5000;

/// Findings that come out alike are written in one statement.
#[derive(Default)]
pub(crate) struct Turns {
    alike: HashMap<(State, Derived), Vec<Read>>,
}

impl Turns {
    pub(crate) fn add(&mut self, finding: &KnownFinding, state: State, now: Time) {
        let derived = derive(state, finding.last_seen, finding.decision, now);
        self.put(finding, state, derived);
    }

    /// A finding of which is known already how it stands from now on.
    pub(crate) fn put(&mut self, finding: &KnownFinding, state: State, derived: Derived) {
        self.alike.entry((state, derived)).or_default().push((finding.id, finding.decision));
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = FindingId> {
        self.alike.values().flatten().map(|(id, _)| *id)
    }

    /// Returns findings that somebody decided about since they were read: their status has to be derived again.
    pub(crate) async fn write(self, change: &mut Change) -> Result<Vec<FindingId>> {
        let mut since = Vec::new();
        for ((state, derived), findings) in self.alike {
            since.extend(store::set_state(change, &findings, state, derived).await?);
        }
        Ok(since)
    }
}

/// Marks findings of the scan's target and tools that it neither saw nor looked for again; returns how many.
pub(crate) async fn settle(change: &mut Change, scan: &Scan) -> Result<usize> {
    let (mut turns, mut history) = (Turns::default(), Vec::new());
    let origin = Origin {
        // No finding was last seen by an import that does not exist.
        import: change.id(),
        target: Some(scan.target_id),
        scan: Some(scan.id),
        is_whole_run: false,
        options: ImportOptions::default(),
        is_snapshot: false,
        four_eyes: false,
        is_dry: false,
    };
    for source in store::sources_of_scan(change, scan.id).await? {
        let mut after = None;
        loop {
            let (page, _) = store::unseen(change, &origin, &source, after, PAGE, &[]).await?;
            after = page.last().map(|unseen| unseen.known.id);
            let is_last = page.len() < PAGE;
            for finding in page.iter().map(|unseen| &unseen.known).filter(|finding| is_left_out(finding, scan.id, scan.created_at)) {
                turns.add(finding, State::NotRetested, change.now());
                history.push((finding.id, HappeningKind::NotRetested, None));
            }
            if is_last {
                break;
            }
        }
    }
    let since = turns.write(change).await?;
    decisions::derive_again(change, &since).await?;
    store::add_history(change, None, Some(scan.id), &history).await?;
    Ok(history.len())
}

/// A finding that a later or parallel scan saw was not left out.
fn is_left_out(finding: &KnownFinding, scan: ScanId, started: Time) -> bool {
    finding.state == State::Present && finding.last_scan != Some(scan) && finding.last_seen < started
}
