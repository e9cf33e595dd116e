//! First pass over what comes in: grouped by identity, spooled to disk; a few dozen bytes per finding stay in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use aws_lc_rs::digest::{Context, SHA256};
use base::Result;
use importers::{Belief, Coverage, Gone, IdentityKey, Location, Observation, Record, Severity, Sink, Stop, identity};

use super::coverage::Covered;
use super::matching::Key;
use super::spool::{Below, Line, Reader, Writer};
use crate::errors;
use crate::model::{ImportOptions, State, rank};

/// Confidence in what nobody doubts.
pub(crate) const CERTAIN: u8 = 100;
/// Warnings kept in words.
const WARNINGS: usize = 100;

/// One incoming finding: all observations that share their strongest key.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its tool, by index into the batch's.
    pub(crate) source: u16,
    pub(crate) severity: Severity,
    confidence: u8,
    /// Nothing of it was seen: the tool lists it as gone.
    pub(crate) is_gone: bool,
    /// Observations of it that were not read back yet.
    pub(crate) left: u32,
    /// The observation that speaks for the group: gravest, surest, then by content, so that order does not matter.
    pub(crate) speaker: u32,
    best: u64,
    /// Sum of what its observations say: equal when a tool says the same again, in any order.
    pub(crate) content: u64,
}

/// Everything one run brought.
pub(crate) struct Batch {
    pub(crate) groups: Vec<Group>,
    pub(crate) covered: Covered,
    pub(crate) sources: Vec<String>,
    pub(crate) observations: u64,
    pub(crate) assets: u64,
    pub(crate) coverage: u64,
    pub(crate) below_minimum: u64,
    pub(crate) warnings: Vec<String>,
    pub(crate) warning_count: u64,
    pub(crate) spool: Option<Reader>,
}

/// Builds a [`Batch`]; a sink for importers.
pub(crate) struct Gather {
    batch: Batch,
    spool: Writer,
    by_key: HashMap<[u8; 16], u32>,
    failed: Option<std::io::Error>,
    minimum: Severity,
    tags: Vec<String>,
    is_past: bool,
    is_verified: bool,
    /// What was believed elsewhere of the next observation.
    belief: Option<String>,
}

impl Gather {
    pub(crate) fn new(options: &ImportOptions) -> Result<Self> {
        let batch = Batch {
            groups: Vec::new(),
            covered: Covered::default(),
            sources: Vec::new(),
            observations: 0,
            assets: 0,
            coverage: 0,
            below_minimum: 0,
            warnings: Vec::new(),
            warning_count: 0,
            spool: None,
        };
        Ok(Self {
            batch,
            spool: Writer::new()?,
            by_key: HashMap::new(),
            failed: None,
            minimum: options.minimum_severity,
            tags: options.tags.clone(),
            is_past: options.is_past,
            is_verified: options.is_verified,
            belief: None,
        })
    }

    pub(crate) fn finish(self) -> Result<Batch> {
        if let Some(cause) = self.failed {
            return Err(errors::spool(cause));
        }
        Ok(Batch { spool: Some(self.spool.finish()?), ..self.batch })
    }

    fn source(&mut self, name: &str) -> u16 {
        let sources = &mut self.batch.sources;
        let index = sources.iter().position(|known| known == name).unwrap_or_else(|| {
            sources.push(name.to_owned());
            sources.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    fn observation(&mut self, mut observation: Observation) -> std::io::Result<()> {
        let said = observation.gone.take();
        let is_gone = said.is_some();
        let said = said.or_else(|| self.is_past.then(|| Gone { first_seen: observation.observed_at.clone(), at: None }));
        let belief = self.belief.take().or_else(|| gone(said?, observation.observed_at.as_deref()));
        self.batch.covered.see(&observation);
        if observation.severity < self.minimum {
            self.batch.below_minimum += 1;
            if is_gone {
                return Ok(());
            }
            let source = self.source(&observation.source);
            let name = keys(&observation).swap_remove(0);
            return self.spool.below(&Below { source, digest: name.digest });
        }
        if self.is_verified {
            observation.confidence = CERTAIN;
        }
        for tag in &self.tags {
            if !observation.tags.contains(tag) {
                observation.tags.push(tag.clone());
            }
        }
        let ordinal = u32::try_from(self.batch.observations).unwrap_or(u32::MAX);
        self.batch.observations += 1;
        let keys = keys(&observation);
        observation.keys = Vec::new();
        let observed_at = observation.observed_at.take().filter(|at| !at.contains(['\t', '\n']));
        let body = serde_json::to_string(&observation)?;
        let content = content(&keys, &body);
        let source = self.source(&observation.source);
        let number = u32::try_from(self.batch.groups.len()).unwrap_or(u32::MAX);
        let (severity, confidence) = (observation.severity, observation.confidence);
        let group = match self.by_key.entry(named(source, &keys[0])) {
            Slot::Vacant(slot) => {
                slot.insert(number);
                self.batch.groups.push(Group { source, severity, confidence, is_gone, left: 1, speaker: ordinal, best: content, content });
                number
            }
            Slot::Occupied(slot) => {
                let number = *slot.get();
                let group = &mut self.batch.groups[number as usize];
                group.left += 1;
                group.is_gone &= is_gone;
                group.content = group.content.wrapping_add(content);
                let is_better = (rank(severity), confidence, group.best) > (rank(group.severity), group.confidence, content);
                if is_better {
                    (group.severity, group.confidence, group.best, group.speaker) = (severity, confidence, content, ordinal);
                }
                number
            }
        };
        self.spool.observation(&Line { ordinal, group, keys, observed_at, belief, body })
    }

    fn coverage(&mut self, coverage: Coverage) -> std::io::Result<()> {
        self.source(&coverage.source);
        // What was tested once says nothing of now.
        if !self.is_past && self.batch.covered.add(coverage.clone()) {
            self.batch.coverage += 1;
            self.spool.coverage(&coverage)?;
        }
        Ok(())
    }

    pub(crate) fn warn(&mut self, text: String) {
        self.batch.warn(text);
    }
}

impl Sink for Gather {
    fn record(&mut self, record: Record) -> std::result::Result<(), Stop> {
        let written = match record {
            Record::Observation(observation) => self.observation(observation),
            Record::Coverage(coverage) => self.coverage(coverage),
            Record::Belief(belief) => {
                self.belief = serde_json::to_string(&belief).ok();
                Ok(())
            }
            Record::Asset(_) => {
                self.batch.assets += 1;
                Ok(())
            }
            Record::Warning(warning) => {
                let place = warning.position.as_ref().map(|position| format!(" ({position})")).unwrap_or_default();
                self.warn(format!("{}{place}", warning.message));
                Ok(())
            }
        };
        written.map_err(|cause| {
            self.failed = Some(cause);
            Stop
        })
    }
}

impl Batch {
    pub(crate) fn warn(&mut self, text: String) {
        self.warning_count += 1;
        if self.warnings.len() < WARNINGS {
            self.warnings.push(text);
        }
    }

    /// The tool of a group.
    pub(crate) fn source_of(&self, group: u32) -> &str {
        self.groups.get(group as usize).and_then(|group| self.sources.get(usize::from(group.source))).map_or("", String::as_str)
    }
}

/// How something stands that was there and is no more: of which a report of the past tells, or a tool that keeps what it knew.
fn gone(said: Gone, observed_at: Option<&str>) -> Option<String> {
    let last_seen = observed_at.map(str::to_owned);
    serde_json::to_string(&Belief {
        state: State::Absent.as_str().to_owned(),
        first_seen: said.first_seen.or_else(|| last_seen.clone()),
        fixed_at: said.at.or_else(|| last_seen.clone()),
        last_seen,
        times_seen: 1,
        ..Belief::default()
    })
    .ok()
}

/// A group's name in memory: the first half of the digest, apart per tool.
fn named(source: u16, key: &Key) -> [u8; 16] {
    let mut name = [0; 16];
    if hex::decode_to_slice(key.digest.get(..32).unwrap_or_default(), &mut name).is_err() {
        name = sixteen(key.digest.as_bytes());
    }
    let [high, low] = source.to_be_bytes();
    name[0] ^= high;
    name[1] ^= low;
    name
}

fn sixteen(bytes: &[u8]) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    let mut name = [0; 16];
    name.copy_from_slice(&context.finish().as_ref()[..16]);
    name
}

/// What an observation says, as a number.
fn content(keys: &[Key], body: &str) -> u64 {
    let mut context = Context::new(&SHA256);
    for key in keys {
        context.update(key.digest.as_bytes());
    }
    context.update(body.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&context.finish().as_ref()[..8]);
    u64::from_be_bytes(first)
}

/// The observation's keys, strongest first; one of its own content's place when the importer found none.
fn keys(observation: &Observation) -> Vec<Key> {
    let own = observation.keys.iter().map(key).collect::<Vec<_>>();
    if own.is_empty() { vec![key(&fallback(&observation.source, &observation.check, &observation.location))] } else { own }
}

fn key(key: &IdentityKey) -> Key {
    Key { scheme: key.scheme.clone(), version: key.version, digest: key.digest.clone() }
}

fn fallback(source: &str, check: &str, location: &Location) -> IdentityKey {
    let component = location.component.as_ref().map(|component| component.name.as_str());
    let fields = [
        source.into(),
        check.into(),
        location.ip.as_deref().into(),
        location.host.as_deref().into(),
        location.port.into(),
        location.url.as_deref().into(),
        location.parameter.as_deref().into(),
        location.file.as_deref().into(),
        location.logical.as_deref().into(),
        component.into(),
    ];
    identity::key("place", 1, &fields)
}
