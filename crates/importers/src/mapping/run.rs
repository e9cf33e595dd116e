//! A mapping at work: records in, observations out.

use std::io::Read;
use std::net::IpAddr;

use serde_json::Value;

use super::value::Texts;
use super::{MappedNotation, Mapping, Origin, Target};
use crate::csv::Table;
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::{Host, Introduced};
use crate::identity::{self, Field};
use crate::input;
use crate::json;
use crate::model::{Component, Location, Observation};
use crate::output::Output;
use crate::vocabulary;
use crate::walk::{self, ANY, Bounds, Plan, Route};

const EXPECTED: &str = "a file with what the mapping names";

/// One import by a mapping.
pub(super) struct Run<'m> {
    mapping: &'m Mapping,
    /// Places of the mapping that had something.
    met: Vec<bool>,
    seen: Introduced,
    recognised: bool,
    records: u64,
}

impl<'m> Run<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        Self { mapping, met: vec![false; mapping.sources().count()], seen: Introduced::default(), recognised: false, records: 0 }
    }

    /// Places of the mapping that never had anything.
    pub(super) fn unused(&self) -> Vec<String> {
        let places = self.mapping.sources().zip(&self.met).filter(|(_, met)| !**met).map(|(place, _)| place.clone());
        vocabulary::unique(places.collect())
    }

    pub(super) fn read(&mut self, source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
        match self.mapping.notation {
            MappedNotation::Table => self.table(source, out)?,
            MappedNotation::Json => self.json(source, out)?,
        }
        if self.records > 0 && !self.recognised {
            let found = format!("{} records without any of the key columns", self.records);
            return Err(ParseError::NotThisFormat { expected: EXPECTED, found });
        }
        Ok(())
    }

    fn table(&mut self, source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
        let mut table = Table::open(source, out)?;
        let wanted: Vec<String> = self.mapping.keys.iter().flatten().map(|column| column.trim().to_lowercase()).collect();
        table.header(|names| wanted.iter().all(|column| names.contains(column)), EXPECTED)?;
        while let Some(position) = table.next(out)? {
            self.take(&table, position, out)?;
        }
        Ok(())
    }

    fn json(&mut self, source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
        let gauge = out.gauge();
        let path = self.mapping.records.as_slice();
        let (first, mut source) = input::opening(source, &gauge)?;
        if path.is_empty() && first == Some(b'{') {
            return self.lines(&mut source, out);
        }
        let bounds = Bounds::of(out);
        let mut descent = Descent { path, run: self, out, found: false };
        walk::through(&mut source, &bounds, EXPECTED, &mut descent)?;
        if descent.found {
            return Ok(());
        }
        let found = format!("JSON without {:?}", path.join("."));
        Err(ParseError::NotThisFormat { expected: EXPECTED, found })
    }

    /// A record on every line, so that a bad one costs itself only; or one over many lines.
    fn lines(&mut self, source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
        let gauge = out.gauge();
        let mut input = input::open(source, out.limits(), &gauge)?;
        let mut line = Vec::new();
        let mut open = Vec::new();
        loop {
            let start = gauge.position();
            if !json::read_line(&mut input, &gauge, out.limits(), &mut line)? {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let broken = |error: String, run: &mut Self, out: &mut Output<'_>| {
                run.records += 1;
                out.skip(start, format!("record is not JSON: {error}"))
            };
            if self.records == 0 && (!open.is_empty() || !complete(&line)) {
                // An indented document: its lines belong together.
                open.extend_from_slice(&line);
                open.push(b'\n');
                if open.len() > out.limits().text {
                    return Err(gauge.over("record", out.limits().text as u64));
                }
                continue;
            }
            gauge.next_record();
            match json::record(&line, out.limits()) {
                Ok(value) => self.take(&value, start, out)?,
                Err(error) => broken(error, self, out)?,
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        gauge.next_record();
        match json::record(open.trim_ascii_end(), out.limits()) {
            Ok(value) => self.take(&value, Position::default(), out),
            Err(what) if what.starts_with("EOF") => {
                Err(ParseError::Truncated { position: gauge.position(), inside: "the record".to_owned() })
            }
            Err(what) => Err(gauge.malformed(what)),
        }
    }

    fn value(&mut self, value: Result<Value, String>, position: Position, out: &mut Output<'_>) -> Result<(), ParseError> {
        match value {
            Ok(value) => self.take(&value, position, out),
            Err(what) => out.skip(position, format!("record is not JSON: {what}")),
        }
    }

    fn take(&mut self, record: &impl Texts, position: Position, out: &mut Output<'_>) -> Result<(), ParseError> {
        self.records += 1;
        for (place, met) in self.mapping.sources().zip(&mut self.met) {
            *met = *met || !record.texts(place).is_empty();
        }
        let mut observation = Observation { confidence: 75, ..Observation::default() };
        let scheme = format!("mapped:{}", self.mapping.name);
        for places in &self.mapping.keys {
            let values: Vec<Option<String>> =
                places.iter().map(|place| Some(record.texts(place)).filter(|all| !all.is_empty()).map(|all| all.join("\n"))).collect();
            if values.iter().any(Option::is_some) {
                let names = places.iter().map(|place| Field::Text(place));
                let fields: Vec<Field<'_>> = names.chain(values.iter().map(|value| value.as_deref().into())).collect();
                observation.keys.push(identity::key(&scheme, 1, &fields));
            }
        }
        if observation.keys.is_empty() {
            return out.skip(position, "record has nothing in its key columns");
        }
        self.recognised = true;
        for (target, origin) in &self.mapping.fields {
            fill(&mut observation, *target, origin, record, position, out)?;
        }
        if observation.title.is_empty() {
            return out.skip(position, "record without a title");
        }
        observation.source = scheme;
        if observation.check.is_empty() {
            observation.check.clone_from(&observation.title);
        }
        let place = &observation.location;
        let host = Host { ip: place.ip.clone(), name: place.host.clone() };
        self.seen.host(&host, out)?;
        out.distinct(observation)
    }
}

/// Whether a line can be a record of its own.
fn complete(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"{") && line.ends_with(b"}")
}

fn fill(
    observation: &mut Observation,
    target: Target,
    origin: &Origin,
    record: &impl Texts,
    position: Position,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    match target {
        Target::Cwes => {
            let all = origin.many(record);
            observation.cwes =
                all.iter().flat_map(|text| text.parse().map_or_else(|_| vocabulary::cwes(text), |number| vec![number])).collect();
            return Ok(());
        }
        Target::Cves => observation.cves = origin.many(record).iter().flat_map(|text| vocabulary::cves(text)).collect(),
        Target::Aliases => observation.aliases = origin.many(record),
        Target::References => observation.references = origin.many(record),
        Target::Tags => observation.tags = origin.many(record),
        Target::Evidence => {
            for place in &origin.from {
                for text in record.texts(place) {
                    observation.evidence.push(out.evidence(place, &text));
                }
            }
        }
        _ => {
            let Some(text) = origin.one(record) else {
                return Ok(());
            };
            if !single(observation, target, origin, &text) {
                let shown = vocabulary::shorten(&text, 80);
                return out.warn(position, format!("{shown:?} does not fit {}", super::name(target)));
            }
        }
    }
    Ok(())
}

/// Sets one part; false when the text cannot be it.
fn single(observation: &mut Observation, target: Target, origin: &Origin, text: &str) -> bool {
    let place: &mut Location = &mut observation.location;
    let some = Some(text.to_owned());
    match target {
        Target::Check => text.clone_into(&mut observation.check),
        Target::Title => text.clone_into(&mut observation.title),
        Target::Description => text.clone_into(&mut observation.description),
        Target::Remediation => observation.remediation = some,
        Target::Severity => return origin.rate(text).map(|severity| observation.severity = severity).is_some(),
        Target::Confidence => {
            let number = text.parse().ok().filter(|number: &u8| *number <= 100);
            return number.map(|number| observation.confidence = number).is_some();
        }
        Target::Cvss => {
            observation.cvss = dialects::vector(text);
            return observation.cvss.is_some();
        }
        Target::ObservedAt => {
            let shapes: Vec<&str> = origin.format.as_deref().into_iter().collect();
            observation.observed_at = dialects::moment(text, &shapes).or_else(|| dialects::day(text, &shapes));
            return observation.observed_at.is_some();
        }
        Target::Host => {
            let host = Host::new([Some(text)]);
            place.ip = place.ip.take().or(host.ip);
            place.host = host.name.or_else(|| place.host.take());
        }
        Target::Ip => {
            let address = identity::asset(text);
            let valid = address.parse::<IpAddr>().is_ok();
            place.ip = valid.then_some(address).or_else(|| place.ip.take());
            return valid;
        }
        Target::Port => return text.parse().map(|port| place.port = Some(port)).is_ok(),
        Target::Protocol => place.protocol = Some(text.to_ascii_lowercase()),
        Target::Service => place.service = some,
        Target::Url => {
            let host = Host::new([Some(text).filter(|text| text.contains("://"))]);
            place.ip = place.ip.take().or(host.ip);
            place.host = place.host.take().or(host.name);
            place.url = some;
        }
        Target::Method => place.method = Some(text.to_ascii_uppercase()),
        Target::Parameter => place.parameter = some,
        Target::Component => place.component.get_or_insert_with(Component::default).name = text.to_owned(),
        Target::Version => place.component.get_or_insert_with(Component::default).version = some,
        Target::Purl => place.component.get_or_insert_with(Component::default).purl = some,
        Target::File => place.file = some,
        Target::Line => return text.parse().map(|line| place.line = Some(line)).is_ok(),
        Target::Snippet => place.snippet = some,
        Target::Logical => place.logical = some,
        Target::Cwes | Target::Cves | Target::Aliases | Target::References | Target::Tags | Target::Evidence => {}
    }
    true
}

/// Members on the way to the array of records, through whatever lists there are between them.
struct Descent<'d, 'm, 'o> {
    path: &'d [String],
    run: &'d mut Run<'m>,
    out: &'d mut Output<'o>,
    found: bool,
}

impl Route for Descent<'_, '_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        let mut names = path.iter().filter(|name| **name != ANY);
        let depth = names.clone().count();
        if depth > self.path.len() || !self.path.iter().take(depth).all(|wanted| names.next() == Some(&wanted.as_str())) {
            return Plan::Pass;
        }
        if depth < self.path.len() {
            return Plan::Enter;
        }
        self.found = true;
        Plan::Each
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        self.run.value(json::record(raw.as_bytes(), self.out.limits()), position, self.out)
    }
}
