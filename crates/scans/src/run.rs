//! One worker's run of one scan: from the fresh permit over the stages to the end.
//! Invariant: every write is tied to the job's lease, and a stage that ended is never begun again.

use std::sync::Arc;

use audit::Change;
use backends::Run;
use base::{Kind, Result, Scope};
use serde_json::json;
use targets::Permit;
use tokio::task::JoinSet;

use crate::events::{ScanCancelled, ScanFailed, ScanStarted, StageFinished};
use crate::figures::{self, Active};
use crate::model::{Scan, ScanId, ScanState, StageState};
use crate::profile::{StagePlan, Tool};
use crate::progress::{self, Reporter, Share};
use crate::service::{Scans, complete, end};
use crate::store::{self, NewArtifact};
use crate::tools::{Brought, Stage};
use crate::watch::{Halt, PermitGuard, Reason, Watch};
use crate::{actions, errors};

/// Runs the scan as far as it goes. What can be tried again is an error; how a scan ends is written, never returned.
pub(crate) async fn run(scans: &Scans, id: ScanId, run: &Run) -> Result<()> {
    let scope = run.actor.scope(actions::RUN)?;
    let Some(scan) = store::find(&scans.backends.db, &scope, id).await? else { return Ok(()) };
    if !matches!(scan.state, ScanState::Queued | ScanState::Running) {
        return Ok(());
    }
    let work = Work { scans, run, scope };
    match Box::pin(work.go(scan)).await {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == Kind::Conflict => Err(error),
        // The last try: nobody will come after us to write how it ended.
        Err(error) if run.is_last && !run.cancel.is_cancelled() => {
            tracing::error!(scan = %id, %error, cause = ?std::error::Error::source(&error), "scan failed");
            let words = if error.kind() == Kind::Internal {
                "something went wrong on our side; the log has it".to_owned()
            } else {
                error.detail().to_owned()
            };
            work.finish(id, Some(&Reason::Forbidden(words))).await
        }
        Err(error) => Err(error),
    }
}

/// Says how a scan ended whose job is gone.
pub(crate) async fn abandon(scans: &Scans, actor: &base::Actor, id: ScanId, why: &str) -> Result<()> {
    let mut change = Change::begin(&scans.backends, actor, actions::FINISH).await?;
    let Some(mut scan) = store::lock(&mut change, id).await? else { return Ok(()) };
    if scan.state.is_final() {
        return Ok(());
    }
    fail(&mut change, &mut scan, why).await?;
    change.subject("scan", id);
    change.detail(json!({ "state": scan.state, "error": scan.error }));
    change.commit().await?;
    figures::ended(&scan);
    progress::say_state(&scans.backends, &scan).await;
    Ok(())
}

async fn fail(change: &mut Change, scan: &mut Scan, why: &str) -> Result<()> {
    end(change, scan, ScanState::Failed, Some(why.to_owned())).await?;
    change.publish(&ScanFailed { scan_id: scan.id, target_id: scan.target_id, error: scan.error.clone().unwrap_or_default() }).await
}

struct Work<'a> {
    scans: &'a Scans,
    run: &'a Run,
    scope: Scope,
}

impl Work<'_> {
    async fn go(&self, scan: Scan) -> Result<()> {
        if store::cancel_requested(&self.scans.backends.db, &self.scope, scan.id).await? {
            return self.finish(scan.id, Some(&Reason::Cancelled)).await;
        }
        let permit = match self.scans.targets.permit(&self.run.actor, scan.target_id, scan.profile.plan().needs).await {
            Ok(permit) => permit,
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound | Kind::Invalid) => {
                return self.finish(scan.id, Some(&Reason::Forbidden(error.detail().to_owned()))).await;
            }
            Err(error) => return Err(error),
        };
        let scan = self.begin(scan, &permit).await?;
        let _active = Active::begin();
        let halt = Arc::new(Halt::default());
        let reporter = Arc::new(Reporter::new(&scan, self.run.attempt));
        // Beside the stages, in a task of its own: a busy stage must not delay a cancel order. Ends with this function.
        let mut watching = JoinSet::new();
        watching.spawn(
            Watch {
                backends: self.scans.backends.clone(),
                targets: self.scans.targets.clone(),
                scope: self.scope.clone(),
                scan: scan.id,
                permit: permit.clone(),
                run: self.run.clone(),
                halt: halt.clone(),
                reporter: reporter.clone(),
            }
            .keep(),
        );
        let ended = self.stages(&scan, &permit, &halt, &reporter).await;
        watching.shutdown().await;
        if let Some(word) = reporter.news(self.scans.backends.clock.now()) {
            progress::say(&self.scans.backends, &word).await;
        }
        ended?;
        match halt.reason() {
            Some(Reason::Interrupted) => Err(errors::interrupted()),
            reason => self.finish(scan.id, reason).await,
        }
    }

    /// Marks the scan as at work; a later try goes on where the one before stopped.
    async fn begin(&self, scan: Scan, permit: &Permit) -> Result<Scan> {
        let mut change = Change::begin(&self.scans.backends, &self.run.actor, actions::RUN).await?;
        change.hold(self.run).await?;
        let mut scan = store::lock(&mut change, scan.id).await?.ok_or_else(errors::not_found)?;
        if scan.started_at.is_none() {
            change.publish(&ScanStarted { scan_id: scan.id, target_id: scan.target_id }).await?;
        }
        scan.state = ScanState::Running;
        scan.started_at = scan.started_at.or(Some(change.now()));
        scan.authorization_id = permit.authorization;
        store::update(&mut change, &scan).await?;
        change.subject("scan", scan.id);
        change.detail(json!({ "attempt": self.run.attempt, "authorization": permit.authorization }));
        change.commit().await?;
        Ok(scan)
    }

    async fn stages(&self, scan: &Scan, permit: &Permit, halt: &Arc<Halt>, reporter: &Arc<Reporter>) -> Result<()> {
        let plans = scan.profile.plan().stages;
        let whole: f32 = plans.iter().map(|plan| plan.weight).sum();
        let guard = Arc::new(PermitGuard::new(permit, &self.scans.backends.clock, halt));
        let mut from = 0.0;
        for ((position, plan), known) in (0_i64..).zip(plans).zip(&scan.stages) {
            let share = Share { from: from / whole, width: plan.weight / whole };
            from += plan.weight;
            if !matches!(known.state, StageState::Pending | StageState::Running) {
                continue;
            }
            let Some(tool) = Tool::named(&known.tool) else { continue };
            self.start_stage(scan, position, plan, share).await?;
            reporter.stage(plan.name, share);
            let surface = store::surface(&self.scans.backends.db, &self.scope, scan.id).await?;
            let stage = Stage {
                backends: &self.scans.backends,
                config: &self.scans.config,
                scan,
                permit,
                guard: guard.clone(),
                halt,
                reporter,
                share,
                surface: &surface,
            };
            let brought = stage.run(tool).await?;
            // What an interrupted worker has is dropped: whoever goes on begins this stage anew.
            if halt.reason() == Some(&Reason::Interrupted) {
                return Ok(());
            }
            // Without our own probes nothing else has anything to look at.
            let is_fatal = tool == Tool::Native && brought.state == StageState::Failed;
            let reason = brought.reason.clone();
            self.finish_stage(scan, position, tool, share, brought).await?;
            if is_fatal {
                halt.set(Reason::Forbidden(reason.unwrap_or_default()));
            }
            if halt.reason().is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn start_stage(&self, scan: &Scan, position: i64, plan: &StagePlan, share: Share) -> Result<()> {
        let mut change = Change::begin(&self.scans.backends, &self.run.actor, actions::STAGE).await?;
        change.hold(self.run).await?;
        let mut scan = store::lock(&mut change, scan.id).await?.ok_or_else(errors::not_found)?;
        scan.stage = Some(plan.name.to_owned());
        scan.progress = scan.progress.max(share.from);
        store::update(&mut change, &scan).await?;
        store::start_stage(&mut change, scan.id, position).await?;
        change.subject("scan", scan.id);
        change.detail(json!({ "stage": plan.name, "tool": plan.tool.as_str(), "state": StageState::Running }));
        change.commit().await
    }

    /// Bytes first, then the row: a stage that is recorded as over has brought what it says.
    async fn finish_stage(&self, scan: &Scan, position: i64, tool: Tool, share: Share, mut brought: Brought) -> Result<()> {
        let records = brought.sheet.records;
        let sheet = std::mem::replace(&mut brought.sheet, crate::artifact::Sheet::new()?);
        let records_key = match sheet.finish()? {
            Some(bytes) => Some(self.scans.backends.blobs.store(bytes).await?),
            None => None,
        };
        let raw_key = match brought.raw.take() {
            Some(bytes) => Some(self.scans.backends.blobs.store(bytes).await?),
            None => None,
        };
        let mut change = Change::begin(&self.scans.backends, &self.run.actor, actions::STAGE).await?;
        change.hold(self.run).await?;
        let mut row = store::lock(&mut change, scan.id).await?.ok_or_else(errors::not_found)?;
        row.progress = row.progress.max(share.from + share.width);
        store::update(&mut change, &row).await?;
        store::finish_stage(&mut change, scan.id, position, &brought).await?;
        let mut detail = json!({ "stage": scan.stages.get(usize::try_from(position).unwrap_or(0)).map(|stage| &stage.name), "tool": tool.as_str(),
            "state": brought.state, "reason": brought.reason, "argv": brought.argv, "records": records });
        if let Some(records_key) = records_key {
            let new = NewArtifact {
                id: change.id(),
                scan: scan.id,
                position,
                tool: tool.as_str(),
                records_key: &records_key,
                raw_key: raw_key.as_deref(),
                records,
            };
            store::insert_artifact(&mut change, &new).await?;
            detail["artifact"] = json!(new.id);
            let event = StageFinished { scan_id: scan.id, target_id: scan.target_id, artifact_id: new.id, tool: tool.as_str().to_owned() };
            change.publish(&event).await?;
        }
        change.subject("scan", scan.id);
        change.detail(detail);
        change.commit().await
    }

    /// Writes the end: complete, waiting for the import, stopped or failed.
    async fn finish(&self, id: ScanId, reason: Option<&Reason>) -> Result<()> {
        let mut change = Change::begin(&self.scans.backends, &self.run.actor, actions::FINISH).await?;
        change.hold(self.run).await?;
        let mut scan = store::lock(&mut change, id).await?.ok_or_else(errors::not_found)?;
        if !matches!(scan.state, ScanState::Queued | ScanState::Running) {
            return Ok(());
        }
        match reason {
            Some(Reason::Cancelled) => {
                end(&mut change, &mut scan, ScanState::Cancelled, None).await?;
                change.publish(&ScanCancelled { scan_id: id, target_id: scan.target_id }).await?;
            }
            Some(Reason::Forbidden(why)) => {
                fail(&mut change, &mut scan, why).await?;
                change.reason(why);
            }
            Some(Reason::Interrupted) => return Err(errors::interrupted()),
            None => {
                let (waiting, sum) = store::taken_in(&mut change, id).await?;
                scan.summary = (waiting == 0 || sum != crate::model::Summary::default()).then_some(sum).or(scan.summary);
                if waiting == 0 {
                    complete(&mut change, &mut scan).await?;
                } else {
                    scan.state = ScanState::Importing;
                    scan.stage = None;
                    scan.progress = 1.0;
                    store::update(&mut change, &scan).await?;
                }
            }
        }
        change.subject("scan", id);
        change.detail(json!({ "state": scan.state, "error": scan.error, "summary": scan.summary }));
        change.commit().await?;
        if scan.state.is_final() {
            figures::ended(&scan);
        }
        progress::say_state(&self.scans.backends, &scan).await;
        Ok(())
    }
}
