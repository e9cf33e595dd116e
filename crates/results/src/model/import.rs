//! Imports: one file or one stage of a scan, taken in whole or not at all.

use base::{Id, Time};
use importers::{CoverageStatus, Format, Location};
use scans::{BySeverity, ScanId};
use serde::{Deserialize, Serialize};
use targets::TargetId;
use utoipa::ToSchema;

use super::schema::{CoverageStatusSchema, LocationSchema};

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
    /// The content, positioned at its beginning.
    pub file: std::fs::File,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// When.
    pub created_at: Time,
    /// Who.
    #[schema(max_length = 256)]
    pub created_by: String,
    /// What it did.
    pub summary: ImportSummary,
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
    /// How it ended.
    #[schema(value_type = CoverageStatusSchema)]
    pub status: CoverageStatus,
    /// Why, or what exactly.
    #[schema(max_length = 4096)]
    pub reason: Option<String>,
    /// The scan it belongs to.
    #[schema(value_type = Option<ScanId>)]
    pub scan_id: Option<ScanId>,
    /// When.
    pub at: Time,
}
