//! Google's list of revoked attestation certificates as the operator's file has it: read again when the file changes, and as old as the
//! file says.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use attestation::RevocationList;
use base::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::errors;

const KEY: &str = "android.revocations";
/// How often the file is looked at.
const EVERY: TimeDelta = TimeDelta::seconds(60);
/// Age from which operators are warned: Google publishes changes within a day.
const OLD: TimeDelta = TimeDelta::hours(24);

/// The file and what was read of it.
pub(crate) struct Revocations {
    path: PathBuf,
    /// Age over which the list is not believed and attestations are refused.
    longest_age: Option<TimeDelta>,
    held: Mutex<Held>,
}

struct Held {
    list: Arc<RevocationList>,
    changed: SystemTime,
    looked_at: DateTime<Utc>,
    is_old: bool,
}

impl Revocations {
    /// Reads the file; `hours` is the longest age, none when it is zero.
    pub(crate) fn load(path: &Path, hours: u32, now: DateTime<Utc>) -> Result<Self> {
        let longest_age = (hours > 0).then(|| TimeDelta::hours(hours.into()));
        let wrong = |why: String| errors::setting(KEY, format!("`{}`: {why}", path.display()));
        let changed = changed(path).map_err(wrong)?;
        let list = read(path, changed, longest_age).map_err(wrong)?;
        let mut held = Held { list: Arc::new(list), changed, looked_at: now, is_old: false };
        held.tell_age(now);
        Ok(Self { path: path.to_owned(), longest_age, held: Mutex::new(held) })
    }

    /// The list as it is now. Whoever finds that it is time to look at the file waits for it; everybody else takes what is held. What
    /// cannot be read leaves the list as it was, and ageing.
    pub(crate) async fn at(&self, now: DateTime<Utc>) -> Arc<RevocationList> {
        let Some(before) = self.due(now) else { return Arc::clone(&self.held().list) };
        let (path, longest_age) = (self.path.clone(), self.longest_age);
        let looking = tokio::task::spawn_blocking(move || {
            let changed = changed(&path)?;
            if changed == before { Ok(None) } else { read(&path, changed, longest_age).map(|list| Some((list, changed))) }
        });
        let found = looking.await.unwrap_or_else(|cause| Err(cause.to_string()));
        let mut held = self.held();
        match found {
            Ok(None) => {}
            Ok(Some((list, changed))) => {
                tracing::info!(entries = list.len(), "the list of revoked attestation certificates is read again");
                (held.list, held.changed) = (Arc::new(list), changed);
            }
            Err(why) => tracing::error!(why, "the list of revoked attestation certificates cannot be read: the one before stays"),
        }
        held.tell_age(now);
        Arc::clone(&held.list)
    }

    /// When the file had changed that was read last, for one of those who ask when it is time to look at it again.
    fn due(&self, now: DateTime<Utc>) -> Option<SystemTime> {
        let mut held = self.held();
        if now - held.looked_at < EVERY {
            return None;
        }
        held.looked_at = now;
        Some(held.changed)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn tell_age(&mut self, now: DateTime<Utc>) {
        let age = now - DateTime::<Utc>::from(self.changed);
        metrics::gauge!("device_android_revocations_age_seconds").set(age.num_seconds().max(0) as f64);
        let is_old = age > OLD;
        if is_old && !self.is_old {
            tracing::warn!(hours = age.num_hours(), "the list of revoked attestation certificates is older than a day: fetch it again");
        }
        self.is_old = is_old;
    }
}

fn changed(path: &Path) -> std::result::Result<SystemTime, String> {
    std::fs::metadata(path).and_then(|found| found.modified()).map_err(|cause| cause.to_string())
}

fn read(path: &Path, changed: SystemTime, longest_age: Option<TimeDelta>) -> std::result::Result<RevocationList, String> {
    let bytes = std::fs::read(path).map_err(|cause| cause.to_string())?;
    let mut list = RevocationList::read(&bytes).map_err(|cause| cause.to_string())?;
    list.fetched_at = Some(changed.into());
    list.longest_age = longest_age;
    Ok(list)
}
