//! A JSON document walked by path: a format names the values it wants whole, everything else is passed over.
//! Only one such value is in memory at a time; documents may follow one another.

use std::cell::Cell;
use std::fmt;
use std::io::Read;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::errors::{ParseError, Position};
use crate::input::{self, Decoded, Gauge};
use crate::json::{self, Feed, Watch};
use crate::output::Output;

/// Paths longer than this are passed over.
const DEEPEST: usize = 16;
/// A member name longer than this is none that a format knows.
const KEY: usize = 4 << 10;
/// Stands for the elements of an array.
pub(crate) const ANY: &str = "*";

/// What becomes of the value at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Passed over.
    Pass,
    /// Looked into; what is neither object nor array has nothing inside.
    Enter,
    /// Read whole, as one record.
    Take,
    /// A list of records, each read whole under the path of the list; an object in its place is one record.
    Each,
}

/// What a format wants of a document. Elements of arrays are called [`ANY`] in paths.
pub(crate) trait Route {
    /// What becomes of the value at a path.
    fn plan(&mut self, path: &[&str]) -> Plan;

    /// A value that was to be taken, as it is written but for white space between the members of a lone record.
    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError>;

    /// After the last member of what was entered; also after a document, with an empty path.
    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        let _ = path;
        Ok(())
    }

    /// After a document that broke off: what was held back is handed on.
    fn salvage(&mut self) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Walks every document of a source; empty text is none.
pub(crate) fn through<R: Route>(source: &mut dyn Read, out: &Bounds, expected: &'static str, route: &mut R) -> Result<(), ParseError> {
    let gauge = &out.gauge;
    let mut input = input::open(source, &out.limits, gauge)?;
    let wrong = |found: String| ParseError::NotThisFormat { expected, found };
    match input::first_byte(&mut input, gauge)? {
        Some(b'{' | b'[' | b'n') => {}
        Some(byte) => return Err(wrong(format!("text starting with {:?}", char::from(byte)))),
        None => return Err(wrong("an empty file".to_owned())),
    }
    decoded(input, out, route)
}

/// Walks every document of a source that is open.
pub(crate) fn decoded<R: Route>(input: Decoded<'_>, out: &Bounds, route: &mut R) -> Result<(), ParseError> {
    let gauge = &out.gauge;
    let feed = Feed::new(input, Watch::new(gauge, &out.limits));
    let record = feed.record();
    let mut parser = serde_json::Deserializer::from_reader(feed);
    let mut walk = Walk { gauge, record: &record, route, path: Vec::new() };
    loop {
        walk.path.clear();
        if let Err(error) = (&mut walk).deserialize(&mut parser) {
            let error = json::explain(&error, gauge, "the document");
            if !matches!(error, ParseError::Stopped) {
                walk.route.salvage()?;
            }
            return Err(error);
        }
        match parser.end() {
            Ok(()) => return Ok(()),
            // Something follows: another document, or what is no JSON and fails as such.
            Err(error) if error.is_syntax() => {}
            Err(error) => return Err(json::explain(&error, gauge, "the document")),
        }
    }
}

/// What a walk shares with the output its route writes to.
pub(crate) struct Bounds {
    gauge: std::rc::Rc<Gauge>,
    limits: crate::limits::Limits,
}

impl Bounds {
    pub(crate) fn of(out: &Output<'_>) -> Self {
        Self { gauge: out.gauge(), limits: out.limits().clone() }
    }
}

/// A record that was taken as a value; one that cannot be read is left out with a warning.
pub(crate) fn value(raw: &str, position: Position, out: &mut Output<'_>) -> Result<Option<Value>, ParseError> {
    match json::record(raw.as_bytes(), out.limits()) {
        Ok(value) => Ok(Some(value)),
        Err(what) => {
            out.skip(position, format!("record is not readable: {what}"))?;
            Ok(None)
        }
    }
}

/// A value that was taken and of which only parts are looked at; nothing when it cannot be read.
pub(crate) fn part(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_default()
}

/// The part of a path that is inside a document, or inside an element of one that is a list of documents.
pub(crate) fn element<'p, 'k>(path: &'p [&'k str]) -> &'p [&'k str] {
    match path {
        [ANY, rest @ ..] => rest,
        _ => path,
    }
}

/// Text that was taken, when it is any.
pub(crate) fn text(raw: &str) -> Option<String> {
    let text: String = serde_json::from_str(raw).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Names of the members of a document that may break off: of the object, or of the first object of the array.
pub(crate) fn outline(head: &str) -> Vec<String> {
    let mut names = Names::default();
    let (gauge, record) = (Gauge::default(), Cell::new(None));
    let mut walk = Walk { gauge: &gauge, record: &record, route: &mut names, path: Vec::new() };
    // How it ends does not matter: what was seen before the end is the answer.
    drop((&mut walk).deserialize(&mut serde_json::Deserializer::from_str(head)));
    names.0
}

#[derive(Default)]
struct Names(Vec<String>);

impl Route for Names {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path {
            [] | [ANY] => return Plan::Enter,
            [name] | [ANY, name] => self.0.push((*name).to_owned()),
            _ => {}
        }
        Plan::Pass
    }

    fn take(&mut self, _: &[&str], _: &str, _: Position) -> Result<(), ParseError> {
        Ok(())
    }

    fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
        // One object is enough.
        if path.is_empty() { Ok(()) } else { Err(ParseError::Stopped) }
    }
}

struct Walk<'g, 'r, R> {
    gauge: &'g Gauge,
    record: &'g Cell<Option<u64>>,
    route: &'r mut R,
    path: Vec<String>,
}

impl<R: Route> Walk<'_, '_, R> {
    fn on<T>(&mut self, act: impl FnOnce(&mut R, &[&str]) -> T) -> T {
        let mut parts = [""; DEEPEST];
        for (part, key) in parts.iter_mut().zip(&self.path) {
            *part = key;
        }
        act(self.route, &parts[..self.path.len().min(DEEPEST)])
    }

    fn plan(&mut self) -> Plan {
        if self.path.len() > DEEPEST || self.path.last().is_some_and(|key| key.len() > KEY) {
            return Plan::Pass;
        }
        self.on(R::plan)
    }

    fn left<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let left = self.on(R::leave);
        left.map_err(|error| E::custom(self.gauge.fail(error)))
    }

    /// Where what comes next starts; its length is watched from here.
    fn begin(&self) -> Position {
        let start = self.gauge.position();
        self.record.set(Some(start.byte));
        start
    }

    fn hand<E: serde::de::Error>(&mut self, raw: &str, start: Position, counted: bool) -> Result<(), E> {
        if counted {
            self.gauge.next_record();
        }
        let position = Position { record: self.gauge.position().record, ..start };
        let taken = self.on(|route, path| route.take(path, raw, position));
        taken.map_err(|error| E::custom(self.gauge.fail(error)))
    }
}

impl<'de, R: Route> DeserializeSeed<'de> for &mut Walk<'_, '_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.plan() {
            Plan::Pass => IgnoredAny::deserialize(deserializer).map(drop),
            Plan::Enter => deserializer.deserialize_any(self),
            Plan::Each => deserializer.deserialize_any(Each(self)),
            Plan::Take => {
                let start = self.begin();
                let raw = Box::<RawValue>::deserialize(deserializer);
                self.record.set(None);
                let raw = raw?;
                self.hand(raw.get(), start, raw.get().starts_with('{'))
            }
        }
    }
}

/// Values that have nothing inside.
macro_rules! pass_over {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }

        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }

        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }

        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }

        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }

        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
    };
}

impl<'de, R: Route> Visitor<'de> for &mut Walk<'_, '_, R> {
    type Value = ();

    pass_over!();

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        // Go writes an empty list as `null`.
        self.left()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.path.push(key);
            map.next_value_seed(&mut *self)?;
            self.path.pop();
        }
        self.left()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.path.push(ANY.to_owned());
        while seq.next_element_seed(&mut *self)?.is_some() {}
        self.path.pop();
        self.left()
    }
}

/// A list of records, or the one that stands in its place.
struct Each<'w, 'g, 'r, R>(&'w mut Walk<'g, 'r, R>);

impl<'de, R: Route> Visitor<'de> for Each<'_, '_, '_, R> {
    type Value = ();

    pass_over!();

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.0.left()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let start = self.0.begin();
        // What it is was only known behind its brace, so it is put together again.
        let mut text = String::from("{");
        while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&Value::from(key).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        self.0.record.set(None);
        self.0.hand(&text, start, true)?;
        self.0.left()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        loop {
            let start = self.0.begin();
            let raw = seq.next_element::<Box<RawValue>>();
            self.0.record.set(None);
            match raw? {
                Some(raw) => self.0.hand(raw.get(), start, true)?,
                None => return self.0.left(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_is_told_from_a_beginning() {
        assert_eq!(outline("{\"a\": {\"x\": 1}, \"b\": [1, 2"), ["a", "b"]);
        assert_eq!(outline("[{\"a\": \"text that breaks o"), ["a"]);
        assert_eq!(outline("[{\"a\": 1}, {\"b\": 2}]"), ["a"]);
        assert_eq!(outline("7"), Vec::<String>::new());
    }
}
