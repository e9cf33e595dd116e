//! How an import goes on, word by word, until it has ended.

use std::time::Duration;

use backends::{Message, Subscription};
use base::{Actor, Result};
use futures::{Stream, stream};

use crate::ingest::{self, ImportProgress};
use crate::model::{Import, ImportId, ImportState};
use crate::service::Results;
use crate::{actions, errors, store};

/// A word that the bus lost is made up for by looking again after this long.
const PATIENCE: Duration = Duration::from_secs(2);

struct Follower {
    results: Results,
    actor: Actor,
    id: ImportId,
    words: Option<Subscription>,
    last: Option<ImportProgress>,
    is_over: bool,
}

impl Results {
    /// How an import goes on: what is known now, every word, and the last one.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn import_progress(&self, actor: &Actor, id: ImportId) -> Result<impl Stream<Item = ImportProgress> + Send + use<>> {
        // First listen, then look: what is said in between is heard.
        let words = self.backends.bus.subscribe(&ingest::channel(id)).await.ok();
        self.import_of(actor, id).await?;
        let follower = Follower { results: self.clone(), actor: actor.clone(), id, words, last: None, is_over: false };
        Ok(stream::unfold(follower, |mut follower| async move {
            let word = follower.next().await?;
            Some((word, follower))
        }))
    }

    async fn how_far(&self, actor: &Actor, id: ImportId) -> Result<ImportProgress> {
        let scope = actor.scope(actions::READ)?;
        let import: Import = store::imports::get(&self.backends.db, &scope, id).await?.ok_or_else(errors::import_not_found)?;
        let word = |fraction, message: String| ImportProgress { import_id: id, state: import.state, fraction, message };
        if import.state != ImportState::Queued {
            return Ok(word(1.0, import.error.clone().unwrap_or_else(|| import.state.to_string())));
        }
        Ok(ingest::last(&self.backends, id).await.unwrap_or_else(|| word(0.0, "waiting".to_owned())))
    }
}

impl Follower {
    async fn next(&mut self) -> Option<ImportProgress> {
        while !self.is_over {
            let told = match &mut self.words {
                Some(words) if self.last.is_some() => match tokio::time::timeout(PATIENCE, words.next()).await {
                    Ok(Some(message)) => word_of(&message),
                    Ok(None) => return None,
                    Err(_) => None,
                },
                Some(_) => None,
                None => {
                    if self.last.is_some() {
                        tokio::time::sleep(PATIENCE).await;
                    }
                    None
                }
            };
            // The row knows how it ended; a word about the end may come before the row can be read.
            let word = match told.filter(|word| word.state == ImportState::Queued) {
                Some(word) => word,
                None => self.results.how_far(&self.actor, self.id).await.ok()?,
            };
            self.is_over = word.state != ImportState::Queued;
            if self.last.as_ref() != Some(&word) {
                self.last = Some(word.clone());
                return Some(word);
            }
        }
        None
    }
}

fn word_of(message: &Message) -> Option<ImportProgress> {
    serde_json::from_slice(message.body()?).ok()
}
