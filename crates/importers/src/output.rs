//! The way out of every importer: counts, cuts and limits what reaches the sink.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::errors::{ParseError, Position};
use crate::input::Gauge;
use crate::limits::{Detail, Limits, Options};
use crate::model::{Asset, Belief, Coverage, CoverageStatus, Evidence, Extent, Location, Observation, Record, Severity, Sink, Warning};
use crate::vocabulary;

/// Distinct problems remembered; past it every further one counts as new.
const ISSUES_REMEMBERED: usize = 2_000_000;
const TITLE: usize = 200;
const SHORT: usize = 2 << 10;
const LONG: usize = 16 << 10;
const LIST: usize = 200;

/// How many of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityCounts {
    /// Info.
    pub info: u64,
    /// Low.
    pub low: u64,
    /// Medium.
    pub medium: u64,
    /// High.
    pub high: u64,
    /// Critical.
    pub critical: u64,
}

impl SeverityCounts {
    fn add(&mut self, severity: Severity) {
        let slot = match severity {
            Severity::Info => &mut self.info,
            Severity::Low => &mut self.low,
            Severity::Medium => &mut self.medium,
            Severity::High => &mut self.high,
            Severity::Critical => &mut self.critical,
        };
        *slot += 1;
    }
}

/// What came out of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Observations handed to the sink.
    pub observations: u64,
    /// Distinct problems among them, as the tool's own reports list them: the same check on the
    /// same host (nuclei), the same open port anywhere (nmap) is one, however often it was seen.
    pub issues: u64,
    /// Severities of the distinct problems, by their first observation.
    pub by_severity: SeverityCounts,
    /// Assets handed to the sink.
    pub assets: u64,
    /// Coverage records handed to the sink.
    pub coverage: u64,
    /// Warnings, those over the limit included.
    pub warnings: u64,
    /// Records of the file that could not be taken.
    pub skipped: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// Where formats put what they read.
pub(crate) struct Output<'a> {
    sink: &'a mut dyn Sink,
    options: &'a Options,
    gauge: Rc<Gauge>,
    totals: Totals,
    issues: HashSet<u64>,
    /// The first record that was left out, and why.
    unread: Option<(Position, String)>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink, options: &'a Options) -> Self {
        Self { sink, options, gauge: Rc::new(Gauge::default()), totals: Totals::default(), issues: HashSet::new(), unread: None }
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        &self.options.limits
    }

    pub(crate) fn judges(&self) -> bool {
        self.options.detail == Detail::Judged
    }

    pub(crate) fn gauge(&self) -> Rc<Gauge> {
        Rc::clone(&self.gauge)
    }

    pub(crate) fn position(&self) -> Position {
        self.gauge.position()
    }

    pub(crate) fn totals(self) -> Totals {
        Totals { bytes: self.gauge.raw(), ..self.totals }
    }

    /// Hands an observation on; `issue` says which problem it is apart from where it was seen.
    pub(crate) fn observation(&mut self, observation: Observation, issue: &[&str]) -> Result<(), ParseError> {
        let mut hasher = DefaultHasher::new();
        issue.hash(&mut hasher);
        let known = self.issues.len() < ISSUES_REMEMBERED && !self.issues.insert(hasher.finish());
        self.hand(observation, !known)
    }

    /// Hands on an observation that is a problem of its own.
    pub(crate) fn distinct(&mut self, observation: Observation) -> Result<(), ParseError> {
        self.hand(observation, true)
    }

    fn hand(&mut self, mut observation: Observation, new: bool) -> Result<(), ParseError> {
        self.allow()?;
        observation.title = vocabulary::shorten(&observation.title, TITLE);
        cut(&mut observation.description, self.limits().evidence);
        bound(&mut observation);
        observation.cwes = vocabulary::unique(observation.cwes);
        observation.cves = vocabulary::unique(observation.cves);
        observation.aliases = vocabulary::unique(observation.aliases);
        if new {
            self.totals.issues += 1;
            self.totals.by_severity.add(observation.severity);
        }
        self.totals.observations += 1;
        self.give(Record::Observation(observation))
    }

    /// What was believed elsewhere of the next observation.
    pub(crate) fn belief(&mut self, belief: Belief) -> Result<(), ParseError> {
        self.give(Record::Belief(belief))
    }

    pub(crate) fn asset(&mut self, asset: Asset) -> Result<(), ParseError> {
        self.allow()?;
        self.totals.assets += 1;
        self.give(Record::Asset(asset))
    }

    pub(crate) fn coverage(&mut self, coverage: Coverage) -> Result<(), ParseError> {
        self.allow()?;
        self.totals.coverage += 1;
        self.give(Record::Coverage(coverage))
    }

    pub(crate) fn warn(&mut self, position: Position, message: impl Into<String>) -> Result<(), ParseError> {
        self.totals.warnings += 1;
        if self.totals.warnings > self.limits().warnings {
            return Ok(());
        }
        self.give(Record::Warning(Warning { position: Some(position), message: message.into() }))
    }

    /// Warns about a record of the file that is left out.
    pub(crate) fn skip(&mut self, position: Position, message: impl Into<String>) -> Result<(), ParseError> {
        self.totals.skipped += 1;
        let message = message.into();
        self.unread.get_or_insert_with(|| (position, message.clone()));
        self.warn(position, message)
    }

    /// After the last of a file. Records that were left out and none that was taken are an error: to call that clean would be wrong.
    /// A report in which nothing is still says whose it is, so that whoever knows that it is a complete one can say so.
    pub(crate) fn conclude(&mut self, source: &str) -> Result<(), ParseError> {
        if self.totals.observations > 0 {
            return Ok(());
        }
        if let Some((position, first)) = self.unread.take() {
            let what = format!("none of {} records could be read; the first: {first}", self.totals.skipped);
            return Err(ParseError::Malformed { position, what });
        }
        if self.totals.coverage == 0 && !source.is_empty() { self.silence(source) } else { Ok(()) }
    }

    /// Says that a tool reported and named nothing it looked at.
    pub(crate) fn silence(&mut self, source: &str) -> Result<(), ParseError> {
        self.coverage(Coverage {
            source: source.to_owned(),
            check_set: "report".to_owned(),
            location: Location::default(),
            extent: Extent::Whole,
            status: CoverageStatus::Skipped,
            reason: Some("nothing that was looked at is named".to_owned()),
        })
    }

    /// Evidence cut to the limit.
    pub(crate) fn evidence(&self, label: impl Into<String>, body: &str) -> Evidence {
        let kept = floor_boundary(body, self.limits().evidence);
        Evidence { label: label.into(), body: body[..kept].to_owned(), truncated: kept < body.len() }
    }

    fn allow(&self) -> Result<(), ParseError> {
        let records = self.totals.observations + self.totals.assets + self.totals.coverage;
        if records < self.limits().records {
            return Ok(());
        }
        Err(ParseError::LimitExceeded { which: "records", limit: self.limits().records, position: self.position() })
    }

    fn give(&mut self, record: Record) -> Result<(), ParseError> {
        self.sink.record(record).map_err(|_| ParseError::Stopped)
    }
}

/// Cuts what no tool writes at such length, so that records stay small whatever the file holds.
fn bound(observation: &mut Observation) {
    cut(&mut observation.check, SHORT);
    for list in [&mut observation.references, &mut observation.tags, &mut observation.aliases] {
        list.truncate(LIST);
        list.iter_mut().for_each(|text| cut(text, SHORT));
    }
    observation.cwes.truncate(LIST);
    observation.cves.truncate(LIST);
    if let Some(remediation) = &mut observation.remediation {
        cut(remediation, LONG);
    }
    let place = &mut observation.location;
    let texts = [
        &mut place.host,
        &mut place.ip,
        &mut place.protocol,
        &mut place.service,
        &mut place.url,
        &mut place.method,
        &mut place.parameter,
        &mut place.file,
        &mut place.artifact,
        &mut place.snippet,
        &mut place.logical,
    ];
    for text in texts.into_iter().flatten() {
        cut(text, LONG);
    }
    if let Some(component) = &mut place.component {
        let optional = [&mut component.version, &mut component.purl];
        for text in optional.into_iter().flatten().chain([&mut component.name]) {
            cut(text, SHORT);
        }
    }
}

fn cut(text: &mut String, limit: usize) {
    let kept = floor_boundary(text, limit);
    text.truncate(kept);
}

/// The greatest length not over `limit` that does not split a character.
pub(crate) fn floor_boundary(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}
