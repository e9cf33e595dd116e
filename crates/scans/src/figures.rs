//! The three figures operators watch: `scan_duration_seconds`, `vulnerabilities_total`, `active_scans`.

use crate::model::{Scan, Summary};

/// A scan at work in this process; counted until dropped.
pub(crate) struct Active;

impl Active {
    pub(crate) fn begin() -> Self {
        metrics::gauge!("active_scans").increment(1.0);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        metrics::gauge!("active_scans").decrement(1.0);
    }
}

/// A scan is over.
pub(crate) fn ended(scan: &Scan) {
    if let (Some(started), Some(finished)) = (scan.started_at, scan.finished_at) {
        metrics::histogram!("scan_duration_seconds", "profile" => scan.profile.as_str(), "state" => scan.state.as_str())
            .record(finished.since(started).as_secs_f64());
    }
}

/// Findings were taken in.
pub(crate) fn found(summary: &Summary) {
    for (severity, count) in summary.by_severity.named() {
        metrics::counter!("vulnerabilities_total", "severity" => severity).increment(count);
    }
}
