//! Forms with a file, read part by part: texts into fields, the file to disk, where it vanishes with its handle. What was
//! only looked at is kept, one file for each person and purpose, until it is taken in or another one takes its place.

use std::fs::File;
use std::io::{Read, Seek, Write};

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use base::{Actor, Error, Result};

use crate::failure::Failure;
use crate::fields::Fields;
use crate::{Services, Shared, errors};

/// Largest file.
pub(crate) const LARGEST: u64 = 256 << 20;
/// Largest text beside a file.
const LARGEST_TEXT: usize = 16 << 10;
/// Most texts beside a file.
const MOST_TEXTS: usize = 100;

/// A form that may hold a file; nothing of it is read before it is asked for.
pub(crate) struct Parts(Multipart);

impl FromRequest<Shared> for Parts {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &Shared) -> Result<Self, Failure> {
        Multipart::from_request(request, state).await.map(Self).map_err(|_| errors::unreadable_form().into())
    }
}

/// A form that was read.
pub(crate) struct Upload {
    pub(crate) fields: Fields,
    /// The file, when one was chosen.
    pub(crate) file: Option<Received>,
}

/// A file that came with a form.
pub(crate) struct Received {
    pub(crate) name: Option<String>,
    pub(crate) file: File,
    pub(crate) sha256: String,
}

impl Parts {
    /// Reads the form to its end.
    ///
    /// # Errors
    /// `Invalid` when it is larger than a form may be or breaks off; `Unavailable` when the disk is full.
    pub(crate) async fn read(mut self, largest: u64) -> Result<Upload> {
        let (mut fields, mut texts, mut file) = (Fields::default(), 0, None);
        while let Some(part) = self.0.next_field().await.map_err(|_| errors::broken_upload())? {
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_some() {
                let received = received(part, largest).await?;
                // Browsers send a nameless empty file when none was chosen.
                if received.name.is_some() {
                    file = Some(received);
                }
            } else {
                texts += 1;
                let text = part.text().await.map_err(|_| errors::broken_upload())?;
                if texts > MOST_TEXTS || text.len() > LARGEST_TEXT {
                    return Err(errors::unreadable_form());
                }
                fields = fields.set(&name, text);
            }
        }
        Ok(Upload { fields, file })
    }
}

async fn received(mut part: Field<'_>, largest: u64) -> Result<Received> {
    let name: String = part.file_name().unwrap_or_default().chars().filter(|letter| !letter.is_control()).take(512).collect();
    let mut file = tempfile::tempfile().map_err(errors::spool)?;
    let (mut size, mut digest) = (0, Context::new(&SHA256));
    while let Some(chunk) = part.chunk().await.map_err(|_| errors::broken_upload())? {
        size += chunk.len() as u64;
        if size > largest {
            return Err(errors::too_large(largest));
        }
        digest.update(&chunk);
        file.write_all(&chunk).map_err(errors::spool)?;
    }
    file.rewind().map_err(errors::spool)?;
    Ok(Received { name: Some(name).filter(|name| !name.is_empty()), file, sha256: hex::encode(digest.finish()) })
}

/// What a file is kept for until its sender says yes.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Findings,
    Targets,
}

/// One place for each person and purpose: what people look at and leave cannot fill the disk.
fn place(actor: &Actor, purpose: Purpose) -> String {
    let purpose = match purpose {
        Purpose::Findings => "findings",
        Purpose::Targets => "targets",
    };
    let user = actor.user.map_or_else(|| "nobody".to_owned(), |user| user.to_string());
    format!("previews/{purpose}/{}/{user}", actor.tenant)
}

/// Keeps a file, from its beginning.
pub(crate) async fn keep(services: &Services, actor: &Actor, purpose: Purpose, mut file: File) -> Result<()> {
    file.rewind().map_err(errors::spool)?;
    services.blobs.put_file(&place(actor, purpose), file).await
}

/// The kept file, if it is the one that was looked at.
pub(crate) async fn kept(services: &Services, actor: &Actor, purpose: Purpose, sha256: &str) -> Result<File> {
    let scratch = tempfile::tempfile().map_err(errors::spool)?;
    let file = services.blobs.get_file(&place(actor, purpose), scratch).await?.ok_or_else(errors::preview_gone)?;
    let (file, own) = tokio::task::spawn_blocking(move || digested(file))
        .await
        .map_err(|cause| Error::internal("reading a kept file panicked").because(cause))?
        .map_err(errors::spool)?;
    if own == sha256 { Ok(file) } else { Err(errors::preview_gone()) }
}

/// Forgets the kept file. That it stays costs space only.
pub(crate) async fn forget(services: &Services, actor: &Actor, purpose: Purpose) {
    if let Err(error) = services.blobs.delete(&place(actor, purpose)).await {
        tracing::debug!(%error, "a file that was looked at stays");
    }
}

fn digested(mut file: File) -> std::io::Result<(File, String)> {
    let mut digest = Context::new(&SHA256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digest.update(buffer.get(..count).unwrap_or_default());
    }
    file.rewind()?;
    Ok((file, hex::encode(digest.finish())))
}
