//! A JSON document taken member by member, whatever shape the members have: what is not as expected is passed over,
//! so that a file of another format is recognised as such and not called malformed.

use std::cell::Cell;
use std::fmt;
use std::io::Read;
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::de::IoRead;
use serde_json::value::RawValue;

use crate::errors::{ParseError, Position};
use crate::input::{self, Gauge};
use crate::json::{self, Elements, Feed, Watch};
use crate::limits::Limits;
use crate::output::Output;

/// A member name longer than this is no name that a format knows.
const KEY: usize = 4 << 10;

/// Reads records under the bounds of the document they are in.
#[derive(Clone)]
pub(crate) struct Cursor {
    gauge: Rc<Gauge>,
    record: Rc<Cell<Option<u64>>>,
    limits: Limits,
}

impl Cursor {
    /// A member that is small: at most one record.
    pub(crate) fn value<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<Value, A::Error> {
        json::value(map, &self.gauge, &self.record)
    }

    /// A small member that is text.
    pub(crate) fn text<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<Option<String>, A::Error> {
        Ok(self.value(map)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// The objects or the object of a member, each handed over between `begin` and `end`.
    pub(crate) fn walk<'de, A: MapAccess<'de>, M: Elements>(&self, map: &mut A, members: &mut M) -> Result<(), A::Error> {
        map.next_value_seed(Nested { gauge: &self.gauge, members })
    }

    /// The records of a member: the elements of an array, or the object that stands for one.
    pub(crate) fn records<'de, A, F>(&self, map: &mut A, take: F) -> Result<(), A::Error>
    where
        A: MapAccess<'de>,
        F: FnMut(Result<Value, String>, Position) -> Result<(), ParseError>,
    {
        map.next_value_seed(Records { cursor: self, take })
    }

    /// As [`Cursor::records`], but as they are written, to be put aside.
    pub(crate) fn raw<'de, A, F>(&self, map: &mut A, take: F) -> Result<(), A::Error>
    where
        A: MapAccess<'de>,
        F: FnMut(&str, Position) -> Result<(), ParseError>,
    {
        map.next_value_seed(RawRecords { cursor: self, take })
    }

    pub(crate) fn position(&self) -> Position {
        self.gauge.position()
    }

    /// Parses a record that was put aside.
    pub(crate) fn parse(&self, raw: &[u8]) -> Result<Value, String> {
        json::record(raw, &self.limits)
    }

    /// The error for something kept in memory that grew too large.
    pub(crate) fn over(&self, which: &'static str, limit: usize) -> ParseError {
        self.gauge.over(which, limit as u64)
    }

    /// One element as it is written, and where it starts; nothing at the end of the array.
    fn next<'de, S: SeqAccess<'de>>(&self, seq: &mut S) -> Result<Option<(Box<RawValue>, Position)>, S::Error> {
        let start = self.gauge.position();
        self.record.set(Some(start.byte));
        let raw = seq.next_element::<Box<RawValue>>();
        self.record.set(None);
        Ok(raw?.map(|raw| {
            self.gauge.next_record();
            (raw, Position { record: self.gauge.position().record, ..start })
        }))
    }

    /// An object as it is written but for white space, and where it starts.
    fn object<'de, A: MapAccess<'de>>(&self, mut map: A) -> Result<(String, Position), A::Error> {
        let start = self.gauge.position();
        self.record.set(Some(start.byte));
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
        self.record.set(None);
        self.gauge.next_record();
        Ok((text, Position { record: self.gauge.position().record, ..start }))
    }

    fn carry<E: serde::de::Error>(&self, result: Result<(), ParseError>) -> Result<(), E> {
        result.map_err(|error| E::custom(self.gauge.fail(error)))
    }
}

/// The document.
pub(crate) struct Document<'a> {
    parser: serde_json::Deserializer<IoRead<Feed<'a>>>,
    cursor: Cursor,
}

impl<'a> Document<'a> {
    /// Opens a source that must be JSON.
    pub(crate) fn open(source: &'a mut dyn Read, out: &Output<'_>, expected: &'static str) -> Result<Self, ParseError> {
        let gauge = out.gauge();
        let mut input = input::open(source, out.limits(), &gauge)?;
        let wrong = |found: String| ParseError::NotThisFormat { expected, found };
        match input::first_byte(&mut input, &gauge)? {
            Some(b'{' | b'[' | b'n') => {}
            Some(byte) => return Err(wrong(format!("text starting with {:?}", char::from(byte)))),
            None => return Err(wrong("an empty file".to_owned())),
        }
        let feed = Feed::new(input, Watch::new(&gauge, out.limits()));
        let cursor = Cursor { gauge, record: feed.record(), limits: out.limits().clone() };
        Ok(Self { parser: serde_json::Deserializer::from_reader(feed), cursor })
    }

    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor.clone()
    }

    /// Walks the document: an object, or an array of such objects.
    pub(crate) fn walk<M: Elements>(&mut self, members: &mut M) -> Result<(), ParseError> {
        let walked = Nested { gauge: &self.cursor.gauge, members }.deserialize(&mut self.parser);
        walked.map_err(|error| json::explain(&error, &self.cursor.gauge, "the document"))
    }

    /// Takes the records of a document that is an array of them, or one, or `null`.
    pub(crate) fn records<F>(&mut self, take: F) -> Result<(), ParseError>
    where
        F: FnMut(Result<Value, String>, Position) -> Result<(), ParseError>,
    {
        let taken = Records { cursor: &self.cursor, take }.deserialize(&mut self.parser);
        taken.map_err(|error| json::explain(&error, &self.cursor.gauge, "the array of records"))
    }

    /// Nothing may follow.
    pub(crate) fn end(mut self) -> Result<(), ParseError> {
        self.parser.end().map_err(|error| json::explain(&error, &self.cursor.gauge, "the document"))
    }
}

/// Values that are passed over.
macro_rules! pass_over {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
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

struct Nested<'g, 'm, M> {
    gauge: &'g Gauge,
    members: &'m mut M,
}

impl<'de, M: Elements> DeserializeSeed<'de> for Nested<'_, '_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, M: Elements> Visitor<'de> for Nested<'_, '_, M> {
    type Value = ();

    pass_over!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.members.begin();
        while let Some(key) = map.next_key::<String>()? {
            if key.len() > KEY {
                json::ignore(&mut map)?;
            } else {
                self.members.member(&key, &mut map)?;
            }
        }
        self.members.end().map_err(|error| A::Error::custom(self.gauge.fail(error)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Nested { gauge: self.gauge, members: &mut *self.members })?.is_some() {}
        Ok(())
    }
}

struct Records<'c, F> {
    cursor: &'c Cursor,
    take: F,
}

impl<'de, F: FnMut(Result<Value, String>, Position) -> Result<(), ParseError>> DeserializeSeed<'de> for Records<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Result<Value, String>, Position) -> Result<(), ParseError>> Visitor<'de> for Records<'_, F> {
    type Value = ();

    pass_over!();

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let (text, position) = self.cursor.object(map)?;
        let value = self.cursor.parse(text.as_bytes());
        self.cursor.carry((self.take)(value, position))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some((raw, position)) = self.cursor.next(&mut seq)? {
            let value = self.cursor.parse(raw.get().as_bytes());
            self.cursor.carry((self.take)(value, position))?;
        }
        Ok(())
    }
}

struct RawRecords<'c, F> {
    cursor: &'c Cursor,
    take: F,
}

impl<'de, F: FnMut(&str, Position) -> Result<(), ParseError>> DeserializeSeed<'de> for RawRecords<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&str, Position) -> Result<(), ParseError>> Visitor<'de> for RawRecords<'_, F> {
    type Value = ();

    pass_over!();

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let (text, position) = self.cursor.object(map)?;
        self.cursor.carry((self.take)(&text, position))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some((raw, position)) = self.cursor.next(&mut seq)? {
            self.cursor.carry((self.take)(raw.get(), position))?;
        }
        Ok(())
    }
}

/// Names of the members of a document that may break off: of the object, or of the first object of the array.
pub(crate) fn outline(head: &str) -> Vec<String> {
    let mut names = Names::default();
    let gauge = Gauge::default();
    let nested = Nested { gauge: &gauge, members: &mut names };
    // How it ends does not matter: what was seen before the end is the answer.
    drop(nested.deserialize(&mut serde_json::Deserializer::from_str(head)));
    names.0
}

#[derive(Default)]
struct Names(Vec<String>);

impl json::Members for Names {
    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.0.push(key.to_owned());
        json::ignore(map)
    }
}

impl Elements for Names {
    fn begin(&mut self) {}

    fn end(&mut self) -> Result<(), ParseError> {
        // One object is enough.
        Err(ParseError::Stopped)
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
