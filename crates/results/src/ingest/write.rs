//! Rows on their way into the database, many per statement. Copies of what changes are written before the change.

use std::collections::{HashMap, HashSet};

use audit::Change;
use base::{Result, Time};
use importers::{Coverage, Observation};

use super::apply::Origin;
use super::carried::{self, Past};
use super::cluster::cluster;
use super::fate::{Fate, hexadecimal};
use super::rows::{FindingRow, NewKey, Ruling, Rulings, Seen};
use super::settle::Turns;
use super::spool::Line;
use crate::decide::said;
use crate::model::{BatchId, Decision, DecisionId, FindingId, FindingNote, HappeningKind, State, Status, asset_of, derive};
use crate::store::decisions::{self, Decided};
use crate::store::{ingest as store, notes, text_of};

/// Rows per statement; parameters of each times this stay below SQLite's 32,766.
const FINDINGS: usize = 1020;
const OBSERVATIONS: usize = 4000;
const KEYS: usize = 5000;
const HISTORY: usize = 5000;
const COVERAGE: usize = 4000;
/// Text waiting at most, whatever the number of rows.
const BYTES: usize = 8 << 20;

/// A turn in a finding's life, as it is told.
pub(super) type Turn = (FindingId, HappeningKind, Option<String>);

/// What waits to be written.
#[derive(Default)]
pub(super) struct Waiting {
    /// Decisions that hold for rules, for findings yet to be born.
    pub(super) rulings: Rulings,
    observations: Vec<Seen>,
    findings: Vec<FindingRow>,
    keys: Vec<NewKey>,
    /// Findings of which the tool says something else: a copy of the row as it was is kept.
    before: Vec<FindingId>,
    retired: Vec<FindingId>,
    /// Known findings that came in and are not touched.
    left_alone: Vec<FindingId>,
    /// When and how often findings were seen where they came over from.
    carried: Vec<(FindingId, Time, i64)>,
    /// Decisions that came over with findings nobody knew.
    decided: Vec<(Decided, Decision)>,
    /// Notes that came over with them.
    notes: Vec<FindingNote>,
    /// Findings that somebody decided about after they were read and before they were written.
    decided_since: Vec<FindingId>,
    bytes: usize,
    pub(super) turns: Turns,
    pub(super) history: Vec<Turn>,
    pub(super) coverage: Vec<Coverage>,
}

impl Waiting {
    /// The names of a finding that is known by others from now on.
    pub(super) fn retire(&mut self, id: FindingId) {
        self.retired.push(id);
    }

    /// A known finding that came in and is not touched.
    pub(super) fn leave_alone(&mut self, id: FindingId) {
        self.left_alone.push(id);
    }

    /// Puts decisions in force that came over with findings.
    pub(super) async fn decide(&mut self, change: &mut Change, origin: &Origin) -> Result<()> {
        let decided = std::mem::take(&mut self.decided);
        if decided.is_empty() {
            return Ok(());
        }
        let rows: Vec<(&Decided, Decision)> = decided.iter().map(|(finding, decision)| (finding, decision.clone())).collect();
        decisions::insert(change, &rows).await?;
        decisions::put_batch(change, BatchId::from_uuid(origin.import.uuid())).await?;
        let turn = |decision: &Decision| Some(said(decision.kind, &decision.reason));
        let turns: Vec<Turn> = decided.iter().map(|(finding, decision)| (finding.id, HappeningKind::Decided, turn(decision))).collect();
        store::add_history(change, Some(origin.import), None, &turns).await
    }

    /// Lets the last word of people stand where it came while this run was taken in; nobody else can write these findings any more.
    pub(super) async fn heed(&mut self, change: &mut Change) -> Result<()> {
        decisions::derive_again(change, &std::mem::take(&mut self.decided_since)).await
    }

    /// Findings that were seen, of which the database does not know it yet.
    pub(super) fn ids(&self) -> HashSet<FindingId> {
        self.observations.iter().map(|seen| seen.finding).chain(self.left_alone.iter().copied()).collect()
    }

    pub(super) fn is_full(&self) -> bool {
        self.findings.len() >= FINDINGS || self.observations.len() >= OBSERVATIONS || self.bytes >= BYTES
    }

    /// Takes one observation of a group; tells whether it made a new finding that is open.
    pub(super) fn sighting(
        &mut self,
        change: &Change,
        origin: &Origin,
        fate: &mut Fate,
        line: Line,
        is_speaker: bool,
        content: u64,
    ) -> Result<bool> {
        let is_first = !std::mem::replace(&mut fate.is_begun, true);
        if is_first && fate.known.is_some() && !fate.is_same {
            self.before.push(fate.id);
        }
        if fate.is_same {
            if is_first {
                if let Some(known) = fate.known.as_ref().filter(|_| !fate.stands()) {
                    self.turns.put(known, fate.state, fate.derived);
                }
                self.observations.push(Seen { finding: fate.id, observed_at: line.observed_at, body: String::new() });
            }
            return Ok(false);
        }
        let mut opened = false;
        if is_speaker {
            let past = match (&fate.known, &line.belief) {
                (None, Some(belief)) => Some(carried::past(change, origin, fate.id, belief)?),
                _ => None,
            };
            let row = self.row(change, origin, fate, line.observation()?, content, past.as_ref());
            if let Some(past) = &past {
                self.carried.push((fate.id, past.last_seen, past.times_seen));
            }
            let (decision, notes) = past.map_or_else(Default::default, |past| (past.decision, past.notes));
            self.notes.extend(notes);
            if let Some(decision) = decision {
                let said = &row.observation;
                let (title, source, check) = (said.title.clone(), said.source.clone(), said.check.clone());
                self.decided
                    .push((Decided { id: fate.id, title, source, check, place: String::new(), decision: None, scope: None }, decision));
            }
            opened = fate.known.is_none() && row.derived.status == Status::Open;
            self.findings.push(row);
        }
        self.bytes += line.size();
        let added_by = fate.known.is_some().then_some(origin.import);
        self.keys.extend(line.keys.into_iter().enumerate().map(|(position, key)| NewKey { finding: fate.id, added_by, position, key }));
        self.observations.push(Seen { finding: fate.id, observed_at: line.observed_at, body: line.body });
        Ok(opened)
    }

    fn row(
        &self,
        change: &Change,
        origin: &Origin,
        fate: &Fate,
        observation: Observation,
        content: u64,
        past: Option<&Past>,
    ) -> FindingRow {
        let known = fate.known.as_ref();
        let target = text_of(origin.target);
        let asset = asset_of(&observation.location);
        let ruling = match known {
            None => self.rulings.of(&observation.source, &observation.check, &format!("{target}\n{asset}")).cloned(),
            Some(_) => None,
        };
        let (state, last_seen) = past.map_or((fate.state, change.now()), |past| (past.state, past.last_seen));
        let derived = match (past.and_then(Past::in_force), &ruling) {
            (Some(decided), _) => derive(state, last_seen, Some(decided), change.now()),
            (None, None) if past.is_some() => derive(state, last_seen, None, change.now()),
            (None, Some(ruling)) => derive(state, last_seen, Some((ruling.kind, ruling.until, ruling.decided_at)), change.now()),
            (None, None) => fate.derived,
        };
        FindingRow {
            id: fate.id,
            cvss_score: score(&observation),
            // What came over nobody said here: the first run that sees it writes it, and so keeps a copy with the dates it came with.
            content: past.map_or_else(|| hexadecimal(content), |_| String::new()),
            cluster: cluster(&target, &origin.options.service, &observation),
            asset,
            state,
            derived,
            decision: known.and_then(|known| known.decision),
            // What was decided about the finding itself is narrower than any rule.
            ruling: ruling.filter(|_| past.is_none_or(|past| past.in_force().is_none())),
            ambiguous: fate.is_ambiguous,
            first_seen: past.map(|past| past.first_seen).or(known.map(|known| known.first_seen)).unwrap_or(change.now()),
            first_import: known.map_or_else(|| origin.import.to_string(), |known| known.first_import.clone()),
            fixed_at: past.map_or((fate.state == State::Absent).then(|| change.now()), |past| past.fixed_at),
            observation,
        }
    }

    /// Writes every kind of which enough rows wait; all of them when `all`.
    pub(super) async fn flush(&mut self, change: &mut Change, origin: &Origin, all: bool) -> Result<()> {
        let is_large = self.bytes >= BYTES;
        let due = |waiting: usize, most: usize| waiting > 0 && (all || waiting >= most);
        // Before their new names are added.
        store::retire_keys(change, origin.import, &std::mem::take(&mut self.retired)).await?;
        let findings = due(self.findings.len(), FINDINGS) || (is_large && !self.findings.is_empty());
        let observations = due(self.observations.len(), OBSERVATIONS) || is_large;
        if findings || all {
            notes::insert(change, Some(origin.import), &std::mem::take(&mut self.notes)).await?;
        }
        // Copies come before the change, and with an observation it is seen that something was.
        if findings || observations || all {
            if origin.scan.is_none() {
                let mut ids = std::mem::take(&mut self.before);
                ids.extend(self.turns.ids());
                store::keep_before(change, origin.import, &ids).await?;
            }
            self.before.clear();
            self.decided_since.extend(std::mem::take(&mut self.turns).write(change).await?);
        }
        if findings {
            for some in self.findings.chunks(FINDINGS) {
                self.decided_since.extend(store::upsert(change, origin, some).await?);
            }
            let mut ruled: HashMap<DecisionId, (Ruling, Vec<FindingId>)> = HashMap::new();
            for row in &mut self.findings {
                if let Some(ruling) = row.ruling.take() {
                    ruled.entry(ruling.id).or_insert_with(|| (ruling, Vec::new())).1.push(row.id);
                }
            }
            for (ruling, ids) in ruled.values() {
                store::rule(change, ruling, ids).await?;
            }
            self.findings.clear();
        }
        if due(self.keys.len(), KEYS) {
            store::add_keys(change, &std::mem::take(&mut self.keys)).await?;
        }
        if observations {
            for some in self.observations.chunks(OBSERVATIONS) {
                store::add_observations(change, origin, some).await?;
            }
            self.observations.clear();
            self.bytes = 0;
            store::carry_over(change, &std::mem::take(&mut self.carried)).await?;
        }
        if due(self.history.len(), HISTORY) {
            store::add_history(change, Some(origin.import), origin.scan, &std::mem::take(&mut self.history)).await?;
        }
        if due(self.coverage.len(), COVERAGE) {
            for some in self.coverage.chunks(COVERAGE) {
                store::add_coverage(change, origin, some).await?;
            }
            self.coverage.clear();
        }
        Ok(())
    }
}

/// The base score of the vector, to one decimal.
fn score(observation: &Observation) -> Option<f64> {
    risk::cvss::Vector::parse(observation.cvss.as_deref()?).ok().map(|vector| vector.base().value())
}
