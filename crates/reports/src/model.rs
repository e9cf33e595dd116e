//! Reports as asked for and as kept, and the checks on what asks for one.

use std::fmt;
use std::str::FromStr;

use base::{Error, Id, Language, Result, Time, UserId};
use scans::ScanId;
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::ToSchema;

use crate::errors;
use crate::render::Format;
use crate::snapshot::{Marking, Severity, Status};

/// A report's id.
pub type ReportId = Id<Report>;

/// Most targets one report names; more are asked for by naming none.
const MOST_TARGETS: usize = 1_000;

/// What is needed to ask for a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// Name of the report.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// Only what this scan looked at and found.
    #[serde(default)]
    #[schema(value_type = Option<ScanId>)]
    pub scan_id: Option<ScanId>,
    /// Only these targets; all when empty.
    #[serde(default)]
    #[schema(value_type = Vec<TargetId>, max_items = 1000)]
    pub target_ids: Vec<TargetId>,
    /// Language of the report.
    #[serde(default)]
    pub language: Language,
    /// Who may see it (TLP 2.0).
    #[serde(default)]
    pub marking: Marking,
    /// Who it is for; the name of whoever asks when absent.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub prepared_for: Option<String>,
    /// Which findings it holds.
    #[serde(default)]
    pub filter: Selection,
}

impl NewReport {
    /// A report of everything, in English.
    #[must_use]
    pub fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// The same with its texts trimmed.
    ///
    /// # Errors
    /// `Invalid` naming the field.
    pub(crate) fn checked(mut self) -> Result<Self> {
        self.title = line("/title", &self.title)?;
        self.prepared_for = self.prepared_for.as_deref().map(|text| line("/prepared_for", text)).transpose()?;
        if self.target_ids.len() > MOST_TARGETS {
            return Err(errors::field("/target_ids", format!("a report names at most {MOST_TARGETS} targets; name none for all")));
        }
        self.target_ids.sort_unstable();
        self.target_ids.dedup();
        Ok(self)
    }
}

/// Which findings a report holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Only findings at least this grave.
    pub minimum_severity: Option<Severity>,
    /// Only findings that stand like this; all when empty.
    #[schema(max_items = 5)]
    pub statuses: Vec<Status>,
}

impl Selection {
    pub(crate) fn holds(&self, severity: Severity, status: Status) -> bool {
        self.minimum_severity.is_none_or(|least| severity >= least) && (self.statuses.is_empty() || self.statuses.contains(&status))
    }
}

/// Where a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// Waiting for a worker, or at work.
    Queued,
    /// Made; its files can be fetched.
    Ready,
    /// Could not be made, see `error`.
    Failed,
}

impl ReportState {
    /// The text form used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for ReportState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Queued, Self::Ready, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| errors::word("/state", text, "queued, ready, failed"))
    }
}

/// A report that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// Its name.
    #[schema(max_length = 200)]
    pub title: String,
    /// What was asked for.
    pub request: NewReport,
    /// Where it stands.
    pub state: ReportState,
    /// Why it could not be made.
    #[schema(max_length = 2000)]
    pub error: Option<String>,
    /// SHA-256 of its frozen content, the JSON form; the same value stands in the audit log.
    #[schema(min_length = 64, max_length = 64)]
    pub digest: Option<String>,
    /// Findings it holds.
    #[schema(minimum = 0, format = "int64")]
    pub findings: Option<i64>,
    /// Who asked for it.
    pub requested_by: Option<UserId>,
    /// When it was asked for.
    pub created_at: Time,
    /// When it was made or given up.
    pub finished_at: Option<Time>,
    #[serde(skip)]
    pub(crate) files: Files,
}

/// Where the parts of a report lie in the blob store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) snapshot: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) pdf: Option<String>,
}

/// A report in one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Media type with its parameters.
    pub content_type: &'static str,
    /// File name, plain ASCII.
    pub filename: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Report {
    /// A name that says what the file is, wherever it ends up.
    pub(crate) fn filename(&self, format: Format) -> String {
        let day = self.created_at.to_chrono().format("%Y-%m-%d");
        let id = self.id.to_string();
        let short = id.rsplit('-').next().unwrap_or(&id);
        format!("report-{day}-{short}.{}", format.as_str())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| errors::unknown_format(text))
    }
}

/// One line of text that is there and not too long.
fn line(pointer: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 || text.contains(char::is_control) {
        return Err(errors::field(pointer, "one line of 1 to 200 characters is needed"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_alone_asks_for_everything_in_english() {
        let new: NewReport = serde_json::from_str(r#"{"title":" All of it "}"#).unwrap();
        let new = new.checked().unwrap();
        assert_eq!(new.title, "All of it");
        assert_eq!((new.language, new.marking), (Language::English, Marking::Amber));
        assert!(new.filter.holds(Severity::Info, Status::Fixed));
        assert_eq!(NewReport::titled("a\nb").checked().unwrap_err().field(), Some("/title"));
        assert!(serde_json::from_str::<NewReport>(r#"{"title":"a","format":"pdf"}"#).is_err());
    }

    #[test]
    fn a_selection_keeps_what_it_names() {
        let selection = Selection { minimum_severity: Some(Severity::High), statuses: vec![Status::Open] };
        assert!(selection.holds(Severity::Critical, Status::Open));
        assert!(!selection.holds(Severity::Medium, Status::Open) && !selection.holds(Severity::High, Status::Fixed));
    }
}
