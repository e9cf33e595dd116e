//! What this context tells the others.

use targets::TargetId;

use crate::model::{ArtifactId, Profile, ScanId, Summary};

backends::events! { scan_id;
    /// Somebody asked for a scan.
    ScanQueued = "scan.queued" {
        /// The scan.
        scan_id: ScanId,
        /// What it tests.
        target_id: TargetId,
        /// How thoroughly.
        scan_type: Profile,
    }
    /// A worker began a scan.
    ScanStarted = "scan.started" {
        /// The scan.
        scan_id: ScanId,
        /// What it tests.
        target_id: TargetId,
    }
    /// A stage is over and brought something back.
    StageFinished = "scan.stage_finished" {
        /// The scan.
        scan_id: ScanId,
        /// What it tests.
        target_id: TargetId,
        /// What the stage brought.
        artifact_id: ArtifactId,
        /// The tool of the stage.
        tool: String,
    }
    /// A scan is over and everything it brought is taken in.
    ScanCompleted = "scan.completed" {
        /// The scan.
        scan_id: ScanId,
        /// What it tested.
        target_id: TargetId,
        /// The target's name.
        target_name: String,
        /// What came out.
        summary: Summary,
    }
    /// A scan ended before its end.
    ScanFailed = "scan.failed" {
        /// The scan.
        scan_id: ScanId,
        /// What it tested.
        target_id: TargetId,
        /// Why.
        error: String,
    }
    /// Somebody stopped a scan.
    ScanCancelled = "scan.cancelled" {
        /// The scan.
        scan_id: ScanId,
        /// What it tested.
        target_id: TargetId,
    }
}
