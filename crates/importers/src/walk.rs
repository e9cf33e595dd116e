//! A JSON document walked by path: a format names the values it wants whole, everything else is passed over.
//! Only one such value is in memory at a time; documents may follow one another.

use std::cell::Cell;
use std::fmt;
use std::io::Read;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::errors::{ParseError, Position};
use crate::input::{self, Gauge};
use crate::json::{self, Feed, Watch};
use crate::output::Output;

/// Paths longer than this are passed over.
const DEEPEST: usize = 8;
/// A member name longer than this is none that a format knows.
const KEY: usize = 256;
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
}

/// What a format wants of a document. Elements of arrays are called [`ANY`] in paths.
pub(crate) trait Route {
    /// Whether a document that is an object is one record, as in JSON lines.
    const OBJECTS: bool = false;

    /// What becomes of the value at a path.
    fn plan(&mut self, path: &[&str]) -> Plan;

    /// A value that was to be taken, as it is written.
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
    let whole = match input::first_byte(&mut input, gauge)? {
        Some(b'{') => R::OBJECTS,
        Some(b'[' | b'n') => false,
        Some(byte) => return Err(wrong(format!("text starting with {:?}", char::from(byte)))),
        None => return Err(wrong("an empty file".to_owned())),
    };
    let feed = Feed::new(input, Watch::new(gauge, &out.limits));
    let record = feed.record();
    let mut parser = serde_json::Deserializer::from_reader(feed);
    let mut walk = Walk { gauge, record: &record, route, path: Vec::new(), whole };
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

/// Text that was taken, when it is any.
pub(crate) fn text(raw: &str) -> Option<String> {
    let text: String = serde_json::from_str(raw).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

struct Walk<'g, 'r, R> {
    gauge: &'g Gauge,
    record: &'g Cell<Option<u64>>,
    route: &'r mut R,
    path: Vec<String>,
    /// The document is one record.
    whole: bool,
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
        if self.whole && self.path.is_empty() {
            return Plan::Take;
        }
        self.on(R::plan)
    }

    fn left<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let left = self.on(R::leave);
        left.map_err(|error| E::custom(self.gauge.fail(error)))
    }
}

impl<'de, R: Route> DeserializeSeed<'de> for &mut Walk<'_, '_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.plan() {
            Plan::Pass => IgnoredAny::deserialize(deserializer).map(drop),
            Plan::Enter => deserializer.deserialize_any(self),
            Plan::Take => {
                let start = self.gauge.position();
                self.record.set(Some(start.byte));
                let raw = Box::<RawValue>::deserialize(deserializer);
                self.record.set(None);
                let raw = raw?;
                if raw.get().starts_with('{') {
                    self.gauge.next_record();
                }
                let position = Position { record: self.gauge.position().record, ..start };
                let taken = self.on(|route, path| route.take(path, raw.get(), position));
                taken.map_err(|error| D::Error::custom(self.gauge.fail(error)))
            }
        }
    }
}

impl<'de, R: Route> Visitor<'de> for &mut Walk<'_, '_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        // Go writes an empty list as `null`.
        self.left()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Options;
    use crate::model::Record;

    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Route for Seen {
        fn plan(&mut self, path: &[&str]) -> Plan {
            match path {
                ["a", ANY, "b"] | ["c"] => Plan::Take,
                [] | ["a"] | ["a", ANY] => Plan::Enter,
                _ => Plan::Pass,
            }
        }

        fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
            self.0.push(format!("{}={raw}@{}", path.join("/"), position.byte));
            Ok(())
        }

        fn leave(&mut self, path: &[&str]) -> Result<(), ParseError> {
            self.0.push(format!("left {}", path.join("/")));
            Ok(())
        }
    }

    fn seen(text: &str) -> (Vec<String>, Option<String>) {
        let (options, mut sink) = (Options::default(), Vec::<Record>::new());
        let bounds = Bounds::of(&Output::new(&mut sink, &options));
        let mut seen = Seen::default();
        let failure = through(&mut text.as_bytes(), &bounds, "a test", &mut seen).err();
        (seen.0, failure.map(|error| error.to_string()))
    }

    #[test]
    fn what_is_wanted_is_taken_and_the_rest_passed_over() {
        let (found, failure) = seen(r#"{"x":[{"b":1}],"a":[{"b":[7]},3,{"d":{"b":2}}],"c":null}"#);
        assert_eq!(failure, None);
        assert_eq!(found, ["a/*/b=[7]@25", "left a/*", "left a/*", "left a", "c=null@51", "left "]);
    }

    #[test]
    fn documents_may_follow_one_another_and_rubbish_may_not() {
        let (found, failure) = seen("{\"c\":1}\n{\"c\":2} x");
        assert_eq!(found, ["c=1@5", "left ", "c=2@13", "left "]);
        assert!(failure.is_some_and(|text| text.starts_with("malformed input at byte 1")));
    }
}
