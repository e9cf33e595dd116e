//! The JSON export of this very platform: findings under the names they have there, with how they stood and what was decided.
//! Findings that come before the name of the format are held back.

use std::collections::HashSet;
use std::io::Read;

use serde::Deserialize;

use crate::errors::{ParseError, Position};
use crate::identity;
use crate::mapping;
use crate::model::{Belief, Carried, CarriedNote, Evidence, IdentityKey, Location, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::spool::Spool;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const EXPECTED: &str = "Tyrian JSON export";
/// What the document calls itself, up to its version.
const NAME: &str = "tyrian-findings/";
/// Names of one finding.
const KEYS: usize = 32;
const SOURCE: usize = 256;
/// Notes of one finding.
const NOTES: usize = 1000;
/// How schemes of mappings begin, which their users name.
const MAPPED: &str = "mapped:";
/// Names that findings have from elsewhere than a report: people enter some, and the store names others by their place.
const SCHEMES: &[&str] = &["manual", "place"];

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Tyrian, id: "tyrian", source: "", label: "Tyrian JSON export", schemes: SCHEMES, sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) {
        return None;
    }
    let named = head.after("\"format\"").is_some_and(|rest| rest.trim_start_matches([':', ' ', '\n', '\t', '\r', '"']).starts_with(NAME));
    named.then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut export = Export { out, recognised: false, places: HashSet::new(), held: Spool::default() };
    walk::through(source, &bounds, EXPECTED, &mut export)?;
    if export.recognised {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without the format's name".to_owned() })
}

struct Export<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Targets and services the findings had: names mean something within one of them.
    places: HashSet<(String, String)>,
    held: Spool,
}

/// A finding as the export tells it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    id: String,
    target_id: Option<String>,
    service: Option<String>,
    title: String,
    description: String,
    remediation: Option<String>,
    severity: Severity,
    cvss: Option<String>,
    cwes: Vec<u32>,
    cves: Vec<String>,
    aliases: Vec<String>,
    references: Vec<String>,
    tags: Vec<String>,
    source: String,
    check: String,
    location: Location,
    confidence: u8,
    evidence: Vec<Evidence>,
    identity: Vec<IdentityKey>,
    observed_at: Option<String>,
    state: String,
    first_seen: Option<String>,
    last_seen: Option<String>,
    fixed_at: Option<String>,
    times_seen: u32,
    decision: Option<Carried>,
    notes: Vec<CarriedNote>,
}

impl Route for Export<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            ["format"] | ["findings", ANY] => Plan::Take,
            [] | ["findings"] => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        if path == ["format"] {
            self.recognised |= walk::text(raw).is_some_and(|name| name.starts_with(NAME));
            return Ok(());
        }
        if self.recognised { self.read(raw, position) } else { self.held.push(position, raw) }
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        if path.is_empty() { self.read_held() } else { Ok(()) }
    }

    fn salvage(&mut self) -> Result<(), ParseError> {
        self.read_held()
    }
}

impl Export<'_, '_> {
    fn read_held(&mut self) -> Result<(), ParseError> {
        let mut held = std::mem::take(&mut self.held);
        if !self.recognised {
            return Ok(());
        }
        let end = self.out.position();
        held.drain(end, |raw, position| self.read(std::str::from_utf8(raw).unwrap_or_default(), position))
    }

    fn read(&mut self, raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::value(raw, position, self.out)? {
            Some(value) => match serde_json::from_value::<Told>(value) {
                Ok(told) => self.map(told, position),
                Err(error) => self.out.skip(position, format!("finding is not readable: {error}")),
            },
            None => Ok(()),
        }
    }

    fn map(&mut self, told: Told, position: Position) -> Result<(), ParseError> {
        if told.id.is_empty() || told.source.is_empty() || told.check.is_empty() {
            return self.out.skip(position, "finding without id, source or check");
        }
        let place = (told.target_id.unwrap_or_default(), told.service.unwrap_or_default());
        if self.places.insert(place) && self.places.len() == 2 {
            self.out.warn(position, "findings of several targets or services come into one; export them apart to keep them apart")?;
        }
        let mut keys: Vec<IdentityKey> = told.identity.into_iter().filter(is_key).take(KEYS).collect();
        if keys.is_empty() {
            keys.push(identity::manual(&told.id));
        }
        let evidence = told.evidence.iter().map(|piece| {
            let kept = self.out.evidence(&piece.label, &piece.body);
            Evidence { truncated: kept.truncated || piece.truncated, ..kept }
        });
        let evidence = evidence.collect();
        // A time may have white space around it, which is none of it.
        let instant = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| vocabulary::instant(text).is_some());
        if told.notes.len() > NOTES {
            self.out.warn(position, format!("a finding has more than {NOTES} notes; the newest are left out"))?;
        }
        self.out.belief(Belief {
            state: told.state,
            first_seen: instant(told.first_seen),
            last_seen: instant(told.last_seen),
            fixed_at: instant(told.fixed_at),
            times_seen: told.times_seen,
            decision: told.decision,
            notes: told.notes.into_iter().take(NOTES).collect(),
        })?;
        self.out.distinct(Observation {
            source: vocabulary::shorten(&told.source, SOURCE),
            check: told.check,
            title: told.title,
            description: told.description,
            remediation: told.remediation,
            severity: told.severity,
            confidence: told.confidence.min(100),
            cvss: told.cvss.as_deref().and_then(vocabulary::cvss),
            cwes: told.cwes,
            cves: told.cves,
            aliases: told.aliases,
            references: told.references,
            tags: told.tags,
            location: told.location,
            evidence,
            keys,
            observed_at: instant(told.observed_at),
            gone: None,
        })
    }
}

/// A scheme we could have given, and the digest of its kind.
fn is_key(key: &IdentityKey) -> bool {
    let is_digest = key.digest.len() == 64 && key.digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut ours = Format::all().flat_map(Format::schemes);
    let is_mapped = key.scheme.strip_prefix(MAPPED).is_some_and(mapping::is_name);
    is_digest && (is_mapped || ours.any(|scheme| *scheme == key.scheme))
}
