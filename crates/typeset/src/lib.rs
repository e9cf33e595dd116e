//! Sets documents in PDF with Typst as a library: text and named files in, bytes out.
//!
//! Invariant: a document sees only what it carries. No file system, network, packages, system
//! fonts or clock; equal documents give equal bytes. Layout has no time-out of its own, so servers
//! call [`child::render`], which runs the same work in a process that can be killed.

pub mod child;
mod fonts;
mod world;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Timelike, Utc};
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

pub use fonts::covers;

/// What is to be set: a Typst source, the files it may read, and what the PDF says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Typst source, trusted: never build it from outside text, pass such text in `files`.
    pub main: String,
    /// Files the source may read, by the path it reads them with (`data.json`).
    pub files: BTreeMap<String, Vec<u8>>,
    /// Title for the metadata, seen by the source as `sys.inputs.title`.
    pub title: String,
    /// BCP 47 language tag, seen by the source as `sys.inputs.language`.
    pub language: String,
    /// Creation time, the only time the source can see.
    pub created: DateTime<Utc>,
}

/// Why no PDF came out.
#[derive(Debug, thiserror::Error)]
pub enum TypesetError {
    /// The source is wrong, or the result would break PDF/A-2a or PDF/UA-1.
    #[error("the document cannot be set: {0}")]
    Document(String),
    /// The creation time lies outside the years a PDF can name.
    #[error("the creation time {0} cannot be written in a PDF")]
    Created(DateTime<Utc>),
    /// More bytes than the protocol carries.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// The child process ran past its wall-clock limit and was killed.
    #[error("typesetting took longer than {0:?}")]
    TimedOut(std::time::Duration),
    /// The child process died without an answer, most often because of its memory or CPU limit.
    #[error("the typesetting process ended without an answer ({0})")]
    Died(String),
    /// The child process could not be started or talked to.
    #[error("the typesetting process cannot be used")]
    Process(#[source] std::io::Error),
}

/// Sets `document` as a tagged PDF that conforms to PDF/A-2a and PDF/UA-1, or fails.
pub fn pdf(document: &Document) -> Result<Vec<u8>, TypesetError> {
    let _memory = Evict;
    let created = moment(document.created)?;
    let world = world::Carried::new(document, created)?;
    let paged = typst::compile::<PagedDocument>(&world).output.map_err(|errors| TypesetError::Document(world.explain(&errors)))?;
    let standards =
        PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1]).map_err(|error| TypesetError::Document(error.message().to_string()))?;
    let options = PdfOptions {
        creator: Smart::Custom(Some("Tyrian".to_owned())),
        timestamp: Some(Timestamp::new_utc(created)),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&paged, &options).map_err(|errors: typst::ecow::EcoVec<SourceDiagnostic>| TypesetError::Document(world.explain(&errors)))
}

/// Empties the layout caches when a render ends, also by error: they are global and only grow.
struct Evict;

impl Drop for Evict {
    fn drop(&mut self) {
        comemo::evict(0);
    }
}

fn moment(created: DateTime<Utc>) -> Result<Datetime, TypesetError> {
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    Some(created.year())
        .filter(|year| (1..=9999).contains(year))
        .and_then(|year| {
            Datetime::from_ymd_hms(
                year,
                small(created.month()),
                small(created.day()),
                small(created.hour()),
                small(created.minute()),
                small(created.second()),
            )
        })
        .ok_or(TypesetError::Created(created))
}
