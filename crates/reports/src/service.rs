//! The verbs of this context: the only door to reports.

use std::path::PathBuf;

use audit::Change;
use backends::{Backends, Event, Run};
use base::{Actor, Language, Page, PageRequest, Result};
use results::Results;
use scans::Scans;
use serde::Serialize;
use serde_json::json;
use targets::Targets;
use typeset::child::Limits;

use crate::jobs::RenderReport;
use crate::model::{File, Files, NewReport, Report, ReportId, ReportState};
use crate::render::{Format, Typesetter};
use crate::snapshot::Frozen;
use crate::{actions, errors, store};

/// What this context needs to be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Program that serves the hidden subcommand `typeset`: this binary itself.
    pub typeset_command: PathBuf,
}

/// Reports: asked for, frozen, rendered, fetched.
#[derive(Clone)]
pub struct Reports {
    pub(crate) backends: Backends,
    pub(crate) results: Results,
    pub(crate) targets: Targets,
    pub(crate) scans: Scans,
    typesetter: Typesetter,
}

/// A report can be fetched.
#[derive(Debug, Clone, Serialize)]
pub struct ReportCompleted {
    /// The report.
    pub report_id: ReportId,
    /// Its name.
    pub title: String,
    /// Findings it holds.
    pub findings: usize,
    /// SHA-256 of its frozen content.
    pub digest: String,
}

impl Event for ReportCompleted {
    const NAME: &'static str = "report.completed";

    fn subject(&self) -> String {
        self.report_id.to_string()
    }
}

impl Reports {
    /// The service over these backends and the contexts it reads.
    #[must_use]
    pub fn new(backends: &Backends, results: &Results, targets: &Targets, scans: &Scans, config: Config) -> Self {
        Self {
            backends: backends.clone(),
            results: results.clone(),
            targets: targets.clone(),
            scans: scans.clone(),
            typesetter: Typesetter { program: config.typeset_command, limits: Limits::default() },
        }
    }

    /// Asks for a report; a worker makes it.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound` for a scan or target that does not exist; `Forbidden`.
    pub async fn create(&self, actor: &Actor, new: NewReport) -> Result<Report> {
        let new = new.checked()?;
        self.check_sources(actor, &new).await?;
        let mut change = Change::begin(&self.backends, actor, actions::CREATE).await?;
        let report = Report {
            id: change.id(),
            title: new.title.clone(),
            request: new,
            state: ReportState::Queued,
            error: None,
            digest: None,
            findings: None,
            requested_by: actor.user,
            created_at: change.now(),
            finished_at: None,
            files: Files::default(),
        };
        store::insert(&mut change, &report).await?;
        change.subject("report", report.id);
        change.detail(json!({ "request": report.request }));
        change.enqueue(&RenderReport { report_id: report.id }).await?;
        change.commit().await?;
        Ok(report)
    }

    /// One report.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn get(&self, actor: &Actor, id: ReportId) -> Result<Report> {
        let scope = actor.scope(actions::READ)?;
        store::find(&self.backends.db, &scope, store::only_of(actor), id).await?.ok_or_else(errors::not_found)
    }

    /// Reports, newest first.
    ///
    /// # Errors
    /// `Invalid` for a page that makes no sense; `Forbidden`.
    pub async fn list(&self, actor: &Actor, page: PageRequest) -> Result<Page<Report>> {
        let scope = actor.scope(actions::READ)?;
        store::list(&self.backends.db, &scope, store::only_of(actor), &page).await
    }

    /// A report in one form.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while it is being made or when it could not be made; `Forbidden`;
    /// `Unavailable` when its files are gone or were changed.
    pub async fn download(&self, actor: &Actor, id: ReportId, format: Format) -> Result<File> {
        let report = self.get(actor, id).await?;
        if report.state != ReportState::Ready {
            return Err(errors::not_ready(report.state, report.error.as_deref()));
        }
        let bytes = match format {
            Format::Html => self.blob(report.files.html.as_deref()).await?,
            Format::Pdf => self.blob(report.files.pdf.as_deref()).await?,
            Format::Json | Format::Csv => {
                let frozen = self.frozen(&report).await?;
                self.render(&frozen, format, report.request.language).await?
            }
        };
        Ok(File { content_type: format.media_type(), filename: report.filename(format), bytes })
    }

    /// Removes a report from sight; the audit log keeps its digest.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn delete(&self, actor: &Actor, id: ReportId) -> Result<()> {
        self.get(actor, id).await?;
        let mut change = Change::begin(&self.backends, actor, actions::DELETE).await?;
        if !store::delete(&mut change, id).await? {
            return Err(errors::not_found());
        }
        change.subject("report", id);
        change.commit().await
    }

    /// The content of a report, frozen now and kept nowhere.
    ///
    /// # Errors
    /// `Invalid` naming the field; `NotFound` for a scan or target that does not exist; `Forbidden`.
    pub async fn snapshot(&self, actor: &Actor, new: NewReport) -> Result<Frozen> {
        actor.scope(actions::READ)?;
        let new = new.checked()?;
        self.check_sources(actor, &new).await?;
        self.gather(actor, &new).await
    }

    /// A snapshot in one form and language.
    ///
    /// # Errors
    /// `Timeout` or `Unavailable` when a PDF takes too much time or memory.
    pub async fn render(&self, frozen: &Frozen, format: Format, language: Language) -> Result<Vec<u8>> {
        Ok(self.typesetter.render(frozen, format, language).await?)
    }

    /// Makes a report: freezes its content unless that is done, renders it, hands it in.
    pub(crate) async fn make(&self, id: ReportId, run: &Run) -> Result<()> {
        let scope = run.actor.scope(actions::FINISH)?;
        // Deleted or made meanwhile: nothing to do.
        let Some(report) = store::find(&self.backends.db, &scope, None, id).await? else { return Ok(()) };
        if report.state != ReportState::Queued {
            return Ok(());
        }
        let frozen = if report.files.snapshot.is_some() { self.frozen(&report).await? } else { self.freeze(&report, run).await? };
        run.progress(0.3, "rendering").await?;
        let language = report.request.language;
        let html = self.render(&frozen, Format::Html, language).await?;
        let pdf = self.render(&frozen, Format::Pdf, language).await?;
        let files =
            Files { snapshot: None, html: Some(self.backends.blobs.store(html).await?), pdf: Some(self.backends.blobs.store(pdf).await?) };
        let mut change = Change::begin(&self.backends, &run.actor, actions::FINISH).await?;
        change.hold(run).await?;
        if store::finish(&mut change, id, ReportState::Ready, None, &files).await? {
            change.subject("report", id);
            change.detail(json!({ "digest": frozen.digest(), "html": files.html, "pdf": files.pdf }));
            let findings = frozen.snapshot().findings.len();
            let completed = ReportCompleted { report_id: id, title: report.title, findings, digest: frozen.digest().to_owned() };
            change.publish(&completed).await?;
            change.commit().await?;
        }
        Ok(())
    }

    /// Gives a report up and says why.
    pub(crate) async fn give_up(&self, id: ReportId, run: &Run, why: &str) -> Result<()> {
        let mut change = Change::begin(&self.backends, &run.actor, actions::FINISH).await?;
        change.hold(run).await?;
        if store::finish(&mut change, id, ReportState::Failed, Some(why), &Files::default()).await? {
            change.subject("report", id);
            change.reason(why);
            change.commit().await?;
        }
        Ok(())
    }

    async fn freeze(&self, report: &Report, run: &Run) -> Result<Frozen> {
        let frozen = self.gather(&run.actor, &report.request).await?;
        let key = self.backends.blobs.store(frozen.json().to_vec()).await?;
        let findings = i64::try_from(frozen.snapshot().findings.len()).unwrap_or(i64::MAX);
        let mut change = Change::begin(&self.backends, &run.actor, actions::FREEZE).await?;
        change.hold(run).await?;
        store::freeze(&mut change, report.id, frozen.digest(), &key, findings).await?;
        change.subject("report", report.id);
        change.detail(json!({ "digest": frozen.digest(), "findings": findings }));
        change.commit().await?;
        Ok(frozen)
    }

    async fn frozen(&self, report: &Report) -> Result<Frozen> {
        let bytes = self.blob(report.files.snapshot.as_deref()).await?;
        Ok(Frozen::read(&bytes, report.digest.as_deref().unwrap_or_default())?)
    }

    async fn blob(&self, key: Option<&str>) -> Result<Vec<u8>> {
        let key = key.ok_or_else(|| errors::unreadable("the report has no such file"))?;
        self.backends.blobs.get(key).await?.ok_or_else(|| errors::unreadable("a file of the report is gone from the blob store"))
    }

    /// A scan or target that does not exist is refused before anything is promised.
    async fn check_sources(&self, actor: &Actor, new: &NewReport) -> Result<()> {
        if let Some(scan) = new.scan_id {
            self.scans.get(actor, scan).await.map_err(|error| error.at("/scan_id"))?;
        }
        for (index, target) in new.target_ids.iter().enumerate() {
            self.targets.get(actor, *target).await.map_err(|error| error.at(format!("/target_ids/{index}")))?;
        }
        Ok(())
    }
}
