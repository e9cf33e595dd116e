//! Something happened: every stream that asked for it and does not leave its subject out holds it from now on, once.

use audit::Change;
use backends::Run;
use base::{ActorKind, Result};
use serde_json::json;

use super::Integrations;
use crate::model::{Held, HeldState, Method};
use crate::signals::{Ground, Signal, name};
use crate::{actions, store, subject};

/// Whom something happened to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) device: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
}

impl Integrations {
    /// The ground of what a job tells: whether a person did it, and when.
    pub(crate) fn ground<'a>(&self, run: &Run, reason: &'a str) -> Ground<'a> {
        let by_person = matches!(run.actor.kind, ActorKind::User | ActorKind::Token);
        Ground { by_person, reason, at: self.now().seconds() }
    }

    /// Puts events into the streams that want them.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn transmit(&self, run: &Run, about: About<'_>, signals: &[Signal]) -> Result<()> {
        let tenant = run.actor.tenant;
        let actor = run.system(tenant);
        let scope = actor.scope(actions::TRANSMIT)?;
        let db = &self.backends().db;
        let streams = store::streams::taking(db, &scope).await?;
        if streams.is_empty() || signals.is_empty() {
            return Ok(());
        }
        let subject = subject::ours(self.issuer(), tenant, about.device, about.user);
        let leaving_out = store::streams::leaving_out(db, &scope, subject::names(&subject)).await?;
        let mut change = Change::begin(self.backends(), &actor, actions::TRANSMIT).await?;
        // Should this run twice, the second finds its events by the number of the job.
        let transaction = run.job.to_string();
        let mut woken = Vec::new();
        for stream in streams.iter().filter(|stream| !leaving_out.contains(&stream.id)) {
            let mut holds_more = false;
            for signal in signals.iter().filter(|signal| stream.delivered().contains(&signal.event)) {
                let held = Held {
                    id: change.id(),
                    transaction: transaction.clone(),
                    event: signal.event.to_owned(),
                    subject: subject.clone(),
                    claims: signal.claims.clone(),
                    state: HeldState::Waiting,
                    tries: 0,
                    error: None,
                    created_at: change.now(),
                    finished_at: None,
                };
                holds_more |= store::held::insert(&mut change, stream.id, &held, false).await?;
            }
            if holds_more {
                woken.push(stream);
                self.push_soon(&mut change, stream).await?;
            }
        }
        if woken.is_empty() {
            return Ok(());
        }
        let events: Vec<&str> = signals.iter().map(|signal| name(signal.event)).collect();
        change.subject("security_event", &transaction);
        change.detail(json!({ "events": events, "subject": subject, "streams": woken.iter().map(|stream| stream.id).collect::<Vec<_>>() }));
        change.commit().await?;
        metrics::counter!("security_events_total").increment(signals.len() as u64);
        for stream in woken.into_iter().filter(|stream| stream.method == Method::Poll) {
            self.wake(stream.id).await;
        }
        Ok(())
    }
}
