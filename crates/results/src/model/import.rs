//! Imports: one file or one stage of a scan, taken in whole or not at all.

use base::{Id, Result, Time, words};
use importers::{CoverageStatus, Extent, Format, Location, Severity};
use scans::{BySeverity, ScanId};
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::ToSchema;

use super::finding::FindingId;
use super::mapping::MappingUse;
use super::schema::{CoverageStatusSchema, ExtentSchema, LocationSchema, SeveritySchema};
use super::voice::Voice;
use crate::errors;

const LONGEST_SERVICE: usize = 200;
const MOST_TAGS: usize = 50;
const LONGEST_TAG: usize = 100;

/// An import's id.
pub type ImportId = Id<Import>;

/// A file to be taken in.
#[derive(Debug)]
pub struct ImportRequest {
    /// Its format; guessed when absent.
    pub format: Option<Format>,
    /// Its name, for guessing and for the record.
    pub filename: Option<String>,
    /// The target its findings belong to.
    pub target_id: Option<TargetId>,
    /// The same key gives the same import; the file's digest when absent.
    pub idempotency_key: Option<String>,
    /// Tells what would change and changes nothing.
    pub dry_run: bool,
    /// How it is taken in.
    pub options: ImportOptions,
    /// The content, positioned at its beginning.
    pub file: std::fs::File,
}

words! {
    errors::word;
    /// What an import may conclude from what a file does not say.
    #[derive(Default)]
    Closing, "close_old" {
        /// Closes what the file proves to have looked for again.
        #[default]
        Covered = "covered",
        /// Closes nothing.
        Never = "never",
        /// Closes everything of the same tool, target and service that is not in the file: somebody declares that the run was complete.
        Complete = "complete",
    }
}

/// How a file is taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportOptions {
    /// What becomes of findings that are not in the file.
    pub close_old: Closing,
    /// Observations below this are left out.
    pub minimum_severity: Severity,
    /// Findings that were fixed stay fixed although the tool sees them again.
    pub do_not_reactivate: bool,
    /// The file tells of what was: what nobody knows is kept as fixed, what is known is left as it stands, nothing is closed.
    pub is_past: bool,
    /// Somebody has checked what the file says: nothing in it is in doubt.
    pub is_verified: bool,
    /// Labels added to every finding of the file.
    pub tags: Vec<String>,
    /// Findings of different services of a target are never compared; empty for none.
    pub service: String,
    /// The saved mapping by which the file is read, in place of a format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingUse>,
}

impl ImportOptions {
    /// Says no to what nobody means.
    ///
    /// # Errors
    /// `Invalid` naming the option.
    pub(crate) fn check(&self) -> Result<()> {
        if self.service.chars().count() > LONGEST_SERVICE || self.service.contains(char::is_control) {
            return Err(errors::filter("service", &format!("it must have at most {LONGEST_SERVICE} characters, all of them visible")));
        }
        let is_tag = |tag: &String| !tag.trim().is_empty() && tag.chars().count() <= LONGEST_TAG && !tag.contains(char::is_control);
        if self.tags.len() > MOST_TAGS || !self.tags.iter().all(is_tag) {
            return Err(errors::filter("tags", &format!("at most {MOST_TAGS} of 1 to {LONGEST_TAG} characters")));
        }
        Ok(())
    }
}

words! {
    errors::word;
    /// How far an import is.
    #[derive(Default)]
    ImportState, "state" {
        /// The file is kept; its turn comes.
        Queued = "queued",
        /// Taken in, whole.
        #[default]
        Done = "done",
        /// Not taken in, not in part either.
        Failed = "failed",
        /// Was taken in, and taken back.
        Undone = "undone",
    }
    /// What an import does to one finding.
    ChangeKind, "change" {
        /// Nobody knew it.
        Created = "created",
        /// Recognised at another place.
        Moved = "moved",
        /// Gone, and there again.
        Reopened = "reopened",
        /// Looked for again and gone.
        Closed = "closed",
        /// Known on the same asset, but not looked for.
        NotRetested = "not_retested",
    }
}

/// One difference an import makes, or would make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportDifference)]
pub struct Difference {
    /// What happens.
    pub change: ChangeKind,
    /// The finding, when it was known before.
    pub finding_id: Option<FindingId>,
    /// Its title.
    #[schema(max_length = 1000)]
    pub title: String,
    /// How grave.
    #[schema(value_type = SeveritySchema)]
    pub severity: Severity,
    /// Where, in words.
    #[schema(max_length = 8192)]
    pub place: String,
    /// From where it came, or who else it might be.
    #[schema(max_length = 8192)]
    pub note: Option<String>,
    /// Whose words the title is.
    #[serde(skip)]
    #[schema(ignore)]
    pub voice: Voice,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ImportSummary {
    /// What the tool said, counted.
    #[schema(minimum = 0, format = "int64")]
    pub observations: u64,
    /// Findings they belong to.
    #[schema(minimum = 0, format = "int64")]
    pub findings: u64,
    /// Those findings by severity.
    #[schema(value_type = BySeverity)]
    pub by_severity: BySeverity,
    /// Nobody knew them before.
    #[schema(minimum = 0, format = "int64")]
    pub created: u64,
    /// Known and still there.
    #[schema(minimum = 0, format = "int64")]
    pub unchanged: u64,
    /// Known, gone, and there again.
    #[schema(minimum = 0, format = "int64")]
    pub reopened: u64,
    /// Recognised at another place.
    #[schema(minimum = 0, format = "int64")]
    pub moved: u64,
    /// Looked for again and gone.
    #[schema(minimum = 0, format = "int64")]
    pub closed: u64,
    /// Known on the same asset, but this run did not look there again.
    #[schema(minimum = 0, format = "int64")]
    pub not_retested: u64,
    /// Created because several older findings could be meant; a person should look.
    #[schema(minimum = 0, format = "int64")]
    pub ambiguous: u64,
    /// Open findings among those seen.
    #[schema(minimum = 0, format = "int64")]
    pub open: u64,
    /// Observations left out because they are below the severity asked for.
    #[schema(minimum = 0, format = "int64")]
    pub below_minimum: u64,
    /// Assets described.
    #[schema(minimum = 0, format = "int64")]
    pub assets: u64,
    /// Statements about what was tested.
    #[schema(minimum = 0, format = "int64")]
    pub coverage: u64,
    /// Warnings in all, skipped records included.
    #[schema(minimum = 0, format = "int64")]
    pub warning_count: u64,
    /// The first warnings, in words.
    #[schema(max_items = 100)]
    pub warnings: Vec<String>,
}

/// An import that took place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Its id; of a dry run, nobody keeps it.
    pub id: ImportId,
    /// Format of the file, or the tool of the scan's stage.
    #[schema(max_length = 64)]
    pub format: String,
    /// The file's name.
    #[schema(max_length = 512)]
    pub filename: Option<String>,
    /// SHA-256 of the file.
    #[schema(max_length = 64)]
    pub sha256: Option<String>,
    /// The target.
    #[schema(value_type = Option<TargetId>)]
    pub target_id: Option<TargetId>,
    /// The scan whose stage it was.
    #[schema(value_type = Option<ScanId>)]
    pub scan_id: Option<ScanId>,
    /// The service of the target.
    #[schema(max_length = 200)]
    pub service: Option<String>,
    /// How far it is.
    pub state: ImportState,
    /// Why it failed.
    #[schema(max_length = 4096)]
    pub error: Option<String>,
    /// When.
    pub created_at: Time,
    /// When it was done, had failed or was undone.
    pub ended_at: Option<Time>,
    /// Who.
    #[schema(max_length = 256)]
    pub created_by: String,
    /// What it did.
    pub summary: ImportSummary,
    /// The first thousand differences; of a dry run only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub differences: Vec<Difference>,
    /// Whether nothing was stored.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether the same import had taken place before; nothing was done again.
    #[serde(default)]
    pub repeated: bool,
}

/// What was tested, and how that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoverageRow {
    /// The tool.
    #[schema(max_length = 256)]
    pub source: String,
    /// The check or the set of checks.
    #[schema(max_length = 1000)]
    pub check_set: String,
    /// Where.
    #[schema(value_type = LocationSchema)]
    pub location: Location,
    /// How much of that place.
    #[schema(value_type = ExtentSchema)]
    pub extent: Extent,
    /// How it ended.
    #[schema(value_type = CoverageStatusSchema)]
    pub status: CoverageStatus,
    /// Why, or what else is worth knowing.
    #[schema(max_length = 4096)]
    pub reason: Option<String>,
    /// The scan it belongs to.
    #[schema(value_type = Option<ScanId>)]
    pub scan_id: Option<ScanId>,
    /// When.
    pub at: Time,
}
