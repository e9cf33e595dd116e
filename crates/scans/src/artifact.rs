//! Artifacts: what one stage brought back, as zstd-compressed JSON lines of `importers::Record`.

use std::io::{BufRead, BufReader, Write};

use base::{Error, Result, Time};
use importers::{CoverageStatus, Record, Sink, Stop};
use targets::TargetId;

use crate::errors;
use crate::model::{ArtifactId, BySeverity, ScanId};

/// Fast, and JSON lines still shrink to a tenth.
const LEVEL: i32 = 3;
/// Most records one stage may bring.
const MOST_RECORDS: u64 = 2_000_000;

/// What one stage of a scan brought back.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Its id.
    pub id: ArtifactId,
    /// The scan.
    pub scan_id: ScanId,
    /// What the scan tests.
    pub target_id: TargetId,
    /// The tool of the stage.
    pub tool: String,
    /// When the stage ended.
    pub created_at: Time,
    /// How many records there are.
    pub count: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Artifact {
    /// The records, read one at a time.
    ///
    /// # Errors
    /// `Unavailable` when the stored bytes cannot be read back.
    pub fn records(&self) -> Result<impl Iterator<Item = Result<Record>> + '_> {
        let lines = zstd::Decoder::new(self.bytes.as_slice()).map_err(unreadable)?;
        Ok(BufReader::new(lines).lines().map(|line| {
            let line = line.map_err(unreadable)?;
            serde_json::from_str(&line).map_err(|cause| errors::artifact_unreadable("a stored record cannot be read").because(cause))
        }))
    }
}

fn unreadable(cause: std::io::Error) -> Error {
    errors::artifact_unreadable("what the stage brought cannot be read back").because(cause)
}

/// An artifact in the making; a sink for importers.
pub(crate) struct Sheet {
    encoder: zstd::Encoder<'static, Vec<u8>>,
    pub(crate) records: u64,
    pub(crate) observed: BySeverity,
    failed: Option<std::io::Error>,
}

impl Sheet {
    pub(crate) fn new() -> Result<Self> {
        let encoder = zstd::Encoder::new(Vec::new(), LEVEL).map_err(unwritable)?;
        Ok(Self { encoder, records: 0, observed: BySeverity::default(), failed: None })
    }

    /// The compressed bytes, or none when nothing was recorded.
    pub(crate) fn finish(self) -> Result<Option<Vec<u8>>> {
        if let Some(cause) = self.failed {
            return Err(unwritable(cause));
        }
        if self.records == 0 {
            return Ok(None);
        }
        self.encoder.finish().map(Some).map_err(unwritable)
    }

    /// Records that something was, or was not, looked at.
    pub(crate) fn covered(
        &mut self,
        source: &str,
        check_set: &str,
        location: importers::Location,
        status: CoverageStatus,
        reason: Option<String>,
    ) {
        let (source, check_set) = (source.to_owned(), check_set.to_owned());
        let coverage = importers::Coverage { source, check_set, location, extent: importers::Extent::Whole, status, reason };
        // A full sheet is told by its count; one more line would not change that.
        let _ = self.record(Record::Coverage(coverage));
    }

    fn write(&mut self, record: &Record) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.encoder, record)?;
        self.encoder.write_all(b"\n")
    }
}

fn unwritable(cause: std::io::Error) -> Error {
    Error::internal("an artifact cannot be compressed").because(cause)
}

impl Sink for Sheet {
    fn record(&mut self, record: Record) -> Result<(), Stop> {
        if self.records >= MOST_RECORDS || self.failed.is_some() {
            return Err(Stop);
        }
        if let Err(cause) = self.write(&record) {
            self.failed = Some(cause);
            return Err(Stop);
        }
        self.records += 1;
        if let Record::Observation(observation) = &record {
            self.observed.add(observation.severity);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_reads_back_in_order() {
        let mut sheet = Sheet::new().unwrap();
        for number in 0..3 {
            let message = format!("line {number}");
            sheet.record(Record::Warning(importers::Warning { position: None, message })).unwrap();
        }
        let id = uuid::Uuid::nil();
        let artifact = Artifact {
            id: ArtifactId::from_uuid(id),
            scan_id: ScanId::from_uuid(id),
            target_id: TargetId::from_uuid(id),
            tool: "tyrian".into(),
            created_at: Time::default(),
            count: sheet.records,
            bytes: sheet.finish().unwrap().unwrap(),
        };
        let records: Vec<Record> = artifact.records().unwrap().collect::<Result<_>>().unwrap();
        assert_eq!(records.len(), 3);
        assert!(matches!(&records[2], Record::Warning(warning) if warning.message == "line 2"));
        let broken = Artifact { bytes: artifact.bytes[..artifact.bytes.len() / 2].to_vec(), ..artifact };
        assert!(broken.records().unwrap().any(|record| record.is_err()));
        assert!(Sheet::new().unwrap().finish().unwrap().is_none());
    }
}
