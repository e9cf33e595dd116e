//! A ZIP of pages of the web API, as export scripts pack them: every JSON in it is read as a page of its own.

use std::io::{Read, Seek, SeekFrom};

use tempfile::SpooledTempFile;
use zip::ZipArchive;

use super::{EXPECTED, api};
use crate::errors::{ParseError, Position};
use crate::output::Output;

/// Archives beyond this are put on disk while they are read.
const IN_MEMORY: usize = 4 << 20;
/// Most files that are looked at.
const FILES: usize = 10_000;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let limit = out.limits().bytes;
    let failed = |source: std::io::Error| ParseError::Io { position: Position::default(), source };
    let mut file = SpooledTempFile::new(IN_MEMORY);
    let length = std::io::copy(&mut source.take(limit.saturating_add(1)), &mut file).map_err(failed)?;
    if length > limit {
        return Err(out.gauge().over("bytes", limit));
    }
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let broken = |error: &zip::result::ZipError| ParseError::Malformed {
        position: Position::default(),
        what: format!("the archive is not readable: {error}"),
    };
    let mut archive = ZipArchive::new(file).map_err(|error| broken(&error))?;
    let mut pages = 0;
    let mut left = limit;
    for index in 0..archive.len().min(FILES) {
        let entry = archive.by_index(index).map_err(|error| broken(&error))?;
        let name = entry.name().map_err(|error| broken(&error))?.into_owned();
        if !entry.is_file() || !name.to_ascii_lowercase().ends_with(".json") {
            continue;
        }
        // What an entry says of its size is not believed: what comes out of it is counted.
        let mut page = Counted { inner: entry.take(left), read: 0 };
        match api::read(&mut page, out) {
            Ok(()) => pages += 1,
            Err(ParseError::NotThisFormat { found, .. }) => out.warn(out.position(), format!("{name:?} in the archive is {found}"))?,
            Err(error) => return Err(error),
        }
        left = left.saturating_sub(page.read);
        if left == 0 {
            return Err(out.gauge().over("bytes", limit));
        }
    }
    match pages {
        0 => Err(ParseError::NotThisFormat { expected: EXPECTED, found: "a ZIP archive without pages of SonarQube".to_owned() }),
        _ => Ok(()),
    }
}

struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read += length as u64;
        Ok(length)
    }
}
