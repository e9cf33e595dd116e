//! Tantivy in a folder: `INDEX/GENERATION/` holds the files, `INDEX/current` names the live generation. One process writes;
//! nothing is open until it is used, so that further processes may run beside it.

mod compile;
mod first;
mod layout;
mod negation;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Error, Result};
use query::Schema;
use tantivy::directory::{Directory, DirectoryLock, Lock};
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

use self::first::Wanted;
use self::layout::Layout;
use super::{COUNTED, Entry, Found, Inquiry, Place, is_generation};
use crate::{errors, folder};

/// Memory for documents that are not on disk yet, in bytes.
const ARENA: usize = 32 * 1024 * 1024;
/// Ids whose last ticket is remembered; older ones were written long before any ticket still in use was taken.
const TICKETS: usize = 200_000;
/// A batch of this many is likely to be followed by another: its writer stays open. A smaller one gives back the writer's
/// memory (some 15 MB) at once.
const CROWD: usize = 500;
/// Held by the process that writes, also while it has no writer open.
const WRITING: &str = "tyrian-writer.lock";
const CURRENT: &str = "current";
const FINGERPRINT: &str = "fingerprint";

/// A handle on the folder; clones share what is open.
#[derive(Clone)]
pub(super) struct Embedded {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    open: Mutex<HashMap<(&'static str, String), Arc<Generation>>>,
}

/// One generation that is open.
struct Generation {
    folder: PathBuf,
    index: Index,
    reader: IndexReader,
    writer: Mutex<Option<Writer>>,
}

/// What writes a generation, and with which ticket it last wrote an id: a slow reader must not overwrite what a faster one saw later.
struct Writer {
    index: Option<IndexWriter>,
    tickets: HashMap<String, i64>,
    _lock: DirectoryLock,
}

impl Embedded {
    pub(super) fn new(folder: &str) -> Self {
        Self { shared: Arc::new(Shared { folder: PathBuf::from(folder), open: Mutex::default() }) }
    }

    pub(super) async fn ping(&self) -> Result<()> {
        self.work(|shared| folder::private(&shared.folder)).await
    }

    pub(super) async fn live(&self, schema: &'static Schema) -> Result<Option<String>> {
        self.work(move |shared| {
            let Some(generation) = shared.current(schema)? else { return Ok(None) };
            let made_by = std::fs::read_to_string(shared.path(schema, &generation).join(FINGERPRINT)).unwrap_or_default();
            if made_by != schema.fingerprint() {
                return Ok(None);
            }
            match shared.generation(schema, &generation) {
                Ok(_) => Ok(Some(generation)),
                Err(error) => {
                    tracing::warn!(index = schema.name, %error, "the index is damaged");
                    Ok(None)
                }
            }
        })
        .await
    }

    pub(super) async fn create(&self, schema: &'static Schema, generation: &str) -> Result<()> {
        let generation = generation.to_owned();
        self.work(move |shared| {
            folder::private(&shared.folder)?;
            let path = shared.path(schema, &generation);
            folder::private(&path)?;
            Index::create_in_dir(&path, Layout::schema(schema)).map_err(|cause| shared.failed(cause))?;
            folder::create(&path.join(FINGERPRINT), schema.fingerprint().as_bytes()).map_err(|cause| shared.failed(cause))
        })
        .await
    }

    pub(super) async fn publish(&self, schema: &'static Schema, generation: &str) -> Result<()> {
        let generation = generation.to_owned();
        self.work(move |shared| {
            shared.generation(schema, &generation)?;
            let home = shared.folder.join(schema.name);
            folder::replace(&home.join(CURRENT), generation.as_bytes()).map_err(|cause| shared.failed(cause))?;
            shared.open().retain(|(index, name), _| *index != schema.name || *name == generation);
            for entry in std::fs::read_dir(&home).map_err(|cause| shared.failed(cause))?.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder && is_generation(&name) && name != generation {
                    // What cannot be removed now goes with the next one.
                    drop(std::fs::remove_dir_all(entry.path()));
                }
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn write(&self, schema: &'static Schema, place: Place<'_>, ticket: i64, entries: Vec<Entry>) -> Result<()> {
        let generation = match place {
            Place::Live => None,
            Place::Generation(name) => Some(name.to_owned()),
        };
        self.work(move |shared| {
            let open = || match &generation {
                Some(name) => shared.generation(schema, name),
                None => shared.answering(schema),
            };
            let place = open()?;
            let written = place.write(schema, ticket, &entries).or_else(|cause| {
                // A generation that was published meanwhile has taken the place of this one.
                let now = open().map(|now| (now.folder != place.folder).then_some(now));
                now.ok().flatten().map_or(Err(cause), |now| now.write(schema, ticket, &entries))
            });
            written.map_err(|cause| match cause {
                TantivyError::LockFailure(..) => errors::search_in_use(&place.folder),
                other => shared.failed(other),
            })
        })
        .await
    }

    pub(super) async fn find(&self, schema: &'static Schema, inquiry: &Inquiry<'_>) -> Result<Found> {
        let (tenant, expression) = (inquiry.tenant.to_owned(), inquiry.expression.clone());
        let (sort, after, limit) = (inquiry.sort, inquiry.after.cloned(), inquiry.limit);
        self.work(move |shared| {
            let generation = shared.answering(schema)?;
            let layout = Layout::of(&generation.index, schema);
            let failed = |cause| shared.failed(cause);
            // Another process may be the one that writes.
            generation.reader.reload().map_err(failed)?;
            let searcher = generation.reader.searcher();
            let wanted = layout.query(&tenant, &expression).map_err(failed)?;
            let [limit, most] = [u64::from(limit), COUNTED].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
            let first = Wanted { sort, after: after.as_ref(), limit, most };
            let (total, hits) = first.of(&searcher, wanted.as_ref()).map_err(failed)?;
            Ok(Found { hits, total: u64::try_from(total).unwrap_or(COUNTED) })
        })
        .await
    }

    /// Runs what touches files on a thread that may wait for them.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&Shared) -> Result<T> + Send + 'static) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(outcome) => outcome,
            Err(cause) => Err(Error::internal("work on the search index panicked").because(cause)),
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<(&'static str, String), Arc<Generation>>> {
        // Each entry is put in or taken out whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, schema: &Schema, generation: &str) -> PathBuf {
        self.folder.join(schema.name).join(generation)
    }

    /// What `current` names.
    fn current(&self, schema: &Schema) -> Result<Option<String>> {
        match std::fs::read_to_string(self.folder.join(schema.name).join(CURRENT)) {
            Ok(name) => Ok(Some(name).filter(|name| is_generation(name))),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.failed(cause)),
        }
    }

    fn answering(&self, schema: &'static Schema) -> Result<Arc<Generation>> {
        let current = self.current(schema)?.ok_or_else(|| errors::search_missing(schema.name))?;
        match self.generation(schema, &current) {
            // Another one was published in between, and this one removed.
            Err(_) if self.current(schema)?.is_some_and(|now| now != current) => self.answering(schema),
            answer => answer,
        }
    }

    fn generation(&self, schema: &'static Schema, name: &str) -> Result<Arc<Generation>> {
        let key = (schema.name, name.to_owned());
        let folder = self.path(schema, name);
        let mut open = self.open();
        if let Some(generation) = open.get(&key) {
            if folder.exists() {
                return Ok(Arc::clone(generation));
            }
            // Somebody removed it behind our back; what we hold open would swallow writes.
            open.remove(&key);
        }
        let generation = Generation::open(folder, schema).map_err(|cause| match cause {
            TantivyError::OpenDirectoryError(_) | TantivyError::OpenReadError(_) => errors::search_missing(schema.name).because(cause),
            other => self.failed(other),
        })?;
        let generation = Arc::new(generation);
        open.insert(key, Arc::clone(&generation));
        Ok(generation)
    }

    fn failed(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        errors::search_unavailable(&format!("`{}`", self.folder.display()), cause)
    }
}

impl Generation {
    fn open(folder: PathBuf, schema: &Schema) -> tantivy::Result<Self> {
        let index = Index::open_in_dir(&folder)?;
        if index.schema() != Layout::schema(schema) {
            return Err(TantivyError::SchemaError("made by other rules".to_owned()));
        }
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { folder, index, reader, writer: Mutex::new(None) })
    }

    fn write(&self, schema: &'static Schema, ticket: i64, entries: &[Entry]) -> tantivy::Result<()> {
        let layout = Layout::of(&self.index, schema);
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = match slot.take() {
            Some(writer) if writer.tickets.len() < TICKETS => writer,
            Some(writer) => Writer { tickets: HashMap::new(), ..writer },
            None => Writer { index: None, tickets: HashMap::new(), _lock: self.lock()? },
        };
        let mut index = match writer.index.take() {
            Some(index) => index,
            None => self.index.writer_with_num_threads(1, ARENA)?,
        };
        // After a failure the writer is dropped with what it holds, and the next call begins with what is on disk.
        for entry in entries {
            let id = match entry {
                Entry::Put(document) => &document.id,
                Entry::Remove(id) => id,
            };
            if writer.tickets.get(id).is_some_and(|last| *last > ticket) {
                continue;
            }
            writer.tickets.insert(id.clone(), ticket);
            index.delete_term(Term::from_field_text(layout.id, id));
            if let Entry::Put(document) = entry {
                index.add_document(layout.document(document))?;
            }
        }
        index.commit()?;
        if entries.len() >= CROWD {
            writer.index = Some(index);
        } else {
            index.wait_merging_threads()?;
        }
        *slot = Some(writer);
        self.reader.reload()
    }

    fn lock(&self) -> tantivy::Result<DirectoryLock> {
        let lock = Lock { filepath: PathBuf::from(WRITING), is_blocking: false };
        self.index.directory().acquire_lock(&lock).map_err(|busy| TantivyError::LockFailure(busy, None))
    }
}
