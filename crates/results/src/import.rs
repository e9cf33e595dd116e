//! Takes a file in: guess, read, recognise, write; in one change, once per idempotency key.

use std::fs::File;
use std::io::{Read, Seek};

use audit::Change;
use aws_lc_rs::digest::{Context, SHA256};
use base::{Actor, Error, Result};
use importers::{Format, Options};

use crate::ingest::{self, Batch, Origin};
use crate::model::{Import, ImportRequest};
use crate::service::{Results, imported, lock_of};
use crate::store::imports::Kept;
use crate::{actions, errors, store};

/// Files up to this size are kept as they came.
const KEPT: u64 = 64 << 20;

struct Taken {
    format: Format,
    sha256: String,
    batch: Batch,
    raw: Option<Vec<u8>>,
}

impl Results {
    /// Takes a file in, or tells what taking it in would change.
    ///
    /// # Errors
    /// `Invalid` naming the format or the position in the file; `NotFound` for the target; `Conflict` when the idempotency key
    /// was used for another file; `Forbidden`. After an error nothing was taken in.
    pub async fn import(&self, actor: &Actor, request: ImportRequest) -> Result<Import> {
        actor.scope(actions::IMPORT)?;
        if let Some(target) = request.target_id {
            self.targets.get(actor, target).await?;
        }
        let ImportRequest { format, filename, target_id, idempotency_key, dry_run, file } = request;
        let name = filename.clone();
        let read = tokio::task::spawn_blocking(move || read(file, name.as_deref(), format));
        let mut read = read.await.map_err(|cause| Error::internal("reading an import panicked").because(cause))??;
        let key = idempotency_key.unwrap_or_else(|| format!("{}:{}", read.sha256, target_id.map(|id| id.to_string()).unwrap_or_default()));

        let mut change = Change::begin(&self.backends, actor, actions::IMPORT).await?;
        change.lock(lock_of(actor, target_id)).await?;
        if !dry_run && let Some(before) = store::imports::of_key(&mut change, &key).await? {
            let is_same = before.sha256.as_deref() == Some(&read.sha256) && before.target_id == target_id;
            return if is_same { Ok(Import { repeated: true, ..before }) } else { Err(errors::other_file(&key)) };
        }
        let origin = Origin { import: change.id(), target: target_id, scan: None, is_whole_run: true };
        let summary = ingest::apply(&mut change, &mut read.batch, &origin).await?;
        let import = Import { filename, sha256: Some(read.sha256), dry_run, ..imported(&change, &origin, read.format.id(), summary) };
        if dry_run {
            return Ok(import);
        }
        // A blob without an import costs space only; an import without its blob could not be read again.
        let raw_key = match read.raw {
            Some(raw) => Some(self.backends.blobs.store(raw).await?),
            None => None,
        };
        let kept = Kept { raw_key, artifact: None, idempotency_key: Some(key) };
        self.conclude(change, &import, &kept).await?;
        Ok(import)
    }
}

fn read(mut file: File, filename: Option<&str>, format: Option<Format>) -> Result<Taken> {
    let format = ingest::guess(&mut file, filename, format)?;
    let (sha256, raw) = digest(&mut file)?;
    let (batch, _) = ingest::gather(file, filename, format, &Options::default())?;
    Ok(Taken { format, sha256, batch, raw })
}

/// The file's digest, and its bytes when it is small enough to be kept.
fn digest(file: &mut File) -> Result<(String, Option<Vec<u8>>)> {
    let size = file.metadata().map_err(errors::spool)?.len();
    let mut raw = (size <= KEPT).then(Vec::new);
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(errors::spool)?;
        if read == 0 {
            break;
        }
        context.update(&buffer[..read]);
        if let Some(raw) = &mut raw {
            raw.extend_from_slice(&buffer[..read]);
        }
    }
    file.rewind().map_err(errors::spool)?;
    Ok((hex::encode(context.finish()), raw))
}
