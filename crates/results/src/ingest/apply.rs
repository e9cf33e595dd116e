//! Takes a batch in, in passes over its spool: what is known by its strongest name at once, the rest by weaker names and by
//! place, then closes what was looked for and is gone. Nothing is visible before the change commits.

use std::collections::{HashMap, HashSet};

use audit::Change;
use base::{Error, Result};
use scans::ScanId;
use targets::TargetId;

use super::batch::Batch;
use super::fate::Fate;
use super::leftover::{self, Leftover};
use super::matching::{Incoming, Match, assign};
use super::progress::Reporter;
use super::rows::{KnownFinding, Review};
use super::spool::{Below, Entry, Line, Writer};
use super::write::Waiting;
use crate::model::{
    ChangeKind, Difference, FindingId, HappeningKind, ImportId, ImportOptions, ImportState, ImportSummary, State, Status, Voice, words,
};
use crate::store::ingest as store;

/// Lines dealt with together, and how large they may be together.
const LINES: usize = 4000;
const BYTES: usize = 8 << 20;
/// Findings whose strongest name nobody knows that are compared with known ones; the rest are new.
const MOST_COMPARED: usize = 200_000;
/// Differences that are told one by one.
const MOST_DIFFERENCES: usize = 1000;

/// Where a batch comes from, and how it is to be taken in.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) import: ImportId,
    pub(crate) target: Option<TargetId>,
    pub(crate) scan: Option<ScanId>,
    /// A file is a whole run; a stage of a scan is not, the end of the scan says what was left out.
    pub(crate) is_whole_run: bool,
    pub(crate) options: ImportOptions,
    /// An export of another instance tells what was believed there, not what was tested here.
    pub(crate) is_snapshot: bool,
    /// Whether accepting a risk needs a second person here.
    pub(crate) four_eyes: bool,
    /// Whether differences are told one by one.
    pub(crate) is_dry: bool,
}

/// What taking in came to.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) summary: ImportSummary,
    pub(crate) differences: Vec<Difference>,
}

/// The work in progress.
pub(super) struct Run<'r> {
    pub(super) change: &'r mut Change,
    pub(super) batch: &'r mut Batch,
    pub(super) origin: &'r Origin,
    pub(super) summary: ImportSummary,
    pub(super) differences: Vec<Difference>,
    pub(super) waiting: Waiting,
    /// Known findings of which the tool says that they are gone.
    pub(super) gone: HashSet<FindingId>,
    fates: HashMap<u32, Fate>,
    reviews: Vec<Review>,
    /// Whether there is anything to compare with; not asked before the first chunk.
    has_known: Option<bool>,
}

/// Takes everything in.
pub(crate) async fn apply(change: &mut Change, batch: &mut Batch, origin: &Origin, reporter: &Reporter) -> Result<Applied> {
    let summary = ImportSummary {
        observations: batch.observations,
        findings: batch.groups.len() as u64,
        assets: batch.assets,
        coverage: batch.coverage,
        below_minimum: batch.below_minimum,
        ..ImportSummary::default()
    };
    let (differences, waiting, gone) = (Vec::new(), Waiting::default(), HashSet::new());
    let (fates, reviews) = (HashMap::new(), Vec::new());
    let mut run = Run { change, batch, origin, summary, differences, waiting, gone, fates, reviews, has_known: None };
    let later = run.exact(reporter).await?;
    if run.has_known == Some(true) {
        run.rest(later, reporter).await?;
    }
    run.finish().await
}

impl Run<'_> {
    /// First pass over the spool; what may be a known finding under another name is put aside.
    async fn exact(&mut self, reporter: &Reporter) -> Result<Writer> {
        let mut later = Writer::new()?;
        let mut put_aside = HashSet::new();
        let Some(mut spool) = self.batch.spool.take() else { return Ok(later) };
        let (mut chunk, mut below, mut bytes, mut done) = (Vec::new(), Vec::new(), 0, 0_u64);
        loop {
            let entry = spool.next()?;
            let is_end = entry.is_none();
            match entry {
                Some(Entry::Observation(line)) => {
                    bytes += line.size();
                    chunk.push(line);
                }
                Some(Entry::Below(one)) => below.push(one),
                Some(Entry::Coverage(coverage)) => self.waiting.coverage.push(*coverage),
                None => {}
            }
            if is_end || chunk.len() + below.len() >= LINES || bytes >= BYTES || self.waiting.coverage.len() >= LINES {
                let lines = std::mem::take(&mut chunk);
                (bytes, done) = (0, done + lines.len() as u64);
                self.chunk(lines, std::mem::take(&mut below), &mut later, &mut put_aside).await?;
                self.waiting.flush(self.change, self.origin, is_end && self.has_known == Some(false)).await?;
                let fraction = 0.3 + 0.6 * done as f32 / self.batch.observations.max(1) as f32;
                reporter.say(ImportState::Queued, fraction, "recognising and storing").await;
            }
            if is_end {
                return Ok(later);
            }
        }
    }

    async fn chunk(&mut self, lines: Vec<Line>, below: Vec<Below>, later: &mut Writer, put_aside: &mut HashSet<u32>) -> Result<()> {
        let unknown = lines.iter().filter(|line| !self.fates.contains_key(&line.group)).map(|line| line.keys[0].digest.as_str());
        let wanted: HashSet<&str> = unknown.chain(below.iter().map(|one| one.digest.as_str())).collect();
        let wanted: Vec<&str> = wanted.into_iter().collect();
        let mut known = match self.has_known {
            None => {
                let opening = store::opening(self.change, self.origin, &self.batch.sources, &wanted).await?;
                self.waiting.rulings = opening.rulings;
                self.has_known = Some(opening.has_known);
                opening.known
            }
            Some(true) => store::by_first_key(self.change, self.origin, &wanted).await?,
            Some(false) => HashMap::new(),
        };
        let has_known = self.has_known == Some(true);
        for Below { source, digest } in below {
            // The tool still sees it, if less grave than what is asked for: it is not gone, and not what is asked for either.
            let source = self.batch.sources.get(usize::from(source));
            let source = source.ok_or_else(|| Error::internal("a line of the spool names a tool that the batch does not have"))?;
            if let Some(known) = known.get(&(source.clone(), digest)) {
                self.waiting.leave_alone(known.id);
            }
        }
        for line in lines {
            if !self.fates.contains_key(&line.group) {
                let name = (self.batch.source_of(line.group).to_owned(), line.keys[0].digest.clone());
                let fate = match known.remove(&name) {
                    Some(known) => self.seen_again(line.group, known, None),
                    None if has_known => {
                        put_aside.insert(line.group);
                        later.observation(&line).map_err(crate::errors::spool)?;
                        continue;
                    }
                    None => Fate::new(self.change.id(), false, self.change.now()),
                };
                self.decide(line.group, fate);
            }
            self.take(line)?;
        }
        Ok(())
    }

    /// What was put aside is compared with what this run has not shown; then the rest is written, closed or left.
    async fn rest(&mut self, later: Writer, reporter: &Reporter) -> Result<()> {
        reporter.say(ImportState::Queued, 0.9, "comparing what moved, closing what is gone").await;
        let mut later = later.finish()?;
        let mut incoming: HashMap<u32, Incoming> = HashMap::new();
        while let Some(Entry::Observation(line)) = later.next()? {
            if incoming.len() >= MOST_COMPARED && !incoming.contains_key(&line.group) {
                continue;
            }
            let one = incoming.entry(line.group).or_default();
            if self.batch.groups[line.group as usize].speaker == line.ordinal {
                let observation = line.observation()?;
                (one.check, one.place) = (observation.check, observation.location);
            }
            for key in line.keys {
                if !one.keys.contains(&key) {
                    one.keys.push(key);
                }
            }
        }
        for one in incoming.values_mut().filter(|one| one.keys.len() > 1) {
            // The strongest stays first; the rest in an order that does not depend on the file's.
            one.keys[1..].sort_by(|a, b| (a.is_weak(), &a.scheme, &a.digest).cmp(&(b.is_weak(), &b.scheme, &b.digest)));
        }
        let leftover = leftover::collect(self, &incoming).await?;
        self.recognise(incoming, leftover).await?;
        let mut later = later.again()?;
        while let Some(Entry::Observation(line)) = later.next()? {
            if !self.fates.contains_key(&line.group) {
                let fate = Fate::new(self.change.id(), false, self.change.now());
                self.decide(line.group, fate);
            }
            self.take(line)?;
            if self.waiting.is_full() {
                self.waiting.flush(self.change, self.origin, false).await?;
            }
        }
        Ok(())
    }

    /// Matches source by source: a finding belongs to the tool that found it.
    async fn recognise(&mut self, incoming: HashMap<u32, Incoming>, leftover: Leftover) -> Result<()> {
        let mut by_source: HashMap<u16, Vec<(u32, Incoming)>> = HashMap::new();
        for (group, one) in incoming {
            by_source.entry(self.batch.groups[group as usize].source).or_default().push((group, one));
        }
        let mut claimed = HashSet::new();
        for (source, mut groups) in by_source {
            groups.sort_by(|(_, one), (_, other)| one.keys[0].digest.cmp(&other.keys[0].digest));
            let (numbers, incoming): (Vec<u32>, Vec<Incoming>) = groups.into_iter().unzip();
            let name = self.batch.sources[usize::from(source)].clone();
            let candidates = leftover.of_source(&name);
            let assignment = assign(&incoming, &candidates.compared);
            if assignment.uncompared > 0 {
                self.batch.warn(format!(
                    "{} findings of {name} are too many to be compared by place; only their names were",
                    assignment.uncompared
                ));
            }
            for ((group, one), outcome) in numbers.into_iter().zip(&incoming).zip(assignment.matches) {
                let fate = match outcome {
                    Match::Same(index) | Match::Moved(index) => {
                        let unseen = candidates.unseen(index);
                        let is_gone = self.is_gone(group);
                        if !is_gone {
                            claimed.insert(unseen.known.id);
                        }
                        let is_elsewhere = matches!(outcome, Match::Moved(_)) && words(&unseen.location) != words(&one.place);
                        let from = is_elsewhere.then(|| words(&unseen.location));
                        if !self.origin.is_snapshot && !is_gone {
                            self.waiting.retire(unseen.known.id);
                        }
                        let mut fate = self.seen_again(group, unseen.known.clone(), from);
                        // Its names changed even where its place did not.
                        fate.is_same = false;
                        fate
                    }
                    Match::New => Fate::new(self.change.id(), false, self.change.now()),
                    Match::Ambiguous(indices) => {
                        let fate = Fate::new(self.change.id(), true, self.change.now());
                        let candidates: Vec<FindingId> = indices.iter().take(50).map(|index| candidates.unseen(*index).known.id).collect();
                        let reason = format!("{} at {} fits {} older findings", one.check, words(&one.place), indices.len());
                        self.reviews.push(Review { finding: fate.id, candidates, reason });
                        fate
                    }
                };
                self.decide(group, fate);
            }
        }
        let unclaimed = leftover.all.iter().filter(|unseen| !claimed.contains(&unseen.known.id));
        for unseen in unclaimed {
            let is_done = self.batch.covered.is_done(&unseen.place());
            leftover::conclude(self, unseen, is_done);
        }
        Ok(())
    }

    fn seen_again(&mut self, group: u32, known: KnownFinding, from: Option<String>) -> Fate {
        if self.is_gone(group) {
            // It is concluded with what was not seen, since it was not.
            self.gone.insert(known.id);
            return Fate::left_alone(known, self.change.now());
        }
        if self.origin.is_snapshot {
            self.waiting.leave_alone(known.id);
            return Fate::left_alone(known, self.change.now());
        }
        let content = self.batch.groups[group as usize].content;
        Fate::known(known, from, content, &self.origin.options, self.change.now())
    }

    /// Whether this run says of something that it is no more; what another instance believed is no such word.
    fn is_gone(&self, group: u32) -> bool {
        !self.origin.is_snapshot && self.batch.groups[group as usize].is_gone
    }

    /// Counts what becomes of a group and remembers it until its last observation.
    fn decide(&mut self, group: u32, fate: Fate) {
        let summary = &mut self.summary;
        summary.by_severity.add(self.batch.groups[group as usize].severity);
        let is_ending = fate.state != State::Absent && self.gone.contains(&fate.id);
        match fate.turn {
            // Counted when it is concluded.
            _ if is_ending => {}
            Some(HappeningKind::New) => summary.created += 1,
            Some(HappeningKind::Moved) => summary.moved += 1,
            Some(HappeningKind::Reopened) => summary.reopened += 1,
            _ => summary.unchanged += 1,
        }
        summary.ambiguous += u64::from(fate.is_ambiguous);
        if fate.known.is_some() && !is_ending {
            summary.open += u64::from(fate.derived.status == Status::Open);
        }
        if let (Some(turn), true) = (fate.turn.filter(|turn| *turn != HappeningKind::New), fate.known.is_some()) {
            self.waiting.history.push((fate.id, turn, fate.note.clone()));
        }
        self.fates.insert(group, fate);
    }

    /// Puts one observation where it belongs.
    fn take(&mut self, mut line: Line) -> Result<()> {
        let group = &mut self.batch.groups[line.group as usize];
        group.left = group.left.saturating_sub(1);
        if !self.origin.is_snapshot && !group.is_gone {
            // Gone in one row and there in another is there.
            line.belief = None;
        }
        let (is_last, is_speaker, content) = (group.left == 0, group.speaker == line.ordinal, group.content);
        let number = line.group;
        let Some(fate) = self.fates.get_mut(&number) else { return Ok(()) };
        if fate.is_left_alone {
            if is_last {
                self.fates.remove(&number);
            }
            return Ok(());
        }
        if is_speaker && self.origin.is_dry && self.differences.len() < MOST_DIFFERENCES {
            let change = match fate.turn {
                Some(HappeningKind::New) => Some(ChangeKind::Created),
                Some(HappeningKind::Moved) => Some(ChangeKind::Moved),
                Some(HappeningKind::Reopened) => Some(ChangeKind::Reopened),
                _ => None,
            };
            if let Some(change) = change {
                let observation = line.observation()?;
                self.differences.push(Difference {
                    change,
                    voice: Voice::of(&observation.source, &observation.check, &observation.location),
                    finding_id: fate.known.as_ref().map(|known| known.id),
                    title: observation.title,
                    severity: observation.severity,
                    place: words(&observation.location),
                    note: fate.note.clone(),
                });
            }
        }
        let opened = self.waiting.sighting(self.change, self.origin, fate, line, is_speaker, content)?;
        self.summary.open += u64::from(opened);
        if is_last {
            self.fates.remove(&number);
        }
        Ok(())
    }

    pub(super) fn differs(&mut self, difference: impl FnOnce() -> Difference) {
        if self.origin.is_dry && self.differences.len() < MOST_DIFFERENCES {
            self.differences.push(difference());
        }
    }

    async fn finish(mut self) -> Result<Applied> {
        self.waiting.flush(self.change, self.origin, true).await?;
        self.waiting.decide(self.change, self.origin).await?;
        self.waiting.heed(self.change).await?;
        store::add_reviews(self.change, self.origin.import, &self.reviews).await?;
        self.summary.warning_count = self.batch.warning_count;
        self.summary.warnings = std::mem::take(&mut self.batch.warnings);
        Ok(Applied { summary: self.summary, differences: self.differences })
    }
}
