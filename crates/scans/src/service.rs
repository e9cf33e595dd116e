//! The verbs of this context: the only door to scans.

use std::sync::Arc;

use audit::Change;
use backends::Backends;
use base::{Actor, Kind, Page, PageRequest, Result};
use serde_json::json;
use targets::Targets;

use crate::artifact::Artifact;
use crate::events::{ScanCancelled, ScanCompleted, ScanQueued};
use crate::jobs::RunScan;
use crate::model::{ArtifactId, Filter, NewScan, Profile, Scan, ScanId, ScanState, StageRun, StageState, Summary};
use crate::tools::Config;
use crate::{actions, errors, figures, progress, store, watch};

/// Scans: starting, watching and stopping tests.
#[derive(Clone)]
pub struct Scans {
    pub(crate) backends: Backends,
    pub(crate) targets: Targets,
    pub(crate) config: Arc<Config>,
}

impl Scans {
    /// The service over these backends.
    #[must_use]
    pub fn new(backends: &Backends, targets: &Targets, config: Config) -> Self {
        Self { backends: backends.clone(), targets: targets.clone(), config: Arc::new(config) }
    }

    /// Starts a scan: it waits for a worker when this returns.
    ///
    /// # Errors
    /// `Forbidden` without an authorisation that covers the target now (kept on record); `NotFound`; `Invalid` naming the field.
    pub async fn start(&self, actor: &Actor, new: NewScan) -> Result<Scan> {
        actor.scope(actions::START)?;
        let profile: Profile = new.profile.0.parse()?;
        let options = new.options();
        options.check()?;
        let permit = match self.targets.permit(actor, new.target_id, profile.plan().needs).await {
            Ok(permit) => permit,
            Err(error) => {
                if error.kind() == Kind::Forbidden {
                    self.refused(actor, &new, &error).await?;
                }
                return Err(error.at("/target_id"));
            }
        };
        let mut change = Change::begin(&self.backends, actor, actions::START).await?;
        let scan = Scan {
            id: change.id(),
            target_id: permit.target.id,
            target_name: permit.target.name.clone(),
            profile,
            options,
            state: ScanState::Queued,
            progress: 0.0,
            stage: None,
            stages: profile.plan().stages.iter().map(|stage| pending(stage.name, stage.tool.as_str())).collect(),
            authorization_id: permit.authorization,
            requested_by: actor.user,
            created_at: change.now(),
            started_at: None,
            finished_at: None,
            error: None,
            summary: None,
        };
        store::insert(&mut change, &scan).await?;
        let job = change.enqueue(&RunScan { scan_id: scan.id }).await?;
        store::set_job(&mut change, scan.id, job).await?;
        change.publish(&ScanQueued { scan_id: scan.id, target_id: scan.target_id, scan_type: profile }).await?;
        change.subject("scan", scan.id);
        change.detail(json!({
            "target": scan.target_id, "target_name": scan.target_name, "scan_type": profile, "options": scan.options,
            "authorization": scan.authorization_id,
        }));
        change.commit().await?;
        Ok(scan)
    }

    /// A refusal changes nothing but is worth knowing.
    async fn refused(&self, actor: &Actor, new: &NewScan, error: &base::Error) -> Result<()> {
        let mut change = Change::begin(&self.backends, actor, actions::REFUSE).await?;
        change.subject("target", new.target_id);
        change.detail(json!({ "scan_type": new.profile, "code": error.code() }));
        change.reason(error.detail());
        change.commit().await
    }

    /// One scan, with its liveliest progress.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn get(&self, actor: &Actor, id: ScanId) -> Result<Scan> {
        let scope = actor.scope(actions::READ)?;
        let mut scan = store::find(&self.backends.db, &scope, id).await?.ok_or_else(errors::not_found)?;
        if scan.state == ScanState::Running
            && let Some(word) = progress::last(&self.backends, id).await
        {
            scan.progress = scan.progress.max(word.fraction);
        }
        Ok(scan)
    }

    /// The scans of these ids that exist, in two statements.
    ///
    /// # Errors
    /// `Forbidden`; else the database's.
    pub async fn of_ids(&self, actor: &Actor, ids: &[ScanId]) -> Result<Vec<Scan>> {
        let scope = actor.scope(actions::READ)?;
        store::of_ids(&self.backends.db, &scope, ids).await
    }

    /// Scans, newest first.
    ///
    /// # Errors
    /// `Invalid` for a page that makes no sense; `Forbidden`.
    pub async fn list(&self, actor: &Actor, filter: Filter, page: PageRequest) -> Result<Page<Scan>> {
        let scope = actor.scope(actions::READ)?;
        store::list(&self.backends.db, &scope, &filter, &page).await
    }

    /// Stops a scan: at once when it waits, within two seconds when it is at work.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it is over; `Forbidden`.
    pub async fn cancel(&self, actor: &Actor, id: ScanId) -> Result<Scan> {
        let mut change = Change::begin(&self.backends, actor, actions::CANCEL).await?;
        let mut scan = store::lock(&mut change, id).await?.ok_or_else(errors::not_found)?;
        match scan.state {
            ScanState::Queued => {
                end(&mut change, &mut scan, ScanState::Cancelled, None).await?;
                if let Some(job) = store::job(&self.backends.db, &change.scope(), id).await? {
                    change.cancel_job(job).await?;
                }
                change.publish(&ScanCancelled { scan_id: id, target_id: scan.target_id }).await?;
            }
            ScanState::Running => store::request_cancel(&mut change, id).await?,
            ScanState::Importing | ScanState::Completed | ScanState::Failed | ScanState::Cancelled => {
                return Err(errors::already_over(scan.state));
            }
        }
        change.subject("scan", id);
        change.detail(json!({ "was": if scan.state.is_final() { ScanState::Queued } else { scan.state } }));
        change.commit().await?;
        if scan.state.is_final() {
            figures::ended(&scan);
            progress::say_state(&self.backends, &scan).await;
        } else if let Err(error) = self.backends.bus.publish(&watch::cancel_channel(id), Vec::new()).await {
            tracing::debug!(scan = %id, %error, "the cancel order is left to the database");
        }
        Ok(scan)
    }

    /// What one stage of a scan brought back; asked by the results context.
    ///
    /// # Errors
    /// `NotFound`; `Unavailable` when its bytes are not there.
    pub async fn artifact(&self, actor: &Actor, id: ArtifactId) -> Result<Artifact> {
        let scope = actor.scope(actions::ARTIFACT)?;
        let (mut artifact, key) = store::artifact(&self.backends.db, &scope, id).await?.ok_or_else(errors::artifact_not_found)?;
        artifact.bytes = self
            .backends
            .blobs
            .get(&key)
            .await?
            .ok_or_else(|| errors::artifact_unreadable(format!("the bytes of artifact {id} are missing")))?;
        Ok(artifact)
    }

    /// Told by the results context when an artifact is taken in; the last one completes the scan. Telling twice changes nothing.
    ///
    /// # Errors
    /// `NotFound` when the scan does not exist, else the database's.
    pub async fn ingested(&self, actor: &Actor, id: ScanId, artifact: ArtifactId, summary: Summary) -> Result<()> {
        let mut change = Change::begin(&self.backends, actor, actions::INGEST).await?;
        let mut scan = store::lock(&mut change, id).await?.ok_or_else(errors::not_found)?;
        if !store::set_ingested(&mut change, id, artifact, &summary).await? {
            return Ok(());
        }
        figures::found(&summary);
        let (waiting, sum) = store::taken_in(&mut change, id).await?;
        scan.summary = Some(sum);
        let is_complete = scan.state == ScanState::Importing && waiting == 0;
        if is_complete {
            complete(&mut change, &mut scan).await?;
        } else {
            store::update(&mut change, &scan).await?;
        }
        change.subject("scan", id);
        change.detail(json!({ "artifact": artifact, "summary": summary }));
        change.commit().await?;
        if is_complete {
            figures::ended(&scan);
            progress::say_state(&self.backends, &scan).await;
        }
        Ok(())
    }
}

fn pending(name: &str, tool: &str) -> StageRun {
    StageRun {
        name: name.to_owned(),
        tool: tool.to_owned(),
        tool_version: None,
        state: StageState::Pending,
        started_at: None,
        finished_at: None,
        reason: None,
        argv: Vec::new(),
    }
}

/// Everything is taken in: the scan is complete.
pub(crate) async fn complete(change: &mut Change, scan: &mut Scan) -> Result<()> {
    end(change, scan, ScanState::Completed, None).await?;
    let summary = scan.summary.unwrap_or_default();
    let done = ScanCompleted { scan_id: scan.id, target_id: scan.target_id, target_name: scan.target_name.clone(), summary };
    change.publish(&done).await
}

/// Writes the end of a scan.
pub(crate) async fn end(change: &mut Change, scan: &mut Scan, state: ScanState, error: Option<String>) -> Result<()> {
    scan.state = state;
    scan.stage = None;
    scan.finished_at = Some(change.now());
    scan.error = error.map(|error| error.chars().take(2000).collect());
    if state == ScanState::Completed {
        scan.progress = 1.0;
    } else {
        store::leave_stages(change, scan.id, scan.error.as_deref().unwrap_or("the scan was cancelled")).await?;
    }
    store::update(change, scan).await?;
    let seconds = scan.started_at.map_or(0.0, |started| change.now().since(started).as_secs_f64());
    let summary = scan.summary.unwrap_or_default();
    let figures = [
        ("duration_seconds", seconds),
        ("observations", summary.observations as f64),
        ("findings_new", summary.findings_new as f64),
        ("findings_open", summary.findings_open as f64),
    ];
    store::insert_metrics(change, scan.id, &figures).await
}
