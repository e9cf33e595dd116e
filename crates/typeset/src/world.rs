//! The world a document is set in: exactly what the document carries.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use typst::diag::{FileError, FileResult, PackageError, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Value};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};

use crate::fonts::FONTS;
use crate::{Document, TypesetError};

/// A [`World`] without an outside.
pub(crate) struct Carried {
    library: LazyHash<Library>,
    main: Source,
    files: HashMap<FileId, Bytes>,
    created: Datetime,
}

impl Carried {
    pub(crate) fn new(document: &Document, created: Datetime) -> Result<Self, TypesetError> {
        let mut inputs = Dict::new();
        inputs.insert("title".into(), Value::Str(document.title.as_str().into()));
        inputs.insert("language".into(), Value::Str(document.language.as_str().into()));
        inputs.insert("created".into(), Value::Datetime(created));
        let mut files = HashMap::with_capacity(document.files.len());
        for (path, bytes) in &document.files {
            files.insert(identify(path)?, Bytes::new(bytes.clone()));
        }
        Ok(Self {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            main: Source::new(identify("main.typ")?, document.main.clone()),
            files,
            created,
        })
    }

    /// Says in one line per error what is wrong and where.
    pub(crate) fn explain(&self, errors: &[SourceDiagnostic]) -> String {
        let mut text = String::new();
        for error in errors.iter().take(10) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            let line = self.range(error.span).and_then(|range| self.main.lines().byte_to_line(range.start));
            if let Some(line) = line {
                let _ = write!(text, "line {}: ", line + 1);
            }
            text.push_str(&error.message);
            for hint in &error.hints {
                let _ = write!(text, " ({})", hint.v);
            }
        }
        text
    }
}

impl World for Carried {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(absent(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| absent(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.faces.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        Some(self.created)
    }
}

fn identify(path: &str) -> Result<FileId, TypesetError> {
    let path = VirtualPath::new(path).map_err(|_| TypesetError::Document(format!("the path {path:?} is not usable")))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

fn absent(id: FileId) -> FileError {
    match id.root() {
        VirtualRoot::Package(package) => FileError::Package(PackageError::NotFound(package.clone())),
        VirtualRoot::Project => FileError::NotFound(PathBuf::from(id.vpath().get_with_slash())),
    }
}
