//! Takes a batch in: recognises what is known, writes what is new, closes what was looked for and is gone.

use std::collections::BTreeSet;

use audit::Change;
use base::Result;
use scans::ScanId;
use targets::TargetId;

use super::batch::Batch;
use super::coverage::Place;
use super::matching::{Key, Known, Match, assign};
use super::rows::KnownFinding;
use super::settle::Turns;
use super::write;
use crate::model::{Derived, FindingId, HappeningKind, ImportId, ImportSummary, State, Status, derive, words};
use crate::store::ingest as store;

/// Findings looked at together when closing.
const PAGE: usize = 5000;

/// Where a batch comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) import: ImportId,
    pub(crate) target: Option<TargetId>,
    pub(crate) scan: Option<ScanId>,
    /// A file is a whole run; a stage of a scan is not, the end of the scan says what was left out.
    pub(crate) is_whole_run: bool,
}

/// What became of one incoming group.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) id: FindingId,
    /// The known finding it is, by index.
    pub(crate) known: Option<usize>,
    pub(crate) is_ambiguous: bool,
    pub(crate) derived: Derived,
}

/// Takes everything in; nothing is visible before the change commits.
pub(crate) async fn apply(change: &mut Change, batch: &mut Batch, origin: &Origin) -> Result<ImportSummary> {
    let digests: BTreeSet<&str> = batch.groups.iter().flat_map(|group| &group.keys).map(|key| key.digest.as_str()).collect();
    let known = store::by_digests(change, origin.target, &digests.into_iter().collect::<Vec<_>>()).await?;
    let matches = recognise(batch, &known);
    let mut summary = ImportSummary {
        observations: batch.observations,
        findings: batch.groups.len() as u64,
        assets: batch.assets,
        coverage: batch.coverage,
        warning_count: batch.warning_count,
        warnings: batch.warnings.clone(),
        ..ImportSummary::default()
    };
    let mut history = Vec::new();
    let mut taken = Vec::with_capacity(batch.groups.len());
    for (group, outcome) in batch.groups.iter().zip(&matches) {
        let one = take(change, &known, *outcome, &mut summary, &mut history);
        summary.by_severity.add(group.severity);
        summary.open += u64::from(one.derived.status == Status::Open);
        taken.push(one);
    }
    let moved: BTreeSet<FindingId> =
        taken.iter().zip(&matches).filter(|(_, outcome)| matches!(outcome, Match::Moved(_))).map(|(one, _)| one.id).collect();
    store::forget_keys(change, &moved.iter().copied().collect::<Vec<_>>()).await?;
    let keys: Vec<(FindingId, usize, &Key)> = batch
        .groups
        .iter()
        .zip(&taken)
        .flat_map(|(group, one)| group.keys.iter().enumerate().map(|(position, key)| (one.id, position, key)))
        .filter(|(id, _, key)| moved.contains(id) || !holds(&known, *id, key))
        .collect();
    store::add_keys(change, &keys).await?;
    write::rows(change, batch, origin, &known, &taken).await?;
    close(change, batch, origin, &mut summary, &mut history).await?;
    store::add_history(change, Some(origin.import), origin.scan, &history).await?;
    Ok(summary)
}

/// Matches source by source: a finding belongs to the tool that found it.
fn recognise(batch: &Batch, known: &[KnownFinding]) -> Vec<Match> {
    let mut matches = vec![Match::New; batch.groups.len()];
    for source in &batch.sources {
        let groups: Vec<usize> = (0..batch.groups.len()).filter(|index| batch.groups[*index].source == *source).collect();
        let own: Vec<usize> = (0..known.len()).filter(|index| known[*index].source == *source).collect();
        let keys: Vec<&[Key]> = groups.iter().map(|index| batch.groups[*index].keys.as_slice()).collect();
        let candidates: Vec<Known> = own
            .iter()
            .map(|index| {
                let finding = &known[*index];
                let place = Place { source, check: &finding.check, location: &finding.location };
                Known {
                    id: finding.id,
                    first_seen: finding.first_seen,
                    digests: finding.digests.clone(),
                    is_retested: batch.covered.is_done(&place),
                }
            })
            .collect();
        for (group, outcome) in groups.into_iter().zip(assign(&keys, &candidates)) {
            matches[group] = match outcome {
                Match::Same(index) => Match::Same(own[index]),
                Match::Moved(index) => Match::Moved(own[index]),
                other => other,
            };
        }
    }
    matches
}

type History = Vec<(FindingId, HappeningKind, Option<String>)>;

fn take(change: &Change, known: &[KnownFinding], outcome: Match, summary: &mut ImportSummary, history: &mut History) -> Taken {
    let now = change.now();
    let (index, is_ambiguous) = match outcome {
        Match::Same(index) | Match::Moved(index) => (Some(index), false),
        Match::New => (None, false),
        Match::Ambiguous => (None, true),
    };
    let Some((index, finding)) = index.map(|index| (index, &known[index])) else {
        let id = change.id();
        summary.created += 1;
        summary.ambiguous += u64::from(is_ambiguous);
        history.push((id, HappeningKind::New, is_ambiguous.then(|| "several older findings could be meant".to_owned())));
        return Taken { id, known: None, is_ambiguous, derived: derive(State::Present, now, None, now) };
    };
    let before = derive(finding.state, finding.last_seen, finding.decision, now).status;
    let derived = derive(State::Present, now, finding.decision, now);
    if matches!(outcome, Match::Moved(_)) {
        summary.moved += 1;
        history.push((finding.id, HappeningKind::Moved, Some(format!("from {}", words(&finding.location)))));
    } else if before == Status::Fixed && derived.status != Status::Fixed {
        summary.reopened += 1;
        history.push((finding.id, HappeningKind::Reopened, None));
    } else {
        summary.unchanged += 1;
    }
    Taken { id: finding.id, known: Some(index), is_ambiguous: false, derived }
}

/// Whether a known finding (they are sorted by id) is stored under this key already.
fn holds(known: &[KnownFinding], id: FindingId, key: &Key) -> bool {
    known.binary_search_by_key(&id, |finding| finding.id).is_ok_and(|index| known[index].digests.contains(&key.digest))
}

/// Closes what was looked for at the same place and is gone; marks what a whole run left out.
async fn close(change: &mut Change, batch: &Batch, origin: &Origin, summary: &mut ImportSummary, history: &mut History) -> Result<()> {
    let mut turns = Turns::default();
    for source in &batch.sources {
        let mut after = None;
        loop {
            let page = store::unseen(change, origin.target, source, origin.import, after, PAGE).await?;
            after = page.last().map(|finding| finding.id);
            let is_last = page.len() < PAGE;
            for finding in page.iter().filter(|finding| origin.scan.is_none() || finding.last_scan != origin.scan) {
                let place = Place { source, check: &finding.check, location: &finding.location };
                if batch.covered.is_done(&place) {
                    summary.closed += 1;
                    turns.add(finding, State::Absent, change.now());
                    history.push((finding.id, HappeningKind::Fixed, None));
                } else if origin.is_whole_run && finding.state == State::Present && concerns(batch, origin, finding) {
                    summary.not_retested += 1;
                    turns.add(finding, State::NotRetested, change.now());
                    history.push((finding.id, HappeningKind::NotRetested, None));
                }
            }
            if is_last {
                break;
            }
        }
    }
    turns.write(change).await
}

/// Whether the run had to do with the finding's asset at all; a finding without one belongs to its target.
fn concerns(batch: &Batch, origin: &Origin, finding: &KnownFinding) -> bool {
    let place = &finding.location;
    if place.ip.is_none() && place.host.is_none() && place.url.is_none() { origin.target.is_some() } else { batch.covered.knows(place) }
}
