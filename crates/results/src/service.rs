//! The verbs of this context: take in, read, decide.

use std::collections::HashMap;

use audit::Change;
use backends::Backends;
use base::{Actor, Page, PageRequest, Result, Source};
use scans::{ArtifactId, ScanId, Scans};
use serde_json::json;
use targets::{TargetId, Targets};

use crate::doubt::Clues;
use crate::events::ResultsImported;
use crate::ingest::{self, Batch, Gather, Origin, Reporter};
use crate::model::{
    Beside, Counts, CoverageRow, Filter, Finding, FindingDetail, FindingId, HappeningKind, Import, ImportId, ImportOptions, ImportState,
    ImportSummary, Matching, Position, Sort, Status,
};
use crate::store::imports::{Before, Kept};
use crate::{actions, errors, store};

/// Rows of a detail.
const SEEN: u32 = 20;
const HAPPENINGS: u32 = 200;
const DECISIONS: u32 = 100;
/// Findings counted for the head of a list.
const MATCHING: u32 = 10_000;
/// Coverage rows of one scan that are shown.
const COVERAGE: u32 = 5000;

/// Findings and how they came about.
#[derive(Clone)]
pub struct Results {
    pub(crate) backends: Backends,
    pub(crate) scans: Scans,
    pub(crate) targets: Targets,
}

impl Results {
    /// The service over these backends and contexts.
    #[must_use]
    pub fn new(backends: &Backends, scans: &Scans, targets: &Targets) -> Self {
        Self { backends: backends.clone(), scans: scans.clone(), targets: targets.clone() }
    }

    /// Takes in what a stage of a scan brought, once; then tells the scan.
    ///
    /// # Errors
    /// `NotFound` when the artifact does not exist, else the database's.
    pub async fn ingest(&self, actor: &Actor, scan: ScanId, artifact: ArtifactId, run: Option<&backends::Run>) -> Result<ImportSummary> {
        let brought = self.scans.artifact(actor, artifact).await?;
        let (target, tool) = (brought.target_id, brought.tool.clone());
        let mut batch = tokio::task::spawn_blocking(move || spool(&brought))
            .await
            .map_err(|cause| base::Error::internal("spooling panicked").because(cause))??;
        let mut change = Change::begin(&self.backends, actor, actions::INGEST).await?;
        if let Some(run) = run {
            change.hold(run).await?;
        }
        change.lock(lock_of(actor, Some(target))).await?;
        let summary = match store::imports::of_artifact(&mut change, artifact).await? {
            Some(before) => {
                // Ends the transaction: telling the scan begins one of its own, and SQLite has but one writer.
                drop(change);
                before.summary
            }
            None => {
                let origin = Origin {
                    import: change.id(),
                    target: Some(target),
                    scan: Some(scan),
                    is_whole_run: false,
                    options: ImportOptions::default(),
                    is_snapshot: false,
                    four_eyes: false,
                    is_dry: false,
                };
                let summary = ingest::apply(&mut change, &mut batch, &origin, &Reporter::default()).await?.summary;
                let kept = Kept { artifact: Some(artifact), ..Kept::default() };
                let import = imported(&change, &origin, &tool, summary.clone());
                self.conclude(change, &import, &kept).await?;
                summary
            }
        };
        self.scans.ingested(actor, scan, artifact, scan_summary(&summary)).await?;
        Ok(summary)
    }

    /// Keeps the import, tells about it, and commits.
    pub(crate) async fn conclude(&self, mut change: Change, import: &Import, kept: &Kept) -> Result<()> {
        store::imports::insert(&mut change, import, kept).await?;
        self.announce(change, import).await
    }

    /// Tells about an import that is in the tables, and commits.
    pub(crate) async fn announce(&self, mut change: Change, import: &Import) -> Result<()> {
        let (summary, scan_id, target_id) = (import.summary.clone(), import.scan_id, import.target_id);
        change.publish(&ResultsImported { import_id: import.id, scan_id, target_id, summary }).await?;
        change.subject("import", import.id);
        change.detail(json!({
            "format": import.format, "filename": import.filename, "sha256": import.sha256, "target_id": import.target_id, "scan_id": import.scan_id,
            "observations": import.summary.observations, "created": import.summary.created, "closed": import.summary.closed,
        }));
        change.commit().await
    }

    /// Marks what a finished scan did not look at again. Doing it twice changes nothing.
    ///
    /// # Errors
    /// `NotFound` when the scan does not exist, else the database's.
    pub async fn settle(&self, actor: &Actor, scan: ScanId) -> Result<usize> {
        // The job acts for whoever started the scan; reading it needs no more than that.
        let system = Actor { tenant: actor.tenant, origin: actor.origin.clone(), ..Actor::system(actor.tenant, Source::Job) };
        let scan = self.scans.get(&system, scan).await?;
        let mut change = Change::begin(&self.backends, actor, actions::SETTLE).await?;
        change.lock(lock_of(actor, Some(scan.target_id))).await?;
        let marked = ingest::settle(&mut change, &scan).await?;
        if marked > 0 {
            change.subject("scan", scan.id);
            change.detail(json!({ "not_retested": marked }));
            change.commit().await?;
        }
        Ok(marked)
    }

    /// Findings, a page at a time.
    ///
    /// # Errors
    /// `Invalid` naming an unknown word or a foreign cursor; `Forbidden`.
    pub async fn findings(&self, actor: &Actor, filter: &Filter, sort: Sort, page: &PageRequest) -> Result<Page<Finding>> {
        let scope = actor.scope(actions::READ)?;
        let rows = page.rows()?;
        filter.check()?;
        let after: Option<Position> = page.after()?;
        if after.as_ref().is_some_and(|position| position.sort != sort) {
            return Err(errors::other_order());
        }
        let now = self.backends.clock.now();
        let findings = store::findings::list(&self.backends.db, &scope, now, filter, sort, after, rows).await?;
        Page::cut(findings, rows, |finding| store::findings::position(finding, sort))
    }

    /// What a list shows before and after a finding, by where the finding would stand in its order: it need not be in the list.
    ///
    /// # Errors
    /// `Invalid` naming an unknown word of the filter; `Forbidden`.
    pub async fn beside(&self, actor: &Actor, filter: &Filter, sort: Sort, finding: &Finding) -> Result<Beside> {
        let scope = actor.scope(actions::READ)?;
        filter.check()?;
        let (db, now) = (&self.backends.db, self.backends.clock.now());
        let neighbour =
            |is_before| store::findings::neighbour(db, &scope, now, filter, store::findings::position(finding, sort), is_before);
        Ok(Beside { before: neighbour(true).await?, after: neighbour(false).await? })
    }

    /// Those of some findings that the reader may see, to be named beside what is about them.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn named(&self, actor: &Actor, ids: &[FindingId]) -> Result<HashMap<FindingId, Finding>> {
        let scope = actor.scope(actions::READ)?;
        let found = store::findings::of(&self.backends.db, &scope, self.backends.clock.now(), ids).await?;
        Ok(found.into_iter().map(|finding| (finding.id, finding)).collect())
    }

    /// One finding with evidence, history and decisions.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn finding(&self, actor: &Actor, id: FindingId) -> Result<FindingDetail> {
        let scope = actor.scope(actions::READ)?;
        let db = &self.backends.db;
        let finding =
            store::findings::get(db, &scope, self.backends.clock.now(), id).await?.ok_or_else(|| errors::finding_not_found(id))?;
        let observations = store::findings::observations(db, &scope, id, SEEN).await?;
        let mut history = store::findings::history(db, &scope, id, HAPPENINGS).await?;
        // Being born is told by the finding itself; a row of its own for each would double what an import writes.
        if !history.iter().any(|turn| turn.kind == HappeningKind::New) {
            history.extend(store::findings::birth(db, &scope, &finding).await?);
        }
        let decisions = store::decisions::of_finding(db, &scope, id, DECISIONS).await?;
        let rows = store::imports::coverage_of_target(db, &scope, finding.target_id, &finding.source, COVERAGE).await?;
        let coverage = rows.into_iter().filter(|row| ingest::concerns(row, &finding)).take(HAPPENINGS as usize / 2).collect();
        let cluster = match &finding.cluster {
            Some(of) => store::clusters::members(db, &scope, self.backends.clock.now(), &of.id, 51).await?,
            None => Vec::new(),
        };
        let cluster = cluster.into_iter().filter(|other| other.id != id).take(50).collect();
        let risk = self.risk_of(actor, &scope, &finding).await?;
        let false_positive = self.estimates(&scope).await?.of(&Clues::from(&finding));
        Ok(FindingDetail { finding, observations, history, decisions, coverage, cluster, risk, false_positive })
    }

    /// Findings counted.
    ///
    /// # Errors
    /// As [`Results::findings`].
    pub async fn summary(&self, actor: &Actor, filter: &Filter) -> Result<Counts> {
        let scope = actor.scope(actions::READ)?;
        filter.check()?;
        store::counts::counts(&self.backends.db, &scope, self.backends.clock.now(), filter).await
    }

    /// How many findings a filter shows, for the head of a list: exact where figures are kept, else counted up to ten thousand.
    ///
    /// # Errors
    /// As [`Results::findings`].
    pub async fn matching(&self, actor: &Actor, filter: &Filter) -> Result<Matching> {
        if filter.is_by_kind() {
            return Ok(Matching { count: self.summary(actor, filter).await?.total, more: false });
        }
        let scope = actor.scope(actions::READ)?;
        filter.check()?;
        let found = store::counts::matching(&self.backends.db, &scope, self.backends.clock.now(), filter, MATCHING + 1).await?;
        Ok(Matching { count: found.min(u64::from(MATCHING)), more: found > u64::from(MATCHING) })
    }

    /// What a scan tested and what it left out, in the order it was told; at most five thousand rows.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn coverage(&self, actor: &Actor, scan: ScanId) -> Result<Vec<CoverageRow>> {
        let scope = actor.scope(actions::READ)?;
        store::imports::coverage_of_scan(&self.backends.db, &scope, scan, COVERAGE).await
    }

    /// Imports, newest first.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a foreign cursor.
    pub async fn imports(&self, actor: &Actor, page: &PageRequest) -> Result<Page<Import>> {
        let scope = actor.scope(actions::READ)?;
        let rows = page.rows()?;
        let imports = store::imports::list(&self.backends.db, &scope, page.after()?, rows).await?;
        Page::cut(imports, rows, |import| Before(import.id))
    }

    /// One import.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn import_of(&self, actor: &Actor, id: ImportId) -> Result<Import> {
        let scope = actor.scope(actions::READ)?;
        store::imports::get(&self.backends.db, &scope, id).await?.ok_or_else(errors::import_not_found)
    }

    /// Ends acceptances whose time is over, in every tenant; returns how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire(&self) -> Result<usize> {
        let mut ended = 0;
        for tenant in store::findings::tenants_with_ended(&self.backends.db, self.backends.clock.now()).await? {
            let system = Actor::system(tenant, Source::Job);
            let mut change = Change::begin(&self.backends, &system, actions::EXPIRE).await?;
            let ids = store::decisions::expire(&mut change).await?;
            if ids.is_empty() {
                continue;
            }
            let turns: Vec<_> = ids.iter().map(|id| (*id, HappeningKind::Expired, None)).collect();
            store::ingest::add_history(&mut change, None, None, &turns).await?;
            change.subject("findings", format!("{} acceptances", ids.len()));
            change.detail(json!({ "findings": ids }));
            change.commit().await?;
            ended += ids.len();
        }
        Ok(ended)
    }
}

fn spool(brought: &scans::Artifact) -> Result<Batch> {
    use importers::Sink;
    let mut gather = Gather::new(&ImportOptions::default())?;
    for record in brought.records()? {
        if gather.record(record?).is_err() {
            break;
        }
    }
    gather.finish()
}

/// The import as it is kept.
pub(crate) fn imported(change: &Change, origin: &Origin, format: &str, summary: ImportSummary) -> Import {
    Import {
        id: origin.import,
        format: format.to_owned(),
        filename: None,
        sha256: None,
        target_id: origin.target,
        scan_id: origin.scan,
        service: Some(origin.options.service.clone()).filter(|service| !service.is_empty()),
        state: ImportState::Done,
        error: None,
        created_at: change.now(),
        ended_at: Some(change.now()),
        created_by: change.actor().username.clone(),
        summary,
        differences: Vec::new(),
        dry_run: false,
        repeated: false,
    }
}

fn scan_summary(summary: &ImportSummary) -> scans::Summary {
    scans::Summary {
        by_severity: summary.by_severity,
        observations: summary.observations,
        findings_new: summary.created,
        findings_open: summary.open,
    }
}

/// One lock per tenant and target: two runs on the same target at once would each miss the other's findings.
pub(crate) fn lock_of(actor: &Actor, target: Option<TargetId>) -> i64 {
    let target = target.map(|target| target.uuid().as_u128()).unwrap_or_default();
    let mixed = actor.tenant.uuid().as_u128() ^ target.rotate_left(17) ^ 0x7265_7375_6c74_7300;
    (mixed as u64 ^ (mixed >> 64) as u64) as i64
}

impl Finding {
    /// Whether the weakness has to be counted as being there.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.status, Status::Open | Status::NotRetested)
    }
}
