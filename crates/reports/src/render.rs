//! A snapshot as bytes: one frozen content, four forms.

mod csv;
mod html;
mod pdf;

use std::path::PathBuf;

use base::Language;
use typeset::TypesetError;
use typeset::child::Limits;

use crate::language::Catalogue;
use crate::printable::Medium;
use crate::snapshot::Frozen;
use crate::view::View;

/// A form a report comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(as = ReportFormat, rename_all = "snake_case")]
pub enum Format {
    /// One self-contained page without scripts.
    Html,
    /// Tagged PDF/A-2a and PDF/UA-1.
    Pdf,
    /// The frozen snapshot itself.
    Json,
    /// One line per finding.
    Csv,
}

impl Format {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Html, Self::Pdf, Self::Json, Self::Csv];

    /// File name extension and word in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// Media type with its parameters.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// Why a report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The file of words is broken.
    #[error("the words of the report cannot be read")]
    Language(#[from] toml::de::Error),
    /// The page template failed.
    #[error("the page cannot be filled in")]
    Page(#[from] askama::Error),
    /// The table could not be written.
    #[error("the table cannot be written")]
    Table(#[from] ::csv::Error),
    /// The view could not be handed to the typesetter.
    #[error("the content cannot be handed to the typesetter")]
    Content(#[from] serde_json::Error),
    /// No PDF came out.
    #[error(transparent)]
    Typeset(#[from] TypesetError),
}

/// How PDFs are set: by which program, within which limits.
#[derive(Debug, Clone)]
pub struct Typesetter {
    /// Program that serves `typeset` on its standard input, normally this binary itself.
    pub program: PathBuf,
    /// What one render may use.
    pub limits: Limits,
}

impl Typesetter {
    /// Renders `frozen` in `format` and `language`.
    pub async fn render(&self, frozen: &Frozen, format: Format, language: Language) -> Result<Vec<u8>, RenderError> {
        match format {
            Format::Json => Ok(frozen.json().to_vec()),
            Format::Csv => csv::table(frozen.snapshot()),
            Format::Html => page(frozen, language).map(String::into_bytes),
            Format::Pdf => {
                let document = document(frozen, language)?;
                Ok(typeset::child::render(&self.program, &document, self.limits).await?)
            }
        }
    }
}

/// The report as one self-contained HTML page.
pub fn page(frozen: &Frozen, language: Language) -> Result<String, RenderError> {
    let words = Catalogue::load(language)?;
    html::page(&View::new(frozen, &words, Medium::SCREEN)?)
}

/// The report as a document for the typesetter.
pub fn document(frozen: &Frozen, language: Language) -> Result<typeset::Document, RenderError> {
    let words = Catalogue::load(language)?;
    let view = View::new(frozen, &words, Medium::PRINT)?;
    pdf::document(view, frozen.snapshot().generated_at)
}
