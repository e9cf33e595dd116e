//! Background work of this context: take in what stages bring, settle finished scans, end acceptances.

use std::time::Duration;

use audit::Change;
use backends::{Handlers, Job, Run, Schedule};
use base::Result;
use scans::{ArtifactId, ScanId};
use serde::{Deserialize, Serialize};

use crate::model::{FindingId, ImportId};
use crate::service::Results;

/// Takes in what a stage of a scan brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IngestArtifact {
    /// The scan.
    pub scan_id: ScanId,
    /// What the stage brought.
    pub artifact_id: ArtifactId,
}

impl Job for IngestArtifact {
    const NAME: &'static str = "results.ingest";
    const QUEUE: &'static str = "import_queue";
    const ON: &'static [&'static str] = &["scan.stage_finished"];
    const ATTEMPTS: u32 = 10;
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        Box::pin(results.ingest(&run.actor, self.scan_id, self.artifact_id, Some(run))).await.map(drop)
    }
}

/// Marks what a finished scan did not look at again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SettleScan {
    /// The scan.
    pub scan_id: ScanId,
}

impl Job for SettleScan {
    const NAME: &'static str = "results.settle";
    const QUEUE: &'static str = "import_queue";
    const ON: &'static [&'static str] = &["scan.completed"];
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        results.settle(&run.actor, self.scan_id).await.map(drop)
    }
}

/// Takes in a file that was accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunImport {
    /// The import.
    pub import_id: ImportId,
}

impl Job for RunImport {
    const NAME: &'static str = "results.import";
    const QUEUE: &'static str = "import_queue";
    const ATTEMPTS: u32 = 10;
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        Box::pin(results.run_import(&run.actor, self.import_id, Some(run))).await
    }
}

/// Ends acceptances whose time is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpireDecisions {}

impl Job for ExpireDecisions {
    const NAME: &'static str = "results.expire";
    const QUEUE: &'static str = "import_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(300)));
    type Service = Results;

    async fn run(self, results: &Results, _: &Run) -> Result<()> {
        results.expire().await.map(drop)
    }
}

/// Writes the figures of the day that is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordTrends {}

impl Job for RecordTrends {
    const NAME: &'static str = "results.record_trends";
    const QUEUE: &'static str = "import_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(3600)));
    type Service = Results;

    async fn run(self, results: &Results, _: &Run) -> Result<()> {
        results.record_trends().await.map(drop)
    }
}

/// Assesses what an import brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssessImport {
    /// The import.
    pub import_id: ImportId,
}

impl Job for AssessImport {
    const NAME: &'static str = "results.assess_import";
    const QUEUE: &'static str = "risk_queue";
    const ON: &'static [&'static str] = &["results.imported"];
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        results.assess(&run.actor, Some(self.import_id)).await.map(drop)
    }
}

/// Assesses findings that something else than an import changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssessFindings {
    /// The findings; at most a thousand.
    pub finding_ids: Vec<FindingId>,
}

impl AssessFindings {
    /// Findings of one job.
    const MOST: usize = 1000;

    /// As many jobs as these findings need, when the change is there.
    pub(crate) async fn enqueue(change: &mut Change, ids: &[FindingId]) -> Result<()> {
        for some in ids.chunks(Self::MOST) {
            change.enqueue(&Self { finding_ids: some.to_vec() }).await?;
        }
        Ok(())
    }
}

impl Job for AssessFindings {
    const NAME: &'static str = "results.assess_findings";
    const QUEUE: &'static str = "risk_queue";
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        results.assess_findings(&run.actor, &self.finding_ids).await.map(drop)
    }
}

/// Assesses every finding of an organisation: a feed or a policy changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssessAll {}

impl Job for AssessAll {
    const NAME: &'static str = "results.assess_all";
    const QUEUE: &'static str = "risk_queue";
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        results.assess(&run.actor, None).await.map(drop)
    }
}

/// Assesses every finding anew, because days went by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssessDaily {}

impl Job for AssessDaily {
    const NAME: &'static str = "results.assess_daily";
    const QUEUE: &'static str = "risk_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(24 * 3600)));
    type Service = Results;

    async fn run(self, results: &Results, _: &Run) -> Result<()> {
        results.assess_everyone().await.map(drop)
    }
}

/// Lets what was decided about rules while an import was taken in hold for what it brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RuleImport {
    /// The import.
    pub import_id: ImportId,
}

impl Job for RuleImport {
    const NAME: &'static str = "results.rule_import";
    const QUEUE: &'static str = "import_queue";
    const ON: &'static [&'static str] = &["results.imported"];
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        results.rule(&run.actor, self.import_id).await.map(drop)
    }
}

/// Links what an import brought with what other tools know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkImport {
    /// The import.
    pub import_id: ImportId,
}

impl Job for LinkImport {
    const NAME: &'static str = "results.link_import";
    const QUEUE: &'static str = "risk_queue";
    const ON: &'static [&'static str] = &["results.imported"];
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        Box::pin(results.link(&run.actor, self.import_id)).await.map(drop)
    }
}

/// Links findings of before again: some names turned out to mean the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RelinkNames {
    /// Names of vulnerabilities; at most fifty.
    pub names: Vec<String>,
}

impl Job for RelinkNames {
    const NAME: &'static str = "results.relink_names";
    const QUEUE: &'static str = "risk_queue";
    type Service = Results;

    async fn run(self, results: &Results, run: &Run) -> Result<()> {
        Box::pin(results.relink(&run.actor, &self.names)).await.map(drop)
    }
}

/// Learns from what people decided since it did so last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LearnFalsePositives {}

impl Job for LearnFalsePositives {
    const NAME: &'static str = "results.learn_false_positives";
    const QUEUE: &'static str = "risk_queue";
    const SCHEDULE: Option<Schedule> = Some(Schedule::every(Duration::from_secs(1800)));
    type Service = Results;

    async fn run(self, results: &Results, _: &Run) -> Result<()> {
        results.learn_false_positives().await.map(drop)
    }
}

/// The jobs of this context.
#[must_use]
pub fn jobs(results: &Results) -> Handlers {
    Handlers::new()
        .add::<IngestArtifact>(results.clone())
        .add::<RunImport>(results.clone())
        .add::<SettleScan>(results.clone())
        .add::<RuleImport>(results.clone())
        .add::<ExpireDecisions>(results.clone())
        .add::<RecordTrends>(results.clone())
        .add::<AssessImport>(results.clone())
        .add::<AssessFindings>(results.clone())
        .add::<AssessAll>(results.clone())
        .add::<AssessDaily>(results.clone())
        .add::<LinkImport>(results.clone())
        .add::<RelinkNames>(results.clone())
        .add::<LearnFalsePositives>(results.clone())
}
