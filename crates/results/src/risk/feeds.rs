//! Feeds: brought as files, taken in whole or not at all, only what changed is written.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};

use audit::Change;
use aws_lc_rs::digest::{Context, SHA256};
use base::{Actor, Error, Result};
use risk::feeds::{Entry, Epss, Kev, Limits, Release};
use serde_json::json;

use crate::jobs::AssessAll;
use crate::model::{Feed, FeedKind, FeedUpdate};
use crate::service::Results;
use crate::{actions, errors, store};

/// Rows compared at a time with what is in the table.
const PAGE: usize = 20_000;
/// Two files of one feed at once would each miss what the other removes.
const LOCK: i64 = 0x6665_6564_7300;

/// A feed read from its file.
struct Reading {
    release: Release,
    sha256: String,
    epss: HashMap<String, Epss>,
    kev: HashMap<String, Kev>,
}

impl Results {
    /// Every feed there is, loaded or not.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn feeds(&self, actor: &Actor) -> Result<Vec<Feed>> {
        let scope = actor.scope(actions::READ)?;
        let loaded = store::feeds::all(&self.backends.db, &scope).await?;
        let of = |kind: &FeedKind| loaded.iter().find(|feed| feed.kind == *kind).cloned().unwrap_or_else(|| Feed::never(*kind));
        Ok(FeedKind::ALL.iter().map(of).collect())
    }

    /// Takes a feed in; findings are assessed anew by a job.
    ///
    /// # Errors
    /// `Invalid` naming the line of a broken file; `Forbidden`. After an error the feed is as it was.
    pub async fn update_feed(&self, actor: &Actor, kind: FeedKind, filename: Option<String>, file: File) -> Result<FeedUpdate> {
        actor.scope(actions::UPDATE_FEED)?;
        let name = filename.clone();
        let mut reading = tokio::task::spawn_blocking(move || read(kind, name.as_deref(), file))
            .await
            .map_err(|cause| Error::internal("reading a feed panicked").because(cause))??;
        let mut change = Change::begin(&self.backends, actor, actions::UPDATE_FEED).await?;
        change.lock(LOCK ^ (actor.tenant.uuid().as_u128() as i64)).await?;
        let before = store::feeds::current(&mut change, kind).await?;
        let (changed, gone) = match kind {
            FeedKind::Epss => epss(&mut change, &mut reading.epss).await?,
            FeedKind::Kev => kev(&mut change, &mut reading.kev).await?,
        };
        store::feeds::forget(&mut change, kind, &gone).await?;
        let feed = Feed {
            kind,
            revision: before.as_ref().map_or(0, |before| before.revision) + 1,
            version: reading.release.version,
            released: reading.release.date.map(|day| day.to_string()),
            entries: reading.release.entries,
            sha256: Some(reading.sha256),
            filename,
            updated_by: Some(actor.username.clone()),
            updated_at: Some(change.now()),
        };
        store::feeds::put(&mut change, &feed).await?;
        let removed = gone.len() as u64;
        if before.is_none() || changed + removed > 0 {
            change.enqueue(&AssessAll {}).await?;
        }
        change.subject("feed", kind.as_str());
        change.detail(json!({
            "version": feed.version, "released": feed.released, "entries": feed.entries, "sha256": feed.sha256,
            "changed": changed, "removed": removed,
        }));
        change.commit().await?;
        Ok(FeedUpdate { feed, changed, removed })
    }
}

fn read(kind: FeedKind, name: Option<&str>, mut file: File) -> Result<Reading> {
    let sha256 = digest(&mut file).map_err(errors::spool)?;
    let (mut epss, mut kev) = (HashMap::new(), HashMap::new());
    let release = risk::feeds::read(file, Some(kind.into()), &Limits::default(), |entry| {
        match entry {
            Entry::Epss(entry) => drop(epss.insert(entry.cve.clone(), entry)),
            Entry::Kev(entry) => drop(kev.insert(entry.cve.clone(), entry)),
        }
        Ok(())
    })
    .map_err(|cause| errors::feed_unreadable(name, &cause))?;
    Ok(Reading { release, sha256, epss, kev })
}

fn digest(file: &mut File) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        context.update(buffer.get(..count).unwrap_or_default());
    }
    file.rewind()?;
    Ok(hex::encode(context.finish()))
}

/// Writes what differs; tells how many and which are gone.
async fn epss(change: &mut Change, fresh: &mut HashMap<String, Epss>) -> Result<(u64, Vec<String>)> {
    let mut gone = Vec::new();
    let mut after = String::new();
    loop {
        let page = store::feeds::epss_page(change, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.cve);
        let is_last = page.len() < PAGE;
        for old in page {
            match fresh.get(&old.cve) {
                None => gone.push(old.cve),
                Some(new) if *new == old => drop(fresh.remove(&old.cve)),
                Some(_) => {}
            }
        }
        if is_last {
            break;
        }
    }
    let rows: Vec<Epss> = fresh.drain().map(|(_, row)| row).collect();
    store::feeds::put_epss(change, &rows).await?;
    Ok((rows.len() as u64, gone))
}

async fn kev(change: &mut Change, fresh: &mut HashMap<String, Kev>) -> Result<(u64, Vec<String>)> {
    let mut gone = Vec::new();
    for old in store::feeds::kev_all(change).await? {
        match fresh.get(&old.cve) {
            None => gone.push(old.cve),
            Some(new) if *new == old => drop(fresh.remove(&old.cve)),
            Some(_) => {}
        }
    }
    let rows: Vec<Kev> = fresh.drain().map(|(_, row)| row).collect();
    store::feeds::put_kev(change, &rows).await?;
    Ok((rows.len() as u64, gone))
}
