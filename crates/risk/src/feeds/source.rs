//! The bytes of a feed: unpacked when they are gzip, cut off at the limit, looked at before they are read.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::errors::Overrun;
use super::{FeedError, Kind};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How much of a file is looked at to tell what it is.
const HEAD: u64 = 4096;

/// A feed, ready to be read as text.
pub(super) struct Source<'f> {
    head: Vec<u8>,
    text: BufReader<Box<dyn Read + 'f>>,
}

impl<'f> Source<'f> {
    /// Opens a file of at most `limit` bytes after decompression.
    pub(super) fn open(mut file: impl Read + 'f, limit: u64) -> Result<Self, FeedError> {
        let mut magic = Vec::new();
        file.by_ref().take(2).read_to_end(&mut magic)?;
        let packed = magic == GZIP;
        let whole = Cursor::new(magic).chain(file);
        let text: Box<dyn Read + 'f> = if packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        let mut text = Bounded { inner: text, left: limit, limit };
        let mut head = Vec::new();
        text.by_ref().take(HEAD).read_to_end(&mut head)?;
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        let text: Box<dyn Read + 'f> = Box::new(Cursor::new(head.clone()).chain(text));
        Ok(Self { head, text: BufReader::with_capacity(64 << 10, text) })
    }

    /// What the first bytes say the file is.
    pub(super) fn kind(&self) -> Option<Kind> {
        if self.is_json() {
            // Any object may be a catalogue; its reader says what is missing.
            return Some(Kind::Kev);
        }
        let text = String::from_utf8_lossy(&self.head).to_ascii_lowercase();
        if text.starts_with("#model_version") {
            return Some(Kind::Epss);
        }
        let header = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        let has = |name: &str| header.split(',').any(|column| column.trim().trim_matches('"') == name);
        match (has("cve") && has("epss"), has("cveid")) {
            (true, _) => Some(Kind::Epss),
            (_, true) => Some(Kind::Kev),
            _ => None,
        }
    }

    /// Whether the text is a JSON object or array.
    pub(super) fn is_json(&self) -> bool {
        matches!(self.head.trim_ascii_start().first(), Some(b'{' | b'['))
    }

    /// Whether the text starts with these bytes.
    pub(super) fn starts_with(&self, bytes: &[u8]) -> bool {
        self.head.starts_with(bytes)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.text.read(out)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.text.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.text.consume(amount);
    }
}

/// Fails, rather than ends, when more than the limit was read: half a feed must not pass for a whole one.
struct Bounded<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.left = self
            .left
            .checked_sub(u64::try_from(count).unwrap_or(u64::MAX))
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, Overrun(self.limit)))?;
        Ok(count)
    }
}
