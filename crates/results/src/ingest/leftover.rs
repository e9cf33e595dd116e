//! Known findings that a run has not shown under their strongest name: compared where they could be what came in under
//! another one, closed where they were looked for again, marked where the run left them out.

use std::collections::{HashMap, HashSet};

use base::Result;

use super::apply::Run;
use super::matching::{Candidate, Incoming};
use super::rows::Unseen;
use crate::model::{ChangeKind, Closing, Difference, FindingId, HappeningKind, State, Voice, rank, words};
use crate::store::ingest as store;

const PAGE: usize = 5000;
/// Known findings compared by place.
const MOST_COMPARED: usize = 200_000;

/// What may still be recognised; everything else is concluded already.
#[derive(Default)]
pub(super) struct Leftover {
    pub(super) all: Vec<Unseen>,
    compared: Vec<Candidate>,
}

/// Those of one tool.
pub(super) struct OfSource<'l> {
    pub(super) compared: Vec<Candidate>,
    unseen: Vec<&'l Unseen>,
}

impl OfSource<'_> {
    pub(super) fn unseen(&self, index: usize) -> &Unseen {
        self.unseen[index]
    }
}

impl Leftover {
    pub(super) fn of_source(&self, source: &str) -> OfSource<'_> {
        let own = || (0..self.all.len()).filter(|index| self.all[*index].known.source == source);
        OfSource {
            compared: own().map(|index| self.compared[index].clone()).collect(),
            unseen: own().map(|index| &self.all[index]).collect(),
        }
    }
}

/// Goes once over everything this run has not shown.
pub(super) async fn collect(run: &mut Run<'_>, incoming: &HashMap<u32, Incoming>) -> Result<Leftover> {
    let mut leftover = Leftover::default();
    let digests: HashSet<&str> = incoming.values().flat_map(|one| &one.keys).map(|key| key.digest.as_str()).collect();
    let digests: Vec<&str> = digests.into_iter().collect();
    // Seen by their strongest names, and not written yet.
    let seen = run.waiting.ids();
    let sources = run.batch.sources.clone();
    let Some(first) = sources.first() else { return Ok(leftover) };
    let (page, mut named) = store::unseen(run.change, run.origin, first, None, PAGE, &digests).await?;
    named.retain(|unseen| !seen.contains(&unseen.known.id));
    let checks: HashSet<(&str, &str)> =
        incoming.iter().map(|(group, one)| (run.batch.source_of(*group), one.check.as_str())).collect::<HashSet<_>>();
    let checks: HashSet<(String, String)> = checks.into_iter().map(|(source, check)| (source.to_owned(), check.to_owned())).collect();
    let ids: HashSet<FindingId> = named.iter().map(|unseen| unseen.known.id).collect();
    for unseen in named {
        if run.gone.contains(&unseen.known.id) {
            conclude(run, &unseen, true);
        } else {
            push(run, &mut leftover, unseen);
        }
    }
    let mut first_page = Some(page);
    for source in sources {
        let mut after = None;
        loop {
            let page = match first_page.take() {
                Some(page) => page,
                None => store::unseen(run.change, run.origin, &source, after, PAGE, &[]).await?.0,
            };
            after = page.last().map(|unseen| unseen.known.id);
            let is_last = page.len() < PAGE;
            for unseen in page.into_iter().filter(|unseen| !ids.contains(&unseen.known.id) && !seen.contains(&unseen.known.id)) {
                // What is gone has not moved.
                let is_candidate = !run.gone.contains(&unseen.known.id)
                    && checks.contains(&(source.clone(), unseen.check.clone()))
                    && leftover.all.len() < MOST_COMPARED;
                if is_candidate {
                    push(run, &mut leftover, unseen);
                } else {
                    let is_done = run.batch.covered.is_done(&unseen.place());
                    conclude(run, &unseen, is_done);
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(leftover)
}

fn push(run: &Run<'_>, leftover: &mut Leftover, unseen: Unseen) {
    leftover.compared.push(Candidate {
        id: unseen.known.id,
        first_seen: unseen.known.first_seen,
        digests: unseen.digests.clone(),
        check: unseen.check.clone(),
        place: unseen.location.clone(),
        is_retested: run.origin.options.close_old == Closing::Complete || run.batch.covered.is_done(&unseen.place()),
        is_standing: unseen.known.state != State::Absent,
    });
    leftover.all.push(unseen);
}

/// Closes a finding that was looked for at the same place and is gone, or that the tool says is gone, which holds whatever was asked for;
/// marks one that a whole run left out.
pub(super) fn conclude(run: &mut Run<'_>, unseen: &Unseen, is_done: bool) {
    let origin = run.origin;
    let known = &unseen.known;
    if origin.is_snapshot {
        return;
    }
    let is_gone = run.gone.contains(&known.id);
    let is_of_this_scan = origin.scan.is_some() && known.last_scan == origin.scan;
    let is_below = rank(unseen.severity) < rank(origin.options.minimum_severity);
    let is_kept = is_of_this_scan || is_below || origin.options.close_old == Closing::Never;
    if known.state == State::Absent || is_kept && !is_gone {
        return;
    }
    let (state, turn, change) = if is_gone || is_done || origin.options.close_old == Closing::Complete {
        run.summary.closed += 1;
        (State::Absent, HappeningKind::Fixed, ChangeKind::Closed)
    } else if origin.is_whole_run && known.state == State::Present && concerns(run, unseen) {
        run.summary.not_retested += 1;
        (State::NotRetested, HappeningKind::NotRetested, ChangeKind::NotRetested)
    } else {
        return;
    };
    let now = run.change.now();
    run.waiting.turns.add(known, state, now);
    run.waiting.history.push((known.id, turn, None));
    run.differs(|| Difference {
        change,
        finding_id: Some(known.id),
        title: unseen.title.clone(),
        severity: unseen.severity,
        place: words(&unseen.location),
        note: None,
        voice: Voice::of(&known.source, &unseen.check, &unseen.location),
    });
}

/// Whether the run had to do with the finding's asset at all; a finding without one belongs to its target.
fn concerns(run: &Run<'_>, unseen: &Unseen) -> bool {
    let place = &unseen.location;
    if place.ip.is_none() && place.host.is_none() && place.url.is_none() {
        run.origin.target.is_some()
    } else {
        run.batch.covered.knows(place)
    }
}
