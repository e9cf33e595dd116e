//! The verifier: recomputes the tree from the leaves and holds every entry and checkpoint against it.

use std::time::Duration;

use base::{TenantId, Time};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{FORMAT, Line, Problem, ProblemKind, Report, Trust};
use crate::entry::{LEAF_LENGTH, Record, belongs, leaf};
use crate::note::{self, Checkpoint, NoteError, VerifierKey};
use crate::tree::{Frontier, leaf_hash};

/// How long an entry may wait for its place before that counts as suppression.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes an export's lines in order and says at the end what is wrong.
pub struct Verifier {
    trust: Trust,
    keys: Vec<VerifierKey>,
    known: Option<Checkpoint>,
    tenant: Option<TenantId>,
    exported_at: Option<Time>,
    frontier: Frontier,
    last: Option<Checkpoint>,
    expected: u64,
    /// Once leaves are out of step every later root differs; said once.
    is_forked: bool,
    has_ended: bool,
    report: Report,
}

impl Verifier {
    /// A verifier that believes `trust`.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        let report = Report {
            origin: String::new(),
            entries: 0,
            waiting: 0,
            size: 0,
            root: String::new(),
            checkpoints: 0,
            checkpoint_time: None,
            keys_trusted: !trust.keys.is_empty(),
            known_checkpoint_confirmed: None,
            problems: Vec::new(),
            problem_count: 0,
        };
        Self {
            keys: trust.keys.clone(),
            trust,
            known: None,
            tenant: None,
            exported_at: None,
            frontier: Frontier::default(),
            last: None,
            expected: 0,
            is_forked: false,
            has_ended: false,
            report,
        }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: Line) {
        match line {
            Line::Log { format, origin, tenant, exported_at, keys } => self.log(format, origin, tenant, exported_at, keys),
            Line::Leaf { index, leaf, salt, record } => self.leaf(index, &leaf, salt.as_deref(), record.as_ref()),
            Line::Checkpoint { note } => self.checkpoint(&note),
            Line::Waiting { record } => self.waiting(&record),
            Line::End { size } => {
                self.has_ended = true;
                self.expected = self.expected.max(size);
            }
        }
    }

    /// Notes a line that could not be read.
    pub fn unreadable(&mut self, number: u64, why: &str) {
        self.problem(ProblemKind::Malformed, None, None, format!("line {number} is not a line of an audit export: {why}"));
    }

    /// The verdict.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let size = self.frontier.size();
        if !self.has_ended {
            self.problem(ProblemKind::Truncated, None, None, "the export has no last line; it was cut off".into());
        }
        if size < self.expected {
            let missing = format!("the log says it has {} leaves but only {size} are there", self.expected);
            self.problem(ProblemKind::Truncated, None, Some(size), missing);
        }
        let signed = self.last.as_ref().map_or(0, |checkpoint| checkpoint.size);
        if size > signed && self.has_ended {
            self.problem(ProblemKind::Unsigned, None, Some(signed), format!("leaves {signed} to {} are under no checkpoint", size - 1));
        }
        if let Some(known) = self.known.take().filter(|known| known.size > size) {
            self.report.known_checkpoint_confirmed = Some(false);
            let message = format!("the known checkpoint has {} leaves, this log only {size}: entries were removed", known.size);
            self.problem(ProblemKind::Truncated, None, Some(size), message);
        }
        self.report.size = size;
        self.report.root = hex::encode(self.frontier.root());
        self.report
    }

    fn log(&mut self, format: u32, origin: String, tenant: Option<TenantId>, exported_at: Time, keys: Vec<VerifierKey>) {
        if format != FORMAT {
            self.problem(ProblemKind::Malformed, None, None, format!("export format {format} is not {FORMAT}"));
        }
        if self.keys.is_empty() {
            self.keys = keys;
        }
        self.tenant = tenant;
        self.exported_at = Some(exported_at);
        self.report.origin = origin;
        if let Some(text) = self.trust.known_checkpoint.take() {
            match note::open(&text, &self.keys) {
                Ok(opened) if opened.checkpoint.origin == self.report.origin => self.known = Some(opened.checkpoint),
                Ok(opened) => {
                    let message = format!("the known checkpoint is of another log, {}", opened.checkpoint.origin);
                    self.problem(ProblemKind::Inconsistent, None, None, message);
                }
                Err(error) => self.problem(kind_of(&error), None, None, format!("the known checkpoint cannot be believed: {error}")),
            }
            self.confirm_known();
        }
    }

    fn leaf(&mut self, index: u64, text: &str, salt: Option<&str>, record: Option<&Record>) {
        let expected = self.frontier.size();
        let entry = record.map(|record| record.id.to_string());
        if index != expected {
            let message = format!("leaf {index} stands where leaf {expected} should");
            self.problem(ProblemKind::Reordered, entry.clone(), Some(expected), message);
        }
        let bytes = STANDARD.decode(text).unwrap_or_default();
        if bytes.len() != LEAF_LENGTH {
            self.problem(ProblemKind::Malformed, entry.clone(), Some(index), format!("leaf {index} is not {LEAF_LENGTH} bytes"));
        }
        self.frontier.push(leaf_hash(&bytes));
        self.confirm_known();
        match record {
            Some(record) => {
                self.report.entries += 1;
                let salt = salt.and_then(|salt| STANDARD.decode(salt).ok()).unwrap_or_default();
                if bytes != leaf(record.tenant_id, index, &record.commitment(&salt)) {
                    let message = format!(
                        "entry {} (leaf {index}, {} of {} {}) was changed after it was written",
                        record.id, record.action_taken, record.subject_kind, record.subject_id
                    );
                    self.problem(ProblemKind::Changed, entry, Some(index), message);
                }
            }
            None if self.tenant.is_none_or(|tenant| belongs(&bytes, tenant, index)) => {
                self.problem(ProblemKind::Missing, None, Some(index), format!("the entry of leaf {index} is missing"));
            }
            None => {}
        }
    }

    fn checkpoint(&mut self, text: &str) {
        let opened = match note::open(text, &self.keys) {
            Ok(opened) => opened,
            Err(error) => {
                let size = note::peek(text).ok().map(|checkpoint| checkpoint.size);
                let place = size.map_or_else(|| "a checkpoint".to_owned(), |size| format!("the checkpoint of size {size}"));
                return self.problem(kind_of(&error), None, size, format!("{place} cannot be believed: {error}"));
            }
        };
        let (size, here) = (opened.checkpoint.size, self.frontier.size());
        if opened.checkpoint.origin != self.report.origin {
            let message = format!("the checkpoint of size {size} is of another log, {}", opened.checkpoint.origin);
            self.problem(ProblemKind::Forked, None, Some(size), message);
        } else if size > here {
            self.expected = self.expected.max(size);
            self.problem(ProblemKind::Truncated, None, Some(here), format!("a checkpoint signs {size} leaves but only {here} are there"));
        } else if (size < here || opened.checkpoint.root != self.frontier.root()) && !self.is_forked {
            self.is_forked = true;
            let message = format!("the checkpoint of size {size} signs another history than the leaves show");
            self.problem(ProblemKind::Forked, None, Some(size), message);
        } else if !self.is_forked {
            self.report.checkpoints += 1;
        }
        self.report.checkpoint_time = opened.seconds.and_then(|seconds| i64::try_from(seconds).ok()).map(Time::from_seconds);
        if self.last.as_ref().is_none_or(|last| last.size < size) {
            self.last = Some(opened.checkpoint);
        }
    }

    fn waiting(&mut self, record: &Record) {
        self.report.waiting += 1;
        let latest = self.exported_at.max(self.report.checkpoint_time);
        if latest.is_some_and(|latest| latest.since(record.created_at) > PATIENCE) {
            let message = format!("entry {} ({}) of {} never got its place in the tree", record.id, record.action_taken, record.created_at);
            self.problem(ProblemKind::NeverSequenced, Some(record.id.to_string()), None, message);
        }
    }

    /// Compares the known checkpoint at the moment the tree has its size.
    fn confirm_known(&mut self) {
        let Some(known) = self.known.take_if(|known| known.size == self.frontier.size()) else { return };
        let agrees = known.root == self.frontier.root();
        self.report.known_checkpoint_confirmed = Some(agrees);
        if !agrees {
            let message = format!("the first {} leaves are not those of the known checkpoint: history was rewritten", known.size);
            self.problem(ProblemKind::Inconsistent, None, Some(known.size), message);
        }
    }

    fn problem(&mut self, kind: ProblemKind, entry: Option<String>, index: Option<u64>, message: String) {
        self.report.problem_count += 1;
        if self.report.problems.len() < Report::MAXIMUM_PROBLEMS {
            self.report.problems.push(Problem { kind, entry, index, message });
        }
    }
}

const fn kind_of(error: &NoteError) -> ProblemKind {
    match error {
        NoteError::Malformed(_) => ProblemKind::Malformed,
        NoteError::BadSignature(_) => ProblemKind::WrongSignature,
        NoteError::UnknownKey => ProblemKind::UnknownKey,
    }
}

#[cfg(test)]
mod tests;
