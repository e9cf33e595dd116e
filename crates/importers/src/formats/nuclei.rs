//! nuclei results: JSON lines, a JSON array, or JSON values one after the other, in the member
//! names of version 2 and 3. Lines without a match are coverage.

mod result;

use std::cell::Cell;
use std::collections::HashSet;
use std::io::Read;

use serde_json::value::RawValue;

use crate::errors::{ParseError, Position};
use crate::input;
use crate::json::{self, Feed, Watch};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::{self, Bounds, Plan, Route};

const SOURCE: &str = "nuclei";
const EXPECTED: &str = "nuclei JSON";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::Nuclei,
    id: "nuclei",
    source: SOURCE,
    label: "nuclei JSON",
    schemes: &["network", "network.moved", "tls", "web"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if !head.opens(&['{', '[']) {
        // Nothing found is nothing written.
        return (head.is("") && head.is_named(SOURCE)).then_some(Confidence::Possible);
    }
    let id = ["\"template-id\"", "\"templateID\""].into_iter().any(|key| head.has(key));
    match id && head.has("\"info\"") {
        true if head.has("\"matched-at\"") || head.has("\"matched\"") => Some(Confidence::Certain),
        true => Some(Confidence::Likely),
        false => None,
    }
}

/// What is remembered across the results of one file.
#[derive(Default)]
struct Seen {
    assets: HashSet<u64>,
    /// Whether any record was a nuclei result.
    recognised: bool,
    records: u64,
    /// The first byte that was not UTF-8.
    garbled: Option<Position>,
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let gauge = out.gauge();
    let mut input = input::open_if(source, out.limits(), &gauge, |head| !is_lines(head))?;
    let mut seen = Seen::default();
    match input::first_byte(&mut input, &gauge)? {
        None => return Ok(()),
        Some(b'[') => array(input, &mut seen, out)?,
        Some(b'{') => lines(input, &mut seen, out)?,
        Some(byte) => {
            return Err(ParseError::NotThisFormat { expected: EXPECTED, found: format!("text starting with {:?}", char::from(byte)) });
        }
    }
    if seen.recognised {
        return Ok(());
    }
    if let Some(position) = seen.garbled {
        return Err(ParseError::Encoding { encoding: "UTF-8".to_owned(), position });
    }
    if seen.records > 0 {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without a template id".to_owned() });
    }
    Ok(())
}

/// Whether every line is a record of its own, so that a bad byte costs one of them.
fn is_lines(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    head.starts_with(b"{") && line.trim_ascii() != b"{"
}

fn array(input: input::Decoded<'_>, seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    walk::decoded(input, &bounds, &mut Results { seen, out })
}

struct Results<'l, 'o> {
    seen: &'l mut Seen,
    out: &'l mut Output<'o>,
}

impl Route for Results<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        take(raw.as_bytes(), position, self.seen, self.out)
    }
}

fn lines(mut input: input::Decoded<'_>, seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
    let gauge = out.gauge();
    let mut line = Vec::new();
    loop {
        let start = gauge.position();
        if !json::read_line(&mut input, &gauge, out.limits(), &mut line)? {
            return Ok(());
        }
        let text = line.trim_ascii();
        if seen.records == 0 && text == b"{" {
            return values(input, seen, out);
        }
        if text.is_empty() {
            continue;
        }
        gauge.next_record();
        let position = Position { record: gauge.position().record, ..start };
        if let Err(error) = std::str::from_utf8(text) {
            let blank = line.len() - line.trim_ascii_start().len();
            let position = Position { byte: start.byte + (blank + error.valid_up_to()) as u64, ..position };
            seen.records += 1;
            seen.garbled.get_or_insert(position);
            out.skip(position, "line is not UTF-8")?;
            continue;
        }
        take(text, position, seen, out)?;
    }
}

/// Indented objects one after the other; the first brace is already read.
fn values(input: input::Decoded<'_>, seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
    let gauge = out.gauge();
    let mut watch = Watch::new(&gauge, out.limits());
    watch.resume();
    let feed = Feed::new(input, watch);
    let record: std::rc::Rc<Cell<Option<u64>>> = feed.record();
    record.set(Some(gauge.at()));
    let source = (&b"{"[..]).chain(feed);
    let stream = serde_json::Deserializer::from_reader(source).into_iter::<Box<RawValue>>();
    for raw in stream {
        let raw = raw.map_err(|error| json::explain(&error, &gauge, "a result"))?;
        gauge.next_record();
        take(raw.get().as_bytes(), gauge.position(), seen, out)?;
        record.set(Some(gauge.at()));
    }
    Ok(())
}

fn take(bytes: &[u8], position: Position, seen: &mut Seen, out: &mut Output<'_>) -> Result<(), ParseError> {
    seen.records += 1;
    match json::record(bytes, out.limits()) {
        Ok(value) => result::map(&value, position, seen, out),
        Err(what) => out.skip(position, format!("record is not JSON: {what}")),
    }
}
