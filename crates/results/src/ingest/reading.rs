//! How a file is read: by a format everybody knows, or by a mapping somebody saved.

use std::fs::File;
use std::io::{Read, Seek};

use base::Result;
use importers::{Format, Limits, Mapping, Options};

use super::batch::{Batch, Gather};
use super::preview::gather;
use crate::errors;
use crate::model::ImportOptions;

/// What stands before the name of a mapping where a format is named.
pub(crate) const MAPPED: &str = "mapping:";
/// Bytes looked at for guessing.
const HEAD: u64 = 64 << 10;

/// A way to read a file.
#[derive(Debug)]
pub(crate) enum Reading {
    Format(Format),
    Mapped(Box<Mapping>),
}

impl Reading {
    /// As imports keep it.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Format(format) => format.id().to_owned(),
            Self::Mapped(mapping) => format!("{MAPPED}{}", mapping.name()),
        }
    }

    /// Reads the whole file; half a file is no file.
    pub(crate) fn gather(&self, mut file: File, filename: Option<&str>, import: &ImportOptions) -> Result<Batch> {
        match self {
            Self::Format(format) => gather(file, filename, *format, &Options::default(), import).map(|(batch, _)| batch),
            Self::Mapped(mapping) => {
                let mut gather = Gather::new(import)?;
                if let Err(cause) = mapping.parse(&mut file, &Limits::default(), &mut gather) {
                    // A full disk stops the sink; that is the error to tell.
                    gather.finish()?;
                    return Err(errors::unmapped(filename, mapping.name(), &cause));
                }
                gather.finish()
            }
        }
    }
}

/// The beginning of a file, and whether that is all of it; the file stands at its beginning again.
pub(crate) fn head(file: &mut File) -> Result<(Vec<u8>, bool)> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD + 1).read_to_end(&mut head).map_err(errors::spool)?;
    file.rewind().map_err(errors::spool)?;
    let is_whole = head.len() as u64 <= HEAD;
    head.truncate(HEAD as usize);
    Ok((head, is_whole))
}
