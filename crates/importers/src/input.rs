//! From raw bytes to UTF-8: counts, limits and decodes; nothing above it sees other encodings.
//! A UTF-8 source is checked byte by byte, so that a bad byte is named exactly.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::rc::Rc;
use std::str;

use quick_xml::encoding::DecodingReader;
use quick_xml::events::BytesDecl;

use crate::errors::{ParseError, Position};
use crate::limits::Limits;

/// Enough for a byte order mark and an XML declaration.
const HEAD: u64 = 1024;
/// Byte order mark of UTF-8.
const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Decoded input; every byte below it was counted.
pub(crate) enum Decoded<'a> {
    /// UTF-8, handed on as it is.
    Plain(Box<BufReader<Meter<'a>>>),
    /// Anything else.
    Foreign(Box<DecodingReader<BufReader<Meter<'a>>>>),
}

impl Read for Decoded<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(out),
            Self::Foreign(reader) => reader.read(out),
        }
    }
}

impl BufRead for Decoded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(reader) => reader.fill_buf(),
            Self::Foreign(reader) => reader.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Plain(reader) => reader.consume(amount),
            Self::Foreign(reader) => reader.consume(amount),
        }
    }
}

fn not_utf8(byte: u64) -> ParseError {
    ParseError::Encoding { encoding: "UTF-8".to_owned(), position: Position { byte, ..Position::default() } }
}

/// Where reading is, shared by all layers of one import.
#[derive(Default)]
pub(crate) struct Gauge {
    raw: Cell<u64>,
    at: Cell<u64>,
    newlines: Cell<u64>,
    record: Cell<u64>,
    ended: Cell<bool>,
    encoding: RefCell<String>,
    fault: RefCell<Option<ParseError>>,
}

impl Gauge {
    /// Remembers that there is no more input.
    pub(crate) fn end(&self) {
        self.ended.set(true);
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended.get()
    }

    pub(crate) fn raw(&self) -> u64 {
        self.raw.get()
    }

    pub(crate) fn at(&self) -> u64 {
        self.at.get()
    }

    pub(crate) fn position(&self) -> Position {
        let record = self.record.get();
        Position { byte: self.at.get(), line: Some(self.newlines.get() + 1), record: (record > 0).then_some(record) }
    }

    /// Moves past decoded bytes.
    pub(crate) fn pass(&self, bytes: &[u8]) {
        self.at.set(self.at.get() + bytes.len() as u64);
        let newlines = memchr::memchr_iter(b'\n', bytes).count();
        self.newlines.set(self.newlines.get() + newlines as u64);
    }

    /// Moves past one decoded byte.
    pub(crate) fn step(&self, byte: u8) {
        self.at.set(self.at.get() + 1);
        if byte == b'\n' {
            self.newlines.set(self.newlines.get() + 1);
        }
    }

    pub(crate) fn next_record(&self) {
        self.record.set(self.record.get() + 1);
    }

    pub(crate) fn over(&self, which: &'static str, limit: u64) -> ParseError {
        ParseError::LimitExceeded { which, limit, position: self.position() }
    }

    pub(crate) fn malformed(&self, what: impl Into<String>) -> ParseError {
        ParseError::Malformed { position: self.position(), what: what.into() }
    }

    /// Remembers the real error while a library carries an I/O error upwards.
    pub(crate) fn fail(&self, error: ParseError) -> io::Error {
        self.fault.borrow_mut().get_or_insert(error);
        io::Error::other("see the remembered error")
    }

    pub(crate) fn take_fault(&self) -> Option<ParseError> {
        self.fault.borrow_mut().take()
    }

    /// The error behind an I/O error.
    pub(crate) fn failure(&self, error: io::Error) -> ParseError {
        if let Some(fault) = self.take_fault() {
            return fault;
        }
        if error.kind() == io::ErrorKind::InvalidData {
            return self.bad_encoding();
        }
        ParseError::Io { position: self.position(), source: error }
    }

    pub(crate) fn bad_encoding(&self) -> ParseError {
        ParseError::Encoding { encoding: self.encoding.borrow().clone(), position: self.position() }
    }
}

/// Counts raw bytes, holds them to the limit and checks UTF-8 where that is demanded. Only whole
/// characters leave it, and what comes before a bad byte leaves it first, so that how the source
/// cuts its reads changes nothing. Its reader's buffer is longer than a character.
pub(crate) struct Meter<'a> {
    source: Chain<Cursor<Vec<u8>>, &'a mut dyn Read>,
    limit: u64,
    /// Length of the byte order mark left out.
    mark: u64,
    gauge: Rc<Gauge>,
    strict: bool,
    /// The first bytes of a character.
    carry: Vec<u8>,
    fault: Option<ParseError>,
    /// Set once the fault was told: nothing is read after it, whoever asks.
    ended: bool,
}

impl Meter<'_> {
    fn end(&mut self, fault: ParseError) -> io::Error {
        self.ended = true;
        self.gauge.fail(fault)
    }

    /// How many of the bytes may leave; what is wrong with the rest becomes the fault or the carry.
    fn judge(&mut self, bytes: &[u8], start: u64, last: bool) -> usize {
        let mut good = bytes.len();
        if start + good as u64 > self.limit {
            good = usize::try_from(self.limit.saturating_sub(start)).unwrap_or(good);
            self.fault = Some(self.gauge.over("bytes", self.limit));
        }
        if self.strict
            && let Err(error) = str::from_utf8(&bytes[..good])
        {
            let valid = error.valid_up_to();
            if error.error_len().is_some() || last {
                self.fault = Some(not_utf8(start - self.mark + valid as u64));
            } else if self.fault.is_none() {
                self.carry.extend_from_slice(&bytes[valid..good]);
            }
            good = valid;
        }
        good
    }
}

impl Read for Meter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = self.fault.take() {
            return Err(self.end(fault));
        }
        if self.ended {
            return Err(io::Error::other("read on after the end"));
        }
        let start = self.gauge.raw.get();
        loop {
            let carried = self.carry.len();
            let read = self.source.read(&mut buffer[carried..])?;
            buffer[..carried].copy_from_slice(&self.carry);
            self.carry.clear();
            let good = self.judge(&buffer[..carried + read], start, read == 0);
            if good > 0 {
                self.gauge.raw.set(start + good as u64);
                return Ok(good);
            }
            if let Some(fault) = self.fault.take() {
                return Err(self.end(fault));
            }
            if read == 0 {
                return Ok(0);
            }
        }
    }
}

/// Opens a source that must be text to its end: UTF-16 with a byte order mark, the encoding an XML
/// declaration names, or UTF-8.
pub(crate) fn open<'a>(source: &'a mut dyn Read, limits: &Limits, gauge: &Rc<Gauge>) -> Result<Decoded<'a>, ParseError> {
    open_if(source, limits, gauge, |_| true)
}

/// As [`open`], but what should be UTF-8 is checked only if its first bytes say so to `strict`.
pub(crate) fn open_if<'a>(
    source: &'a mut dyn Read,
    limits: &Limits,
    gauge: &Rc<Gauge>,
    strict: fn(&[u8]) -> bool,
) -> Result<Decoded<'a>, ParseError> {
    let mut head = Vec::new();
    Read::take(&mut *source, HEAD).read_to_end(&mut head).map_err(|error| gauge.failure(error))?;
    let wide = head.starts_with(&[0xFF, 0xFE])
        || head.starts_with(&[0xFE, 0xFF])
        || head.starts_with(&[b'<', 0, b'?', 0])
        || head.starts_with(&[0, b'<', 0, b'?']);
    let label = (!wide).then(|| declared(&head)).flatten();
    let encoder = match &label {
        Some(label) => {
            let decl = BytesDecl::new("1.0", Some(label), None);
            let Some(encoder) = decl.encoder() else {
                return Err(ParseError::Encoding { encoding: shown(label), position: Position::default() });
            };
            // A file that says UTF-16 in readable bytes is not UTF-16.
            (!encoder.name().starts_with("UTF-")).then_some(encoder)
        }
        None => None,
    };
    let name = match encoder {
        _ if wide => "UTF-16",
        Some(encoder) => encoder.name(),
        None => "UTF-8",
    };
    gauge.encoding.replace(name.to_owned());
    let plain = !wide && encoder.is_none();
    let mut head = Cursor::new(head);
    if plain && head.get_ref().starts_with(MARK) {
        head.set_position(MARK.len() as u64);
    }
    let mark = head.position();
    gauge.raw.set(mark);
    let strict = plain && strict(head.get_ref().strip_prefix(MARK).unwrap_or(head.get_ref()));
    let meter = Meter {
        source: head.chain(source),
        limit: limits.bytes.max(mark),
        mark,
        gauge: Rc::clone(gauge),
        strict,
        carry: Vec::new(),
        fault: None,
        ended: false,
    };
    let reader = BufReader::with_capacity(64 << 10, meter);
    if plain {
        return Ok(Decoded::Plain(Box::new(reader)));
    }
    let mut decoded = DecodingReader::new(reader);
    if let Some(encoder) = encoder {
        decoded.set_encoding(encoder);
    }
    Ok(Decoded::Foreign(Box::new(decoded)))
}

/// The `encoding` an XML declaration names, when the bytes before it are readable.
fn declared(head: &[u8]) -> Option<String> {
    let head = head.strip_prefix(MARK).unwrap_or(head);
    let body = head.strip_prefix(b"<?xml")?;
    let end = body.windows(2).position(|pair| pair == b"?>")?;
    let text = str::from_utf8(&body[..end]).ok()?;
    let (_, rest) = text.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

fn shown(label: &str) -> String {
    label.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// A source of which the beginning was looked at.
pub(crate) type Peeked<'a> = Chain<Cursor<Vec<u8>>, &'a mut dyn Read>;

/// The first character of a source that is not white space, whatever its encoding, and the source as it was.
pub(crate) fn opening<'a>(source: &'a mut dyn Read, gauge: &Gauge) -> Result<(Option<u8>, Peeked<'a>), ParseError> {
    let mut head = Vec::new();
    Read::take(&mut *source, HEAD).read_to_end(&mut head).map_err(|error| gauge.failure(error))?;
    let marks = [0, 0xEF, 0xBB, 0xBF, 0xFE, 0xFF];
    let first = head.iter().copied().find(|byte| !byte.is_ascii_whitespace() && !marks.contains(byte));
    Ok((first, Cursor::new(head).chain(source)))
}

/// Looks at the first byte that is not white space without consuming it.
pub(crate) fn first_byte(decoded: &mut Decoded<'_>, gauge: &Gauge) -> Result<Option<u8>, ParseError> {
    loop {
        let buffer = decoded.fill_buf().map_err(|error| gauge.failure(error))?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let blank = buffer.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(buffer.len());
        let first = buffer.get(blank).copied();
        gauge.pass(&buffer[..blank]);
        decoded.consume(blank);
        if first.is_some() {
            return Ok(first);
        }
    }
}
