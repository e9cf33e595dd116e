//! Poll (RFC 8936): a receiver fetches what waits and says what it has; the same comes again until it does.

use std::collections::BTreeMap;
use std::time::Duration;

use audit::Change;
use base::{Actor, Result};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{CHANNEL, Integrations};
use crate::model::{Held, HeldId, HeldState, Method, PollAnswer, PollRequest, Stream, StreamId};
use crate::{actions, errors, store, token};

/// Events of one answer when the receiver does not say.
const USUAL: u32 = 100;
/// Events of one answer at most.
const MOST: u32 = 1_000;
/// Acknowledgements taken at once.
const LONGEST: usize = 10_000;
/// A wake-up that was lost costs this much.
const LOOK: Duration = Duration::from_secs(1);

impl Integrations {
    /// Takes note of what the receiver has, and gives it what waits; waits for something when there is nothing.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for a stream that is pushed; `Forbidden`, also for one who may only read and says what arrived.
    pub async fn poll(&self, actor: &Actor, id: StreamId, request: PollRequest) -> Result<PollAnswer> {
        let scope = actor.scope(actions::READ)?;
        let mut stream = self.stream(actor, id).await?;
        if stream.method != Method::Poll {
            return Err(errors::not_polled());
        }
        check(&request)?;
        self.note(actor, id, &request).await?;
        let most = request.max_events.unwrap_or(USUAL).min(MOST);
        let mut news = self.backends().bus.subscribe(CHANNEL).await.ok();
        let end = Instant::now() + self.config().patience();
        let stop = self.backends().tasks.stop();
        loop {
            let waiting = store::held::waiting(&self.backends().db, &scope, id, stream.status, most + 1).await?;
            let is_over = Instant::now() >= end || stop.is_cancelled();
            if !waiting.is_empty() || most == 0 || request.return_immediately || is_over {
                return self.answer(&stream, waiting, most).await;
            }
            let word = async {
                match &mut news {
                    Some(news) => drop(news.next().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                _ = timeout(LOOK, word) => {}
            }
            // It may have been paused, or ended, meanwhile.
            stream = self.stream(actor, id).await?;
        }
    }

    async fn answer(&self, stream: &Stream, mut waiting: Vec<Held>, most: u32) -> Result<PollAnswer> {
        let most = most as usize;
        let more_available = waiting.len() > most;
        waiting.truncate(most);
        let mut sets = BTreeMap::new();
        for held in &waiting {
            sets.insert(held.id.to_string(), token::sign(&self.backends().keys, self.issuer(), stream, held).await?);
        }
        Ok(PollAnswer { sets, more_available })
    }

    /// Settles what the receiver has or cannot take; what it names wrongly is nothing (RFC 8936 §2.4).
    async fn note(&self, actor: &Actor, id: StreamId, request: &PollRequest) -> Result<()> {
        let taken = request.ack.iter().filter_map(|text| Some((text.parse::<HeldId>().ok()?, None)));
        let refused = request.set_errs.iter().filter_map(|(text, error)| {
            let why = format!("{}: {}", error.err, error.description);
            Some((text.parse::<HeldId>().ok()?, Some(why)))
        });
        let settled: Vec<(HeldId, Option<String>)> = taken.chain(refused).collect();
        if settled.is_empty() {
            return Ok(());
        }
        let mut change = Change::begin(self.backends(), actor, actions::ACKNOWLEDGE).await?;
        let (mut delivered, mut dead) = (0_u64, 0_u64);
        for (held, refusal) in &settled {
            let state = if refusal.is_some() { HeldState::Dead } else { HeldState::Delivered };
            let is_new = store::held::settle(&mut change, id, *held, state, refusal.as_deref()).await?;
            let counter = if refusal.is_some() { &mut dead } else { &mut delivered };
            *counter += u64::from(is_new);
        }
        if delivered + dead == 0 {
            return Ok(());
        }
        change.subject("event_stream", id);
        change.detail(json!({ "delivered": delivered, "refused": dead }));
        change.commit().await?;
        metrics::counter!("security_event_deliveries_total", "outcome" => "delivered").increment(delivered);
        metrics::counter!("security_event_deliveries_total", "outcome" => "dead").increment(dead);
        Ok(())
    }
}

/// What a receiver says of more events than are taken at once would be lost in part.
fn check(request: &PollRequest) -> Result<()> {
    if request.ack.len().max(request.set_errs.len()) > LONGEST {
        return Err(errors::too_many_answers(LONGEST));
    }
    for error in request.set_errs.values() {
        for (text, most) in [(&error.err, 256), (&error.description, 1024)] {
            if text.chars().count() > most {
                return Err(errors::text("/setErrs", most));
            }
        }
    }
    Ok(())
}
