//! Reads a file without a server or a database: what it holds, and how many findings that makes.

use std::fs::File;
use std::io::{Read, Seek};

use base::Result;
use importers::{Format, Options, Totals};
use scans::BySeverity;
use serde::{Deserialize, Serialize};

use super::batch::{Batch, Gather};
use crate::errors;
use crate::model::ImportOptions;

/// Bytes looked at for guessing the format.
const HEAD: u64 = 64 << 10;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Its format.
    pub format: Format,
    /// What the tool said, counted.
    pub observations: u64,
    /// Distinct problems as the tool's own reports count them.
    pub issues: u64,
    /// Findings that makes: observations of the same thing are one.
    pub findings: u64,
    /// Those problems by severity, as the tool rates them.
    pub by_severity: BySeverity,
    /// Assets described.
    pub assets: u64,
    /// Statements about what was tested.
    pub coverage: u64,
    /// Warnings in all.
    pub warning_count: u64,
    /// The first warnings, in words.
    pub warnings: Vec<String>,
}

/// Reads a file and stores nothing.
///
/// # Errors
/// `Invalid` when the format is not recognised or the file is not of it, naming the position.
pub fn preview(mut file: File, filename: Option<&str>, format: Option<Format>, options: &Options) -> Result<Preview> {
    let format = guess(&mut file, filename, format)?;
    let (batch, totals) = gather(file, filename, format, options, &ImportOptions::default())?;
    let counts = totals.by_severity;
    Ok(Preview {
        format,
        observations: batch.observations,
        issues: totals.issues,
        findings: batch.groups.len() as u64,
        by_severity: BySeverity { critical: counts.critical, high: counts.high, medium: counts.medium, low: counts.low, info: counts.info },
        assets: batch.assets,
        coverage: batch.coverage,
        warning_count: batch.warning_count,
        warnings: batch.warnings,
    })
}

/// The format asked for, or the best guess.
pub(crate) fn guess(file: &mut File, filename: Option<&str>, format: Option<Format>) -> Result<Format> {
    if let Some(format) = format {
        return Ok(format);
    }
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).map_err(errors::spool)?;
    file.rewind().map_err(errors::spool)?;
    let best = importers::sniff(&head, filename).into_iter().next();
    best.map(|(format, _)| format).ok_or_else(|| errors::unknown_format(filename))
}

/// Reads the whole file; half a file is no file.
pub(crate) fn gather(
    mut file: File,
    filename: Option<&str>,
    format: Format,
    options: &Options,
    import: &ImportOptions,
) -> Result<(Batch, Totals)> {
    let mut gather = Gather::new(import)?;
    let outcome = importers::read(format, &mut file, options, &mut gather);
    if let Some(cause) = outcome.failure {
        // A full disk stops the sink; that is the error to tell.
        gather.finish()?;
        return Err(errors::unreadable(filename, format, &cause));
    }
    Ok((gather.finish()?, outcome.totals))
}
