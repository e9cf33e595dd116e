//! Scans and how they go on.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Result, SimpleObject};
use scans::{Progress, Scan, StageRun, Summary};

use super::{Moment, PageEnd, TargetNode, id};
use crate::errors;
use crate::query::asking;

/// How thorough a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ScanProfile", remote = "scans::Profile")]
pub(crate) enum ProfileWord {
    /// The commonest ports, TLS and web checks.
    Quick,
    /// A thousand ports, services, TLS, web, exposures.
    Standard,
    /// Every port, and service detection on top.
    Deep,
}

/// Where a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ScanState", remote = "scans::ScanState")]
pub(crate) enum StateWord {
    /// Waiting for a worker.
    Queued,
    /// At work.
    Running,
    /// Its findings are being taken in.
    Importing,
    /// Over, everything taken in.
    Completed,
    /// Over before its end.
    Failed,
    /// Stopped by somebody.
    Cancelled,
}

/// Where a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "StageState", remote = "scans::StageState")]
pub(crate) enum StageWord {
    /// Not begun.
    Pending,
    /// At work.
    Running,
    /// Ran to its end.
    Done,
    /// Left out.
    Skipped,
    /// Went wrong.
    Failed,
    /// Ran out of time.
    TimedOut,
    /// Stopped with the scan.
    Stopped,
}

/// Which scans.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "ScanFilter")]
pub(crate) struct ScanFilter {
    /// Of this target.
    target: Option<ID>,
    /// In this state.
    state: Option<StateWord>,
}

impl ScanFilter {
    /// The filter; none when it names something that cannot exist.
    pub(crate) fn build(self) -> Option<scans::Filter> {
        let target_id = match self.target {
            Some(given) => Some(id(&given)?),
            None => None,
        };
        Some(scans::Filter { target_id, state: self.state.map(Into::into) })
    }
}

/// One stage of a scan.
#[derive(SimpleObject)]
#[graphql(name = "Stage")]
pub(crate) struct StageNode {
    /// What it does.
    name: String,
    /// The tool that does it.
    tool: String,
    /// Its version.
    tool_version: Option<String>,
    /// Where it stands.
    state: StageWord,
    /// When it began.
    started_at: Option<Moment>,
    /// When it ended.
    finished_at: Option<Moment>,
    /// Why it was left out or ended early.
    reason: Option<String>,
}

impl From<StageRun> for StageNode {
    fn from(stage: StageRun) -> Self {
        Self {
            name: stage.name,
            tool: stage.tool,
            tool_version: stage.tool_version,
            state: stage.state.into(),
            started_at: stage.started_at.map(Moment),
            finished_at: stage.finished_at.map(Moment),
            reason: stage.reason,
        }
    }
}

/// How often each severity occurs.
#[derive(SimpleObject)]
#[graphql(name = "ScanSeverityCounts")]
pub(crate) struct CountsNode {
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    info: u64,
}

/// What came out of a scan.
#[derive(SimpleObject)]
#[graphql(name = "ScanSummary")]
pub(crate) struct SummaryNode {
    /// Findings seen, by severity.
    by_severity: CountsNode,
    /// Observations taken in.
    observations: u64,
    /// Findings nobody knew before.
    findings_new: u64,
    /// Findings that are open.
    findings_open: u64,
}

impl From<Summary> for SummaryNode {
    fn from(summary: Summary) -> Self {
        let scans::BySeverity { critical, high, medium, low, info } = summary.by_severity;
        Self {
            by_severity: CountsNode { critical, high, medium, low, info },
            observations: summary.observations,
            findings_new: summary.findings_new,
            findings_open: summary.findings_open,
        }
    }
}

/// A test of one target.
#[derive(SimpleObject)]
#[graphql(name = "Scan", complex)]
pub(crate) struct ScanNode {
    /// Its id.
    id: ID,
    /// The target's name when the scan was started.
    target_name: String,
    /// How thorough it is.
    scan_type: ProfileWord,
    /// Where it stands.
    state: StateWord,
    /// How far it is, 0 to 1.
    progress: f32,
    /// The stage at work.
    stage: Option<String>,
    /// All stages in order.
    stages: Vec<StageNode>,
    /// When it was asked for.
    created_at: Moment,
    /// When a worker began.
    started_at: Option<Moment>,
    /// When it was over.
    finished_at: Option<Moment>,
    /// Why it failed.
    error: Option<String>,
    /// What came out.
    summary: Option<SummaryNode>,
    #[graphql(skip)]
    target_id: targets::TargetId,
}

impl From<Scan> for ScanNode {
    fn from(scan: Scan) -> Self {
        Self {
            id: scan.id.to_string().into(),
            target_name: scan.target_name,
            scan_type: scan.profile.into(),
            state: scan.state.into(),
            progress: scan.progress,
            stage: scan.stage,
            stages: scan.stages.into_iter().map(Into::into).collect(),
            created_at: Moment(scan.created_at),
            started_at: scan.started_at.map(Moment),
            finished_at: scan.finished_at.map(Moment),
            error: scan.error,
            summary: scan.summary.map(Into::into),
            target_id: scan.target_id,
        }
    }
}

#[ComplexObject]
impl ScanNode {
    /// What is tested, unless it was deleted.
    async fn target(&self, context: &Context<'_>) -> Result<Option<TargetNode>> {
        let found = asking(context)?.targets.load_one(self.target_id).await.map_err(|error| errors::field(&error))?;
        Ok(found.map(Into::into))
    }
}

/// One page of scans.
#[derive(SimpleObject)]
pub(crate) struct ScanPage {
    /// The rows.
    nodes: Vec<ScanNode>,
    /// Where the page ends.
    page_info: PageEnd,
}

impl From<base::Page<Scan>> for ScanPage {
    fn from(found: base::Page<Scan>) -> Self {
        Self { nodes: found.items.into_iter().map(Into::into).collect(), page_info: PageEnd::of(found.next_cursor) }
    }
}

/// How far a scan is.
#[derive(SimpleObject)]
#[graphql(name = "ScanProgress")]
pub(crate) struct ProgressNode {
    /// The scan.
    scan_id: ID,
    /// Where it stands.
    state: StateWord,
    /// The stage at work.
    stage: Option<String>,
    /// How far it is, 0 to 1.
    fraction: f32,
    /// What it is doing.
    message: String,
    /// Open ports found so far.
    open_ports: u64,
    /// Weaknesses seen so far.
    issues: u64,
    /// When this was said.
    at: Moment,
    /// Rises with every word of the scan.
    sequence: i64,
}

impl From<Progress> for ProgressNode {
    fn from(word: Progress) -> Self {
        Self {
            scan_id: word.scan_id.to_string().into(),
            state: word.state.into(),
            stage: word.stage,
            fraction: word.fraction,
            message: word.message,
            open_ports: word.open_ports,
            issues: word.issues,
            at: Moment(word.at),
            sequence: word.sequence,
        }
    }
}
