//! JSON under bounds: a byte-wise watch in front of the parser stops depth, strings and records before they are built.
//! Also how values are looked into; walking a document is [`crate::walk`].

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use serde_json::Value;
use serde_json::error::Category;

use crate::errors::ParseError;
use crate::input::{Decoded, Gauge};
use crate::limits::Limits;

/// Values of one record; bounds what small values cost in memory.
const ITEMS: u64 = 200_000;
/// serde_json itself stops one level deeper.
const DEPTH: u32 = 127;

/// Watches bytes go by: depth, string length, record length and the number of values in a record.
pub(crate) struct Watch {
    gauge: Rc<Gauge>,
    limits: Limits,
    record: Rc<Cell<Option<u64>>>,
    seen: Option<u64>,
    items: u64,
    depth: u32,
    string: Option<u64>,
    escaped: bool,
}

impl Watch {
    pub(crate) fn new(gauge: &Rc<Gauge>, limits: &Limits) -> Self {
        Self {
            gauge: Rc::clone(gauge),
            limits: limits.clone(),
            record: Rc::default(),
            seen: None,
            items: 0,
            depth: 0,
            string: None,
            escaped: false,
        }
    }

    /// Goes on inside an object whose brace was read before.
    pub(crate) fn resume(&mut self) {
        self.depth = 1;
    }

    #[inline]
    fn step(&mut self, byte: u8) -> Result<(), ParseError> {
        self.gauge.step(byte);
        let at = self.gauge.at();
        let limit = self.limits.text as u64;
        if let Some(start) = self.string {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.string = None;
            }
            if at - start > limit {
                return Err(self.gauge.over("text", limit));
            }
        } else {
            match byte {
                b'"' => self.string = Some(at),
                b'[' | b'{' => {
                    self.depth += 1;
                    let depth = self.limits.depth.min(DEPTH);
                    if self.depth > depth {
                        return Err(self.gauge.over("depth", depth.into()));
                    }
                    self.items += 1;
                }
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                b',' => self.items += 1,
                _ => {}
            }
        }
        self.check_record(at, limit)
    }

    #[inline]
    fn check_record(&mut self, at: u64, limit: u64) -> Result<(), ParseError> {
        let record = self.record.get();
        if record != self.seen {
            self.seen = record;
            self.items = 0;
        }
        let Some(start) = record else {
            return Ok(());
        };
        if at - start > limit {
            return Err(self.gauge.over("record", limit));
        }
        if self.items > ITEMS {
            return Err(self.gauge.over("values of one record", ITEMS));
        }
        Ok(())
    }
}

/// Hands decoded bytes to serde_json under a [`Watch`].
pub(crate) struct Feed<'a> {
    inner: Decoded<'a>,
    watch: Watch,
    chunk: Vec<u8>,
    next: usize,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(inner: Decoded<'a>, watch: Watch) -> Self {
        Self { inner, watch, chunk: Vec::new(), next: 0 }
    }

    /// Shared with whoever walks the document; says where the record being read starts.
    pub(crate) fn record(&self) -> Rc<Cell<Option<u64>>> {
        Rc::clone(&self.watch.record)
    }
}

impl Read for Feed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.next == self.chunk.len() {
            let buffer = self.inner.fill_buf()?;
            if buffer.is_empty() {
                self.watch.gauge.end();
            }
            self.chunk.clear();
            self.chunk.extend_from_slice(buffer);
            let length = buffer.len();
            self.inner.consume(length);
            self.next = 0;
        }
        let mut length = 0;
        // serde_json asks for one byte at a time, which is what makes positions exact.
        for slot in out.iter_mut() {
            let Some(&byte) = self.chunk.get(self.next) else {
                break;
            };
            if let Err(error) = self.watch.step(byte) {
                return Err(self.watch.gauge.fail(error));
            }
            *slot = byte;
            self.next += 1;
            length += 1;
        }
        Ok(length)
    }
}

/// The real error behind one of serde_json's.
pub(crate) fn explain(error: &serde_json::Error, gauge: &Gauge, inside: &str) -> ParseError {
    if let Some(fault) = gauge.take_fault() {
        return fault;
    }
    match error.classify() {
        Category::Eof => ParseError::Truncated { position: gauge.position(), inside: inside.to_owned() },
        Category::Io if error.io_error_kind() == Some(io::ErrorKind::InvalidData) => gauge.bad_encoding(),
        Category::Io => ParseError::Io {
            position: gauge.position(),
            source: io::Error::new(error.io_error_kind().unwrap_or(io::ErrorKind::Other), reason(error)),
        },
        // A number that ends in its point is wrong for the parser, and cut off for us.
        Category::Syntax if gauge.ended() && reason(error).starts_with("invalid number") => {
            ParseError::Truncated { position: gauge.position(), inside: inside.to_owned() }
        }
        Category::Syntax | Category::Data => gauge.malformed(reason(error)),
    }
}

/// What serde_json says, without its own idea of the position.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Reads one line of at most the text limit into `line`, without its end; false at the end.
pub(crate) fn read_line(input: &mut Decoded<'_>, gauge: &Gauge, limits: &Limits, line: &mut Vec<u8>) -> Result<bool, ParseError> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = input.fill_buf().map_err(|error| gauge.failure(error))?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer);
        let taken = end.map_or(buffer.len(), |end| end + 1);
        line.extend_from_slice(&buffer[..end.unwrap_or(taken)]);
        gauge.pass(&buffer[..taken]);
        input.consume(taken);
        if line.len() > limits.text {
            return Err(gauge.over("line", limits.text as u64));
        }
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// Parses one record that is already in memory, within the same bounds as a stream.
pub(crate) fn record(bytes: &[u8], limits: &Limits) -> Result<Value, String> {
    if may_pass(bytes, limits) {
        let gauge = Rc::new(Gauge::default());
        let mut watch = Watch::new(&gauge, limits);
        watch.record.set(Some(0));
        for byte in bytes {
            if let Err(error) = watch.step(*byte) {
                return Err(error.to_string());
            }
        }
    }
    serde_json::from_slice(bytes).map_err(|error| reason(&error))
}

/// Whether a look at every byte is needed: hardly any record has enough brackets and commas, those
/// in its strings included, to pass a bound.
fn may_pass(bytes: &[u8], limits: &Limits) -> bool {
    let (mut opened, mut commas) = (0_u64, 0_u64);
    for chunk in bytes.chunks(255) {
        // Sums of at most 255 in one byte each are what the compiler turns into wide instructions.
        opened += u64::from(chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>());
        commas += u64::from(chunk.iter().map(|byte| u8::from(*byte == b',')).sum::<u8>());
    }
    bytes.len() > limits.text || opened > limits.depth.min(DEPTH).into() || opened + commas > ITEMS
}

/// Text at a path of members.
pub(crate) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str().filter(|text| !text.trim().is_empty())
}

/// Value at a path of members.
pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// Members of an array at a path; nothing when it is not one.
pub(crate) fn items<'v>(value: &'v Value, path: &[&str]) -> impl Iterator<Item = &'v Value> {
    at(value, path).and_then(Value::as_array).into_iter().flatten()
}

/// Texts at a path, whether it holds one or an array of them.
pub(crate) fn texts<'v>(value: &'v Value, path: &[&str]) -> Vec<&'v str> {
    match at(value, path) {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
