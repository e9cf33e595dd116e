//! The sealed file. Readers notice when another process replaced it; writers hold a lock, read again,
//! and replace it whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Result, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::protection::Protection;
use super::ring::Ring;
use super::seal::{self, Key};
use crate::{errors, folder};

const NAME: &str = "keys.json";
const LOCK: &str = "keys.lock";
const VERSION: u32 = 1;

/// One folder of keys.
pub(super) struct KeyFile {
    folder: PathBuf,
    path: PathBuf,
    passphrase: Option<Secret<String>>,
    loaded: Mutex<Option<Loaded>>,
}

#[derive(Clone)]
struct Loaded {
    stamp: Stamp,
    protection: Protection,
    key: Key,
    ring: Arc<Ring>,
}

/// What tells one version of the file from the next: it is replaced, never written in place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
    length: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    version: u32,
    protection: Protection,
    /// Nonce, ciphertext and tag as base64, bound to version and protection.
    sealed: String,
}

impl KeyFile {
    /// Opens the folder; the first process to come makes the file.
    pub(super) fn open(folder: &Path, passphrase: Option<Secret<String>>) -> Result<Self> {
        folder::private(folder)?;
        let (folder, path) = (folder.to_path_buf(), folder.join(NAME));
        let file = Self { folder, path, passphrase, loaded: Mutex::default() };
        let lock = file.lock()?;
        if file.path.exists() {
            file.current()?;
        } else {
            let protection = Protection::new(file.passphrase.is_some())?;
            let key = protection.key(&file.folder, file.passphrase.as_ref(), true)?;
            file.write(&protection, &key, Ring::default())?;
        }
        drop(lock);
        Ok(file)
    }

    /// The keys as the file holds them now.
    pub(super) fn current(&self) -> Result<Arc<Ring>> {
        let stamp = self.stamp()?;
        let mut loaded = self.loaded();
        if let Some(loaded) = loaded.as_ref().filter(|loaded| loaded.stamp == stamp) {
            return Ok(Arc::clone(&loaded.ring));
        }
        let read = self.read(loaded.as_ref())?;
        let ring = Arc::clone(&read.ring);
        *loaded = Some(read);
        Ok(ring)
    }

    /// Changes the keys while no other process can.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Ring) -> Result<T>) -> Result<T> {
        let lock = self.lock()?;
        let mut ring = Ring::clone(&*self.current()?);
        let (protection, key) = match self.loaded().as_ref() {
            Some(loaded) => (loaded.protection.clone(), loaded.key.clone()),
            None => return Err(errors::keys_file(&self.path, "it vanished")),
        };
        let result = change(&mut ring)?;
        self.write(&protection, &key, ring)?;
        drop(lock);
        Ok(result)
    }

    fn read(&self, known: Option<&Loaded>) -> Result<Loaded> {
        folder::closed(&self.path, 0o600)?;
        // Before the content: should it be replaced in between, the next call reads again.
        let stamp = self.stamp()?;
        let text = fs::read(&self.path).map_err(|cause| errors::keys_file(&self.path, cause))?;
        let envelope: Envelope = serde_json::from_slice(&text).map_err(|cause| errors::keys_file(&self.path, cause))?;
        if envelope.version != VERSION {
            return Err(errors::keys_file(&self.path, format!("version {} is not known", envelope.version)));
        }
        // Argon2 is slow on purpose: once per passphrase and salt.
        let key = match known.filter(|known| known.protection == envelope.protection) {
            Some(known) => known.key.clone(),
            None => envelope.protection.key(&self.folder, self.passphrase.as_ref(), false)?,
        };
        let sealed = STANDARD.decode(&envelope.sealed).unwrap_or_default();
        let content = seal::open(&key, &bound(&envelope.protection)?, &sealed);
        let content = content.ok_or_else(|| errors::keys_sealed(&self.path, envelope.protection.as_words()))?;
        let ring = Ring::parse(&zeroize::Zeroizing::new(content)).map_err(|cause| errors::keys_file(&self.path, cause))?;
        Ok(Loaded { stamp, protection: envelope.protection, key, ring: Arc::new(ring) })
    }

    fn write(&self, protection: &Protection, key: &Key, ring: Ring) -> Result<()> {
        let failed = |cause: io::Error| errors::keys_file(&self.path, cause);
        let sealed = STANDARD.encode(seal::seal(key, &bound(protection)?, &ring.content()?)?);
        let envelope = Envelope { version: VERSION, protection: protection.clone(), sealed };
        let text = serde_json::to_vec_pretty(&envelope).map_err(|cause| errors::keys_file(&self.path, cause))?;
        folder::replace(&self.path, &text).map_err(failed)?;
        let loaded = Loaded { stamp: self.stamp()?, protection: protection.clone(), key: key.clone(), ring: Arc::new(ring) };
        *self.loaded() = Some(loaded);
        Ok(())
    }

    fn stamp(&self) -> Result<Stamp> {
        let found = fs::metadata(&self.path).map_err(|cause| errors::keys_file(&self.path, cause))?;
        Ok(Stamp { inode: found.ino(), seconds: found.mtime(), nanoseconds: found.mtime_nsec(), length: found.len() })
    }

    fn loaded(&self) -> MutexGuard<'_, Option<Loaded>> {
        // Replaced whole.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held until dropped; other threads and processes wait.
    fn lock(&self) -> Result<File> {
        let path = self.folder.join(LOCK);
        let open = || -> io::Result<File> {
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map_err(|cause| errors::keys_file(&path, cause))
    }
}

fn bound(protection: &Protection) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(&("tyrian keys", VERSION, protection));
    text.map_err(|cause| base::Error::internal("the key file's header cannot be written").because(cause))
}
