//! First pass over what comes in: grouped by identity, spooled to disk, nothing large kept in memory.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Seek, Write};

use base::Result;
use importers::{Coverage, IdentityKey, Location, Observation, Record, Severity, Sink, Stop, identity};
use tempfile::SpooledTempFile;

use super::coverage::Covered;
use super::matching::Key;
use crate::errors;
use crate::model::rank;

/// Spools smaller than this stay in memory.
const IN_MEMORY: usize = 8 << 20;
/// Warnings kept in words.
const WARNINGS: usize = 100;
const LEVEL: i32 = 1;

/// One incoming finding: all observations that share their strongest key.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) source: String,
    pub(crate) keys: Vec<Key>,
    /// The observation that speaks for the group: gravest, surest, then by content, so that order does not matter.
    best: (i64, u8, std::cmp::Reverse<String>),
    /// Position of that observation in the spool.
    pub(crate) speaker: u64,
    pub(crate) severity: Severity,
}

/// Everything one run brought.
pub(crate) struct Batch {
    /// In the order of their strongest keys.
    pub(crate) groups: Vec<Group>,
    pub(crate) covered: Covered,
    pub(crate) sources: BTreeSet<String>,
    pub(crate) observations: u64,
    pub(crate) assets: u64,
    pub(crate) coverage: u64,
    pub(crate) warnings: Vec<String>,
    pub(crate) warning_count: u64,
    pub(crate) spool: SpooledTempFile,
    by_key: HashMap<(String, String), usize>,
}

/// Builds a [`Batch`]; a sink for importers.
pub(crate) struct Gather {
    batch: Batch,
    spool: zstd::Encoder<'static, SpooledTempFile>,
    failed: Option<std::io::Error>,
}

impl Gather {
    pub(crate) fn new() -> Result<Self> {
        let spool = zstd::Encoder::new(SpooledTempFile::new(IN_MEMORY), LEVEL).map_err(errors::spool)?;
        let batch = Batch {
            groups: Vec::new(),
            covered: Covered::default(),
            sources: BTreeSet::new(),
            observations: 0,
            assets: 0,
            coverage: 0,
            warnings: Vec::new(),
            warning_count: 0,
            spool: SpooledTempFile::new(0),
            by_key: HashMap::new(),
        };
        Ok(Self { batch, spool, failed: None })
    }

    pub(crate) fn finish(self) -> Result<Batch> {
        if let Some(cause) = self.failed {
            return Err(errors::spool(cause));
        }
        let mut batch = self.batch;
        batch.spool = self.spool.finish().map_err(errors::spool)?;
        batch.spool.rewind().map_err(errors::spool)?;
        batch.groups.sort_by(|one, other| (&one.keys[0].digest, &one.source).cmp(&(&other.keys[0].digest, &other.source)));
        batch.by_key =
            batch.groups.iter().enumerate().map(|(index, group)| ((group.source.clone(), group.keys[0].digest.clone()), index)).collect();
        Ok(batch)
    }

    fn write(&mut self, record: &Record) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.spool, record)?;
        self.spool.write_all(b"\n")
    }

    fn observation(&mut self, observation: &Observation) {
        let batch = &mut self.batch;
        let ordinal = batch.observations;
        batch.observations += 1;
        batch.covered.touch(&observation.location);
        let keys = keys(observation);
        let content = identity::key("content", 1, &[serde_json::to_string(observation).unwrap_or_default().as_str().into()]).digest;
        let best = (rank(observation.severity), observation.confidence, std::cmp::Reverse(content));
        batch.sources.insert(observation.source.clone());
        let named = (observation.source.clone(), keys[0].digest.clone());
        let index = *batch.by_key.entry(named).or_insert(batch.groups.len());
        match batch.groups.get_mut(index) {
            None => batch.groups.push(Group {
                source: observation.source.clone(),
                keys,
                best,
                speaker: ordinal,
                severity: observation.severity,
            }),
            Some(group) => {
                if best > group.best {
                    (group.best, group.speaker, group.severity) = (best, ordinal, observation.severity);
                }
                for key in keys {
                    if !group.keys.contains(&key) {
                        group.keys.push(key);
                    }
                }
                // The strongest stays first; the rest in an order that does not depend on the file's.
                group.keys[1..]
                    .sort_by(|one, other| (one.is_weak(), &one.scheme, &one.digest).cmp(&(other.is_weak(), &other.scheme, &other.digest)));
            }
        }
    }

    fn coverage(&mut self, coverage: &Coverage) {
        self.batch.coverage += 1;
        self.batch.sources.insert(coverage.source.clone());
        self.batch.covered.add(coverage.clone());
    }
}

impl Sink for Gather {
    fn record(&mut self, record: Record) -> std::result::Result<(), Stop> {
        match &record {
            Record::Observation(observation) => self.observation(observation),
            Record::Coverage(coverage) => self.coverage(coverage),
            Record::Asset(_) => {
                self.batch.assets += 1;
                return Ok(());
            }
            Record::Warning(warning) => {
                let place = warning.position.as_ref().map(|position| format!(" ({position})")).unwrap_or_default();
                self.warn(format!("{}{place}", warning.message));
                return Ok(());
            }
        }
        self.write(&record).map_err(|cause| {
            self.failed = Some(cause);
            Stop
        })
    }
}

impl Gather {
    pub(crate) fn warn(&mut self, text: String) {
        self.batch.warning_count += 1;
        if self.batch.warnings.len() < WARNINGS {
            self.batch.warnings.push(text);
        }
    }
}

impl Batch {
    /// The group of an observation.
    pub(crate) fn group_of(&self, observation: &Observation) -> Option<usize> {
        let primary = keys(observation).swap_remove(0);
        self.by_key.get(&(observation.source.clone(), primary.digest)).copied()
    }

    /// The spooled records, in the order they came.
    pub(crate) fn records(&mut self) -> Result<Records> {
        let spool = std::mem::replace(&mut self.spool, SpooledTempFile::new(0));
        let lines = BufReader::new(zstd::Decoder::new(spool).map_err(errors::spool)?);
        Ok(Records { lines, line: String::new() })
    }
}

/// Reads the spool back.
pub(crate) struct Records {
    lines: BufReader<zstd::Decoder<'static, BufReader<SpooledTempFile>>>,
    line: String,
}

impl Records {
    pub(crate) fn next(&mut self) -> Result<Option<Record>> {
        self.line.clear();
        if self.lines.read_line(&mut self.line).map_err(errors::spool)? == 0 {
            return Ok(None);
        }
        serde_json::from_str(&self.line)
            .map(Some)
            .map_err(|cause| base::Error::internal("a spooled record cannot be read back").because(cause))
    }
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
