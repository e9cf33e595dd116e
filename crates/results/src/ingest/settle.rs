//! States that change together, and what is marked when a scan is over.

use std::collections::HashMap;

use audit::Change;
use base::{Result, Time};
use scans::{Scan, ScanId};
use targets::TargetId;

use super::rows::KnownFinding;
use crate::model::{Derived, FindingId, HappeningKind, ImportId, State, derive};
use crate::store::ingest as store;

const PAGE: usize = 5000;

/// Findings that come out alike are written in one statement.
#[derive(Default)]
pub(crate) struct Turns {
    alike: HashMap<(State, Derived), Vec<FindingId>>,
}

impl Turns {
    pub(crate) fn add(&mut self, finding: &KnownFinding, state: State, now: Time) {
        let derived = derive(state, finding.last_seen, finding.decision, now);
        self.alike.entry((state, derived)).or_default().push(finding.id);
    }

    pub(crate) async fn write(self, change: &mut Change) -> Result<()> {
        for ((state, derived), ids) in self.alike {
            store::set_state(change, &ids, state, derived).await?;
        }
        Ok(())
    }
}

/// Marks findings of the scan's target and tools that it neither saw nor looked for again; returns how many.
pub(crate) async fn settle(change: &mut Change, scan: &Scan) -> Result<usize> {
    let (mut turns, mut history) = (Turns::default(), Vec::new());
    for source in store::sources_of_scan(change, scan.id).await? {
        let mut after = None;
        loop {
            let page = unseen(change, scan.target_id, &source, after).await?;
            after = page.last().map(|finding| finding.id);
            let is_last = page.len() < PAGE;
            let left_out = |finding: &&KnownFinding| is_left_out(finding, scan.id, scan.created_at);
            for finding in page.iter().filter(left_out) {
                turns.add(finding, State::NotRetested, change.now());
                history.push((finding.id, HappeningKind::NotRetested, None));
            }
            if is_last {
                break;
            }
        }
    }
    turns.write(change).await?;
    store::add_history(change, None, Some(scan.id), &history).await?;
    Ok(history.len())
}

/// A finding that a later or parallel scan saw was not left out.
fn is_left_out(finding: &KnownFinding, scan: ScanId, started: Time) -> bool {
    finding.state == State::Present && finding.last_scan != Some(scan) && finding.last_seen < started
}

async fn unseen(change: &mut Change, target: TargetId, source: &str, after: Option<FindingId>) -> Result<Vec<KnownFinding>> {
    let no_import: ImportId = change.id();
    store::unseen(change, Some(target), source, no_import, after, PAGE).await
}
