//! Following a scan: a stream of progress that begins with what is known and ends with the last word.
//! Invariant: the last word arrives even when the bus loses everything, a second later.

use std::time::Duration;

use base::{Actor, Result};
use futures::{Stream, stream};

use crate::model::{Scan, ScanId, ScanState};
use crate::progress::{self, Progress};
use crate::service::Scans;
use crate::{actions, errors, store};

/// How often the stores are asked, should the bus stay silent.
const POLL: Duration = Duration::from_secs(1);

struct Follower {
    scans: Scans,
    actor: Actor,
    id: ScanId,
    words: Option<backends::Subscription>,
    /// The last word's sequence; words that are not later are old news.
    heard: i64,
    first: Option<Progress>,
    is_over: bool,
}

impl Scans {
    /// How a scan goes on: what is known now (unless `after` says it was heard), every word, and the last one.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn progress(&self, actor: &Actor, id: ScanId, after: Option<i64>) -> Result<impl Stream<Item = Progress> + Send + use<>> {
        let scope = actor.scope(actions::READ)?;
        // First listen, then look: what is said in between is heard.
        let words = self.backends.bus.subscribe(&progress::channel(id)).await.ok();
        let scan = store::find(&self.backends.db, &scope, id).await?.ok_or_else(errors::not_found)?;
        let first = self.known(&scan).await;
        let heard = after.unwrap_or(-1);
        let is_news = first.sequence > heard || first.state.is_final();
        let follower = Follower {
            scans: self.clone(),
            actor: actor.clone(),
            id,
            words,
            heard: heard.max(first.sequence),
            first: is_news.then_some(first),
            is_over: false,
        };
        Ok(stream::unfold(follower, |mut follower| async move {
            let word = follower.next().await?;
            Some((word, follower))
        }))
    }

    /// The last word, corrected by the row: the row knows the state, the word the rest.
    async fn known(&self, scan: &Scan) -> Progress {
        let mut word = Progress::of(scan);
        if let Some(last) = progress::last(&self.backends, scan.id).await {
            word.sequence = last.sequence;
            word.open_ports = last.open_ports;
            word.issues = word.issues.max(last.issues);
            if scan.state == ScanState::Running {
                word.fraction = word.fraction.max(last.fraction);
                word.message = last.message;
                word.activity = last.activity;
                word.at = word.at.max(last.at);
            }
            if last.state != scan.state {
                // The word of this state is still on its way, or was lost.
                word.sequence += 1;
            }
        }
        word
    }
}

impl Follower {
    async fn next(&mut self) -> Option<Progress> {
        if self.is_over {
            return None;
        }
        if let Some(first) = self.first.take() {
            self.is_over = first.state.is_final();
            return Some(first);
        }
        loop {
            let said = match &mut self.words {
                Some(words) => tokio::time::timeout(POLL, words.next()).await.ok(),
                None => {
                    tokio::time::sleep(POLL).await;
                    None
                }
            };
            if matches!(said, Some(None)) {
                self.words = None;
            }
            let word = match said.flatten().as_ref().and_then(backends::Message::body) {
                Some(body) => serde_json::from_slice::<Progress>(body).ok(),
                None => self.look().await?,
            };
            let Some(word) = word else { continue };
            if word.sequence > self.heard || word.state.is_final() {
                self.heard = self.heard.max(word.sequence);
                self.is_over = word.state.is_final();
                return Some(word);
            }
        }
    }

    /// Asks the stores; `None` when the scan cannot be read any more.
    async fn look(&self) -> Option<Option<Progress>> {
        let scope = self.actor.scope(actions::READ).ok()?;
        match store::find(&self.scans.backends.db, &scope, self.id).await {
            Ok(Some(scan)) => Some(Some(self.scans.known(&scan).await)),
            Ok(None) => None,
            Err(_) => Some(None),
        }
    }
}
