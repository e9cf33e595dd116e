//! A mapping a person writes: which columns of a table, or members of JSON records, become which
//! parts of an observation. Checked when it is loaded, tried on a sample before it is kept.

mod fault;
mod load;
mod place;
mod run;
mod value;

use std::io::Read;

use serde::{Deserialize, Serialize};

pub use self::fault::{MAPPING_FAULTS, MappingFault};
pub(crate) use self::load::is_name;
use crate::errors::{ParseError, Position};
use crate::limits::{Limits, Options};
use crate::model::{Record, Severity, Sink};
use crate::output::{Output, Totals};

/// Records shown of a trial.
const SHOWN: usize = 20;

/// Why a mapping is refused, and which of its keys is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {what}{}", position.map(|position| format!(" ({position})")).unwrap_or_default())]
pub struct MappingError {
    /// Path of the key in the mapping, such as `fields.severity.table`.
    pub key: String,
    /// What is wrong with it.
    pub what: MappingFault,
    /// Where it stands in the text, or what should hold it does.
    pub position: Option<Position>,
}

/// What a mapping can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappedNotation {
    /// Rows under a header.
    Table,
    /// An array of records, one record, or a record on every line.
    Json,
}

/// A part of an observation that a mapping can fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Check,
    Title,
    Description,
    Remediation,
    Severity,
    Confidence,
    Cvss,
    Cwes,
    Cves,
    Aliases,
    References,
    Tags,
    Evidence,
    ObservedAt,
    Host,
    Ip,
    Port,
    Protocol,
    Service,
    Url,
    Method,
    Parameter,
    Component,
    Version,
    Purl,
    File,
    Line,
    Snippet,
    Logical,
}

const TARGETS: [(&str, Target); 29] = [
    ("check", Target::Check),
    ("title", Target::Title),
    ("description", Target::Description),
    ("remediation", Target::Remediation),
    ("severity", Target::Severity),
    ("confidence", Target::Confidence),
    ("cvss", Target::Cvss),
    ("cwes", Target::Cwes),
    ("cves", Target::Cves),
    ("aliases", Target::Aliases),
    ("references", Target::References),
    ("tags", Target::Tags),
    ("evidence", Target::Evidence),
    ("observed_at", Target::ObservedAt),
    ("host", Target::Host),
    ("ip", Target::Ip),
    ("port", Target::Port),
    ("protocol", Target::Protocol),
    ("service", Target::Service),
    ("url", Target::Url),
    ("method", Target::Method),
    ("parameter", Target::Parameter),
    ("component", Target::Component),
    ("version", Target::Version),
    ("purl", Target::Purl),
    ("file", Target::File),
    ("line", Target::Line),
    ("snippet", Target::Snippet),
    ("logical", Target::Logical),
];

fn name(target: Target) -> &'static str {
    TARGETS.iter().find(|(_, known)| *known == target).map_or("the field", |(name, _)| name)
}

/// Where the text of a part comes from, and what is made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Origin {
    /// Columns or paths, in their order.
    from: Vec<String>,
    /// Used when none of them has anything.
    constant: Option<String>,
    /// Puts several texts together; without it the first that has anything is taken.
    join: Option<String>,
    /// Cuts a text into a list.
    split: Option<String>,
    /// Dates are written like this, in the letters of `strftime`.
    format: Option<String>,
    /// Words of the tool, in lower case, and what they mean.
    table: Vec<(String, Severity)>,
}

/// A loaded mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    name: String,
    notation: MappedNotation,
    /// Members that lead to the array of records.
    records: Vec<String>,
    fields: Vec<(Target, Origin)>,
    /// Columns or paths that make an identity, strongest first.
    keys: Vec<Vec<String>>,
}

/// What a mapping made of a sample.
#[derive(Debug)]
pub struct Trial {
    /// The first records.
    pub records: Vec<Record>,
    /// Counts of all of them.
    pub totals: Totals,
    /// Columns and paths of the mapping that never had anything.
    pub unused: Vec<String>,
    /// Why the sample could not be read to its end.
    pub failure: Option<ParseError>,
}

impl Mapping {
    /// Reads a mapping from its JSON document; the error names the key that is wrong.
    ///
    /// `name` and `fields.title` are required, and `keys`: columns (or paths with dots) whose values
    /// together are the identity of a finding, or a list of such lists. `notation` is `table` or
    /// `json`, `records` the path of the array. A field is a column, or an object of `from` (one or
    /// a list), `constant`, `join`, `split`, `format` (dates) and `table` (severities).
    pub fn from_json(text: &str) -> Result<Self, MappingError> {
        load::mapping(text).map_err(|error| {
            let position = error.position.or_else(|| place::of(text, &error.key));
            MappingError { position, ..error }
        })
    }

    /// Its name, which becomes the source `mapped:<name>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it reads.
    pub fn notation(&self) -> MappedNotation {
        self.notation
    }

    /// Reads a file to its end under the same rules as any format.
    pub fn parse(&self, source: &mut dyn Read, limits: &Limits, sink: &mut dyn Sink) -> Result<Totals, ParseError> {
        let options = Options { limits: limits.clone(), ..Options::default() };
        let mut output = Output::new(sink, &options);
        run::Run::new(self).read(source, &mut output)?;
        Ok(output.totals())
    }

    /// Tries it on a sample: what came out, and what of the mapping found nothing.
    pub fn attempt(&self, sample: &[u8], limits: &Limits) -> Trial {
        let options = Options { limits: limits.clone(), ..Options::default() };
        let mut shown = Shown(Vec::new());
        let mut output = Output::new(&mut shown, &options);
        let mut run = run::Run::new(self);
        let failure = run.read(&mut &sample[..], &mut output).err();
        let totals = output.totals();
        Trial { records: shown.0, totals, unused: run.unused(), failure }
    }

    /// Whether it fits the beginning of a file exactly: every record is taken without a word, and nothing of the mapping goes
    /// without. `is_whole` says that the file ends there.
    pub fn fits(&self, head: &[u8], is_whole: bool) -> bool {
        let in_lines = self.notation == MappedNotation::Table || (self.records.is_empty() && head.trim_ascii_start().starts_with(b"{"));
        let sample = match head.iter().rposition(|byte| *byte == b'\n') {
            // The last line may be cut.
            Some(end) if in_lines && !is_whole => &head[..=end],
            _ => head,
        };
        let trial = self.attempt(sample, &Limits::default());
        let is_read = match trial.failure {
            None => true,
            Some(ParseError::Truncated { .. }) => !is_whole,
            Some(_) => false,
        };
        is_read && trial.totals.issues > 0 && trial.totals.skipped + trial.totals.warnings == 0 && trial.unused.is_empty()
    }

    fn sources(&self) -> impl Iterator<Item = &String> {
        self.fields.iter().flat_map(|(_, origin)| &origin.from).chain(self.keys.iter().flatten())
    }
}

/// Keeps the first records.
struct Shown(Vec<Record>);

impl Sink for Shown {
    fn record(&mut self, record: Record) -> Result<(), crate::Stop> {
        if self.0.len() < SHOWN {
            self.0.push(record);
        }
        Ok(())
    }
}
