//! What this context tells the others.

use backends::Event;
use scans::ScanId;
use serde::Serialize;
use targets::TargetId;

use crate::model::{DecisionKind, FindingId, ImportId, ImportSummary, Status};

/// A file or a stage of a scan was taken in.
#[derive(Debug, Clone, Serialize)]
pub struct ResultsImported {
    /// The import.
    pub import_id: ImportId,
    /// The scan whose stage it was.
    pub scan_id: Option<ScanId>,
    /// The target.
    pub target_id: Option<TargetId>,
    /// What it did.
    pub summary: ImportSummary,
}

impl Event for ResultsImported {
    const NAME: &'static str = "results.imported";

    fn subject(&self) -> String {
        self.import_id.to_string()
    }
}

/// Somebody decided about a finding.
#[derive(Debug, Clone, Serialize)]
pub struct FindingDecided {
    /// The finding.
    pub finding_id: FindingId,
    /// What was decided.
    pub kind: DecisionKind,
    /// Where the finding stands now.
    pub status: Status,
}

impl Event for FindingDecided {
    const NAME: &'static str = "finding.decided";

    fn subject(&self) -> String {
        self.finding_id.to_string()
    }
}

/// An import was taken back.
#[derive(Debug, Clone, Serialize)]
pub struct ImportUndone {
    /// The import.
    pub import_id: ImportId,
    /// The target.
    pub target_id: Option<TargetId>,
}

impl Event for ImportUndone {
    const NAME: &'static str = "results.undone";

    fn subject(&self) -> String {
        self.import_id.to_string()
    }
}
