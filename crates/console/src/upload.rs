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
/// Most parts of a form, its file among them.
const MOST_PARTS: usize = 101;

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
        let (mut fields, mut parts, mut file) = (Fields::default(), 0, None);
        while let Some(part) = self.0.next_field().await.map_err(|_| errors::broken_upload())? {
            parts += 1;
            if parts > MOST_PARTS {
                return Err(errors::unreadable_form());
            }
            let name = part.name().unwrap_or_default().to_owned();
            if part.file_name().is_some() {
                let received = received(part, largest).await?;
                // Browsers send a nameless empty file when none was chosen.
                if received.name.is_some() && file.replace(received).is_some() {
                    return Err(errors::unreadable_form());
                }
            } else {
                fields = fields.set(&name, text(part).await?);
            }
        }
        Ok(Upload { fields, file })
    }
}

/// A text, of which no more is held than may be: what comes after is not read.
async fn text(mut part: Field<'_>) -> Result<String> {
    let mut text = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|_| errors::broken_upload())? {
        if text.len() + chunk.len() > LARGEST_TEXT {
            return Err(errors::unreadable_form());
        }
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text).map_err(|_| errors::unreadable_form())
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::body::{Body, Bytes};
    use futures::{StreamExt, stream};

    use super::*;

    /// Reads a form that begins like this and goes on with as many chunks of 8 KiB; tells how many of them were asked for.
    async fn read(beginning: String, chunks: usize) -> (Result<Upload>, usize) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let rest = (0..chunks).map(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Bytes::from(vec![b'x'; 8 << 10])
        });
        // Each chunk takes its time, as those of a network do, and so does the end: the reader of forms takes one that comes
        // with the first chunk, between two looks, for an upload that broke off.
        let chunks = std::iter::once(Bytes::from(beginning)).chain(rest).chain([Bytes::new()]);
        let body = stream::iter(chunks).then(async |chunk| {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(chunk)
        });
        let request = Request::builder().header("content-type", "multipart/form-data; boundary=part");
        let request = request.body(Body::from_stream(body)).unwrap();
        let parts = Parts(Multipart::from_request(request, &()).await.unwrap());
        (parts.read(LARGEST).await, asked.load(Ordering::Relaxed))
    }

    fn part(name: &str, file: &str, content: &str) -> String {
        format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn a_text_without_end_is_given_up_where_texts_end() {
        let (outcome, asked) = read(part("note", "", "").trim_end().to_owned() + "\r\n\r\n", 10_000).await;
        assert_eq!(outcome.err().unwrap().code(), "console.form");
        assert!(asked < 20, "{asked} chunks were read");
    }

    #[tokio::test]
    async fn a_form_has_so_many_parts_and_one_file() {
        let texts = |count: usize| (0..count).map(|number| part(&format!("t{number}"), "", "x")).collect::<String>();
        let file = part("file", "; filename=\"a.json\"", "{}");
        let (outcome, _) = read(format!("{}{file}--part--\r\n", texts(100)), 0).await;
        let upload = outcome.unwrap_or_else(|error| panic!("{error:?}"));
        assert!(upload.file.is_some());
        let nameless = part("file", "; filename=\"\"", "");
        for many in [texts(102), nameless.repeat(102), file.repeat(2)] {
            assert_eq!(read(format!("{many}--part--\r\n"), 0).await.0.err().unwrap().code(), "console.form");
        }
    }
}
