//! Records put aside until what they refer to is known: a few MiB in memory, then an unnamed temporary file.

use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use crate::errors::{ParseError, Position};

/// Records beyond this go to disk.
const IN_MEMORY: usize = 4 << 20;

/// JSON records and where each was found, in their order.
#[derive(Default)]
pub(crate) struct Spool {
    file: Option<SpooledTempFile>,
}

impl Spool {
    pub(crate) fn is_empty(&self) -> bool {
        self.file.is_none()
    }

    /// Puts one record aside.
    pub(crate) fn push(&mut self, position: Position, raw: &str) -> Result<(), ParseError> {
        let file = self.file.get_or_insert_with(|| SpooledTempFile::new(IN_MEMORY));
        file.write_all(&pack(position, raw)).map_err(|source| ParseError::Io { position, source })
    }

    /// Gives every record back, once.
    pub(crate) fn drain(
        &mut self,
        end: Position,
        mut take: impl FnMut(&[u8], Position) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let failed = |source: io::Error| ParseError::Io { position: end, source };
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            if file.read_until(0, &mut line).map_err(failed)? == 0 {
                return Ok(());
            }
            if let Some((position, raw)) = unpack(&line) {
                take(raw, position)?;
            }
        }
    }
}

/// `byte line record raw NUL`: a NUL cannot occur in JSON outside an escape.
fn pack(position: Position, raw: &str) -> Vec<u8> {
    let Position { byte, line, record } = position;
    let (line, record) = (line.unwrap_or(0), record.unwrap_or(0));
    let mut packed = format!("{byte} {line} {record} ").into_bytes();
    packed.extend_from_slice(raw.as_bytes());
    packed.push(0);
    packed
}

fn unpack(line: &[u8]) -> Option<(Position, &[u8])> {
    let mut parts = line.strip_suffix(&[0])?.splitn(4, |byte| *byte == b' ');
    let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse::<u64>().ok();
    let position = Position { byte: number()?, line: number(), record: number() };
    Some((position, parts.next()?))
}
