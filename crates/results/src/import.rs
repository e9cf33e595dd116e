//! Takes a file in: guess, read, recognise, write; in one change, once per idempotency key. A large one is accepted first and
//! taken in by a job: its bytes, its row and the job are durable before the answer.

use std::fs::File;
use std::io::{Read, Seek};

use audit::Change;
use aws_lc_rs::digest::{Context, SHA256};
use backends::Run;
use base::{Actor, Error, Kind, Result};
use importers::Format;

use crate::ingest::{self, Applied, Origin, Reporter};
use crate::jobs::RunImport;
use crate::model::{Import, ImportId, ImportOptions, ImportRequest, ImportState, ImportSummary};
use crate::service::{Results, imported, lock_of};
use crate::store::imports::Kept;
use crate::{actions, errors, store};

/// Files up to this size are kept as they came when they are taken in at once.
const KEPT: u64 = 64 << 20;

impl Results {
    /// Takes a file in, or tells what taking it in would change.
    ///
    /// # Errors
    /// `Invalid` naming the format, an option or the position in the file; `NotFound` for the target; `Conflict` when the
    /// idempotency key was used for another file; `Forbidden`. After an error nothing was taken in.
    pub async fn import(&self, actor: &Actor, request: ImportRequest) -> Result<Import> {
        let scope = actor.scope(actions::IMPORT)?;
        request.options.check()?;
        self.check_target(actor, request.target_id).await?;
        let ImportRequest { format, filename, target_id, idempotency_key, dry_run, mut options, file } = request;
        let mut file = blocking(move || prepare(file)).await?;
        let reading = self.reading(&scope, &mut file.file, filename.as_deref(), format, &mut options).await?;

        // Asked before the file is read, and again under the lock: reading is what a repetition spares.
        let known = self.known(actor, idempotency_key.as_deref(), &file.sha256, target_id, &options, dry_run).await?;
        if let Some(before) = known {
            return Ok(before);
        }
        let (name, wanted) = (filename.clone(), options.clone());
        let raw = if dry_run || file.size > KEPT { None } else { Some(bytes(&mut file.file)?) };
        let format = reading.id();
        let mut batch = blocking(move || reading.gather(file.file, name.as_deref(), &wanted)).await?;

        let mut change = Change::begin(&self.backends, actor, actions::IMPORT).await?;
        change.lock(lock_of(actor, target_id)).await?;
        if let Some(key) = idempotency_key.as_deref().filter(|_| !dry_run)
            && let Some(before) = store::imports::of_key_now(&mut change, key).await?
        {
            return same(before, key, &file.sha256, target_id);
        }
        let origin = Origin { is_dry: dry_run, ..whole(&mut change, None, target_id, &format, options).await? };
        let Applied { summary, differences } = ingest::apply(&mut change, &mut batch, &origin, &Reporter::default()).await?;
        let import = Import { filename, sha256: Some(file.sha256), dry_run, differences, ..imported(&change, &origin, &format, summary) };
        if dry_run {
            return Ok(import);
        }
        // A blob without an import costs space only; an import without its blob could not be read again.
        let raw_key = match raw {
            Some(raw) => Some(self.backends.blobs.store(raw).await?),
            None => None,
        };
        let kept = Kept { raw_key, artifact: None, idempotency_key, options: origin.options };
        self.conclude(change, &import, &kept).await.map_err(|cause| taken(&kept, cause))?;
        Ok(import)
    }

    /// Accepts a file: it is kept, and a job takes it in. The answer does not wait for that.
    ///
    /// # Errors
    /// As [`Results::import`], as far as it can be told without reading the whole file.
    pub async fn accept(&self, actor: &Actor, request: ImportRequest) -> Result<Import> {
        let scope = actor.scope(actions::IMPORT)?;
        request.options.check()?;
        self.check_target(actor, request.target_id).await?;
        let ImportRequest { format, filename, target_id, idempotency_key, mut options, file, .. } = request;
        let mut file = blocking(move || prepare(file)).await?;
        let format = self.reading(&scope, &mut file.file, filename.as_deref(), format, &mut options).await?.id();
        let known = self.known(actor, idempotency_key.as_deref(), &file.sha256, target_id, &options, false).await?;
        if let Some(before) = known {
            return Ok(before);
        }
        let raw_key = format!("sha256/{}/{}", &file.sha256[..2], file.sha256);
        self.backends.blobs.put_file(&raw_key, file.file).await?;

        let mut change = Change::begin(&self.backends, actor, actions::IMPORT).await?;
        let origin = whole(&mut change, None, target_id, &format, options).await?;
        let import = Import {
            filename,
            sha256: Some(file.sha256),
            state: ImportState::Queued,
            ended_at: None,
            ..imported(&change, &origin, &format, ImportSummary::default())
        };
        let kept = Kept { raw_key: Some(raw_key), artifact: None, idempotency_key, options: origin.options };
        store::imports::insert(&mut change, &import, &kept).await.map_err(|cause| taken(&kept, cause))?;
        change.enqueue(&RunImport { import_id: import.id }).await?;
        change.subject("import", import.id);
        change.detail(serde_json::json!({
            "format": import.format, "filename": import.filename, "sha256": import.sha256, "target_id": import.target_id, "state": "queued",
        }));
        change.commit().await?;
        Ok(import)
    }

    /// Takes in a file that was accepted; whole or not at all, and once however often it is asked for.
    ///
    /// # Errors
    /// The database's and the disk's. A file that cannot be read is no error here: the import says that it failed.
    pub async fn run_import(&self, actor: &Actor, id: ImportId, run: Option<&Run>) -> Result<()> {
        let scope = actor.scope(actions::RUN_IMPORT)?;
        let Some(waiting) = store::imports::waiting(&self.backends.db, &scope, id).await? else { return Ok(()) };
        let reporter = Reporter::of(&self.backends, id);
        reporter.say(ImportState::Queued, 0.0, "reading").await;
        match Box::pin(self.take_in(actor, waiting, run, &reporter)).await {
            Ok(()) => reporter.say(ImportState::Done, 1.0, "done").await,
            // Trying again would not help.
            Err(error) if error.kind() == Kind::Invalid || run.is_some_and(|run| run.is_last && error.kind() != Kind::Conflict) => {
                let mut change = Change::begin(&self.backends, actor, actions::RUN_IMPORT).await?;
                let why = if error.kind() == Kind::Internal { "it cannot be taken in; the log says why" } else { error.detail() };
                if store::imports::end(&mut change, id, ImportState::Failed, &ImportSummary::default(), Some(why)).await? {
                    change.subject("import", id);
                    change.detail(serde_json::json!({ "state": "failed", "error": why }));
                    change.commit().await?;
                }
                reporter.say(ImportState::Failed, 1.0, why).await;
                tracing::warn!(%error, import = %id, "an import failed");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn take_in(&self, actor: &Actor, waiting: store::imports::Waiting, run: Option<&Run>, reporter: &Reporter) -> Result<()> {
        let store::imports::Waiting { import, raw_key, mut options } = waiting;
        let mut file =
            self.backends.blobs.get_file(&raw_key, tempfile::tempfile().map_err(errors::spool)?).await?.ok_or_else(errors::file_lost)?;
        let scope = actor.scope(actions::RUN_IMPORT)?;
        let format = import.format.parse::<Format>().ok();
        let reading = self.reading(&scope, &mut file, import.filename.as_deref(), format, &mut options).await;
        let reading = reading.map_err(|cause| if cause.kind() == Kind::NotFound { errors::mapping_gone(&import.format) } else { cause })?;
        let (name, wanted) = (import.filename.clone(), options.clone());
        let mut batch = blocking(move || reading.gather(file, name.as_deref(), &wanted)).await?;
        reporter.say(ImportState::Queued, 0.3, "read").await;
        let mut change = Change::begin(&self.backends, actor, actions::RUN_IMPORT).await?;
        if let Some(run) = run {
            change.hold(run).await?;
        }
        change.lock(lock_of(actor, import.target_id)).await?;
        let origin = whole(&mut change, Some(import.id), import.target_id, &import.format, options).await?;
        let Applied { summary, .. } = ingest::apply(&mut change, &mut batch, &origin, reporter).await?;
        if !store::imports::end(&mut change, import.id, ImportState::Done, &summary, None).await? {
            // Somebody else was quicker; what was written here is dropped with the change.
            return Ok(());
        }
        let import = Import { state: ImportState::Done, summary, ..import };
        self.announce(change, &import).await
    }

    async fn check_target(&self, actor: &Actor, target: Option<targets::TargetId>) -> Result<()> {
        match target {
            Some(target) => self.targets.get(actor, target).await.map(drop),
            None if actor.units.is_empty() => Ok(()),
            None => Err(errors::import_without_target()),
        }
    }

    /// The import that makes another one needless: of the same key, or the newest one when it was the same file.
    async fn known(
        &self,
        actor: &Actor,
        key: Option<&str>,
        sha256: &str,
        target: Option<targets::TargetId>,
        options: &ImportOptions,
        dry_run: bool,
    ) -> Result<Option<Import>> {
        if dry_run {
            return Ok(None);
        }
        let scope = actor.scope(actions::IMPORT)?;
        if let Some(key) = key {
            let before = store::imports::of_key(&self.backends.db, &scope, key).await?;
            return before.map(|before| same(before, key, sha256, target)).transpose();
        }
        let newest = store::imports::newest(&self.backends.db, &scope, target, &options.service).await?;
        let same = newest.filter(|(newest, with)| newest.sha256.as_deref() == Some(sha256) && with == options);
        Ok(same.map(|(newest, _)| Import { repeated: true, ..newest }))
    }
}

/// Of two that come under one key at once, for different targets, the second is told so.
fn taken(kept: &Kept, cause: Error) -> Error {
    match (&kept.idempotency_key, cause.code()) {
        (Some(key), "db.duplicate") => errors::other_file(key),
        _ => cause,
    }
}

/// Where a file comes from: a whole run of a tool, or what another instance believed.
async fn whole(
    change: &mut Change,
    import: Option<ImportId>,
    target: Option<targets::TargetId>,
    format: &str,
    options: ImportOptions,
) -> Result<Origin> {
    // What a report of the past says is believed as what another instance exported: of what nobody knows here.
    let is_snapshot = format == Format::Tyrian.id() || options.is_past;
    let four_eyes = is_snapshot && store::decisions::four_eyes(change).await?;
    let import = import.unwrap_or_else(|| change.id());
    Ok(Origin { import, target, scan: None, is_whole_run: !is_snapshot, options, is_snapshot, four_eyes, is_dry: false })
}

fn same(before: Import, key: &str, sha256: &str, target: Option<targets::TargetId>) -> Result<Import> {
    let is_same = before.sha256.as_deref() == Some(sha256) && before.target_id == target;
    if is_same { Ok(Import { repeated: true, ..before }) } else { Err(errors::other_file(key)) }
}

/// A file and what it is known by.
struct Prepared {
    file: File,
    sha256: String,
    size: u64,
}

fn prepare(mut file: File) -> Result<Prepared> {
    let size = file.metadata().map_err(errors::spool)?.len();
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(errors::spool)?;
        if read == 0 {
            break;
        }
        context.update(&buffer[..read]);
    }
    file.rewind().map_err(errors::spool)?;
    Ok(Prepared { file, sha256: hex::encode(context.finish()), size })
}

fn bytes(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(errors::spool)?;
    file.rewind().map_err(errors::spool)?;
    Ok(bytes)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|cause| Error::internal("reading an import panicked").because(cause))?
}
