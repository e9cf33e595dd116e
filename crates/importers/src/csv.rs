//! Streaming tables: rows of cells under a header that may come after other rows. One record is in
//! memory, bounded; a row that is not UTF-8 is read with marks for what is not and a warning.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};

use crate::errors::{ParseError, Position};
use crate::input::{self, Decoded, Gauge};
use crate::output::Output;

/// Rows before the header of a report.
const PREAMBLE: usize = 64;
/// Cells of one record; bounds what empty cells cost in memory.
const CELLS: u64 = 1_000_000;
/// Follows the last byte: it becomes a row of its own unless a quoted cell is open there.
const END: &[u8] = b"\n\x01\n";
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Hands decoded bytes to the parser and stops a record that grows past its bounds.
struct Feed<'a> {
    inner: Decoded<'a>,
    gauge: Rc<Gauge>,
    start: Rc<Cell<u64>>,
    seen: u64,
    cells: u64,
    separator: u8,
    limit: u64,
    end: &'static [u8],
}

impl Read for Feed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let start = self.start.get();
        if start != self.seen {
            self.seen = start;
            self.cells = 0;
        }
        let size = self.gauge.at().saturating_sub(start);
        if size > self.limit {
            return Err(self.gauge.fail(self.gauge.over("record", self.limit)));
        }
        if self.cells > CELLS {
            return Err(self.gauge.fail(self.gauge.over("cells of one record", CELLS)));
        }
        let buffer = self.inner.fill_buf()?;
        if buffer.is_empty() {
            return self.end.read(out);
        }
        // One byte more than the limit is enough to pass it; how long the buffer is must not matter.
        let left = usize::try_from(self.limit - size).unwrap_or(usize::MAX).saturating_add(1);
        let length = buffer.len().min(out.len()).min(left);
        out[..length].copy_from_slice(&buffer[..length]);
        self.cells += memchr::memchr_iter(self.separator, &buffer[..length]).count() as u64;
        self.gauge.pass(&buffer[..length]);
        self.inner.consume(length);
        Ok(length)
    }
}

/// The rows of a table; the current one is asked by the names of its columns, in lower case.
pub(crate) struct Table<'a> {
    reader: Reader<Feed<'a>>,
    gauge: Rc<Gauge>,
    start: Rc<Cell<u64>>,
    columns: HashMap<String, usize>,
    row: StringRecord,
    /// Whether every row is quoted once more as a whole.
    wrapped: bool,
    garbled: Option<Position>,
}

impl<'a> Table<'a> {
    pub(crate) fn open(source: &'a mut dyn Read, out: &Output<'_>) -> Result<Self, ParseError> {
        let gauge = out.gauge();
        let mut inner = input::open_if(source, out.limits(), &gauge, |_| false)?;
        let head = inner.fill_buf().map_err(|error| gauge.failure(error))?;
        let separator = separator(head);
        let start = Rc::new(Cell::new(0));
        let feed = Feed {
            inner,
            gauge: Rc::clone(&gauge),
            start: Rc::clone(&start),
            seen: 0,
            cells: 0,
            separator,
            limit: out.limits().text as u64,
            end: END,
        };
        let reader = ReaderBuilder::new().flexible(true).has_headers(false).delimiter(separator).from_reader(feed);
        Ok(Self { reader, gauge, start, columns: HashMap::new(), row: StringRecord::new(), wrapped: false, garbled: None })
    }

    /// Reads on to the header: the first row that `fits`, whose names are trimmed and in lower case.
    pub(crate) fn header(&mut self, fits: impl Fn(&[String]) -> bool, expected: &'static str) -> Result<(), ParseError> {
        let mut found = None;
        for _ in 0..PREAMBLE {
            let Some(_) = self.advance()? else {
                break;
            };
            if self.row.len() == 1 && self.row[0].contains(",\"") {
                self.row = unwrapped(&self.row[0]);
                self.wrapped = true;
            }
            let names: Vec<String> = self.row.iter().map(|name| name.trim().to_lowercase()).collect();
            if fits(&names) {
                for (index, name) in names.into_iter().enumerate() {
                    self.columns.entry(name).or_insert(index);
                }
                return Ok(());
            }
            self.wrapped = false;
            found.get_or_insert(names);
        }
        let found = match found {
            Some(names) => format!("a row of {:?}", crate::vocabulary::shorten(&names.join(", "), 80)),
            None => "an empty file".to_owned(),
        };
        Err(ParseError::NotThisFormat { expected, found })
    }

    /// Moves to the next row with anything in it; where it starts, or nothing after the last.
    pub(crate) fn next(&mut self, out: &mut Output<'_>) -> Result<Option<Position>, ParseError> {
        loop {
            let Some(position) = self.advance()? else {
                return Ok(None);
            };
            if self.wrapped && self.row.len() == 1 {
                self.row = unwrapped(&self.row[0]);
            }
            if self.row.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            self.gauge.next_record();
            let position = Position { record: self.gauge.position().record, ..position };
            if self.garbled.take().is_some() {
                out.warn(position, "row is not UTF-8")?;
            }
            return Ok(Some(position));
        }
    }

    /// A cell of the current row that is there and not empty, trimmed.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let index = *self.columns.get(column)?;
        self.row.get(index).map(str::trim).filter(|cell| !cell.is_empty())
    }

    /// The first of several columns that has something in it.
    pub(crate) fn any(&self, columns: &[&str]) -> Option<&str> {
        columns.iter().find_map(|column| self.get(column))
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// A cell by its place, for tables without a header.
    pub(crate) fn cell(&self, index: usize) -> Option<&str> {
        self.row.get(index).map(str::trim).filter(|cell| !cell.is_empty())
    }

    /// How many cells the current row has.
    pub(crate) fn width(&self) -> usize {
        self.row.len()
    }

    fn advance(&mut self) -> Result<Option<Position>, ParseError> {
        let mut bytes: ByteRecord = std::mem::take(&mut self.row).into_byte_record();
        self.start.set(self.reader.position().byte());
        let more = match self.reader.read_byte_record(&mut bytes) {
            Ok(more) => more,
            Err(error) => {
                let error = match error.into_kind() {
                    csv::ErrorKind::Io(error) => error,
                    kind => io::Error::other(format!("{kind:?}")),
                };
                return Err(self.gauge.failure(error));
            }
        };
        let last = bytes.get(bytes.len().saturating_sub(1)).unwrap_or_default();
        if !more || (bytes.len() == 1 && last == b"\x01") {
            return Ok(None);
        }
        if last.ends_with(END) {
            return Err(ParseError::Truncated { position: self.gauge.position(), inside: "a quoted cell".to_owned() });
        }
        let position = bytes.position().map_or_else(Position::default, |position| Position {
            byte: position.byte(),
            line: Some(position.line()),
            record: None,
        });
        self.row = match StringRecord::from_byte_record(bytes) {
            Ok(row) => row,
            Err(error) => {
                self.garbled = Some(position);
                StringRecord::from_byte_record_lossy(error.into_byte_record())
            }
        };
        Ok(Some(position))
    }
}

/// The separator that makes the most cells of one line.
fn separator(head: &[u8]) -> u8 {
    let mut best = (0, b',');
    let mut quoted = false;
    let mut counts = [0_usize; SEPARATORS.len()];
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' => counts = [0; SEPARATORS.len()],
            _ if quoted => {}
            byte => {
                if let Some(which) = SEPARATORS.iter().position(|separator| separator == byte) {
                    counts[which] += 1;
                    if counts[which] > best.0 {
                        best = (counts[which], *byte);
                    }
                }
            }
        }
    }
    best.1
}

/// The row inside a cell, where a report quotes its rows as a whole.
fn unwrapped(cell: &str) -> StringRecord {
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(cell.as_bytes());
    let mut row = StringRecord::new();
    match reader.read_record(&mut row) {
        Ok(true) => row,
        Ok(false) | Err(_) => StringRecord::from(vec![cell]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Options;
    use crate::model::Record;

    fn rows(bytes: &[u8]) -> (Vec<String>, Option<ParseError>) {
        let (options, mut sink) = (Options::default(), Vec::<Record>::new());
        let mut out = Output::new(&mut sink, &options);
        let mut source = bytes;
        let mut table = Table::open(&mut source, &out).expect("open");
        table.header(|names| names.contains(&"a".to_owned()), "a table").expect("header");
        let mut found = Vec::new();
        loop {
            match table.next(&mut out) {
                Ok(Some(position)) => found.push(format!("{}:{}", position.line.unwrap_or(0), table.get("b").unwrap_or("-"))),
                Ok(None) => return (found, None),
                Err(error) => return (found, Some(error)),
            }
        }
    }

    #[test]
    fn a_header_after_other_rows_and_any_separator_are_found() {
        assert_eq!(rows(b"Report,1\nx\n\nA;B;C\n1;2\n\n;\n3;\"4;\n5\"").0, ["5:2", "8:4;\n5"]);
        assert_eq!(rows(b"\"a,\"\"B\"\"\"\n\"1,\"\"2, or \"\"\"\"two\"\"\"\"\"\"\"\n").0, ["2:2, or \"two\""]);
    }

    #[test]
    fn a_quoted_cell_that_never_ends_is_a_truncation() {
        let (found, error) = rows(b"a,b\n1,2\n3,\"4\n5,6\n");
        assert_eq!(found, ["2:2"]);
        assert_eq!(error.expect("truncated").to_string(), "truncated input: ends at byte 17, line 5, record 1 inside a quoted cell");
        assert!(rows(b"a,b\n1,\"\"").1.is_none());
        assert!(rows(b"a,b\n1,5\" disk").1.is_none());
    }
}
