//! Small pieces of CBOR on top of ciborium: bounded in bytes and depth, nothing left over, no key twice.

use ciborium::Value;

use crate::errors::Unreadable;

/// Bytes of CBOR that are read.
const CBOR_BYTES: usize = 64 << 10;
/// Nesting that is read.
const DEPTH: usize = 8;

/// A CBOR map, by text or number.
pub(crate) struct Map {
    entries: Vec<(Value, Value)>,
    what: &'static str,
}

/// Reads bytes that are exactly one map.
pub(crate) fn map(bytes: &[u8], what: &'static str) -> Result<Map, Unreadable> {
    let (map, rest) = leading_map(bytes, what)?;
    if rest > 0 {
        return Err(Unreadable::malformed(what, "bytes follow it"));
    }
    Ok(map)
}

/// Reads the map that the bytes start with, and how many bytes follow it.
pub(crate) fn leading_map(bytes: &[u8], what: &'static str) -> Result<(Map, usize), Unreadable> {
    if bytes.len() > CBOR_BYTES {
        return Err(Unreadable::TooLarge { what: "bytes of CBOR", limit: CBOR_BYTES });
    }
    let mut rest = bytes;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH)
        .map_err(|_| Unreadable::malformed(what, "not CBOR, or too deep"))?;
    let Value::Map(entries) = value else { return Err(Unreadable::malformed(what, "not a map")) };
    for (at, (key, _)) in entries.iter().enumerate() {
        if entries[..at].iter().any(|(other, _)| other == key) {
            return Err(Unreadable::malformed(what, "a key appears twice"));
        }
    }
    Ok((Map { entries, what }, rest.len()))
}

impl Map {
    fn get(&self, name: &str) -> Result<&Value, Unreadable> {
        let found = self.entries.iter().find(|(key, _)| key.as_text() == Some(name));
        found.map(|(_, value)| value).ok_or_else(|| Unreadable::malformed(self.what, format!("{name} is missing")))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Unreadable> {
        self.get(name)?.as_text().ok_or_else(|| Unreadable::malformed(self.what, format!("{name} is not a text")))
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<&[u8], Unreadable> {
        let bytes = self.get(name)?.as_bytes().map(Vec::as_slice);
        bytes.ok_or_else(|| Unreadable::malformed(self.what, format!("{name} is not a byte string")))
    }

    pub(crate) fn array(&self, name: &str) -> Result<&[Value], Unreadable> {
        let array = self.get(name)?.as_array().map(Vec::as_slice);
        array.ok_or_else(|| Unreadable::malformed(self.what, format!("{name} is not a list")))
    }

    pub(crate) fn map(&self, name: &str, what: &'static str) -> Result<Map, Unreadable> {
        let entries = self.get(name)?.as_map().ok_or_else(|| Unreadable::malformed(self.what, format!("{name} is not a map")))?;
        Ok(Map { entries: entries.clone(), what })
    }

    /// The value under a numeric key.
    pub(crate) fn at(&self, label: i64) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| key.as_integer() == Some(label.into())).map(|(_, value)| value)
    }

    /// The number under a numeric key.
    pub(crate) fn number(&self, label: i64) -> Option<u64> {
        self.at(label)?.as_integer()?.try_into().ok()
    }

    /// The entries as JSON, byte strings in base64.
    pub(crate) fn facts(&self) -> serde_json::Value {
        serde_json::to_value(Value::Map(self.entries.clone())).unwrap_or_default()
    }
}
