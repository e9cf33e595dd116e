//! Files by key: tool output, evidence, rendered reports. A blob is whole or absent, and on disk when `put` returns.

use std::fmt;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base::{Error, Result};
use futures::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::io::AsyncReadExt;

use crate::{errors, folder};

const MAXIMUM_KEY: usize = 512;
/// Bytes of a file that are in memory at once.
const PART: usize = 8 << 20;

/// The blob store.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
}

impl Blobs {
    /// Opens the store the URL names: `file:DIR`.
    ///
    /// # Errors
    /// `Invalid` for a URL that names none, or a folder others may enter.
    pub fn connect(url: &str) -> Result<Self> {
        let folder = match url.split_once(':') {
            Some(("file", folder)) if !folder.is_empty() => Path::new(folder),
            _ => return Err(errors::unknown_engine("blobs", url, "`file:DIR`")),
        };
        folder::private(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(errors::blob_store)?.with_fsync(true);
        Ok(Self { store: Arc::new(store) })
    }

    /// Stores the blob, in place of an earlier one.
    ///
    /// # Errors
    /// `Invalid` for a key that is not a plain relative path, `Unavailable` when it cannot be written.
    pub async fn put(&self, key: &str, content: Vec<u8>) -> Result<()> {
        self.store.put(&parsed(key)?, PutPayload::from(content)).await.map_err(errors::blob_store)?;
        Ok(())
    }

    /// Stores what `file` holds from its position on, a part at a time, in place of an earlier blob.
    ///
    /// # Errors
    /// As [`Blobs::put`]; `Unavailable` also when the file cannot be read.
    pub async fn put_file(&self, key: &str, file: File) -> Result<()> {
        let mut upload = self.store.put_multipart(&parsed(key)?).await.map_err(errors::blob_store)?;
        let mut file = tokio::fs::File::from_std(file);
        loop {
            let mut part = Vec::with_capacity(PART);
            let read = (&mut file).take(PART as u64).read_to_end(&mut part).await;
            let sent = match read {
                Ok(0) => break,
                Ok(_) => upload.put_part(PutPayload::from(part)).await.map_err(errors::blob_store),
                Err(cause) => Err(errors::blob_file(cause)),
            };
            if let Err(error) = sent {
                // What was staged vanishes; that it cannot be removed changes nothing about the failure.
                let _ = upload.abort().await;
                return Err(error);
            }
        }
        upload.complete().await.map_err(errors::blob_store)?;
        Ok(())
    }

    /// The blob as a file to read from its beginning: its own where it is one, else `scratch`, filled. Memory does not grow with its size.
    ///
    /// # Errors
    /// As [`Blobs::get`]; `Unavailable` also when the scratch file cannot be written.
    pub async fn get_file(&self, key: &str, mut scratch: File) -> Result<Option<File>> {
        let found = match self.store.get(&parsed(key)?).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(cause) => return Err(errors::blob_store(cause)),
        };
        if let GetResultPayload::File(file, _) = found.payload {
            return Ok(Some(file));
        }
        let mut parts = found.into_stream();
        while let Some(part) = parts.next().await {
            scratch.write_all(&part.map_err(errors::blob_store)?).map_err(errors::blob_file)?;
        }
        scratch.rewind().map_err(errors::blob_file)?;
        Ok(Some(scratch))
    }

    /// The blob, if there is one.
    ///
    /// # Errors
    /// `Invalid` for a bad key, `Unavailable` when it cannot be read.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let found = match self.store.get(&parsed(key)?).await {
            Ok(found) => found.bytes().await,
            Err(cause) => Err(cause),
        };
        match found {
            Ok(content) => Ok(Some(content.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(errors::blob_store(cause)),
        }
    }

    /// Removes the blob; that there is none is no error.
    ///
    /// # Errors
    /// `Invalid` for a bad key, `Unavailable` when it cannot be removed.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&parsed(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(errors::blob_store(cause)),
        }
    }

    /// Stores the blob under the name its content gives it (`sha256/ab/…`); the same content twice is one blob.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be written.
    pub async fn store(&self, content: Vec<u8>) -> Result<String> {
        let name = hex::encode(digest(&SHA256, &content));
        let key = format!("sha256/{}/{name}", &name[..2]);
        match self.store.head(&parsed(&key)?).await {
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => self.put(&key, content).await?,
            Err(cause) => return Err(errors::blob_store(cause)),
        }
        Ok(key)
    }

    /// Whether the store can be read.
    ///
    /// # Errors
    /// `Unavailable` when it cannot.
    pub async fn ping(&self) -> Result<()> {
        let marker = self.store.head(&Key::from("ping")).await;
        match marker {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(errors::blob_store(cause)),
        }
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Blobs({})", self.store)
    }
}

/// Only what means the same on every file system and in every bucket.
fn parsed(key: &str) -> Result<Key> {
    let is_part = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let is_key = key.len() <= MAXIMUM_KEY && key.split('/').all(is_part);
    let refused = || -> Error { errors::blob_key(key) };
    if is_key { Key::parse(key).map_err(|cause| refused().because(cause)) } else { Err(refused()) }
}
