//! SARIF 2.1.0. Members may come in any order, so the results of a run are spooled (memory up to a
//! few MiB, then an unnamed temporary file) and mapped when the run, and with it the rules, is known.

mod place;
mod result;
mod rule;
mod run;

use std::io::Read;

use serde::de::{DeserializeSeed, MapAccess};

use crate::errors::ParseError;
use crate::input::{self, Gauge};
use crate::json::{self, Feed, Members, Walk, WalkEach, Watch};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};

const EXPECTED: &str = "SARIF 2.1.0";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Sarif,
    id: "sarif",
    label: "SARIF 2.1.0",
    schemes: &["code", "code.moved", "code.fingerprint", "dependency"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{']) {
        return None;
    }
    let runs = head.after("\"runs\"").is_some_and(|rest| {
        let rest = rest.trim_start().strip_prefix(':').unwrap_or_default();
        rest.trim_start().starts_with('[')
    });
    let schema = head.has("\"$schema\"") && head.has("sarif");
    let named = head.named(".sarif");
    match (schema, runs) {
        (true, _) => Some(Confidence::Certain),
        (false, true) if named => Some(Confidence::Certain),
        (false, true) if head.has("\"version\"") || head.has("\"tool\"") => Some(Confidence::Likely),
        (false, true) => Some(Confidence::Possible),
        (false, false) => named.then_some(Confidence::Possible),
    }
}

/// The outermost object.
struct Log<'l, 'o> {
    gauge: &'l Gauge,
    run: run::Run<'l, 'o>,
    has_runs: bool,
    version: Option<String>,
}

impl Members for Log<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "runs" => {
                self.has_runs = true;
                map.next_value_seed(WalkEach { gauge: self.gauge, members: &mut self.run })
            }
            "version" => {
                let value = json::value(map, self.gauge, &self.run.record)?;
                self.version = value.as_str().map(str::to_owned);
                Ok(())
            }
            _ => json::ignore(map),
        }
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let gauge = out.gauge();
    let mut input = input::open(source, out.limits(), &gauge)?;
    let wrong = |found: String| ParseError::NotThisFormat { expected: EXPECTED, found };
    match input::first_byte(&mut input, &gauge)? {
        Some(b'{') => {}
        Some(byte) => return Err(wrong(format!("text starting with {:?}", char::from(byte)))),
        None => return Err(wrong("an empty file".to_owned())),
    }
    let feed = Feed::new(input, Watch::new(&gauge, out.limits()));
    let record = feed.record();
    let mut parser = serde_json::Deserializer::from_reader(feed);
    let mut log = Log { gauge: &gauge, run: run::Run::new(&gauge, record, out), has_runs: false, version: None };
    let walked = Walk(&mut log).deserialize(&mut parser).map_err(|error| json::explain(&error, &gauge, "the log"));
    let Log { run, has_runs, version, .. } = log;
    if let Err(error) = walked {
        // What was read of the run that broke off is kept.
        run.salvage()?;
        return Err(error);
    }
    if !has_runs {
        return Err(wrong("a JSON object without runs".to_owned()));
    }
    parser.end().map_err(|error| json::explain(&error, &gauge, "the log"))?;
    if let Some(version) = version.filter(|version| version != "2.1.0") {
        let shown: String = version.chars().take(20).collect();
        let position = out.position();
        out.warn(position, format!("version {shown:?} is read as 2.1.0"))?;
    }
    Ok(())
}
