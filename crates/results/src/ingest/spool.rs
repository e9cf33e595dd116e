//! The spool between the passes: one line per record, compressed, on disk once it is large.
//! What the passes only carry along (the body of an observation) is never parsed on the way.

use std::io::{BufRead, BufReader, Seek, Write};

use base::{Error, Result};
use importers::{Coverage, Observation};
use tempfile::SpooledTempFile;

use super::matching::Key;
use crate::errors;

/// Spools smaller than this stay in memory.
const IN_MEMORY: usize = 4 << 20;
const LEVEL: i32 = 1;

/// An observation on its way.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Which observation of the run.
    pub(crate) ordinal: u32,
    /// The group it belongs to.
    pub(crate) group: u32,
    /// Its names, strongest first.
    pub(crate) keys: Vec<Key>,
    /// When the tool saw it.
    pub(crate) observed_at: Option<String>,
    /// What was believed of it elsewhere, as JSON.
    pub(crate) belief: Option<String>,
    /// The observation as JSON, without names and time.
    pub(crate) body: String,
}

impl Line {
    /// Bytes of what it says.
    pub(crate) fn size(&self) -> usize {
        self.body.len() + self.belief.as_ref().map_or(0, String::len)
    }
}

impl Line {
    /// The observation, without its names.
    pub(crate) fn observation(&self) -> Result<Observation> {
        let read: serde_json::Result<Observation> = serde_json::from_str(&self.body);
        let observation = read.map_err(|cause| Error::internal("a spooled observation cannot be read").because(cause))?;
        Ok(Observation { observed_at: self.observed_at.clone(), ..observation })
    }
}

/// What is left of an observation that is less grave than what is taken in: whose it is.
#[derive(Debug)]
pub(crate) struct Below {
    /// Its tool, by index into the batch's.
    pub(crate) source: u16,
    /// Digest of its strongest name.
    pub(crate) digest: String,
}

/// What comes back out.
pub(crate) enum Entry {
    Observation(Line),
    Below(Below),
    Coverage(Box<Coverage>),
}

/// Takes lines.
pub(crate) struct Writer {
    out: zstd::Encoder<'static, SpooledTempFile>,
}

impl Writer {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { out: zstd::Encoder::new(SpooledTempFile::new(IN_MEMORY), LEVEL).map_err(errors::spool)? })
    }

    pub(crate) fn observation(&mut self, line: &Line) -> std::io::Result<()> {
        write!(self.out, "O\t{}\t{}\t", line.ordinal, line.group)?;
        // Names come from files: JSON leaves them no way out of their place in the line.
        serde_json::to_writer(&mut self.out, &(&line.keys, &line.observed_at))?;
        writeln!(self.out, "\t{}\t{}", line.belief.as_deref().unwrap_or_default(), line.body)
    }

    pub(crate) fn below(&mut self, below: &Below) -> std::io::Result<()> {
        writeln!(self.out, "B\t{}\t{}", below.source, below.digest)
    }

    pub(crate) fn coverage(&mut self, coverage: &Coverage) -> std::io::Result<()> {
        self.out.write_all(b"C\t")?;
        serde_json::to_writer(&mut self.out, coverage)?;
        self.out.write_all(b"\n")
    }

    pub(crate) fn finish(self) -> Result<Reader> {
        let mut file = self.out.finish().map_err(errors::spool)?;
        file.rewind().map_err(errors::spool)?;
        let lines = BufReader::new(zstd::Decoder::new(file).map_err(errors::spool)?);
        Ok(Reader { lines, line: String::new() })
    }
}

/// Gives the lines back in order.
pub(crate) struct Reader {
    lines: BufReader<zstd::Decoder<'static, BufReader<SpooledTempFile>>>,
    line: String,
}

impl Reader {
    /// From the beginning again.
    pub(crate) fn again(self) -> Result<Self> {
        let mut file = self.lines.into_inner().finish().into_inner();
        file.rewind().map_err(errors::spool)?;
        Ok(Self { lines: BufReader::new(zstd::Decoder::new(file).map_err(errors::spool)?), line: String::new() })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Entry>> {
        self.line.clear();
        if self.lines.read_line(&mut self.line).map_err(errors::spool)? == 0 {
            return Ok(None);
        }
        entry(self.line.trim_end_matches('\n')).map(Some).ok_or_else(|| Error::internal("a line of the spool cannot be read"))
    }
}

fn entry(line: &str) -> Option<Entry> {
    if let Some(coverage) = line.strip_prefix("C\t") {
        return Some(Entry::Coverage(Box::new(serde_json::from_str(coverage).ok()?)));
    }
    if let Some(below) = line.strip_prefix("B\t") {
        let (source, digest) = below.split_once('\t')?;
        return Some(Entry::Below(Below { source: source.parse().ok()?, digest: digest.to_owned() }));
    }
    let mut parts = line.strip_prefix("O\t")?.splitn(5, '\t');
    let (ordinal, group) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (keys, observed_at) = serde_json::from_str(parts.next()?).ok()?;
    let belief = Some(parts.next()?).filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Entry::Observation(Line { ordinal, group, keys, observed_at, belief, body: parts.next()?.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_place_whatever_it_is_made_of() {
        let keys: Vec<Key> = ["mapped:acme, inc", "mapped:x:1:00\nB\t9\t00", "mapped:\u{85}\"\\"]
            .map(|scheme| Key { scheme: scheme.to_owned(), version: 1, digest: "00".to_owned() })
            .to_vec();
        let observed_at = Some("\t2026-11-22T00:00:00Z\n".to_owned());
        let line = Line { ordinal: 1, group: 2, keys: keys.clone(), observed_at: observed_at.clone(), belief: None, body: "{}".to_owned() };
        let mut writer = Writer::new().unwrap();
        writer.observation(&line).unwrap();
        let mut reader = writer.finish().unwrap();
        let Ok(Some(Entry::Observation(read))) = reader.next() else { panic!("no observation") };
        assert_eq!((read.keys, read.observed_at, read.body.as_str()), (keys, observed_at, "{}"));
        assert!(matches!(reader.next(), Ok(None)));
    }
}
